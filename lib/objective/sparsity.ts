import { argumentError, checkChoice, checkNumber, checkOptions, ownCopy } from '../base/check.js'
import type { NativePenalty } from '../native/binding.js'
import { type Activation, activationRange, boundedNames, isBounded } from './activation.js'

/**
 * The rows of the mean activation ρ̂ of a hidden unit during training.
 *
 * - `exact`: all rows, by a forward pass before the backward pass. For `batchSize: 'all'` and L-BFGS, and their default
 * - `batch`: the rows of the minibatch; with `batchSize: 'all'` or L-BFGS that is every row, the same as `exact`
 * - `moving`: a running mean of the minibatches' means with weight 0.9 on the past, with the bias correction of Adam's moments. For
 *   minibatches, and their default. The derivative keeps the factor 1/m of the minibatch
 */
export type Average = 'exact' | 'batch' | 'moving'

/**
 * A penalty on the activity of the hidden units, part of the cost.
 *
 * - `none`
 * - `kl`: β Σⱼ KL(ρ ‖ ρ̂ⱼ), for hidden units with bounded outputs (sigmoid, tanh, satlin).
 *   Source: Xue, "Inference of stacked sparse autoencoder", eq. 8. Differs: outside [ε, 1 − ε], ε = 1e-6, KL is continued by its tangent, so it is always finite
 * - `l2`: β Σⱼ (ρ̂ⱼ − ρ)². Source: Johnson & Ramsundar, section 4
 * - `l1`: (β/m) Σᵢⱼ |Aᵢⱼ|, on the activations themselves
 * - `constraint`: ρ̂ⱼ = ρ as a hard constraint while `fit` runs, by the method of multipliers; the history has the largest
 *   violation. It is no part of the cost: `cost().sparsity` is 0. Source: Xue, eq. 7, which the paper then relaxes into `kl`
 *
 * `target` is ρ: in (0, 1) for `kl`, and for `l2` and `constraint` on sigmoid, tanh or satlin; on other units at least
 * the least value that they can have. For tanh, whose inactive value is −1, all use ρ̂ = (mean + 1)/2. `weight` is β ≥ 0.
 */
export type Sparsity = NoSparsity | KlSparsity | L2Sparsity | L1Sparsity | SparsityConstraint

/** No penalty. */
export interface NoSparsity {
  /** Nothing is added to the cost. */
  readonly kind: 'none'
}

/** Common options of penalties on a mean activation. */
interface MeanPenalty {
  /** β ≥ 0, the weight of the penalty. */
  readonly weight: number
  /** The rows of ρ̂ during training. Default: `'exact'` if a step uses all rows, else `'moving'`. */
  readonly average?: Average | undefined
}

/** β Σⱼ KL(ρ ‖ ρ̂ⱼ). */
export interface KlSparsity extends MeanPenalty {
  /** Relative entropy between target and mean activation; for sigmoid, tanh and satlin units. */
  readonly kind: 'kl'
  /** ρ, the target of each hidden unit's mean activation, in (0, 1), for instance 0.05. For tanh it is that of (activation + 1)/2. */
  readonly target: number
}

/** β Σⱼ (ρ̂ⱼ − ρ)². */
export interface L2Sparsity extends MeanPenalty {
  /** Squared distance between target and mean activation, for units of any activation. */
  readonly kind: 'l2'
  /**
   * ρ, the target of each hidden unit's mean activation: in (0, 1), for tanh that of (activation + 1)/2; on units
   * that are not bounded at least the least value that they can have.
   */
  readonly target: number
}

/** (β/m) Σᵢⱼ |Aᵢⱼ|. */
export interface L1Sparsity {
  /** Absolute values of the activations themselves, not of their mean. */
  readonly kind: 'l1'
  /** β ≥ 0, the weight of the penalty. */
  readonly weight: number
}

/** ρ̂ⱼ = ρ, enforced during `fit`. */
export interface SparsityConstraint {
  /** A hard constraint, by the method of multipliers; no part of the cost. */
  readonly kind: 'constraint'
  /**
   * ρ, the mean activation that each hidden unit must have: in (0, 1), under tanh that of (activation + 1)/2; on units that are
   * not bounded at least the least value that they can have.
   */
  readonly target: number
}

/** Checks a sparsity option with the activation of its layer. */
export function checkSparsity(argument: string, value: unknown, activation: Activation): Sparsity {
  const given = checkOptions(argument, value, ['kind', 'target', 'weight', 'average'])
  const kind = checkChoice(`${argument}.kind`, given.kind, ['none', 'kl', 'l2', 'l1', 'constraint'] as const)
  if (kind === 'none') {
    checkOptions(argument, given, ['kind'])
    return { kind }
  }
  if (kind === 'l1') {
    checkOptions(argument, given, ['kind', 'weight'])
    return { kind, weight: checkNumber(`${argument}.weight`, given.weight, { min: 0 }) }
  }
  if (kind === 'kl' && !isBounded(activation)) {
    throw argumentError(
      `${argument}.kind`,
      `a penalty for ${activation} units ('kl' needs ${boundedNames()}; 'l2' and 'l1' do not)`,
      kind,
    )
  }
  const target = checkNumber(`${argument}.target`, given.target, targetInterval(activation))
  if (kind === 'constraint') {
    checkOptions(argument, given, ['kind', 'target'])
    return { kind, target }
  }
  const weight = checkNumber(`${argument}.weight`, given.weight, { min: 0 })
  if (given.average === undefined) return { kind, target, weight }
  const average = checkChoice(`${argument}.average`, given.average, ['exact', 'batch', 'moving'] as const)
  return { kind, target, weight, average }
}

function targetInterval(activation: Activation): { min?: number; max?: number; open?: boolean } {
  if (isBounded(activation)) return { min: 0, max: 1, open: true }
  return { min: activationRange(activation)[0] }
}

/**
 * The average for training, given whether a step uses all rows.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for `moving` if a step uses all rows, and `exact` if it does not
 */
export function trainingAverage(argument: string, sparsity: Sparsity, allRows: boolean): Average {
  const { average } = ownCopy<Sparsity & { average?: Average | undefined }>(sparsity)
  if (average === undefined && sparsity.kind === 'constraint') return allRows ? 'exact' : 'batch'
  if (average === undefined) return allRows ? 'exact' : 'moving'
  if (average === 'moving' && allRows) {
    throw argumentError(
      `${argument}.average`,
      `'exact' or 'batch' where a step sees all rows (batchSize 'all', lbfgs)`,
      average,
    )
  }
  if (average === 'exact' && !allRows) {
    throw argumentError(
      `${argument}.average`,
      `'moving' or 'batch' with minibatches (for 'exact': batchSize 'all', or lbfgs)`,
      average,
    )
  }
  return allRows ? 'exact' : average
}

/** The penalty of one layer in training, for native code: none or one. Each span sets the weight of a constraint. */
export function trainingPenalties(sparsity: Sparsity, layer: number, average: Average): NativePenalty[] {
  if (sparsity.kind !== 'constraint') return nativePenalties(sparsity, layer, average)
  return [{ layer, kind: 'constraint', target: sparsity.target, weight: 0, average }]
}

/** The penalty as part of the cost, at the means over all rows. */
export function costPenalties(sparsity: Sparsity, layer: number): NativePenalty[] {
  return nativePenalties(sparsity, layer, 'exact')
}

function nativePenalties(sparsity: Sparsity, layer: number, average: Average): NativePenalty[] {
  if (sparsity.kind === 'none' || sparsity.kind === 'constraint') return []
  const target = sparsity.kind === 'l1' ? 0 : sparsity.target
  return [{ layer, kind: sparsity.kind, target, weight: sparsity.weight, average }]
}
