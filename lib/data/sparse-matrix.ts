import { types } from 'node:util'
import { argumentError, checkInteger, checkOptions, checkWithin, ownCopy, shapeError } from '../base/check.js'
import { indexError, notFiniteError } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import {
  allocate,
  elementType,
  type FloatArray,
  type PlainUint32Array,
  precisionOf,
} from '../base/precision.js'
import { show } from '../base/show.js'
import { Matrix } from './matrix.js'
import { lengthOf, plainArray, viewOf } from './storage.js'

/** Whole numbers as {@link SparseMatrix.from} takes them. */
export type IndexArray =
  | Uint32Array
  | Int32Array
  | Uint16Array
  | Int16Array
  | Uint8Array
  | Int8Array
  | BigInt64Array
  | BigUint64Array
  | readonly number[]

/** The parts of a sparse matrix in compressed sparse rows (CSR), named as in scipy. */
export interface SparseMatrixLike {
  /** Where each row begins in `indices` and `values`, and at the end their length: `rows + 1` numbers, the first 0, never falling. */
  readonly indptr: IndexArray
  /** The column of each value, from 0 to `cols − 1`. Within a row they rise: no column appears twice. */
  readonly indices: IndexArray
  /** The values, row after row, finite. A stored zero counts like one that is not stored. */
  readonly values: Float32Array | Float64Array | readonly number[]
  /** Rows, at least 0. */
  readonly rows: number
  /** Columns, at least 1. */
  readonly cols: number
}

interface SparseParts {
  readonly rows: number
  readonly cols: number
  readonly indptr: PlainUint32Array
  readonly indices: PlainUint32Array
  readonly values: Float32Array | Float64Array
}

const MEMBERS = ['indptr', 'indices', 'values', 'rows', 'cols']

/** Row starts and columns are 32-bit numbers. */
const LARGEST_INDEX = 2 ** 32 - 1

const INDEX_ARRAYS = [
  types.isInt32Array,
  types.isUint16Array,
  types.isInt16Array,
  types.isUint8Array,
  types.isInt8Array,
  types.isBigInt64Array,
  types.isBigUint64Array,
]

/**
 * `rows × cols` numbers of which most are 0, in compressed sparse rows. Models read it as it is: it is never made dense as a whole.
 *
 * `indices` that are a Uint32Array and `values` that are floats are not copied, and must not be changed while a call reads them.
 */
export class SparseMatrix {
  /** Rows, at least 0: samples. */
  readonly rows: number
  /** Columns, at least 1: inputs. */
  readonly cols: number
  /** Where each row begins in `indices` and `values`, and at the end their length, [rows + 1]. A copy. */
  readonly indptr: PlainUint32Array
  /** The column of each value, rising within a row. */
  readonly indices: PlainUint32Array
  /** The values, row after row. */
  readonly values: Float32Array | Float64Array

  private constructor({ rows, cols, indptr, indices, values }: SparseParts) {
    this.rows = rows
    this.cols = cols
    this.indptr = indptr
    this.indices = indices
    this.values = values
    Object.freeze(this)
  }

  /**
   * A matrix of these parts, as `scipy.sparse.csr_matrix` has them (scipy calls the values `data`). Also of the parts that `postMessage` or
   * `structuredClone` left of a SparseMatrix.
   *
   * Sizes and row starts are checked here, on the calling thread, about a nanosecond a row. Columns and values are checked by the calls
   * that read them, which refuse the first bad one with `ERR_RANGE`. Arrays that are copied take some nanoseconds a number.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another kind of array, memory that is shared or resizable, and sizes that are not whole
   * @throws {@link LayerwiseError} `ERR_SHAPE` for lengths that do not match
   * @throws {@link LayerwiseError} `ERR_RANGE` for row starts that do not begin at 0, that fall, or do not end at the number of values; and for
   *   indices that are not whole numbers from 0 to 2³² − 1
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for a copy
   */
  static from(parts: SparseMatrixLike): SparseMatrix {
    if (parts === null || typeof parts !== 'object') {
      throw argumentError('parts', '{ indptr, indices, values, rows, cols }', parts)
    }
    const given = parts instanceof SparseMatrix ? ownCopy(parts) : checkOptions('parts', parts, MEMBERS)
    const rows = checkInteger('rows', given.rows, 0, LARGEST_INDEX - 1)
    const cols = checkInteger('cols', given.cols, 1)
    const indices = wholeNumbers('indices', given.indices)
    const values = floats(given.values)
    if (values.length !== indices.length) {
      throw shapeError('values', `${indices.length} numbers, one for each of indices`, values.length)
    }
    const indptr = wholeNumbers('indptr', given.indptr).slice()
    if (indptr.length !== rows + 1) throw shapeError('indptr', `${rows + 1} numbers, rows + 1`, indptr.length)
    checkStarts(indptr, values.length)
    return new SparseMatrix({ rows, cols, indptr, indices, values })
  }

  /** The number of stored values. */
  get stored(): number {
    return this.values.length
  }

  /**
   * Rows `from` to `to` (not included), over the same indices and values.
   *
   * @param from - from 0 to `rows`
   * @param to - from `from` to `rows`; default `rows`
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` outside these bounds, or if the memory was transferred away
   */
  slice(from: number, to: number = this.rows): SparseMatrix {
    checkInteger('from', from, 0, this.rows)
    checkInteger('to', to, from, this.rows)
    const values = plainArray('values', this.values)
    const indices = plainArray('indices', this.indices)
    const indptr = plainArray('indptr', this.indptr)
    const [begin, end] = [indptr[from]!, indptr[to]!]
    return new SparseMatrix({
      rows: to - from,
      cols: this.cols,
      indptr: indptr.slice(from, to + 1).map((start) => start - begin),
      indices: viewOf(indices, begin, end),
      values: viewOf(values, begin, end),
    })
  }

  /**
   * All numbers with their zeros: for small matrices. On the calling thread.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for memory that was transferred away; `ERR_RANGE` for wrong columns and values that are not finite; `ERR_MEMORY` if there is no room
   */
  toMatrix(): Matrix<FloatArray> {
    const { rows, cols } = this
    const indptr = plainArray('indptr', this.indptr)
    const indices = plainArray('indices', this.indices)
    const values = plainArray('values', this.values)
    const data = allocate(precisionOf(values), rows * cols, 'rows')
    for (let i = 0; i < rows; i++) {
      for (let k = indptr[i]!; k < indptr[i + 1]!; k++) {
        const [column, value] = [indices[k]!, values[k]!]
        const isRising = k === indptr[i] || column > indices[k - 1]!
        if (column >= cols || !isRising) throw indexError('indices', i, column, cols)
        if (!Number.isFinite(value)) throw notFiniteError('values', value, i, column)
        data[i * cols + column] = value
      }
    }
    return Matrix.from(data, rows, cols)
  }
}

/** `value` if it is a SparseMatrix; a new one for one of another copy of the package or a posted one; undefined for anything else. */
export function asSparseMatrix(argument: string, value: unknown): SparseMatrix | undefined {
  if (value instanceof SparseMatrix) return value
  const isMeant =
    value !== null && typeof value === 'object' && MEMBERS.every((member) => Object.hasOwn(value, member))
  return isMeant ? checkWithin(argument, () => SparseMatrix.from(value as SparseMatrixLike)) : undefined
}

function checkStarts(indptr: Uint32Array, stored: number): void {
  const rows = indptr.length - 1
  if (indptr[0] !== 0) throw startError('0 at index 0', indptr[0]!, 0)
  for (let i = 0; i < rows; i++) {
    if (indptr[i + 1]! < indptr[i]!) throw startError('numbers that never fall', indptr[i + 1]!, i + 1)
  }
  if (indptr[rows] !== stored)
    throw startError(`the number of values, ${stored}, at the end`, indptr[rows]!, rows)
}

function startError(expected: string, received: number, index: number): LayerwiseError {
  const message = `indptr: expected ${expected}, received ${received} at index ${index}`
  return new LayerwiseError('ERR_RANGE', message, { argument: 'indptr', expected, received })
}

/** A Uint32Array as a plain one over the same memory; other whole numbers as a copy. */
function wholeNumbers(argument: string, given: unknown): PlainUint32Array {
  if (types.isUint32Array(given)) return plainArray(argument, given) as PlainUint32Array
  const isTyped = INDEX_ARRAYS.some((isOfKind) => isOfKind(given))
  if (!isTyped && !Array.isArray(given)) {
    throw argumentError(argument, 'an integer typed array, or an array of whole numbers', given)
  }
  const length = isTyped ? lengthOf(given as object) : (given as readonly unknown[]).length
  const out = allocate('uint32', length, argument)
  for (let k = 0; k < length; k++) {
    const value = (given as readonly unknown[])[k]
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number !== 'number') throw argumentError(`${argument}[${k}]`, 'a whole number', value)
    if (!Number.isInteger(number) || number < 0 || number > LARGEST_INDEX) {
      const expected = 'whole numbers from 0 to 2^32 − 1'
      const message = `${argument}: expected ${expected}, received ${show(value)} at index ${k}`
      throw new LayerwiseError('ERR_RANGE', message, { argument, expected, received: value })
    }
    out[k] = number
  }
  return out
}

function floats(given: unknown): Float32Array | Float64Array {
  if (Array.isArray(given)) {
    const numbers = allocate('float64', given.length, 'values')
    for (let k = 0; k < numbers.length; k++) {
      const value: unknown = given[k]
      if (typeof value !== 'number') throw argumentError(`values[${k}]`, 'a number', value)
      numbers[k] = value
    }
    return numbers
  }
  const type = elementType(given)
  if (type !== 'float32' && type !== 'float64') {
    throw argumentError('values', 'a Float32Array, a Float64Array or an array of numbers', given)
  }
  return plainArray('values', given as Float32Array | Float64Array)
}
