import { argumentError, shapeError, show } from '../check.js'
import { checkStorage, Matrix, type MatrixData } from '../data/matrix.js'
import type { Scaler } from '../data/scaler.js'
import { notFiniteError } from '../data/slices.js'
import type { NativeLayer, NativeRows } from '../native/binding.js'
import { binding } from '../native/load.js'
import { allocate, type FloatArray, type Precision } from '../precision.js'
import type { Span } from './forward.js'
import type { Network } from './network.js'

/** One row: a flat array as wide as the model has inputs, or a Matrix of one row, whose `scale` counts. */
export type Row = Matrix | MatrixData | readonly number[]

/** Takes single rows through some layers on the calling thread; what does not change between rows is made once. */
export class RowForward<P extends Precision> {
  readonly #network: Network<P>
  readonly #span: Span
  readonly #layers: readonly NativeLayer[]
  readonly #scaling: { readonly shift?: Float64Array; readonly factor?: Float64Array }
  readonly #scratch: Float64Array
  #whole: FloatArray<P>
  #part: FloatArray<P>

  constructor(network: Network<P>, span: Span, scaler: Scaler | undefined) {
    this.#network = network
    this.#span = span
    this.#layers = network.layers.slice(span.from, span.to)
    this.#scaling = scaler === undefined ? {} : { shift: scaler.shift, factor: scaler.factor }
    this.#scratch = new Float64Array(this.#layers[0]!.inputs)
    this.#whole = network.current
    this.#part = network.part(span.from, span.to)
  }

  /** Outputs of the last layer, into `out` or a new array. */
  run(argument: string, row: Row, out?: FloatArray<P>): FloatArray<P> {
    const rows = this.#nativeRow(argument, row)
    const answer = this.#answer(out)
    const parameters = this.#parameters()
    if (!binding().forwardRow(this.#layers, parameters, rows, answer)) throw this.#notFinite(argument, rows)
    return answer
  }

  #nativeRow(argument: string, row: Row): NativeRows {
    if (row instanceof Matrix) {
      if (row.rows !== 1) throw shapeError(argument, 'a Matrix of one row', `${row.rows} rows`)
      return this.#checkedRow(argument, row.data, row.scale)
    }
    if (!Array.isArray(row)) return this.#checkedRow(argument, row as MatrixData, 1)
    const data = this.#scratch
    checkWidth(argument, row.length, data.length)
    for (let j = 0; j < data.length; j++) {
      const value: unknown = row[j]
      if (typeof value !== 'number') {
        throw argumentError(argument, `numbers only, in column ${j} too`, value)
      }
      data[j] = value
    }
    return { data, rows: 1, cols: data.length, scale: 1, ...this.#scaling }
  }

  #checkedRow(argument: string, data: MatrixData, scale: number): NativeRows {
    checkStorage(argument, data)
    checkWidth(argument, data.length, this.#scratch.length)
    return { data, rows: 1, cols: data.length, scale, ...this.#scaling }
  }

  #answer(out: FloatArray<P> | undefined): FloatArray<P> {
    const { outputs } = this.#layers.at(-1)!
    const { precision } = this.#network
    if (out === undefined) return allocate(precision, outputs, 'out')
    const kind = precision === 'float64' ? Float64Array : Float32Array
    if (!(out instanceof kind)) throw argumentError('out', `a ${kind.name} of ${outputs}`, out)
    checkStorage('out', out)
    if (out.length !== outputs) throw shapeError('out', `${outputs} numbers`, `${out.length}`)
    return out
  }

  #parameters(): FloatArray<P> {
    if (this.#whole !== this.#network.current) {
      this.#whole = this.#network.current
      this.#part = this.#network.part(this.#span.from, this.#span.to)
    }
    return this.#part
  }

  #notFinite(argument: string, { data, scale, shift, factor }: NativeRows): Error {
    const rounded = this.#network.precision === 'float64' ? (value: number) => value : Math.fround
    const values = Array.from(data, (value, j) =>
      rounded((value * scale - (shift?.[j] ?? 0)) * (factor?.[j] ?? 1)),
    )
    const column = values.findIndex((value) => !Number.isFinite(value))
    return notFiniteError(argument, values[column] ?? NaN, 0, column)
  }
}

function checkWidth(argument: string, received: number, width: number): void {
  if (received !== width) throw shapeError(argument, `${width} numbers`, `${show(received)} numbers`)
}
