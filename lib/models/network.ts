import { argumentError, ownCopy, shapeError } from '../base/check.js'
import { changedError } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import { allocate, allocateUnset, elementType, type FloatArray, type Precision } from '../base/precision.js'
import { Matrix } from '../data/matrix.js'
import type { Between } from '../data/slices.js'
import { isDue, notFiniteWithin, SCANNED, turn } from '../data/slices.js'
import { plainArray } from '../data/storage.js'
import type { Floats, NativeLayer } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import type { RunOptions } from '../native/run-options.js'
import type { Activation } from '../objective/activation.js'
import type { KeptOptimizer } from '../training/kept-optimizer.js'
import type { TrainableLayers } from '../training/request.js'
import { parameterOffsets, within } from './parameter-layout.js'

/** Random numbers for first weights: `Stream::weights` of the native core. */
const WEIGHTS_STREAM = 0

/** One dense layer a = f(W x + b). Its arrays are copies: writing them does not change the model. */
export interface Layer<P extends Precision = Precision> {
  /** Number of inputs: units of the previous layer, or columns of the rows. */
  readonly inputs: number
  /** Its units. */
  readonly outputs: number
  /** `'softmax'` is the last layer of a classifier: its outputs are positive and sum to 1. */
  readonly activation: Activation | 'softmax'
  /** W, [outputs, inputs]; for a tied layer the other layer's, transposed. */
  readonly weights: Matrix<FloatArray<P>>
  /** b, [outputs]; empty if the layer has none. */
  readonly biases: FloatArray<P>
}

/** Of a stack, before it is unrolled. */
export const MOST_LAYERS = 1000

/** Fits are numbered from 0 to below this, for the core; then numbering restarts. */
export const NUMBERED_FITS = 2 ** 31

/** A method that trains, as messages name it. */
export type TrainingMethod = 'fit' | 'fineTune'

/** The random stream of a layer's initial weights. */
export interface Start {
  readonly seed: number
  readonly index: number
}

/** The state of a saved network. */
export interface Stored<P extends Precision = Precision> {
  /** Of all layers; they must not be written again. */
  readonly parameters: FloatArray<P>
  /** The number of the next fit. */
  readonly fits: number
}

/** Consecutive layers with the flat parameters of these layers only. */
export interface DenseLayers<P extends Precision> {
  readonly layers: readonly NativeLayer[]
  readonly parameters: FloatArray<P>
}

/**
 * A list of dense layers over one flat vector of parameters: W₁ b₁ W₂ b₂ …, each W row-major [outputs, inputs]. A tied layer has no W
 * there, a layer without biases no b.
 */
export class Network<P extends Precision> implements DenseLayers<P>, TrainableLayers<P> {
  readonly layers: readonly NativeLayer[]
  readonly precision: P
  /** The start of each layer's parameters, and at the end the total number. */
  readonly #offsets: readonly number[]
  #parameters: FloatArray<P>
  #fits = 0
  #training = false
  /** What optimizers came to, of all layers together and of some of them. */
  readonly #optimizers = new Map<string, { kept: KeptOptimizer | undefined }>()

  /**
   * Weights are uniform on ±√(6 / (inputs + outputs + 1)), biases 0. Source: the exercises of UFLDL, after Glorot & Bengio 2010.
   *
   * @param start - a seed, from which every layer gets different numbers; a seed for each layer, or the layer's parameters, which are
   *   copied; or all parameters, and then nothing is drawn or copied
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the parameters
   */
  constructor(
    layers: readonly NativeLayer[],
    precision: P,
    start: number | readonly (Start | FloatArray<P>)[] | Stored<P>,
  ) {
    this.layers = layers.map(ownCopy)
    this.precision = precision
    this.#offsets = parameterOffsets(this.layers)
    if (isStored(start)) {
      this.#parameters = start.parameters
      this.#fits = start.fits
      return
    }
    this.#parameters = allocate(precision, this.#offsets.at(-1)!, 'parameters')
    this.layers.forEach((layer, index) => {
      const first = typeof start === 'number' ? { seed: start, index } : start[index]!
      if (isStart(first)) this.#draw(layer, index, first)
      else this.#own(index).set(first)
    })
  }

  #draw(layer: NativeLayer, index: number, numbers: Start): void {
    if (layer.tied !== undefined) return
    const bound = Math.sqrt(6 / (layer.inputs + layer.outputs + 1))
    binding().uniform(this.#weights(index), -bound, bound, numbers.seed, WEIGHTS_STREAM, numbers.index)
  }

  /** The parameters themselves. The array is never written after it was set, so a running call can continue to read it. */
  get parameters(): FloatArray<P> {
    return this.#parameters
  }

  get optimizer(): { kept: KeptOptimizer | undefined } {
    return this.#optimizerOf('all')
  }

  /** The number of fits so far. */
  get fits(): number {
    return this.#fits
  }

  /** The layers `from` to `to` (not included). A layer that is tied to a layer outside gets that layer's matrix, transposed. */
  slice(from: number, to: number): DenseLayers<P> {
    const layers = this.layers.slice(from, to).map((layer) => within(layer, from))
    const own = this.#parameters.subarray(this.#offsets[from], this.#offsets[to]) as FloatArray<P>
    if (layers.every(({ transposed }) => transposed !== true)) return { layers, parameters: own }
    const pieces = layers.flatMap(({ transposed }, index) => {
      const parameters = this.#own(from + index)
      return transposed === true ? [this.#weights(from + index), parameters] : [parameters]
    })
    return {
      layers,
      parameters: pieces.length === 2 && pieces[1]!.length === 0 ? pieces[0]! : this.#joined(pieces),
    }
  }

  /** Some layers, none of them tied, that are trained while the others do not change. */
  trainable(indices: readonly number[]): TrainableLayers<P> {
    return {
      layers: indices.map((index) => this.layers[index]!),
      precision: this.precision,
      parameters: this.#joined(indices.map((index) => this.#own(index))),
      optimizer: this.#optimizerOf(indices.join()),
      publish: (parameters) => {
        const all = this.copy()
        let from = 0
        for (const index of indices) {
          const { length } = this.#own(index)
          all.set(parameters.subarray(from, from + length), this.#offsets[index])
          from += length
        }
        this.publish(all)
      },
    }
  }

  copy(): FloatArray<P> {
    return this.#copyOf(this.#parameters, 'parameters')
  }

  layerCopies(): Layer<P>[] {
    return this.layers.map(({ inputs, outputs, activation: name, tied }, index) => {
      const activation = name as Layer['activation']
      const source = this.#weights(index)
      const weights =
        tied === undefined
          ? this.#copyOf(source, 'weights')
          : transposed(source, allocate(this.precision, source.length, 'weights'), outputs)
      const own = this.#own(index)
      const biases = this.#copyOf(own.subarray(tied === undefined ? source.length : 0), 'biases')
      return { inputs, outputs, activation, weights: Matrix.from(weights, outputs, inputs), biases }
    })
  }

  /** A copy of `theta`, checked: the right kind of array, the right length, finite. Made a slice at a time. */
  async checked(argument: string, theta: unknown, between: Between): Promise<FloatArray<P>> {
    const given = this.#fitting(argument, theta)
    const copy = allocateUnset(this.precision, given.length, argument)
    for (let from = 0; from < copy.length; from += SCANNED) {
      // The first slice is copied synchronously, so small arrays are copied at the call.
      if (from > 0) {
        if (isDue()) await turn()
        between()
      }
      if (given.length !== copy.length) throw changedError(argument)
      copyFinite(argument, given, copy, from, Math.min(copy.length, from + SCANNED))
    }
    return copy
  }

  #isOfPrecision(theta: unknown): theta is FloatArray<P> {
    return elementType(theta) === this.precision
  }

  /** Parameters that fit this network. */
  #fitting(argument: string, theta: unknown): FloatArray<P> {
    if (!this.#isOfPrecision(theta)) {
      throw argumentError(argument, this.precision === 'float64' ? 'a Float64Array' : 'a Float32Array', theta)
    }
    const { length } = this.#parameters
    const given = plainArray(argument, theta)
    if (given.length !== length) throw shapeError(argument, `${length} numbers`, `${given.length} numbers`)
    return given as FloatArray<P>
  }

  /** Replaces parameters by a checked copy. */
  set(argument: string, theta: unknown): void {
    if (this.#training) throw busy('setParameters')
    const given = this.#fitting(argument, theta)
    const copy = allocateUnset(this.precision, given.length, argument)
    copyFinite(argument, given, copy, 0, given.length)
    this.#parameters = copy
  }

  /** Runs one training; meanwhile another one is refused, and only `publish` changes the parameters. */
  async exclusively<T>(
    method: TrainingMethod,
    options: RunOptions,
    training: (work: NativeWork) => Promise<T>,
  ): Promise<T> {
    const work = new NativeWork(options)
    try {
      if (this.#training) throw busy(method)
      this.#training = true
      try {
        return await training(work)
      } finally {
        this.#training = false
      }
    } finally {
      work.release()
    }
  }

  /** Replaces the parameters by an array that is never written again. */
  publish(parameters: Floats): void {
    this.#parameters = parameters as FloatArray<P>
  }

  /** The number of this fit, counted from 0. */
  nextFit(): number {
    const fit = this.#fits
    this.#fits = (fit + 1) % NUMBERED_FITS
    return fit
  }

  #optimizerOf(layers: string): { kept: KeptOptimizer | undefined } {
    let optimizer = this.#optimizers.get(layers)
    if (optimizer === undefined) {
      optimizer = { kept: undefined }
      this.#optimizers.set(layers, optimizer)
    }
    return optimizer
  }

  /** The stored matrix of a layer: its own, or that of the layer it is tied to. */
  #weights(index: number): FloatArray<P> {
    const { inputs, outputs, tied = index } = this.layers[index]!
    const start = this.#offsets[tied]!
    return this.#parameters.subarray(start, start + inputs * outputs) as FloatArray<P>
  }

  #own(index: number): FloatArray<P> {
    return this.#parameters.subarray(this.#offsets[index], this.#offsets[index + 1]) as FloatArray<P>
  }

  #joined(pieces: readonly FloatArray<P>[]): FloatArray<P> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const joined = allocateUnset(this.precision, length, 'parameters')
    let from = 0
    for (const piece of pieces) {
      joined.set(piece, from)
      from += piece.length
    }
    return joined
  }

  #copyOf(numbers: Floats, what: string): FloatArray<P> {
    const copy = allocateUnset(this.precision, numbers.length, what)
    copy.set(numbers)
    return copy
  }
}

/** Copies numbers from one array to another, and refuses them if one is not finite. */
function copyFinite(argument: string, theta: Floats, copy: Floats, from: number, to: number): void {
  copy.set(theta.subarray(from, to), from)
  const bad = notFiniteWithin(copy, from, to)
  if (bad < 0) return
  throw new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected finite numbers, received ${copy[bad]} at index ${bad}`,
    { argument, expected: 'finite numbers', received: copy[bad] },
  )
}

function isStart(start: Start | Floats): start is Start {
  return Object.hasOwn(start, 'seed')
}

function isStored<P extends Precision>(start: unknown): start is Stored<P> {
  return typeof start === 'object' && !Array.isArray(start)
}

/** Transposes a matrix [cols, rows] into `out`, [rows, cols]. */
function transposed<D extends Floats>(matrix: D, out: D, rows: number): D {
  const cols = matrix.length / rows
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[i * cols + j] = matrix[j * rows + i]!
  return out
}

function busy(method: TrainingMethod | 'setParameters'): LayerwiseError {
  return new LayerwiseError(
    'ERR_BUSY',
    `${method}: this model is being trained; await its fit, or abort it by its signal, first`,
  )
}
