import { Matrix } from '../lib/index.js'
import { seeded } from './oracle/points.js'

/** Rows far from 0 whose columns depend on each other, with variances that fall from column to column before these are mixed. */
export function correlatedRows(
  m: number,
  n: number,
  { seed = 1, falloff = 0.8, offset = 3 } = {},
): Matrix<Float64Array> {
  const random = seeded(seed)
  const data = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    const row = data.subarray(i * n, (i + 1) * n)
    for (let j = 0; j < n; j++) row[j] = (random() - 0.5) * falloff ** j
    for (let j = 0; j + 1 < n; j++) {
      const [a, b] = [row[j]!, row[j + 1]!]
      row[j] = 0.6 * a - 0.8 * b
      row[j + 1] = 0.8 * a + 0.6 * b
    }
    for (let j = 0; j < n; j++) row[j]! += offset
  }
  return Matrix.from(data, m, n)
}

/** A random orthogonal n × n matrix: the Gram-Schmidt of random rows. */
export function orthogonal(n: number, seed = 1): number[][] {
  const random = seeded(seed)
  const q: number[][] = []
  while (q.length < n) {
    let row = Array.from({ length: n }, () => random() - 0.5)
    for (let pass = 0; pass < 2; pass++) {
      for (const other of q) {
        const along = other.reduce((sum, value, j) => sum + value * row[j]!, 0)
        row = row.map((value, j) => value - along * other[j]!)
      }
    }
    const length = Math.hypot(...row)
    q.push(row.map((value) => value / length))
  }
  return q
}

/** a b, small. */
export function product(a: number[][], b: number[][]): number[][] {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)))
}
