import {
  argumentError,
  type Complete,
  checkBoolean,
  checkInteger,
  checkNumber,
  checkOptions,
  checkWithin,
  ownCopy,
  readArray,
  shapeError,
} from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { checkPrecision, type Precision } from '../base/precision.js'
import type { Scaler } from '../data/scaling/column-scaler.js'
import { type Activation, activationRange, checkActivation } from '../objective/activation.js'
import type { Corruption } from '../objective/corruption.js'
import { checkLoss, type Loss } from '../objective/loss.js'
import type { Sparsity } from '../objective/sparsity.js'
import type { MetadataOption } from './metadata.js'
import { MOST_LAYERS } from './network.js'
import { checkSettings, type Settings } from './sparse-autoencoder-options.js'

/** One layer of a stack: the options of its autoencoder. */
export interface StackedLayerOptions {
  /** Its units, at least 1. */
  readonly hidden: number
  /** Activation function of its units. Default `'sigmoid'`. */
  readonly activation?: Activation | undefined
  /**
   * Activation function of its reconstruction of the layer below, whose activations must be within its range: `'sigmoid'` cannot
   * reconstruct relu units. Default: `activation`.
   */
  readonly outputActivation?: Activation | undefined
  /** Penalty that keeps its units inactive on most rows. Default `{ kind: 'none' }`. */
  readonly sparsity?: Sparsity | undefined
  /** λ ≥ 0 of λ/2 Σ‖W‖² while this layer is trained by itself. Default: the stack's. */
  readonly weightDecay?: number | undefined
  /** Noise on this layer's inputs while it is trained by itself; fine-tuning uses clean rows. Default: none. */
  readonly corruption?: Corruption | undefined
  /** Fixes its first weights, and its shuffles, splits and noise while it is trained by itself. Default: the stack's. */
  readonly seed?: number | undefined
}

/** Options of a StackedAutoencoder. */
export interface StackedAutoencoderOptions<P extends Precision = Precision> extends MetadataOption {
  /** Numbers a row, at least 1. */
  readonly inputs: number
  /** From the one next to the input to the innermost; at least one. */
  readonly layers: readonly StackedLayerOptions[]
  /**
   * Activation function of the reconstruction of the rows: that of the first layer's `outputActivation`, given in one of the two places. Default:
   * the first layer's.
   */
  readonly outputActivation?: Activation | undefined
  /** How rows and reconstructions are compared, for each layer and for the whole. Default `'squared'`. */
  readonly loss?: Loss | undefined
  /** λ ≥ 0 of λ/2 Σ‖W‖² over all weight matrices of the unrolled network, and for each layer without its own. Default 0. */
  readonly weightDecay?: number | undefined
  /** Whether each encoder keeps its sparsity penalty in `fineTune`, and thereby in `cost`. Default false. */
  readonly sparseFineTuning?: boolean | undefined
  /** Number type of parameters, computation and results. Default `'float32'`. */
  readonly precision?: P | undefined
  /**
   * Fixes shuffles and splits of `fineTune`, and everything of each layer without its own seed; a whole number of at least 0. Default 0.
   */
  readonly seed?: number | undefined
  /**
   * A fitted scaler, copied, applied to every input and saved with the model. `reconstruct` and `decode` return the units of x; `cost` and
   * reconstruction errors are measured after scaling. A Matrix's own `scale` is applied first. Default: none.
   */
  readonly scaling?: Scaler | undefined
}

/** A layer with its defaults. */
type LayerSettings = Complete<Omit<StackedLayerOptions, 'corruption'>> &
  Pick<StackedLayerOptions, 'corruption'>

/** All of them but `scaling` and `metadata`, with their defaults: saved as a model's options. */
export interface StackedSettings<P extends Precision>
  extends Complete<
    Omit<StackedAutoencoderOptions<P>, 'scaling' | 'metadata' | 'layers' | 'outputActivation'>
  > {
  /** From the one next to the input to the innermost. */
  readonly layers: readonly LayerSettings[]
}

/** Names of the settings. */
export const STACKED_SETTINGS = [
  'inputs',
  'layers',
  'loss',
  'weightDecay',
  'sparseFineTuning',
  'precision',
  'seed',
]

const LAYER_OPTIONS = [
  'hidden',
  'activation',
  'outputActivation',
  'sparsity',
  'weightDecay',
  'corruption',
  'seed',
]

/** The same options with `outputActivation` at its place, the first layer. */
export function withOutputs(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { outputActivation, ...others } = given
  const options = ownCopy(others)
  if (outputActivation === undefined) return options
  checkActivation('outputActivation', outputActivation)
  const [first, ...above] = checkLayers(options.layers)
  const layer = checkOptions('layers[0]', first, LAYER_OPTIONS)
  const own = layer.outputActivation
  if (own !== undefined && own !== outputActivation) {
    const expected = `nothing but '${own}', which layers[0].outputActivation is`
    throw argumentError('outputActivation', expected, outputActivation)
  }
  return ownCopy({ ...options, layers: [{ ...layer, outputActivation }, ...above] })
}

/** Settings from options whose names are already checked. */
export function checkStackedSettings<P extends Precision>(
  given: Record<string, unknown>,
): StackedSettings<P> {
  const {
    loss = 'squared',
    weightDecay = 0,
    sparseFineTuning = false,
    precision = 'float32',
    seed = 0,
  } = given
  const whole = {
    inputs: checkInteger('inputs', given.inputs),
    weightDecay: checkNumber('weightDecay', weightDecay, { min: 0 }),
    sparseFineTuning: checkBoolean('sparseFineTuning', sparseFineTuning),
    precision: checkPrecision('precision', precision) as P,
    seed: checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER),
  }
  const layers: LayerSettings[] = []
  for (const [k, value] of checkLayers(given.layers).entries()) {
    const below = layers.at(-1)
    const layer = checkLayer(`layers[${k}]`, value, whole, below)
    checkLoss('loss', loss, layer.outputActivation)
    layers.push(layer)
  }
  return { ...whole, loss: loss as Loss, layers }
}

function checkLayers(value: unknown): unknown[] {
  if (!Array.isArray(value))
    throw argumentError('layers', 'an array of layers such as [{ hidden: 100 }]', value)
  if (value.length === 0 || value.length > MOST_LAYERS)
    throw shapeError('layers', `from 1 to ${MOST_LAYERS} layers`, value.length)
  return readArray(value)
}

function checkLayer(
  place: string,
  value: unknown,
  whole: { inputs: number; weightDecay: number; seed: number; sparseFineTuning: boolean },
  below: LayerSettings | undefined,
): LayerSettings {
  const given = checkOptions(place, value, LAYER_OPTIONS)
  const { weightDecay = whole.weightDecay, seed = whole.seed } = given
  const inputs = below?.hidden ?? whole.inputs
  const checked = checkWithin(place, () => checkSettings(ownCopy({ ...given, inputs, weightDecay, seed })))
  const { hidden, activation, outputActivation, sparsity, corruption } = ownCopy(checked)
  if (below !== undefined) {
    const source = given.outputActivation === undefined ? ', its default since activation is that' : ''
    checkReach(`${place}.outputActivation`, outputActivation, below.activation, source)
  }
  if (whole.sparseFineTuning && sparsity.kind === 'constraint') {
    throw argumentError(
      `${place}.sparsity.kind`,
      'a penalty, with sparseFineTuning: the constraint holds for one layer trained by itself',
      sparsity.kind,
    )
  }
  return {
    ...{ hidden, activation, outputActivation, sparsity },
    ...{ weightDecay: checked.weightDecay, seed: checked.seed },
    ...(corruption && { corruption }),
  }
}

/** Outputs must be able to reach every value of the layer below. `source`: the origin of the activation if the caller did not give it. */
function checkReach(argument: string, output: Activation, below: Activation, source: string): void {
  const [low, high] = activationRange(output)
  const [least, most] = activationRange(below)
  if (low <= least && high >= most) return
  const expected = `an activation that reaches what it reconstructs, the ${below} units of the layer below, from ${least} to ${most}`
  throw new LayerwiseError(
    'ERR_ARGUMENT',
    `${argument}: expected ${expected}, received '${output}'${source}`,
    {
      argument,
      expected,
      received: output,
    },
  )
}

/** Each layer as the SparseAutoencoder as which it is trained by itself. */
export function layerSettings<P extends Precision>({
  inputs,
  layers,
  loss,
  precision,
}: StackedSettings<P>): Settings<P>[] {
  return layers.map((layer, k) =>
    ownCopy({ ...layer, inputs: layers[k - 1]?.hidden ?? inputs, loss, precision }),
  )
}
