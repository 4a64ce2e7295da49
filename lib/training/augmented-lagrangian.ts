import type { NativePenalty, NativeTrainingState } from '../native/binding.js'
import { type Activation, activationRate } from '../objective/activation.js'
import { oneNumber, vector, wholeNumber } from './state-entries.js'

/**
 * How c and the rounds suit a method: tried on 5,000 digits, 784-100, ρ = 0.1. Shorter rounds end before the method has come near
 * their minimum, and multipliers that are raised too early drive units to 0 or 1, where they have no gradient to come back by.
 */
const METHODS = {
  /** Means differ from batch to batch, and c multiplies the difference. */
  minibatches: { weight: 10, largest: 100, steps: 40 },
  allRows: { weight: 10, largest: 1e4, steps: 50 },
  lbfgs: { weight: 100, largest: 1e4, steps: 40 },
} as const

/** By how much c grows after a round whose violation did not fall to the inverse of it. */
const GROWTH = 4

/** A mean this near its target is at it: raising c would only slow training down. */
const AT_TARGET = 1e-4

/** What the next span is told of the constraint. */
export interface ConstraintRound {
  readonly round: number
  readonly weight: number
  readonly multipliers: Float64Array
}

/**
 * The hard constraint ρ̂ⱼ = ρ by the method of multipliers: rounds of training on Σ μⱼ(ρ̂ⱼ − ρ) + c/2 Σ(ρ̂ⱼ − ρ)², after each of which
 * μ ← μ + c(ρ̂ − ρ), and c grows where the largest violation did not fall enough.
 *
 * Source: Xue, "Inference of stacked sparse autoencoder", eq. 7, by Nocedal & Wright, framework 17.3.
 */
export class AugmentedLagrangian {
  readonly #target: number
  readonly #activation: Activation
  readonly #method: (typeof METHODS)[keyof typeof METHODS]
  #steps = 0
  #before = Infinity
  #current: ConstraintRound

  /** @param activation - that of the units: the constraint sees the rate of their means */
  constructor(penalty: NativePenalty, units: number, activation: Activation, method: keyof typeof METHODS) {
    this.#target = penalty.target as number
    this.#activation = activation
    this.#method = METHODS[method]
    this.#current = { round: 1, weight: this.#method.weight, multipliers: new Float64Array(units) }
  }

  /** For the spans of the next epoch. */
  get current(): ConstraintRound {
    return this.#current
  }

  /**
   * Takes the mean activations of an epoch, and begins a new round when this one is over.
   *
   * @param steps - of the epoch
   * @param settled - whether the optimizer has nothing left to do in this round
   * @returns the largest |ρ̂ⱼ − ρ|
   */
  observe(means: Float64Array, steps: number, settled: boolean): number {
    const apart = means.map((mean) => activationRate(this.#activation, mean) - this.#target)
    const violation = apart.reduce((most, one) => Math.max(most, Math.abs(one)), 0)
    this.#steps += steps
    if (!settled && this.#steps < this.#method.steps) return violation
    const { round, weight, multipliers } = this.#current
    const enough = violation <= Math.max(AT_TARGET, this.#before / GROWTH)
    this.#current = {
      round: round + 1,
      weight: enough ? weight : Math.min(this.#method.largest, weight * GROWTH),
      multipliers: multipliers.map((mu, j) => mu + weight * apart[j]!),
    }
    this.#steps = 0
    this.#before = violation
    return violation
  }

  /** As a checkpoint holds it. */
  entries(): NativeTrainingState {
    const { round, weight, multipliers } = this.#current
    return {
      'constraint.weight': Float64Array.of(weight),
      'constraint.before': Float64Array.of(this.#before),
      'constraint.round': round,
      'constraint.steps': this.#steps,
      'constraint.multipliers': multipliers,
    }
  }

  /** Takes over {@link entries}. */
  restore(entries: NativeTrainingState): void {
    const { length } = this.#current.multipliers
    this.#steps = wholeNumber(entries, 'constraint.steps')
    this.#before = oneNumber(entries, 'constraint.before')
    this.#current = {
      round: wholeNumber(entries, 'constraint.round'),
      weight: oneNumber(entries, 'constraint.weight'),
      multipliers: vector(entries, 'constraint.multipliers', length) as Float64Array,
    }
  }

  /** Whether a violation counts as none. */
  static holds(violation: number): boolean {
    return violation <= AT_TARGET
  }
}
