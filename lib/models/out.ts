import { argumentError, shapeError } from '../base/check.js'
import { transferredError } from '../base/data-errors.js'
import { allocateUnset, elementType, type FloatArray, type Precision } from '../base/precision.js'
import { asMatrix, type Matrix } from '../data/matrix.js'
import type { MatrixData } from '../data/matrix-data.js'
import { asSparseMatrix } from '../data/sparse-matrix.js'
import { bufferOf, bytesBetween, lengthOf, plainArray } from '../data/storage.js'

/** The caller's array for results. */
export interface Out<P extends Precision> {
  readonly data: FloatArray<P>
  /** Its length at the call; a transferred array has length 0. */
  readonly length: number
  /** The Matrix that was given, if it is one. */
  readonly matrix: Matrix<FloatArray<P>> | undefined
}

/**
 * The caller's array for the results of the rows of `x`, if there is one.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another kind of array, for memory that is shared, resizable or detached, and for memory
 *   of `x`
 */
export function checkOut<P extends Precision>(value: unknown, precision: P, x: unknown): Out<P> | undefined {
  if (value === undefined) return undefined
  const matrix = asMatrix('out', value)
  const given: unknown = matrix?.data ?? value
  if (elementType(given) !== precision) {
    const kind = precision === 'float64' ? 'Float64Array' : 'Float32Array'
    throw argumentError('out', `a ${kind}, or a Matrix over one`, value)
  }
  const data = plainArray('out', given)
  if (arraysOf(x).some((array) => elementType(array) !== undefined && overlap(data, array as MatrixData))) {
    throw argumentError('out', 'an array that shares no memory with x', value)
  }
  return {
    data: data as FloatArray<P>,
    length: data.length,
    matrix: matrix as Matrix<FloatArray<P>> | undefined,
  }
}

/** The typed arrays in which rows lie, as far as they are any. */
function arraysOf(x: unknown): unknown[] {
  const sparse = asSparseMatrix('x', x)
  if (sparse !== undefined) return [sparse.values, sparse.indices, sparse.indptr]
  return [asMatrix('x', x)?.data ?? x]
}

function overlap(a: MatrixData, b: MatrixData): boolean {
  if (bufferOf(a) !== bufferOf(b)) return false
  const [[beginA, endA], [beginB, endB]] = [bytesBetween(a), bytesBetween(b)]
  return Math.max(beginA, beginB) < Math.min(endA, endB)
}

/**
 * An array for `rows × cols` results: the caller's, or a new one.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE` if the caller's is of another size, `ERR_STATE` if it was transferred away, `ERR_MEMORY` if there
 *   is no room
 */
export function roomIn<P extends Precision>(
  out: Out<P> | undefined,
  rows: number,
  cols: number,
  precision: P,
  what: string,
): FloatArray<P> {
  if (out === undefined) return allocateUnset(precision, rows * cols, what)
  const { data, matrix } = out
  checkStillThere(out)
  if (matrix !== undefined && (matrix.rows !== rows || matrix.cols !== cols)) {
    throw shapeError('out', `a Matrix of ${rows} × ${cols}`, `${matrix.rows} × ${matrix.cols}`)
  }
  if (data.length !== rows * cols) {
    throw shapeError('out', `${rows} × ${cols} = ${rows * cols} numbers`, data.length)
  }
  return data
}

/** Refuses an array that was transferred during the call: its results are in memory of another owner. */
export function checkStillThere({ data, length }: Out<Precision>): void {
  if (lengthOf(data) !== length) throw transferredError('out')
}
