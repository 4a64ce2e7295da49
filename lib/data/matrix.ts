import { argumentError, checkInteger, checkNumber, checkOptions, shapeError } from '../check.js'
import { LayerwiseError } from '../errors.js'

/** What a {@link Matrix} may be stored in. */
export type MatrixData = Float32Array | Float64Array | Uint8Array

/**
 * `rows × cols` numbers, row-major, over a typed array that is not copied. A value is `data[i * cols + j] * scale`.
 *
 * Images stay bytes in memory: `scale` 1/255 makes them numbers from 0 to 1 only where they are used.
 */
export class Matrix<D extends MatrixData = MatrixData> {
  readonly rows: number
  readonly cols: number
  /** The numbers as stored, before `scale`; `rows * cols` of them. The caller's own array, not a copy. */
  readonly data: D
  /** Factor on every stored number, 1 unless given. Allowed for Uint8Array only. */
  readonly scale: number

  private constructor(data: D, rows: number, cols: number, scale: number) {
    this.data = data
    this.rows = rows
    this.cols = cols
    this.scale = scale
    Object.freeze(this)
  }

  /**
   * A matrix over `data`, without a copy.
   *
   * @param data - row-major numbers: Float32Array, Float64Array or Uint8Array, over a plain (not shared, not resizable) buffer
   * @param rows - at least 0
   * @param cols - at least 1
   * @param options - `scale`: factor on every number of a Uint8Array, finite and not 0, default 1
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another kind of array, sizes that are not whole, or a bad scale
   * @throws {@link LayerwiseError} `ERR_SHAPE` if `data.length` is not `rows * cols`
   */
  static from<D extends MatrixData>(
    data: D,
    rows: number,
    cols: number,
    options?: { scale?: number | undefined },
  ): Matrix<D> {
    checkStorage('data', data)
    checkInteger('rows', rows, 0)
    checkInteger('cols', cols, 1)
    if (data.length !== rows * cols) {
      throw shapeError('data', `${rows} × ${cols} = ${rows * cols} numbers`, data.length)
    }
    const { scale: factor = 1 } = checkOptions('options', options, ['scale'])
    const scale = checkNumber('scale', factor)
    if (scale === 0) throw argumentError('scale', 'a number other than 0', scale)
    if (scale !== 1 && !(data instanceof Uint8Array))
      throw argumentError('scale', '1, unless data is a Uint8Array', scale)
    return new Matrix(data, rows, cols, scale)
  }

  /**
   * Row `i` as stored, before `scale`: a view, not a copy.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` if there is no such row
   */
  row(i: number): D {
    checkInteger('i', i, 0, this.rows - 1)
    checkStorage('data', this.data)
    return this.data.subarray(i * this.cols, (i + 1) * this.cols) as D
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
      this.data.subarray(from * this.cols, to * this.cols) as D,
      to - from,
      this.cols,
      this.scale,
    )
  }

  /** The values, scaled, as an array of rows: for small matrices and for printing. */
  toArray(): number[][] {
    return Array.from({ length: this.rows }, (_, i) => Array.from(this.row(i), (value) => value * this.scale))
  }
}

/** Refuses what native code could not safely read: other array types, and memory that is shared, may shrink or is gone. */
export function checkStorage(argument: string, data: unknown): asserts data is MatrixData {
  const known = data instanceof Float32Array || data instanceof Float64Array || data instanceof Uint8Array
  // A proxy of an array, or an object made from its prototype, is an instance too, but has no memory.
  if (!known || !ArrayBuffer.isView(data)) {
    throw argumentError(argument, 'a Float32Array, Float64Array or Uint8Array', data)
  }
  const { buffer } = data as { buffer: ArrayBufferLike & { resizable?: boolean } }
  if (typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer) {
    throw storageError(argument, 'an array over an ordinary ArrayBuffer', 'one over a SharedArrayBuffer')
  }
  if (buffer.resizable === true) {
    throw storageError(
      argument,
      'an array over an ArrayBuffer of fixed size',
      'one over a resizable ArrayBuffer',
    )
  }
  if (isDetached(buffer)) {
    throw storageError(
      argument,
      'an array that still has its memory',
      'one whose ArrayBuffer was transferred away',
    )
  }
}

function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

function storageError(argument: string, expected: string, received: string): LayerwiseError {
  return new LayerwiseError('ERR_ARGUMENT', `${argument}: expected ${expected}, received ${received}`, {
    argument,
    expected,
    received,
  })
}
