import { argumentError, type Complete, checkInteger, checkNumber, ownCopy } from '../base/check.js'
import { checkPrecision, type Precision } from '../base/precision.js'
import type { Scaler } from '../data/scaling/column-scaler.js'
import type { NativeLayer, NativeObjective, NativePenalty } from '../native/binding.js'
import { type Activation, checkActivation } from '../objective/activation.js'
import { type Corruption, checkCorruption, nativeCorruption } from '../objective/corruption.js'
import { checkLoss, type Loss } from '../objective/loss.js'
import {
  checkSparsity,
  costPenalties,
  type Sparsity,
  trainingAverage,
  trainingPenalties,
} from '../objective/sparsity.js'
import {
  checkProjectable,
  checkWeightConstraint,
  type WeightConstraint,
} from '../objective/weight-constraint.js'
import type { FitSettings } from '../training/options.js'
import type { TrainingObjective } from '../training/request.js'
import type { MetadataOption } from './metadata.js'

/** Options of a SparseAutoencoder. The cost has only the terms that are given. */
export interface SparseAutoencoderOptions<P extends Precision = Precision> extends MetadataOption {
  /** Numbers a row, at least 1. */
  readonly inputs: number
  /** Hidden units, at least 1; may be more than `inputs`. */
  readonly hidden: number
  /** Activation function of the hidden units. Default `'sigmoid'`. */
  readonly activation?: Activation | undefined
  /** Activation function of the reconstruction; data must be within its range. Default: `activation`. */
  readonly outputActivation?: Activation | undefined
  /** How a row and its reconstruction are compared. Default `'squared'`. */
  readonly loss?: Loss | undefined
  /** Penalty that keeps hidden units inactive on most rows. Default `{ kind: 'none' }`. */
  readonly sparsity?: Sparsity | undefined
  /** λ ≥ 0 of λ/2 Σ‖W‖², over both weight matrices and no bias. Default 0. */
  readonly weightDecay?: number | undefined
  /** Number type of parameters, computation and results. Default `'float32'`. */
  readonly precision?: P | undefined
  /** Fixes first weights, shuffles and splits; a whole number of at least 0. Default 0. */
  readonly seed?: number | undefined
  /**
   * A fitted scaler, copied, applied to every input and saved with the model. `reconstruct` and `decode` return the units of x; `cost` and
   * reconstruction errors are measured after scaling. A Matrix's own `scale` is applied first and is never undone. Default: none.
   */
  readonly scaling?: Scaler | undefined
  /** Noise on the inputs while training. Default: none. */
  readonly corruption?: Corruption | undefined
  /** A bound on the weights that training keeps; not with L-BFGS. Default: none. */
  readonly weightConstraint?: WeightConstraint | undefined
}

/** Options without a default: settings have them only if they were given. */
type Optional = 'corruption' | 'weightConstraint'

/** All of them but `scaling` and `metadata`, with their defaults: saved as a model's options. */
export type Settings<P extends Precision> = Complete<
  Omit<SparseAutoencoderOptions<P>, 'scaling' | 'metadata' | Optional>
> &
  Pick<SparseAutoencoderOptions<P>, Optional>

/** Names of the settings. */
export const SETTINGS = [
  'inputs',
  'hidden',
  'activation',
  'outputActivation',
  'loss',
  'sparsity',
  'weightDecay',
  'precision',
  'seed',
  'corruption',
  'weightConstraint',
]

/** Settings from options whose names are already checked. */
export function checkSettings<P extends Precision>(given: Record<string, unknown>): Settings<P> {
  const {
    activation: hidden = 'sigmoid',
    loss = 'squared',
    sparsity = { kind: 'none' },
    weightDecay = 0,
    precision = 'float32',
    seed = 0,
  } = given
  const activation = checkActivation('activation', hidden)
  const { outputActivation: output = activation } = given
  const outputActivation = checkActivation('outputActivation', output)
  const corruption = checkCorruption('corruption', given.corruption, outputActivation)
  const weightConstraint = checkWeightConstraint('weightConstraint', given.weightConstraint)
  return {
    inputs: checkInteger('inputs', given.inputs),
    hidden: checkInteger('hidden', given.hidden),
    activation,
    outputActivation,
    loss: checkLoss('loss', loss, outputActivation),
    sparsity: checkSparsity('sparsity', sparsity, activation),
    weightDecay: checkNumber('weightDecay', weightDecay, { min: 0 }),
    precision: checkPrecision('precision', precision) as P,
    seed: checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER),
    ...(corruption && { corruption }),
    ...(weightConstraint && { weightConstraint }),
  }
}

/** Encoder and decoder. */
export function layersOf({
  inputs,
  hidden,
  activation,
  outputActivation,
}: Settings<Precision>): NativeLayer[] {
  return [
    { inputs, outputs: hidden, activation },
    { inputs: hidden, outputs: inputs, activation: outputActivation },
  ]
}

/** The training objective of these two layers. */
export function layerObjective(settings: Settings<Precision>, fit: FitSettings): TrainingObjective {
  const { sparsity, outputActivation, corruption, weightConstraint } = ownCopy(settings)
  const average = trainingAverage('sparsity', sparsity, fit.batchSize === 0)
  checkProjectable(weightConstraint, fit)
  if (sparsity.kind === 'constraint' && fit.earlyStopping !== undefined) {
    throw argumentError(
      'earlyStopping',
      `nothing, since the cost it watches does not see a hard constraint (sparsity)`,
      fit.earlyStopping,
    )
  }
  return {
    training: objectiveOf(settings, trainingPenalties(sparsity, 0, average)),
    exact: layerCost(settings),
    corruption: nativeCorruption(corruption, outputActivation),
    weightConstraint,
  }
}

/** Their cost, exact over the rows it is given. */
export function layerCost(settings: Settings<Precision>): NativeObjective {
  return objectiveOf(settings, costPenalties(settings.sparsity, 0))
}

function objectiveOf(
  { loss, weightDecay }: Settings<Precision>,
  penalties: NativePenalty[],
): NativeObjective {
  return { loss, weightDecay: [weightDecay, weightDecay], penalties }
}
