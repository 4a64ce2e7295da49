import { shapeError } from '../base/check.js'
import { allocate } from '../base/precision.js'
import type { Matrix } from '../data/matrix.js'
import { type DenseFittingRows, ownWidth, toMatrix } from '../data/rows.js'
import { rowSlices, valueSlices } from '../data/slices.js'
import { dot, singularVectors } from './singular-vectors.js'

/**
 * The principal angles between the subspaces that the rows of `a` and those of `b` span, in radians from 0 to π/2, rising: as many as the
 * smaller subspace has dimensions. All are 0 if one subspace contains the other.
 *
 * Small angles are computed from sines and large ones from cosines, so that each is accurate to about 1e-15. Rows need not be orthogonal or
 * of unit length; a row that depends on the others, up to rounding, adds nothing. Computed on the JavaScript thread, a slice at a time: p(p
 * + q) · n operations, some ten times.
 *
 * Source: Björck & Golub 1973, "Numerical methods for computing angles between linear subspaces"; Knyazev & Argentati 2002.
 *
 * @param a - [p, n]: a Matrix or an array of rows, such as `pca.components`
 * @param b - [q, n]
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for anything else, no rows, or rows of different widths; `ERR_RANGE` for NaN
 *   and infinities
 */
export async function principalAngles(a: DenseFittingRows, b: DenseFittingRows): Promise<Float64Array> {
  const [basisA, basisB] = [await basisOf('a', a), await basisOf('b', b)]
  if (basisA.cols !== basisB.cols) throw shapeError('b', `${basisA.cols} columns, as a has`, basisB.cols)
  const [large, small] = basisA.rows < basisB.rows ? [basisB, basisA] : [basisA, basisB]
  const count = small.rows
  const n = small.cols

  // For each vector of the smaller basis: its coordinates in the larger one, and its component outside.
  const inside = new Float64Array(count * large.rows)
  const outside = small.data.slice()
  for await (const [from, to] of rowSlices(count, large.rows * n)) {
    for (let i = from; i < to; i++) {
      const rest = outside.subarray(i * n, (i + 1) * n)
      for (let k = 0; k < large.rows; k++) {
        const along = dot(small.row(i).data, large.row(k).data)
        inside[i * large.rows + k] = along
        for (let j = 0; j < n; j++) rest[j]! -= along * large.data[k * n + j]!
      }
    }
  }
  // Values that count as 0 are left out at the end of both.
  const cosines = padded(
    large.rows === 0 ? new Float64Array() : (await singularVectors(inside, large.rows)).values,
    count,
  )
  const sines = padded((await singularVectors(outside, n)).values, count).reverse()
  return cosines.map((cosine, i) =>
    sines[i]! ** 2 < 0.5 ? Math.asin(sines[i]!) : Math.acos(Math.min(1, cosine)),
  )
}

/** An orthonormal basis of the rows' span. */
async function basisOf(argument: string, rows: DenseFittingRows): Promise<Matrix<Float64Array>> {
  const matrix = await toMatrix(argument, rows, ownWidth(rows), 'float64')
  const { cols } = matrix
  const values = allocate('float64', matrix.rows * cols, argument)
  let largest = 0
  for await (const slice of valueSlices(argument, matrix)) {
    values.set(slice.values, slice.from)
    for (const value of slice.values) largest = Math.max(largest, Math.abs(value))
  }
  if (largest === 0) largest = 1
  for await (const [from, to] of rowSlices(matrix.rows, cols)) {
    for (let k = from * cols; k < to * cols; k++) values[k]! /= largest
  }
  return (await singularVectors(values, cols)).vectors
}

function padded(values: Float64Array, length: number): Float64Array {
  const all = new Float64Array(length)
  all.set(values)
  return all
}
