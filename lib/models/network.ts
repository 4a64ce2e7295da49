import { argumentError, shapeError } from '../check.js'
import { Matrix } from '../data/matrix.js'
import { LayerwiseError } from '../errors.js'
import type { Floats, NativeLayer } from '../native/binding.js'
import { binding } from '../native/load.js'
import type { Activation } from '../objective/activation.js'
import { allocate, type FloatArray, type Precision } from '../precision.js'

/** Random numbers for first weights: `Stream::weights` of the native core. */
const WEIGHTS_STREAM = 0

/** One dense layer a = f(W x + b). Its arrays are copies: writing them does not change the model. */
export interface Layer<P extends Precision = Precision> {
  readonly inputs: number
  readonly outputs: number
  readonly activation: Activation
  /** W, [outputs, inputs]. */
  readonly weights: Matrix<FloatArray<P>>
  /** b, [outputs]. */
  readonly biases: FloatArray<P>
}

/** A list of dense layers over one flat vector of parameters: W₁ b₁ W₂ b₂ …, each W row-major [outputs, inputs]. */
export class Network<P extends Precision> {
  readonly layers: readonly NativeLayer[]
  readonly precision: P
  /** Where the parameters of each layer begin, and at the end their number. */
  readonly #offsets: readonly number[]
  #parameters: FloatArray<P>
  #fits = 0
  #training = false

  /**
   * Weights are uniform on ±√(6 / (inputs + outputs + 1)), biases 0. Source: the exercises of UFLDL, after Glorot & Bengio 2010.
   *
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the parameters
   */
  constructor(layers: readonly NativeLayer[], precision: P, seed: number) {
    this.layers = layers
    this.precision = precision
    this.#offsets = parameterOffsets(layers)
    this.#parameters = allocate(precision, this.#offsets.at(-1)!, 'parameters')
    layers.forEach(({ inputs, outputs }, index) => {
      const start = this.#offsets[index]!
      const bound = Math.sqrt(6 / (inputs + outputs + 1))
      const weights = this.#parameters.subarray(start, start + inputs * outputs)
      binding().uniform(weights, -bound, bound, seed, WEIGHTS_STREAM, index)
    })
  }

  /** The parameters themselves. The array is never written after it was set, so a running call may go on reading it. */
  get current(): FloatArray<P> {
    return this.#parameters
  }

  /** How many fits there were. */
  get fits(): number {
    return this.#fits
  }

  /** The parameters of the layers `from` to `to` (not included). */
  part(from: number, to: number): FloatArray<P> {
    return this.#parameters.subarray(this.#offsets[from], this.#offsets[to]) as FloatArray<P>
  }

  copy(): FloatArray<P> {
    return this.#copyOf(this.#parameters, 'parameters')
  }

  layerCopies(): Layer<P>[] {
    return this.layers.map(({ inputs, outputs, activation }, index) => {
      const own = this.part(index, index + 1)
      const weights = this.#copyOf(own.subarray(0, inputs * outputs), 'weights')
      const biases = this.#copyOf(own.subarray(inputs * outputs), 'biases')
      return { inputs, outputs, activation, weights: Matrix.from(weights, outputs, inputs), biases }
    })
  }

  /** A copy of `theta`, checked: the right kind of array, the right length, finite. */
  checked(argument: string, theta: unknown): FloatArray<P> {
    const kind = this.precision === 'float64' ? Float64Array : Float32Array
    if (!(theta instanceof kind && ArrayBuffer.isView(theta))) {
      throw argumentError(argument, `a ${kind.name}`, theta)
    }
    const { length } = this.#parameters
    if (theta.length !== length) throw shapeError(argument, `${length} numbers`, `${theta.length} numbers`)
    const copy = this.#copyOf(theta, argument)
    const bad = copy.findIndex((value) => !Number.isFinite(value))
    if (bad === -1) return copy
    throw new LayerwiseError(
      'ERR_RANGE',
      `${argument}: expected finite numbers, received ${copy[bad]} at index ${bad}`,
      { argument, expected: 'finite numbers', received: copy[bad] },
    )
  }

  /** Replaces parameters, and with them the count of fits where it is given. */
  set(argument: string, theta: unknown, fits = this.#fits): void {
    if (this.#training) throw busy('setParameters')
    this.#parameters = this.checked(argument, theta)
    this.#fits = fits
  }

  /** Runs one training; while it runs another is refused, and `publish` alone changes the parameters. */
  async exclusively<T>(what: string, training: () => Promise<T>): Promise<T> {
    if (this.#training) throw busy(what)
    this.#training = true
    try {
      return await training()
    } finally {
      this.#training = false
    }
  }

  /** Takes over parameters that nobody writes any more. */
  publish(parameters: Floats): void {
    this.#parameters = parameters as FloatArray<P>
  }

  /** The number of this fit, counted from 0. */
  nextFit(): number {
    return this.#fits++
  }

  #copyOf(numbers: Floats, what: string): FloatArray<P> {
    const copy = allocate(this.precision, numbers.length, what)
    copy.set(numbers)
    return copy
  }
}

/** Where the parameters of each layer begin in the flat vector, and at the end their number. */
export function parameterOffsets(layers: readonly NativeLayer[]): number[] {
  const offsets = [0]
  for (const { inputs, outputs } of layers) offsets.push(offsets.at(-1)! + (inputs + 1) * outputs)
  return offsets
}

function busy(what: string): LayerwiseError {
  return new LayerwiseError(
    'ERR_BUSY',
    `${what}: this model is being trained; await its fit, or abort it by its signal, first`,
  )
}
