import { types } from 'node:util'
import {
  argumentError,
  checkInteger,
  checkNumber,
  checkOptions,
  checkWithin,
  ownCopy,
  readArray,
  shapeError,
} from '../base/check.js'
import {
  allocate,
  allocateUnset,
  checkPrecision,
  elementType,
  type FloatArray,
  isPrecision,
  type PlainUint32Array,
  type Precision,
} from '../base/precision.js'
import type { StorageType } from '../base/storage-type.js'
import { checkRowWidth, copyRow, copyTypedRow, store } from './copy-row.js'
import { halfNumbers } from './halves.js'
import type { IntegerArray } from './integer-array.js'
import type { MatrixData, MatrixLike, MatrixOptions, NumberArray } from './matrix-data.js'
import { splitRows } from './split-rows.js'
import { allocateLike, checkStorage, lengthOf, plainArray, storageTypeOf, viewOf } from './storage.js'

/** One row: a flat array, or a {@link Matrix} of one row, whose `scale` and `type` count. */
export type Row = Matrix | NumberArray | readonly number[]

/** How rows are copied into a {@link Matrix}. */
export interface FromRowsOptions<P extends Precision = Precision> {
  /** Number type of the copy. Default `'float64'`, which keeps every number as it is. */
  readonly precision?: P | undefined
}

/**
 * `rows × cols` numbers, row-major, over a typed array that is not copied. A value is `data[i * cols + j] * scale`; where `data` are the
 * bits of halves, the number that they mean takes the place of `data[i * cols + j]`.
 *
 * Images stay bytes in memory, and halves 16 bits: `scale` 1/255 makes bytes numbers from 0 to 1 only where they are used.
 */
export class Matrix<D extends MatrixData = MatrixData> {
  /** Rows, at least 0: samples, where the matrix holds data. */
  readonly rows: number
  /** Columns, at least 1: inputs, where the matrix holds data. */
  readonly cols: number
  /** The numbers as stored, before `scale`; `rows * cols` of them. The caller's own array, not a copy; of a Buffer its bytes as a Uint8Array. */
  readonly data: D
  /** Factor on every stored number, 1 unless given. Always 1 for Float32Array and Float64Array. */
  readonly scale: number
  /** What the stored numbers are: `'uint8'`, `'float32'` and so on; in a Uint16Array `'uint16'`, or the bits of `'float16'` or `'bfloat16'`. */
  readonly type: StorageType

  private constructor(data: D, rows: number, cols: number, scale: number, type: StorageType) {
    this.data = data
    this.rows = rows
    this.cols = cols
    this.scale = scale
    this.type = type
    Object.freeze(this)
  }

  /**
   * A matrix over `data`, without a copy.
   *
   * @param data - row-major numbers, over a plain (not shared, not resizable) buffer: a Float32Array or Float64Array; integers in a
   *   Uint8Array, Int8Array, Int16Array, Int32Array or Uint32Array; a Float16Array, where Node has it; or a Uint16Array, with `type`
   * @param rows - at least 0
   * @param cols - at least 1
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another kind of array, sizes that are not whole, a bad scale, or a Uint16Array without
   *   `type`
   * @throws {@link LayerwiseError} `ERR_SHAPE` if `data.length` is not `rows * cols`
   */
  static from<D extends MatrixData>(data: D, rows: number, cols: number, options?: MatrixOptions): Matrix<D>
  /**
   * Rebuilds a matrix from the properties that `postMessage` or `structuredClone` copied. Over the same array, without a copy.
   *
   * @param posted - an object with `data`, `rows`, `cols`, `scale` if it is not 1, and `type` if `data` is a Uint16Array
   * @throws {@link LayerwiseError} as above
   */
  static from<D extends MatrixData>(posted: MatrixLike<D>): Matrix<D>
  static from<D extends MatrixData>(
    given: D | MatrixLike<D>,
    rows?: number,
    cols?: number,
    options?: MatrixOptions,
  ): Matrix<D> {
    if (rows !== undefined || cols !== undefined || !isMatrixLike(given)) {
      return Matrix.checked(given as D, rows, cols, options)
    }
    const { data, rows: m, cols: n, scale, type } = ownCopy(given)
    return Matrix.checked(data, m, n, { scale, type })
  }

  private static checked<D extends MatrixData>(
    given: D,
    rows: unknown,
    cols: unknown,
    options: unknown,
  ): Matrix<D> {
    const data = plainArray('data', given)
    const [m, n] = [checkInteger('rows', rows, 0), checkInteger('cols', cols, 1)]
    if (data.length !== m * n) throw shapeError('data', `${m} × ${n} = ${m * n} numbers`, data.length)
    const { scale: factor = 1, type: said } = checkOptions('options', options, ['scale', 'type'])
    const type = storageTypeOf('data', data, said)
    const scale = checkNumber('scale', factor)
    if (scale === 0) throw argumentError('scale', 'a number other than 0', scale)
    if (scale !== 1 && isPrecision(type))
      throw argumentError('scale', '1, unless data are integers or 16-bit floats', scale)
    return new Matrix(data, m, n, scale, type)
  }

  /**
   * A matrix of copies of `rows`, in their order; values are scaled if a row is a Matrix with a scale. On the calling thread, some
   * nanoseconds a number: methods of models take arrays of rows as they are, and copy them a slice at a time.
   *
   * @param rows - at least one, all of the same width of at least 1
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but numbers, naming row and column; `ERR_SHAPE` for no rows and rows of different
   *   widths; `ERR_RANGE` for finite numbers beyond float32, if that is requested; `ERR_MEMORY` if there is no room
   */
  static fromRows<P extends Precision = 'float64'>(
    rows: readonly Row[],
    options?: FromRowsOptions<P>,
  ): Matrix<FloatArray<P>> {
    const { precision: given = 'float64' } = checkOptions('options', options, ['precision'])
    const precision = checkPrecision('precision', given) as P
    if (!Array.isArray(rows)) throw argumentError('rows', 'an array of rows', rows)
    const list = readArray(rows)
    if (list.length === 0) throw shapeError('rows', 'at least one row', 0)
    const width = rowWidth('rows', list[0])
    const data = allocateUnset(precision, list.length * width, 'rows')
    for (const [i, row] of list.entries()) copyAnyRow('rows', row, i, width, data)
    return new Matrix(data, list.length, width, 1, precision)
  }

  /**
   * Row `i` as a Matrix of one row with the same scale, over the same memory. Its numbers as they are stored, before `scale`, are
   * `row(i).data`.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` if there is no such row
   */
  row(i: number): Matrix<D> {
    checkInteger('i', i, 0, this.rows - 1)
    return this.slice(i, i + 1)
  }

  /**
   * The value in row `i` and column `j`, scaled. For single values: loops over many are faster over `data`.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` outside the matrix
   */
  at(i: number, j: number): number {
    checkInteger('i', i, 0, this.rows - 1)
    checkInteger('j', j, 0, this.cols - 1)
    checkStorage('data', this.data)
    const stored = this.data[i * this.cols + j]!
    return (halfNumbers(this.data, this.type)?.[stored] ?? stored) * this.scale
  }

  /**
   * Rows `from` to `to` (not included), over the same memory.
   *
   * @param from - from 0 to `rows`
   * @param to - from `from` to `rows`; default `rows`
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` outside these bounds
   */
  slice(from: number, to: number = this.rows): Matrix<D> {
    checkInteger('from', from, 0, this.rows)
    checkInteger('to', to, from, this.rows)
    checkStorage('data', this.data)
    return new Matrix(
      viewOf(this.data, from * this.cols, to * this.cols),
      to - from,
      this.cols,
      this.scale,
      this.type,
    )
  }

  /**
   * Copies of the rows with these numbers, in this order, with the same storage type and scale. A row may appear more than once. On the
   * calling thread, at the speed of memory.
   *
   * @param indices - whole numbers from 0 to `rows − 1`
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for a row number out of range, or another kind of array; `ERR_MEMORY` if there is no
   *   room
   */
  select(indices: IntegerArray | readonly number[]): Matrix<D> {
    const view = types.isTypedArray(indices)
    if (!Array.isArray(indices) && !view) throw argumentError('indices', 'an array of row numbers', indices)
    const { rows, cols } = this
    const numbers = allocate('uint32', indices.length, 'indices')
    for (let k = 0; k < numbers.length; k++)
      numbers[k] = checkInteger(`indices[${k}]`, indices[k], 0, rows - 1)
    checkStorage('data', this.data)
    const data = allocateLike(this.data, numbers.length * cols, 'rows')
    for (const [k, i] of numbers.entries()) data.set(viewOf(this.data, i * cols, (i + 1) * cols), k * cols)
    return new Matrix(data, numbers.length, cols, this.scale, this.type)
  }

  /**
   * Copies of the rows in two parts, each in its own order: a fraction of them, drawn at random, and the others. The same seed and number of
   * rows give the same parts; the first part of `split(0.2, seed)` are the rows that `validation: 0.2` holds out of the training of a model
   * with that seed. On the calling thread, at the speed of memory.
   *
   *     const [training, test, trainingRows, testRows] = x.split(0.8, 7)
   *     const trainingLabels = Array.from(trainingRows, (row) => labels[row])
   *
   * @param fraction - between 0 and 1: how much is in the first part, to a whole number of rows, at least one and at most all but one
   * @param seed - a whole number of at least 0, default 0
   * @returns the first part, the second, and the row numbers of each
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another fraction or seed, `ERR_SHAPE` for fewer than 2 rows, `ERR_MEMORY` if there is no
   *   room, `ERR_LOAD` without a usable addon
   */
  split(
    fraction: number,
    seed = 0,
  ): [first: Matrix<D>, second: Matrix<D>, firstRows: PlainUint32Array, secondRows: PlainUint32Array] {
    checkNumber('fraction', fraction, { min: 0, max: 1, open: true })
    checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER)
    if (this.rows < 2) throw shapeError('rows', 'at least 2, to be split', this.rows)
    const [first, second] = splitRows('rows', this.rows, fraction, seed)
    return [this.select(first), this.select(second), first, second]
  }

  /** The values, scaled, as an array of rows: for small matrices and for printing. On the calling thread, some 10 ns a number and 100 ns a row. */
  toArray(): number[][] {
    checkStorage('data', this.data)
    const { data, rows, cols, scale, type } = this
    const numbers = halfNumbers(data, type)
    return Array.from({ length: rows }, (_, i) => {
      const row: number[] = []
      for (let k = i * cols; k < (i + 1) * cols; k++) row.push((numbers?.[data[k]!] ?? data[k]!) * scale)
      return row
    })
  }
}

function isMatrixLike(value: unknown): value is MatrixLike<never> {
  return value !== null && typeof value === 'object' && !ArrayBuffer.isView(value) && 'data' in value
}

/**
 * How wide rows are of which this is the first; 1 where it is none, which copying it says.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE` for a row of no numbers
 */
export function rowWidth(argument: string, row: unknown): number {
  const place = `${argument}[0]`
  const isTyped = types.isTypedArray(row)
  const width = isTyped ? lengthOf(row) : Array.isArray(row) ? row.length : (asMatrix(place, row)?.cols ?? 1)
  if (width > 0) return width
  if (isTyped) checkStorage(place, row)
  throw shapeError(argument, 'rows of at least one number', 0)
}

/**
 * Copies the numbers `column` to `toColumn` of what is to be row `i` of `width` numbers, scaled where it is a Matrix of one row with a scale.
 *
 * @throws {@link LayerwiseError} as {@link copyRow}; `ERR_ARGUMENT` for what is no row
 */
export function copyAnyRow(
  argument: string,
  row: unknown,
  i: number,
  width: number,
  data: FloatArray,
  column = 0,
  toColumn = width,
): void {
  if (Array.isArray(row)) {
    copyRow(argument, row, i, width, data, column, toColumn)
    return
  }
  const type = elementType(row)
  if (type !== undefined && type !== 'uint16') {
    copyTypedRow(argument, row as NumberArray, i, width, data, column, toColumn)
    return
  }
  copyMatrixRow(argument, row, i, width, data, column, toColumn)
}

/** The same of a Matrix of one row; the refusal of anything else. */
function copyMatrixRow(
  argument: string,
  row: unknown,
  i: number,
  width: number,
  data: FloatArray,
  column: number,
  toColumn: number,
): void {
  const place = `${argument}[${i}]`
  const matrix = asMatrix(place, row) ?? noRow(place, row)
  if (matrix.rows !== 1) throw shapeError(place, 'a Matrix of one row', `${matrix.rows} rows`)
  const numbers = plainArray(place, matrix.data)
  checkRowWidth(argument, numbers.length, i, width)
  const { scale, type } = matrix
  const halves = halfNumbers(numbers, type)
  const isExact = type !== 'float64' || elementType(data) === 'float64'
  if (scale === 1 && halves === undefined && isExact) {
    data.set(viewOf(numbers, column, toColumn), i * width + column)
    return
  }
  for (let j = column; j < toColumn; j++) {
    const value = (halves === undefined ? numbers[j]! : halves[numbers[j]!]!) * scale
    store(argument, data, i * width + j, value, i, j)
  }
}

/** Refuses what is no row, typed arrays that cannot be one included. */
function noRow(place: string, value: unknown): never {
  if (ArrayBuffer.isView(value)) storageTypeOf(place, plainArray(place, value as unknown))
  throw argumentError(place, 'a row, which is an array of numbers (one row alone is [row])', value)
}

/** `value` if it is a Matrix; a new Matrix for one of another copy of the package or a posted one; undefined for anything else. */
export function asMatrix(argument: string, value: unknown): Matrix | undefined {
  if (value instanceof Matrix) return value
  // A Matrix has all four; an object without one of them is something else.
  const isMeant =
    isMatrixLike(value) && ['rows', 'cols', 'scale'].every((member) => Object.hasOwn(value, member))
  return isMeant ? checkWithin(argument, () => Matrix.from(value)) : undefined
}

/** The same, where only a Matrix is accepted. */
export function checkMatrix(argument: string, value: unknown): Matrix {
  const matrix = asMatrix(argument, value)
  if (matrix === undefined) throw argumentError(argument, 'a Matrix', value)
  return matrix
}
