import { argumentError } from '../check.js'
import { Matrix } from '../data/matrix.js'
import { ACTIVATION_NUMBERS } from '../native/binding.js'
import type { Precision } from '../precision.js'
import type { Layer } from './network.js'

/**
 * The layers of a model, or of anything that has such: sizes that meet, known activations, numbers of one precision.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything else
 */
export function checkLayers<P extends Precision>(
  argument: string,
  model: { readonly layers: readonly Layer<P>[] },
): readonly Layer<P>[] {
  const layers: unknown = (model as Partial<typeof model> | null | undefined)?.layers
  if (!Array.isArray(layers) || layers.length === 0)
    throw argumentError(argument, 'a model with layers', model)
  const checked: Layer<P>[] = []
  for (const [k, layer] of layers.entries()) {
    if (!isLayer(layer) || !follows(layer, checked.at(-1))) {
      throw argumentError(
        `${argument}.layers[${k}]`,
        'a layer with inputs, outputs, activation, weights and biases that go together, and with the layer before',
        layer,
      )
    }
    checked.push(layer as Layer<P>)
  }
  return checked
}

function isLayer(value: unknown): value is Layer {
  const { inputs, outputs, activation, weights, biases } = (value ?? {}) as Partial<Layer>
  if (!(weights instanceof Matrix) || typeof activation !== 'string') return false
  const { data } = weights
  const kind = [Float32Array, Float64Array].find((known) => data instanceof known)
  return (
    kind !== undefined &&
    data.length === weights.rows * weights.cols &&
    inputs === weights.cols &&
    outputs === weights.rows &&
    Object.hasOwn(ACTIVATION_NUMBERS, activation) &&
    ArrayBuffer.isView(biases) &&
    biases instanceof kind &&
    (biases.length === outputs || biases.length === 0)
  )
}

function follows(layer: Layer, before: Layer | undefined): boolean {
  if (before === undefined) return true
  return layer.inputs === before.outputs && layer.weights.data.constructor === before.weights.data.constructor
}
