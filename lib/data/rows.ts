import { argumentError, ownCopy, shapeError } from '../base/check.js'
import { changedError } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import { allocateUnset, type FloatArray, type Precision } from '../base/precision.js'
import { type NativeRows, type NativeScaling, nativeScaling } from '../native/binding.js'
import { asDataset, type Dataset, datasetRows } from './dataset.js'
import { asMatrix, copyAnyRow, Matrix, type Row, rowWidth } from './matrix.js'
import type { NumberArray } from './matrix-data.js'
import { type Between, type Block, blockRanges, isDue, turn } from './slices.js'
import { asSparseMatrix, type SparseMatrix } from './sparse-matrix.js'
import { copySparse, sparseBytes, sparseRows } from './sparse-rows.js'
import { allocateLike, checkStorage, nativeData, plainArray, storageTypeOf } from './storage.js'

/**
 * Samples that store their zeros, one a row: a {@link Matrix}; a flat typed array, row-major, as wide as the model has inputs; or an array
 * of rows, each an array of numbers, a typed array or a Matrix of one row, which is copied into the model's precision. A Uint16Array is
 * taken in a Matrix only, which says what its numbers are.
 */
export type DenseRows = Matrix | NumberArray | readonly Row[]

/**
 * Samples, one a row: {@link DenseRows}; a {@link Dataset}, whose files are read while they are used; or a {@link SparseMatrix}, which is
 * never made dense. Sparse rows are refused (`ERR_ARGUMENT`) where
 * zeros would become other numbers: by scalers that move zeros, noise other than `masking`, and models that centre.
 */
export type Rows = DenseRows | Dataset | SparseMatrix

/** One row for a call on the calling thread: a flat array, or a {@link Matrix} or {@link SparseMatrix} of one row. */
export type SingleRow = Row | SparseMatrix

/** Data with a known width. A flat array has none: use `Matrix.from(data, rows, cols)`. */
export type FittingRows = DenseFittingRows | Dataset

/** The same in memory. */
export type DenseFittingRows = Matrix | readonly Row[]

/** The form that rows must have, and how they are read. */
export interface RowForm {
  /** Columns each row must have. */
  readonly width: number
  /** The precision of the copy of an array of rows. With a scaling the copy is float64, so that nothing is lost before its shift. */
  readonly precision: Precision
  /** A fitted scaler for rows of this width; the addon applies it after the Matrix's own scale. */
  readonly scaling: NativeScaling | undefined
}

/** Rows of at most this many bytes are copied at the call; later changes of the caller's array have no effect. 1 MiB. */
export const COPIED_BYTES = 2 ** 20

/** To look at a row takes as long as to copy so many numbers. */
const NUMBERS_PER_ROW = 16

/**
 * `x` for the addon: checked, and copied only if it is an array of rows, a slice at a time, so that the event loop stays free. A scaler's
 * numbers are taken at the call.
 *
 * Only the type of values is checked: the addon finds NaN and Infinity.
 *
 * @param argument - what the caller called `x`, for messages
 * @param between - called between slices; what it throws ends the copying
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything that is not {@link Rows}, and for memory that is shared, resizable or detached
 * @throws {@link LayerwiseError} `ERR_SHAPE` for no rows, and for a wrong width or length
 * @throws {@link LayerwiseError} `ERR_STATE` if the scaler was not fitted, or the array of rows changes its length during the call
 */
export async function toRows(
  argument: string,
  x: Rows,
  { width, precision, scaling }: RowForm,
  between: Between,
): Promise<NativeRows> {
  const sparse = asSparseMatrix(argument, x)
  if (sparse !== undefined) {
    if (sparse.rows === 0) throw emptyError(argument)
    const rows = sparseRows(argument, sparse, width, scaling)
    return sparseBytes(rows) > COPIED_BYTES ? rows : copySparse(argument, rows)
  }
  const dataset = asDataset(argument, x)
  if (dataset !== undefined) {
    if (dataset.rows === 0) throw emptyError(argument)
    return datasetRows(argument, dataset, { width, scaling })
  }
  const taken = scaling && nativeScaling(scaling)
  const kept = taken === undefined ? precision : 'float64'
  const matrix = Array.isArray(x)
    ? await fromArrays(argument, x, width, kept, between)
    : keptSmall(argument, givenMatrix(argument, x, width))
  const { rows, cols, scale, type } = matrix
  const data = nativeData(matrix.data, type)
  if (taken && taken.shift.length !== width)
    throw shapeError('scaling', `a scaler fitted on ${width} columns`, taken.shift.length)
  return ownCopy({ data, type, rows, cols, scale, ...(taken && { scaling: taken }) })
}

/** {@link DenseRows} as a Matrix with at least one row, of `width` columns, as {@link toRows} takes them. */
export async function toMatrix(
  argument: string,
  x: DenseRows,
  width: number,
  precision: Precision,
  between: Between = () => {},
): Promise<Matrix> {
  return Array.isArray(x)
    ? fromArrays(argument, x, width, precision, between)
    : givenMatrix(argument, x, width)
}

/** Rows in a typed array, without a copy. */
function givenMatrix(argument: string, x: unknown, width: number): Matrix {
  const matrix = asMatrix(argument, x)
  if (matrix !== undefined) {
    checkStorage(argument, matrix.data)
    if (matrix.cols !== width) throw shapeError(argument, `${width} columns`, matrix.cols)
    if (matrix.rows === 0) throw emptyError(argument)
    return matrix
  }
  if (asSparseMatrix(argument, x) !== undefined) throw sparseError(argument, x)
  if (asDataset(argument, x) !== undefined)
    throw argumentError(argument, 'rows in memory (of a small Dataset, await x.read(0))', x)
  if (!ArrayBuffer.isView(x)) {
    throw argumentError(
      argument,
      `a Matrix, a Dataset, a flat typed array or an array of rows${advice(x)}`,
      x,
    )
  }
  const data = plainArray(argument, x as unknown)
  const { length } = data
  if (length === 0) throw emptyError(argument)
  if (length % width !== 0) {
    throw shapeError(argument, `rows of ${width} numbers, so a length that is a multiple of it`, length)
  }
  storageTypeOf(argument, data)
  return Matrix.from(data, length / width, width)
}

async function fromArrays<P extends Precision>(
  argument: string,
  x: readonly unknown[],
  width: number,
  precision: P,
  between: Between,
): Promise<Matrix<FloatArray<P>>> {
  const rows = x.length
  if (rows === 0) throw emptyError(argument)
  const data = allocateUnset(precision, rows * width, argument)
  let slices = 0
  for (const block of blockRanges(rows, width, NUMBERS_PER_ROW)) {
    // The first slice is copied synchronously, so small arrays are copied at the call; the others never are.
    if (slices++ > 0) {
      if (slices === 2 || isDue()) await turn()
      between()
    }
    if (x.length !== rows) throw changedError(argument)
    copyBlock(argument, x, width, block, data)
  }
  return Matrix.from(data, rows, width) as Matrix<FloatArray<P>>
}

function copyBlock(
  argument: string,
  x: readonly unknown[],
  width: number,
  { row: from, toRow, column, toColumn }: Block,
  data: FloatArray,
): void {
  for (let i = from; i < toRow; i++) {
    copyAnyRow(argument, x[i], i, width, data, column, toColumn)
  }
}

/** Width of data with a known width. */
export function ownWidth(x: FittingRows): number {
  const known = asMatrix('x', x) ?? asDataset('x', x)
  if (known !== undefined) return known.cols
  if (asSparseMatrix('x', x) !== undefined) throw sparseError('x', x)
  if (!Array.isArray(x)) {
    throw argumentError(
      'x',
      'a Matrix or an array of rows (a flat array does not say its width: Matrix.from)',
      x,
    )
  }
  return rowWidth('x', x[0])
}

/** What to do with rows that come one after another, and only once. */
function advice(x: unknown): string {
  if (x === null || typeof x !== 'object') return ''
  const { [Symbol.iterator]: now, [Symbol.asyncIterator]: later } = x as Partial<
    Iterable<unknown> & AsyncIterable<unknown>
  >
  return now === undefined && later === undefined
    ? ''
    : ' (of batches, await writeDataset(folder, batches); of a table, what a TableEncoder makes of it)'
}

/** A copy of a small matrix, or the matrix itself. */
function keptSmall(argument: string, matrix: Matrix): Matrix {
  const { data, rows, cols, scale, type } = matrix
  if (data.byteLength > COPIED_BYTES) return matrix
  const copy = allocateLike(data, data.length, argument)
  copy.set(data)
  return Matrix.from(copy, rows, cols, { scale, type })
}

/** The refusal of sparse rows where only dense ones are read. */
function sparseError(argument: string, x: unknown): LayerwiseError {
  return argumentError(argument, 'dense rows (of a small SparseMatrix, x.toMatrix())', x)
}

/** The refusal of no rows. */
export function emptyError(argument: string): LayerwiseError {
  return new LayerwiseError(
    'ERR_SHAPE',
    `${argument}: expected at least one row, received none: it is empty`,
    {
      argument,
      expected: 'at least one row',
      received: 0,
    },
  )
}
