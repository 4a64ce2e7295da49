import type { CostParts } from '../objective/cost.js'
import type { TrainingDiagnosis } from './diagnosis-record.js'

/** Least, mean and greatest of some numbers. */
export interface Spread {
  /** The least of them. */
  readonly min: number
  /** Their mean. */
  readonly mean: number
  /** The greatest of them. */
  readonly max: number
}

/** One epoch of training, or one iteration of L-BFGS. */
export interface EpochRecord {
  /** Counted from 1 within this fit. */
  readonly epoch: number
  /**
   * The cost of the training rows. With minibatches `loss` is the mean over the rows as they were met, while the parameters moved,
   * `sparsity` the penalty (of a hard constraint, its augmented Lagrangian) at the epoch's mean activation (`l1`: the mean over the rows),
   * `weightDecay` that of the epoch's end; with `batchSize: 'all'` the exact cost before the epoch's one step (a number of at least the
   * rows gives that too, though with the sparsity penalty at the moving mean, and `shuffle` then has no effect); with L-BFGS the exact
   * cost after the iteration.
   */
  readonly cost: CostParts
  /**
   * Of classifiers: the fraction of training rows whose class is the most probable one, over the same rows and parameters as `cost.loss`:
   * with minibatches as they were met, while the parameters moved.
   */
  readonly accuracy?: number
  /** The exact cost of the validation rows after the epoch; with `earlyStopping` and no such rows, of the training rows. */
  readonly validation?: ValidationRecord
  /**
   * Mean activation ρ̂ of the hidden units: the least active, the mean of all, the most active. All are NaN where a softmax layer is trained
   * alone, which has no hidden units.
   */
  readonly meanActivation: Spread
  /** With `sparsity: { kind: 'constraint' }`: the largest |ρ̂ⱼ − ρ| of {@link meanActivation}'s units. */
  readonly constraintViolation?: number
  /** 2-norm of the epoch's last gradient, decay and penalty included, before `clipNorm` scales it. */
  readonly gradientNorm: number
  /** Learning rate of the epoch; L-BFGS has none. */
  readonly learningRate?: number
  /** Seconds spent training: validation and callbacks are not counted. */
  readonly seconds: number
  /** Training rows through cost and gradient, a second. */
  readonly samplesPerSecond: number
  /** Evaluations of cost and gradient: one a step, several for a line search. */
  readonly evaluations: number
}

/** What validation rows came to after an epoch. */
export interface ValidationRecord extends CostParts {
  /** Of classifiers: the fraction of these rows whose class is the most probable one, or of their weights. */
  readonly accuracy?: number
}

/** Which part of a model's training an event or a history belongs to. A model that has but one way to train says nothing: both are absent. */
export interface TrainingPhase {
  /**
   * `layer`: one layer of a stack, the others staying as they are; `softmax`: the last layer of a classifier alone; `fineTune`: all
   * layers together.
   */
  readonly phase?: 'layer' | 'fineTune' | 'softmax'
  /** With `layer`: which, counted from 1. */
  readonly layer?: number
}

/** What `onEpoch` is given. */
export interface EpochEvent extends EpochRecord, TrainingPhase {}

/** What `onProgress` is given: many times in a long epoch, once in many short ones. */
export interface FitProgress extends TrainingPhase {
  /** The epoch (or L-BFGS iteration) now running, counted from 1. */
  readonly epoch: number
  /** Epochs (iterations) there will be at most. */
  readonly epochs: number
  /** Steps done in this epoch, of {@link steps}. */
  readonly step: number
  /** Steps of an epoch; of an iteration of L-BFGS, 1. */
  readonly steps: number
  /** The cost of this epoch so far, as {@link EpochRecord.cost}; its weight decay is at most a second old. */
  readonly cost: CostParts
  /** Training rows through cost and gradient, a second, in this epoch so far. */
  readonly samplesPerSecond: number
  /** Seconds to the last epoch at the mean pace so far. */
  readonly secondsLeft: number
}

/** How a fit went. Plain data: it can be written as JSON. */
export interface TrainingHistory extends TrainingPhase, TrainingDiagnosis {
  /** One record an epoch, or iteration of L-BFGS, in order. */
  readonly epochs: readonly EpochRecord[]
  /**
   * Why it ended: all epochs were `completed`; `earlyStopping`; for L-BFGS `tolerance`, where the gradient is small enough, and
   * `precision`, where no step lowers the cost any more in the model's precision.
   */
  readonly stopped: 'completed' | 'earlyStopping' | 'tolerance' | 'precision'
  /** With `earlyStopping`: the epoch whose parameters the model has now. */
  readonly bestEpoch?: number
}

/** That of all values; of none, NaN. */
export function spread(values: Float64Array): Spread {
  if (values.length === 0) return { min: NaN, mean: NaN, max: NaN }
  let min = Infinity
  let max = -Infinity
  let sum = 0
  for (const value of values) {
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
  }
  return { min, mean: sum / values.length, max }
}
