import { argumentError } from '../base/check.js'
import { elementType, isPrecision, type Precision } from '../base/precision.js'
import { asMatrix } from '../data/matrix.js'
import { isLayerActivation } from '../objective/activation.js'
import type { Layer } from './network.js'

/** Any model of layers: `layers` of a stack are those of the unrolled network, of a classifier the softmax is the last. */
export interface LayeredModel<P extends Precision = Precision> {
  /** In order, from the input on. */
  readonly layers: readonly Layer<P>[]
}

/**
 * The checked layers of a model, or of an object with layers: matching sizes, known activations, one precision.
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
  for (const [k, given] of layers.entries()) {
    const layer = asLayer(given)
    if (layer === undefined || !follows(layer, checked.at(-1))) {
      throw argumentError(
        `${argument}.layers[${k}]`,
        'a layer with inputs, outputs, activation, weights and biases that go together, and with the layer before',
        given,
      )
    }
    checked.push(layer as Layer<P>)
  }
  return checked
}

function asLayer(value: unknown): Layer | undefined {
  const { inputs, outputs, activation, weights: given, biases } = (value ?? {}) as Partial<Layer>
  const weights = asMatrix('weights', given)
  if (weights === undefined || typeof activation !== 'string') return undefined
  const { data } = weights
  const fits =
    isPrecision(elementType(data)) &&
    data.length === weights.rows * weights.cols &&
    inputs === weights.cols &&
    outputs === weights.rows &&
    isLayerActivation(activation) &&
    elementType(biases) === elementType(data) &&
    (biases!.length === outputs || biases!.length === 0)
  return fits
    ? { inputs, outputs, activation, weights: weights as Layer['weights'], biases: biases! }
    : undefined
}

function follows(layer: Layer, before: Layer | undefined): boolean {
  if (before === undefined) return true
  return (
    layer.inputs === before.outputs && elementType(layer.weights.data) === elementType(before.weights.data)
  )
}
