import type { Precision } from '../base/precision.js'
import type { Classes } from '../data/labels.js'
import type {
  Floats,
  NativeCorruption,
  NativeLayer,
  NativeObjective,
  NativeWeightConstraint,
} from '../native/binding.js'
import type { RowCheck } from '../objective/row-check.js'
import type { TrainingPhase } from './history.js'
import type { KeptOptimizer } from './kept-optimizer.js'
import type { FitRows } from './named-rows.js'
import type { FitSettings } from './options.js'

/** Layers to train, and the receiver of their parameters. */
export interface TrainableLayers<P extends Precision = Precision> {
  readonly layers: readonly NativeLayer[]
  readonly precision: P
  /** The start of training, of all layers; not written. */
  readonly parameters: Floats
  /** Replaces the parameters by a new array that is never written again. */
  publish(parameters: Floats): void
  /** What the optimizer of their last training came to. */
  readonly optimizer: { kept: KeptOptimizer | undefined }
}

/** The cost that a training minimises, its noise, and its bound on the weights. */
export interface TrainingObjective {
  /** The cost that steps minimise, with their average. */
  readonly training: NativeObjective
  /** The cost of validation, exact over its rows. */
  readonly exact: NativeObjective
  /** Noise on the rows of each step. Validation is measured on clean rows. */
  readonly corruption: NativeCorruption | undefined
  /** Not with L-BFGS. */
  readonly weightConstraint: NativeWeightConstraint | undefined
}

/** An objective without noise and without a bound on the weights. */
export function plainObjective(training: NativeObjective, exact: NativeObjective): TrainingObjective {
  return { training, exact, corruption: undefined, weightConstraint: undefined }
}

/** All that defines one training. A method of a model creates it, `train` reads it; it is never changed. */
export interface TrainingRequest {
  /** Copied to events and the history. */
  readonly phase: TrainingPhase | undefined
  readonly network: TrainableLayers
  /** The number of this fit, counted from 0: part of the key of the shuffles. Called once, after the rows have been checked. */
  readonly nextFit: () => number
  readonly objective: TrainingObjective
  /** The seed of shuffles, splits and noise. */
  readonly seed: number
  readonly rows: FitRows
  readonly rowCheck: RowCheck
  /** The classes of labeled rows, for messages. */
  readonly classes: Classes | undefined
  /** The caller's options: optimizer, epochs, early stopping, callbacks. */
  readonly settings: FitSettings
}
