import {
  argumentError,
  type Complete,
  checkBoolean,
  checkChoice,
  checkInteger,
  checkOptions,
  checkWithin,
  readArray,
  shapeError,
} from '../base/check.js'
import type { Precision } from '../base/precision.js'
import type { Classes } from '../data/labels.js'
import type { Scaler } from '../data/scaling/column-scaler.js'
import type { NativeLayer, NativeObjective } from '../native/binding.js'
import { type Activation, checkActivation } from '../objective/activation.js'
import {
  checkSparsity,
  costPenalties,
  type Sparsity,
  trainingAverage,
  trainingPenalties,
} from '../objective/sparsity.js'
import {
  checkSoftmaxSettings,
  classifierObjective,
  SOFTMAX_SETTINGS,
  type SoftmaxOptions,
  type SoftmaxSettings,
  softmaxLayer,
} from './classifier-options.js'
import type { MetadataOption } from './metadata.js'
import { MOST_LAYERS, type Start } from './network.js'

/** One layer of a classifier below its softmax. */
export interface ClassifierLayerOptions {
  /** Its units, at least 1. */
  readonly hidden: number
  /** Activation function of its units. Default `'sigmoid'`. */
  readonly activation?: Activation | undefined
  /** Its penalty while fine-tuning; with `sparseFineTuning` only, and no hard constraint. Default `{ kind: 'none' }`. */
  readonly sparsity?: Sparsity | undefined
  /** Fixes its first weights; a whole number of at least 0. Default: the classifier's. */
  readonly seed?: number | undefined
}

/** How the layers of a classifier are fine-tuned. */
interface FineTuningOptions<C extends Classes> extends SoftmaxOptions<C> {
  /** The layers with weight decay in `cost` and `fineTune`: only the softmax, or every layer, with the same λ. Default `'softmax'`. */
  readonly decay?: 'softmax' | 'all' | undefined
  /** Whether each layer keeps its sparsity penalty in `fineTune`, and thereby in `cost`. Default false. */
  readonly sparseFineTuning?: boolean | undefined
}

/** Options of a StackedClassifier. */
export interface StackedClassifierOptions<P extends Precision = Precision, C extends Classes = Classes>
  extends FineTuningOptions<C>,
    MetadataOption {
  /** Numbers a row, at least 1. */
  readonly inputs: number
  /** From the one next to the input to the one below the softmax; at least one. */
  readonly layers: readonly ClassifierLayerOptions[]
  /** Number type of parameters, computation and results. Default `'float32'`. */
  readonly precision?: P | undefined
  /** Fixes first weights, shuffles and splits; a whole number of at least 0. Default 0. */
  readonly seed?: number | undefined
  /** A fitted scaler, copied, applied to every input and saved with the model. A Matrix's own `scale` is applied first. Default: none. */
  readonly scaling?: Scaler | undefined
}

/** Options of `toClassifier`; the other options are the stack's. */
export interface ToClassifierOptions<C extends Classes = Classes> extends FineTuningOptions<C> {
  /** Fixes the first weights of the softmax, shuffles and splits; a whole number of at least 0. Default: the stack's. */
  readonly seed?: number | undefined
}

/** All of them but `scaling` and `metadata`, with their defaults: saved as a model's options. */
export interface StackedClassifierSettings<P extends Precision = Precision, C extends Classes = Classes>
  extends SoftmaxSettings<P, C>,
    Complete<Pick<StackedClassifierOptions<P, C>, 'inputs' | 'decay' | 'sparseFineTuning'>> {
  /** From the one next to the input to the one below the softmax. */
  readonly layers: readonly Complete<ClassifierLayerOptions>[]
}

/** Names of the settings. */
export const STACKED_CLASSIFIER_SETTINGS = [
  'inputs',
  'layers',
  ...SOFTMAX_SETTINGS,
  'decay',
  'sparseFineTuning',
]

/** Names of the options of `toClassifier`. */
export const TO_CLASSIFIER_OPTIONS = [
  ...SOFTMAX_SETTINGS.filter((name) => name !== 'precision'),
  'decay',
  'sparseFineTuning',
]

/** Settings from options whose names are already checked. */
export function checkStackedClassifierSettings<P extends Precision, C extends Classes>(
  given: Record<string, unknown>,
): StackedClassifierSettings<P, C> {
  const { decay = 'softmax', sparseFineTuning: sparse = false } = given
  const inputs = checkInteger('inputs', given.inputs)
  const softmax = checkSoftmaxSettings<P, C>(given)
  const sparseFineTuning = checkBoolean('sparseFineTuning', sparse)
  return {
    inputs,
    layers: checkLayers(given.layers, softmax.seed, sparseFineTuning),
    ...softmax,
    decay: checkChoice('decay', decay, ['softmax', 'all']),
    sparseFineTuning,
  }
}

/** The layers, then the softmax. */
export function layersOf({ inputs, layers, ...softmax }: StackedClassifierSettings): NativeLayer[] {
  const widths = [inputs, ...layers.map(({ hidden }) => hidden)]
  return [
    ...layers.map(({ hidden, activation }, k) => ({ inputs: widths[k]!, outputs: hidden, activation })),
    softmaxLayer(widths.at(-1)!, softmax),
  ]
}

/** The random streams of the layers' initial weights. */
export function startsOf({ layers, seed }: StackedClassifierSettings): Start[] {
  return [...layers, { seed }].map((layer, index) => ({ seed: layer.seed, index }))
}

/** The objective of all layers, exact over the given rows. */
export function costObjectiveOf(settings: StackedClassifierSettings): NativeObjective {
  const penalties = settings.layers.flatMap(({ sparsity }, k) => costPenalties(sparsity, k))
  return classifierObjective(settings, decays(settings), penalties)
}

/** The same for the steps of a training, which use all rows or batches. */
export function trainingObjectiveOf(settings: StackedClassifierSettings, allRows: boolean): NativeObjective {
  const penalties = settings.layers.flatMap(({ sparsity }, k) =>
    trainingPenalties(sparsity, k, trainingAverage(`layers[${k}].sparsity`, sparsity, allRows)),
  )
  return classifierObjective(settings, decays(settings), penalties)
}

/** λ of each layer. */
function decays({ layers, decay, weightDecay }: StackedClassifierSettings): number[] {
  return [...layers.map(() => (decay === 'all' ? weightDecay : 0)), weightDecay]
}

function checkLayers(
  value: unknown,
  seed: number,
  sparseFineTuning: boolean,
): Complete<ClassifierLayerOptions>[] {
  if (!Array.isArray(value)) {
    throw argumentError('layers', 'an array of layers such as [{ hidden: 100 }]', value)
  }
  if (value.length === 0 || value.length > MOST_LAYERS)
    throw shapeError('layers', `from 1 to ${MOST_LAYERS} layers`, value.length)
  return readArray<unknown>(value).map((layer, k) =>
    checkLayer(
      checkOptions(`layers[${k}]`, layer, ['hidden', 'activation', 'sparsity', 'seed']),
      `layers[${k}]`,
      seed,
      sparseFineTuning,
    ),
  )
}

function checkLayer(
  given: Record<string, unknown>,
  place: string,
  wholeSeed: number,
  sparseFineTuning: boolean,
): Complete<ClassifierLayerOptions> {
  return checkWithin(place, () => {
    const { activation: units = 'sigmoid', sparsity: penalty = { kind: 'none' }, seed = wholeSeed } = given
    const activation = checkActivation('activation', units)
    const sparsity = checkSparsity('sparsity', penalty, activation)
    if (sparsity.kind !== 'none' && !sparseFineTuning) {
      throw argumentError('sparsity', 'none, unless sparseFineTuning is true: nothing else uses it', penalty)
    }
    if (sparsity.kind === 'constraint') {
      throw argumentError(
        'sparsity.kind',
        'a penalty: the constraint holds for one layer trained by itself',
        sparsity.kind,
      )
    }
    return {
      hidden: checkInteger('hidden', given.hidden),
      activation,
      sparsity,
      seed: checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER),
    }
  })
}
