import { Matrix } from '../lib/index.js'
import { seeded } from './oracle/points.js'

/** Rows in (0, 1) that have something in common: three patterns, each present to a random degree, and a little noise. */
export function sampleRows(m: number, n: number, seed = 1): Matrix<Float64Array> {
  const random = seeded(seed)
  const patterns = Array.from({ length: 3 }, () => Array.from({ length: n }, () => random()))
  const data = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    const shares = patterns.map(() => random() / patterns.length)
    for (let j = 0; j < n; j++) {
      const mixed = patterns.reduce((sum, pattern, k) => sum + shares[k]! * pattern[j]!, 0)
      data[i * n + j] = 0.05 + 0.85 * mixed + 0.05 * random()
    }
  }
  return Matrix.from(data, m, n)
}

/** ‖a − b‖ / (‖a‖ + ‖b‖). */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0
  let normA = 0
  let normB = 0
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2
    normA += a[i]! ** 2
    normB += b[i]! ** 2
  }
  return a.length === b.length ? Math.sqrt(difference) / (Math.sqrt(normA) + Math.sqrt(normB) || 1) : Infinity
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was fulfilled')
}
