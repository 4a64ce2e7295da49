import { Matrix } from '../../lib/index.js'
import { gaussians } from '../compression/gaussian.js'

/**
 * Rows of correlated Gaussian numbers: independent ones whose variances fall by a factor from each to the next, their axes rotated pair by
 * pair of neighbours, and an offset on every column.
 */
export function gaussianRows(
  rows: number,
  cols: number,
  { largest = 4, factor = 0.7, offset = 0, seed = 1 } = {},
): Matrix<Float64Array> {
  const next = gaussians(seed)
  const x = new Float64Array(rows * cols)
  for (let i = 0; i < rows; i++) {
    const row = x.subarray(i * cols, (i + 1) * cols)
    for (let j = 0; j < cols; j++) row[j] = Math.sqrt(largest * factor ** j) * next()
    for (let j = 0; j + 1 < cols; j++) {
      const [a, b] = [row[j]!, row[j + 1]!]
      row[j] = 0.6 * a - 0.8 * b
      row[j + 1] = 0.8 * a + 0.6 * b
    }
    for (let j = 0; j < cols; j++) row[j]! += offset
  }
  return Matrix.from(x, rows, cols)
}
