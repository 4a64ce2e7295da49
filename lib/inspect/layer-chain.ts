import { argumentError } from '../base/check.js'
import { allocate, type FloatArray, type Precision, precisionOf } from '../base/precision.js'
import { Matrix } from '../data/matrix.js'
import { rowSlices } from '../data/slices.js'
import type { Layer } from '../models/network.js'
import type { NativeLayer } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { type Activation, activationSlope } from '../objective/activation.js'

/** One product of rows with a layer's matrix, as native code computes it. */
interface Product<P extends Precision> {
  readonly layer: NativeLayer
  readonly parameters: FloatArray<P>
}

/** Consecutive layers as a function of their input, with its derivative. The products are computed natively, off the JavaScript thread. */
export class LayerChain<P extends Precision> {
  readonly #work: NativeWork
  readonly #forward: readonly Product<P>[]
  readonly #back: readonly Product<P>[]
  readonly #activations: readonly Activation[]

  /** @throws {@link LayerwiseError} `ERR_ARGUMENT` for a softmax layer, which can only be the last one of a model */
  constructor(layers: readonly Layer<P>[], work: NativeWork) {
    this.#work = work
    this.#activations = layers.map(({ activation }, k) => {
      if (activation !== 'softmax') return activation
      throw argumentError(`model.layers[${k}].activation`, 'softmax on the last layer only', activation)
    })
    this.#forward = layers.map(({ inputs, outputs, weights, biases }, k) => ({
      layer: { inputs, outputs, activation: this.#activations[k]!, biases: biases.length > 0 },
      parameters: joined<P>(weights.data, biases),
    }))
    this.#back = layers.map(({ inputs, outputs, weights }) => ({
      layer: { inputs: outputs, outputs: inputs, activation: 'identity', biases: false, transposed: true },
      parameters: weights.data,
    }))
  }

  /** The rows `x`, and after each layer its outputs. */
  async outputs(x: Matrix<FloatArray<P>>): Promise<Matrix<FloatArray<P>>[]> {
    const all = [x]
    for (const product of this.#forward) all.push(await this.#times(all.at(-1)!, product))
    return all
  }

  /** The derivative by the input of `rows · outputs`, row by row, where {@link outputs} are those of these inputs. */
  async gradient(
    rows: Matrix<FloatArray<P>>,
    outputs: readonly Matrix<FloatArray<P>>[],
  ): Promise<Matrix<FloatArray<P>>> {
    let delta = rows
    for (let k = this.#back.length - 1; k >= 0; k--) {
      const activation = this.#activations[k]!
      const a = outputs[k + 1]!
      const z = activationSlope(activation).slopeOfSum ? await this.#sums(k, outputs[k]!) : a
      delta = await this.#times(await timesSlope(delta, activation, a, z), this.#back[k]!)
    }
    return delta
  }

  /** `rows` times the product of all matrices W_k ⋯ W₁, as if every activation were the identity. */
  async products(rows: Matrix<FloatArray<P>>): Promise<Matrix<FloatArray<P>>> {
    let product = rows
    for (let k = this.#back.length - 1; k >= 0; k--) product = await this.#times(product, this.#back[k]!)
    return product
  }

  /** The weighted sums of layer k, whose inputs are `rows`. */
  #sums(k: number, rows: Matrix<FloatArray<P>>): Promise<Matrix<FloatArray<P>>> {
    const { layer, parameters } = this.#forward[k]!
    return this.#times(rows, { layer: { ...layer, activation: 'identity' }, parameters })
  }

  async #times(
    rows: Matrix<FloatArray<P>>,
    { layer, parameters }: Product<P>,
  ): Promise<Matrix<FloatArray<P>>> {
    const out = allocate(precisionOf(rows.data), rows.rows * layer.outputs, 'inputs') as FloatArray<P>
    const request = { layers: [layer], parameters, rows: { ...rows }, result: 'outputs' as const, out }
    await this.#work.call('model', (run) => binding().forward({ ...run, ...request }))
    return Matrix.from(out, rows.rows, layer.outputs)
  }
}

/** delta ⊙ f′(z), with the derivative as a function of the output a = f(z), and of z if the activation needs it. */
async function timesSlope<P extends Precision>(
  delta: Matrix<FloatArray<P>>,
  activation: Activation,
  a: Matrix<FloatArray<P>>,
  z: Matrix<FloatArray<P>>,
): Promise<Matrix<FloatArray<P>>> {
  const { rows, cols, data } = delta
  const out = allocate(precisionOf(data), data.length, 'inputs') as FloatArray<P>
  const { slope } = activationSlope(activation)
  for await (const [from, to] of rowSlices(rows, cols)) {
    for (let i = from * cols; i < to * cols; i++) out[i] = data[i]! * slope(a.data[i]!, z.data[i]!)
  }
  return Matrix.from(out, rows, cols)
}

function joined<P extends Precision>(weights: FloatArray<P>, biases: FloatArray<P>): FloatArray<P> {
  if (biases.length === 0) return weights
  const both = allocate(precisionOf(weights), weights.length + biases.length, 'parameters') as FloatArray<P>
  both.set(weights)
  both.set(biases, weights.length)
  return both
}
