import { Matrix } from '../lib/index.js'
import { seeded } from './oracle/points.js'

/** Rows in (0, 1) around one random pattern a class, so near each other that no line divides them all; classes take turns. */
export function labeledRows(m: number, n: number, classes: number, seed = 1) {
  const random = seeded(seed)
  const patterns = Array.from({ length: classes }, () => Array.from({ length: n }, () => random()))
  const labels = Uint8Array.from({ length: m }, (_, i) => i % classes)
  const data = new Float64Array(m * n)
  labels.forEach((label, i) => {
    for (let j = 0; j < n; j++) data[i * n + j] = 0.4 * patterns[label]![j]! + 0.6 * random()
  })
  return { x: Matrix.from(data, m, n), labels }
}
