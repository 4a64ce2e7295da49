import { Matrix, SparseMatrix } from '../lib/index.js'
import { seeded } from './oracle/points.js'

/** Rows in which a share `density` of the numbers are not zero, between 0 and 1: sparse, and the same with all zeros. */
export function sparseSample(
  rows: number,
  cols: number,
  density: number,
  seed = 1,
): { sparse: SparseMatrix; dense: Matrix<Float64Array> } {
  const random = seeded(seed)
  const data = Float64Array.from({ length: rows * cols }, () => (random() < density ? random() : 0))
  const dense = Matrix.from(data, rows, cols)
  return { sparse: sparseOf(dense), dense }
}

/** A matrix without its zeros. */
export function sparseOf({ data, rows, cols }: Matrix<Float64Array>): SparseMatrix {
  const indptr = [0]
  const indices: number[] = []
  const values: number[] = []
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      const value = data[i * cols + j]!
      if (value === 0) continue
      indices.push(j)
      values.push(value)
    }
    indptr.push(indices.length)
  }
  return SparseMatrix.from({
    indptr,
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
    rows,
    cols,
  })
}
