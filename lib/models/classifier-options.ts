import {
  argumentError,
  type Complete,
  checkBoolean,
  checkInteger,
  checkNumber,
  ownCopy,
  readArray,
  shapeError,
} from '../base/check.js'
import { checkPrecision, type Precision } from '../base/precision.js'
import { type Classes, checkClasses, classCount } from '../data/labels.js'
import type { NativeLayer, NativeObjective, NativePenalty } from '../native/binding.js'

/** Options of all classifiers: the softmax on top, and its training. */
export interface SoftmaxOptions<C extends Classes = Classes> {
  /** How many classes there are, at least 2; or their names, at most 65,536; labels and predictions then use the names. */
  readonly classes: C
  /** Whether the softmax has biases; they are not decayed. Default true. */
  readonly biases?: boolean | undefined
  /** λ ≥ 0 of λ/2 ‖W‖². Default 0. */
  readonly weightDecay?: number | undefined
  /** The weight of a row of each class in the cost: at least 0, not all 0, one for each class. Default 1 each. */
  readonly classWeights?: readonly number[] | undefined
}

/** All of them with their defaults; class weights only if they were given. */
export interface SoftmaxSettings<P extends Precision = Precision, C extends Classes = Classes>
  extends Pick<SoftmaxOptions<C>, 'classes' | 'classWeights'>,
    Complete<Pick<SoftmaxOptions, 'biases' | 'weightDecay'>> {
  /** Number type of parameters, computation and results. */
  readonly precision: P
  /** Fixes first weights, shuffles and splits. */
  readonly seed: number
}

/** Names of these settings. */
export const SOFTMAX_SETTINGS = ['classes', 'biases', 'weightDecay', 'classWeights', 'precision', 'seed']

/** Settings from options whose names are already checked. */
export function checkSoftmaxSettings<P extends Precision, C extends Classes>(
  given: Record<string, unknown>,
): SoftmaxSettings<P, C> {
  const { biases = true, weightDecay = 0, precision = 'float32', seed = 0 } = given
  const classes = checkClasses('classes', given.classes)
  return {
    classes: classes as C,
    biases: checkBoolean('biases', biases),
    weightDecay: checkNumber('weightDecay', weightDecay, { min: 0 }),
    ...(given.classWeights !== undefined && {
      classWeights: checkClassWeights('classWeights', given.classWeights, classCount(classes)),
    }),
    precision: checkPrecision('precision', precision) as P,
    seed: checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER),
  }
}

/** The layer on top of `inputs` units. */
export function softmaxLayer(inputs: number, { classes, biases }: SoftmaxSettings): NativeLayer {
  return { inputs, outputs: classCount(classes), activation: 'softmax', ...(biases ? {} : { biases }) }
}

/** The objective of a network with this softmax on top, given λ of each of its layers. */
export function classifierObjective(
  settings: SoftmaxSettings,
  weightDecay: readonly number[],
  penalties: readonly NativePenalty[] = [],
): NativeObjective {
  const { classWeights } = ownCopy(settings)
  const weights = classWeights && { classWeights: Float64Array.from(classWeights) }
  return { loss: 'logLoss', weightDecay, penalties, ...weights }
}

function checkClassWeights(argument: string, value: unknown, classes: number): readonly number[] {
  if (!Array.isArray(value)) throw argumentError(argument, 'an array of numbers, one a class', value)
  if (value.length !== classes) throw shapeError(argument, `${classes} numbers, one a class`, value.length)
  const weights = readArray<unknown>(value).map((weight, k) =>
    checkNumber(`${argument}[${k}]`, weight, { min: 0 }),
  )
  if (weights.every((weight) => weight === 0)) throw argumentError(argument, 'a weight above 0', value)
  return weights
}
