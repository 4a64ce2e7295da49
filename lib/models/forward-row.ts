import { argumentError, ownCopy, shapeError } from '../base/check.js'
import { indexError, notFiniteError, tooLargeError } from '../base/data-errors.js'
import { allocate, elementType, type FloatArray, type FloatInput, type Precision } from '../base/precision.js'
import { STORAGE_TYPES, type StorageType } from '../base/storage-type.js'
import { storedNumbers } from '../data/halves.js'
import { asMatrix } from '../data/matrix.js'
import type { MatrixData } from '../data/matrix-data.js'
import type { SingleRow } from '../data/rows.js'
import { asSparseMatrix } from '../data/sparse-matrix.js'
import { sparseRows } from '../data/sparse-rows.js'
import { bufferOf, checkStorage, lengthOf, nativeData, plainArray, storageTypeOf } from '../data/storage.js'
import { type NativeLayer, type NativeScaling, nativeScaling } from '../native/binding.js'
import { binding } from '../native/load.js'
import { activationNumber } from '../objective/activation.js'
import type { LayerRange } from './forward.js'
import type { Network } from './network.js'

/** Computes some layers for single rows on the calling thread; everything that is the same for all rows is prepared once. */
export class RowForward<P extends Precision> {
  readonly #network: Network<P>
  readonly #range: LayerRange
  readonly #outputs: number
  readonly #shape: Int32Array
  readonly #scaling: NativeScaling | undefined
  /** Its numbers, as they were at the last row. */
  #scaledBy: NativeScaling | undefined
  readonly #inputs: number
  /** Buffer for the numbers of an array; absent while an array is read, since its getters may call this again. */
  #scratch: Float64Array | undefined
  #whole: FloatArray<P>
  #part: FloatArray<P>
  /** The first layer's matrix, transposed: only nonzero inputs are multiplied. Made for the first row after a change of the parameters. */
  #transposed: FloatArray<P> | undefined
  #transposedOf: FloatArray<P> | undefined
  /** Of {@link error}: the outputs, and their distance from the row. */
  #reconstruction: FloatArray<P> | undefined
  #errors: Float64Array | undefined

  /** @param scaling - a fitted scaler, or more; it may be fitted again at any time */
  constructor(network: Network<P>, range: LayerRange, scaling: NativeScaling | undefined) {
    this.#network = network
    this.#range = range
    const { layers, parameters } = network.slice(range.from, range.to)
    this.#outputs = layers.at(-1)!.outputs
    this.#shape = shapeOf(layers)
    this.#scaling = scaling
    this.#inputs = layers[0]!.inputs
    this.#whole = network.parameters
    this.#part = parameters
  }

  /** Outputs of the last layer, into `out` or a new array. */
  run(argument: string, row: SingleRow, out?: FloatInput<P>): FloatArray<P> {
    const given = this.#checked(argument, row)
    const answer = out === undefined ? this.#newOut() : this.#checkedOut(out)
    this.#forward(argument, given, answer)
    return answer
  }

  /** Σⱼ (yⱼ − xⱼ)² between those outputs and the row, after scaling. */
  error(argument: string, row: SingleRow): number {
    this.#errors ??= new Float64Array(1)
    this.#reconstruction ??= allocate(this.#network.precision, this.#outputs, 'out')
    this.#forward(argument, this.#checked(argument, row), this.#reconstruction, this.#errors)
    return this.#errors[0]!
  }

  #forward(argument: string, row: CheckedRow, answer: FloatArray<P>, errors?: Float64Array): void {
    const { scale, columns } = row
    const apart = bufferOf(row.data) === bufferOf(answer)
    const type = apart ? 'float64' : row.type
    const data = apart ? this.#apart(row) : nativeData(row.data, type)
    const parameters = this.#parameters()
    this.#transposed ??= allocate(this.#network.precision, this.#shape[0]! * this.#shape[1]!, 'weights')
    const renew = this.#transposedOf !== parameters
    const end = binding().forwardRow(
      this.#shape,
      parameters,
      data,
      STORAGE_TYPES[type].number,
      scale,
      this.#nativeScaling(),
      answer,
      this.#transposed,
      renew,
      errors,
      columns,
    )
    this.#transposedOf = parameters
    if (end === 1) throw this.#notFinite(argument, { data, type, scale, columns })
    if (end === 2) throw tooLargeError(argument, 0)
    if (end === 3) throw wrongColumn(argument, columns!, this.#inputs)
  }

  /** The numbers of the row, where native code can read them. */
  #checked(argument: string, row: SingleRow): CheckedRow {
    const width = this.#inputs
    if (Array.isArray(row)) {
      const [first] = row as readonly unknown[]
      if (first !== null && typeof first === 'object') {
        const expected = `one row of ${width} numbers (of several rows, the method without Sync)`
        throw argumentError(argument, expected, row)
      }
      checkWidth(argument, row.length, width)
      return { data: this.#copied(argument, row), type: 'float64', scale: 1 }
    }
    if (ArrayBuffer.isView(row)) {
      checkStorage(argument, row)
      checkWidth(argument, lengthOf(row), width)
      return { data: row, type: storageTypeOf(argument, row), scale: 1 }
    }
    const matrix = asMatrix(argument, row)
    if (matrix === undefined) return this.#checkedSparse(argument, row)
    if (matrix.rows !== 1) throw shapeError(argument, 'a Matrix of one row', `${matrix.rows} rows`)
    const { data, scale, type } = matrix
    checkStorage(argument, data)
    checkWidth(argument, lengthOf(data), width)
    return { data, type, scale }
  }

  #checkedSparse(argument: string, given: unknown): CheckedRow {
    const row = asSparseMatrix(argument, given)
    if (row === undefined) {
      const expected = 'an array of numbers, a typed array, a Matrix of one row or a SparseMatrix of one row'
      throw argumentError(argument, expected, given)
    }
    if (row.rows !== 1) throw shapeError(argument, 'a SparseMatrix of one row', `${row.rows} rows`)
    const { data, type, sparse } = sparseRows(argument, row, this.#inputs, this.#scaling)
    return { data, type, scale: 1, columns: sparse!.indices }
  }

  #copied(argument: string, row: readonly unknown[]): Float64Array {
    const scratch = this.#scratch ?? new Float64Array(this.#inputs)
    this.#scratch = undefined
    for (let j = 0; j < scratch.length; j++) {
      const value = row[j]
      if (typeof value !== 'number') {
        throw argumentError(argument, `a number in column ${j}`, value)
      }
      scratch[j] = value
    }
    this.#scratch = scratch
    return scratch
  }

  /** The same numbers where writing `out` cannot change them. */
  #apart({ data, type, columns }: CheckedRow): Float64Array {
    if (columns !== undefined) return Float64Array.from(storedNumbers(plainArray('row', data), type))
    const scratch = this.#scratch ?? new Float64Array(this.#inputs)
    scratch.set(storedNumbers(plainArray('row', data), type))
    this.#scratch = scratch
    return scratch
  }

  #newOut(): FloatArray<P> {
    return allocate(this.#network.precision, this.#outputs, 'out')
  }

  #checkedOut(out: FloatInput<P>): FloatArray<P> {
    const outputs = this.#outputs
    const { precision } = this.#network
    if (elementType(out) !== precision) {
      throw argumentError(
        'out',
        `a ${precision === 'float64' ? 'Float64Array' : 'Float32Array'} of ${outputs}`,
        out,
      )
    }
    checkStorage('out', out)
    if (lengthOf(out) !== outputs) throw shapeError('out', `${outputs} numbers`, lengthOf(out))
    return out as FloatArray<P>
  }

  /** The scaler's current numbers: only its fit changes them, and makes new arrays. */
  #nativeScaling(): NativeScaling | undefined {
    const scaling = this.#scaling
    if (scaling === undefined) return undefined
    const { shift, factor } = scaling
    const known = this.#scaledBy
    if (known !== undefined && known.shift === shift && known.factor === factor) return known
    this.#scaledBy = nativeScaling(scaling)
    return this.#scaledBy
  }

  #parameters(): FloatArray<P> {
    if (this.#whole !== this.#network.parameters) {
      this.#whole = this.#network.parameters
      this.#part = this.#network.slice(this.#range.from, this.#range.to).parameters
    }
    return this.#part
  }

  #notFinite(argument: string, { data, type, scale, columns }: CheckedRow): Error {
    const {
      shift,
      factor,
      centre,
      clipped: [low, high] = [-Infinity, Infinity],
    } = ownCopy<Partial<NativeScaling>>(this.#scaling ? nativeScaling(this.#scaling) : {})
    // As native code reads them: in float64, then rounded to the model's precision.
    const exact = Array.from(storedNumbers(plainArray(argument, data), type), (stored, k) => {
      const value = stored * scale
      const j = columns?.[k] ?? k
      if (!Number.isFinite(value)) return value
      const scaled = (value - (shift?.[j] ?? 0)) * (factor?.[j] ?? 1)
      return Math.min(high, Math.max(low, scaled)) - (centre?.[j] ?? 0)
    })
    const bad = exact.findIndex(
      (value) => !Number.isFinite(this.#network.precision === 'float64' ? value : Math.fround(value)),
    )
    return notFiniteError(argument, exact[bad] ?? NaN, 0, columns?.[bad] ?? bad)
  }
}

/** A row's numbers where native code can read them. */
interface CheckedRow {
  readonly data: MatrixData
  readonly type: StorageType
  readonly scale: number
  /** Of a sparse row, whose other columns are 0. */
  readonly columns?: Uint32Array | undefined
}

/** The refusal of the first column that is beyond the columns or not above the one before it. */
function wrongColumn(argument: string, columns: Uint32Array, cols: number): Error {
  const bad = columns.findIndex((column, k) => column >= cols || (k > 0 && column <= columns[k - 1]!))
  return indexError(argument, 0, columns[bad] ?? cols, cols)
}

function shapeOf(layers: readonly NativeLayer[]): Int32Array {
  const shape = layers.flatMap(({ outputs, activation, biases, tied }) => [
    outputs,
    activationNumber(activation),
    biases === false ? 0 : 1,
    tied ?? -1,
  ])
  return Int32Array.from([layers[0]!.inputs, ...shape])
}

function checkWidth(argument: string, received: number, width: number): void {
  if (received !== width) throw shapeError(argument, `${width} numbers`, `${received} numbers`)
}
