import {
  argumentError,
  type Complete,
  checkBoolean,
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  readArray,
  shapeError,
} from '../base/check.js'
import { checkPrecision, type Precision } from '../base/precision.js'
import type { NativeLayer, NativeObjective } from '../native/binding.js'
import type { Average, NoSparsity } from '../objective/sparsity.js'
import type { MetadataOption } from './metadata.js'

/** β Σⱼ (ρ̂ⱼ − ρⱼ)², with one ρ for all hidden units or one for each; or nothing. */
export type LinearSparsity = NoSparsity | LinearL2Sparsity

/** β Σⱼ (ρ̂ⱼ − ρⱼ)² on linear units. */
export interface LinearL2Sparsity {
  /** Squared distance between target and mean activation. */
  readonly kind: 'l2'
  /** ρ, the target of the mean activation of hidden units, any number: one for all units, or one for each, [hidden]. */
  readonly target: number | readonly number[]
  /** β ≥ 0, the weight of the penalty. */
  readonly weight: number
}

/** Options of a LinearAutoencoder. */
export interface LinearAutoencoderOptions<P extends Precision = Precision> extends MetadataOption {
  /** n, numbers a row, at least 1. */
  readonly inputs: number
  /** h, hidden units, at least 1; may be more than `inputs`. */
  readonly hidden: number
  /** One matrix W [hidden, inputs] and no biases, y = WᵀWx; or two matrices, with biases, y = W₂(W₁x + b₁) + b₂. Default true. */
  readonly tied?: boolean | undefined
  /** Whether the mean of the rows of the first fit is subtracted from every input and added to every reconstruction. Default false. */
  readonly center?: boolean | undefined
  /** Penalty that moves the mean activations of hidden units towards their targets. Default `{ kind: 'none' }`. */
  readonly sparsity?: LinearSparsity | undefined
  /** λ ≥ 0 of λ/2 ‖W‖², tied once, untied for both matrices; biases are not decayed. Default 0. */
  readonly weightDecay?: number | undefined
  /** Number type of parameters, computation and results. Default `'float32'`. */
  readonly precision?: P | undefined
  /** Fixes first weights, shuffles and splits; a whole number of at least 0. Default 0. */
  readonly seed?: number | undefined
}

/** All of them but `metadata`, with their defaults: saved as a model's options. */
export type LinearSettings<P extends Precision> = Complete<Omit<LinearAutoencoderOptions<P>, 'metadata'>>

/** Names of the settings. */
export const LINEAR_SETTINGS = [
  'inputs',
  'hidden',
  'tied',
  'center',
  'sparsity',
  'weightDecay',
  'precision',
  'seed',
]

/** Settings from options, or from a file's. */
export function checkLinearSettings<P extends Precision>(options: unknown): LinearSettings<P> {
  const given = checkOptions('options', options, LINEAR_SETTINGS)
  const {
    tied = true,
    center = false,
    sparsity = { kind: 'none' },
    weightDecay = 0,
    precision = 'float32',
    seed = 0,
  } = given
  const hidden = checkInteger('hidden', given.hidden)
  return {
    inputs: checkInteger('inputs', given.inputs),
    hidden,
    tied: checkBoolean('tied', tied),
    center: checkBoolean('center', center),
    sparsity: checkLinearSparsity(sparsity, hidden),
    weightDecay: checkNumber('weightDecay', weightDecay, { min: 0 }),
    precision: checkPrecision('precision', precision) as P,
    seed: checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER),
  }
}

function checkLinearSparsity(value: unknown, hidden: number): LinearSparsity {
  const given = checkOptions('sparsity', value, ['kind', 'target', 'weight'])
  const kind = checkChoice('sparsity.kind', given.kind, ['none', 'l2'])
  if (kind === 'none') {
    checkOptions('sparsity', given, ['kind'])
    return { kind }
  }
  const weight = checkNumber('sparsity.weight', given.weight, { min: 0 })
  const { target } = given
  if (!Array.isArray(target)) {
    if (typeof target !== 'number')
      throw argumentError('sparsity.target', 'a number, or one for each hidden unit', target)
    return { kind, target: checkNumber('sparsity.target', target), weight }
  }
  if (target.length !== hidden)
    throw shapeError('sparsity.target', `${hidden} numbers, one a hidden unit`, target.length)
  return {
    kind,
    target: readArray<unknown>(target).map((rho, j) => checkNumber(`sparsity.target[${j}]`, rho)),
    weight,
  }
}

/** If tied, the second layer uses the first one's matrix and neither has biases. */
export function linearLayers({ inputs, hidden, tied }: LinearSettings<Precision>): NativeLayer[] {
  const encoder = { inputs, outputs: hidden, activation: 'identity' } as const
  const decoder = { inputs: hidden, outputs: inputs, activation: 'identity' } as const
  return tied
    ? [
        { ...encoder, biases: false },
        { ...decoder, biases: false, tied: 0 },
      ]
    : [encoder, decoder]
}

/** The objective of the two layers. */
export function linearObjective(
  { tied, sparsity, weightDecay }: LinearSettings<Precision>,
  average: Average,
): NativeObjective {
  const penalty = sparsity.kind === 'l2' && {
    layer: 0,
    kind: sparsity.kind,
    target: typeof sparsity.target === 'number' ? sparsity.target : Float64Array.from(sparsity.target),
    weight: sparsity.weight,
    average,
  }
  return {
    loss: 'squared',
    weightDecay: [weightDecay, tied ? 0 : weightDecay],
    penalties: penalty ? [penalty] : [],
  }
}
