import type { Precision } from '../base/precision.js'
import type { Classes } from '../data/labels.js'
import type {
  Floats,
  NativeCorruption,
  NativeLayer,
  NativeObjective,
  NativeRows,
  NativeWeightConstraint,
} from '../native/binding.js'
import type { RowCheck } from '../objective/row-check.js'
import type { TrainingPhase } from './history.js'
import type { FitSettings } from './options.js'

/** Layers that are trained, over one flat vector of parameters, and who takes over what they have learnt. */
export interface TrainableLayers<P extends Precision = Precision> {
  readonly layers: readonly NativeLayer[]
  readonly precision: P
  /** Where training starts; not written. */
  readonly parameters: Floats
  /** Takes over parameters: each time another array, which nobody writes any more. */
  publish(parameters: Floats): void
}

/** Rows, and the argument they came from. */
export interface NamedRows {
  readonly argument: string
  readonly rows: NativeRows
}

/** Rows of the caller's, checked in form and safe from being changed meanwhile. */
export interface FitRows {
  readonly training: NamedRows
  /** Rows to measure after each epoch, or the fraction of the training rows to hold out for that. */
  readonly validation: NamedRows | number | undefined
}

/** What a training minimises, and under which constraint. */
export interface TrainingObjective {
  /** What steps minimise, with the average that they use. */
  readonly training: NativeObjective
  /** What validation measures, exact over its rows. */
  readonly exact: NativeObjective
  /** Noise on the rows of each step, of these alone: validation is measured on clean rows. */
  readonly corruption: NativeCorruption | undefined
  /** Not with L-BFGS. */
  readonly weightConstraint: NativeWeightConstraint | undefined
}

/** An objective without noise on the rows and bounds on the weights. */
export function unconstrained(training: NativeObjective, exact: NativeObjective): TrainingObjective {
  return { training, exact, corruption: undefined, weightConstraint: undefined }
}

/** Everything about one training. A method of a model makes it, `train` reads it, nobody changes it. */
export interface TrainingRequest {
  /** What events and the history say of it. */
  readonly phase: TrainingPhase | undefined
  readonly network: TrainableLayers
  /** The number of this fit, counted from 0: part of the key of the shuffles. Called once, when the rows have been found good. */
  readonly nextFit: () => number
  readonly objective: TrainingObjective
  /** Of shuffles, splits and noise. */
  readonly seed: number
  readonly rows: FitRows
  readonly rowCheck: RowCheck
  /** Of labeled rows, for messages. */
  readonly classes: Classes | undefined
  /** The caller's options: how parameters change, for how long, and who is told. */
  readonly settings: FitSettings
}
