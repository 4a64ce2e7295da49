import { argumentError, checkChoice, checkNumber, checkOptions } from '../base/check.js'
import type { NativeCorruption } from '../native/binding.js'
import { type Activation, activationRange, boundedNames, isBounded } from './activation.js'

/**
 * Noise on the inputs while training, which makes a denoising autoencoder: its input is the noisy rows, and its output is compared with the
 * clean ones. Noise is applied after scaling. Only the steps of `fit` are corrupted, so the `cost` of an epoch is that of noisy rows; its
 * `validation`, `cost()` and `encode` use clean rows.
 *
 * - `masking`: each value becomes 0 with probability `amount`, from 0 to below 1
 * - `gaussian`: to each value is added a normal number of mean 0 and standard deviation `amount`, at least 0
 * - `saltAndPepper`: with probability `amount`, from 0 to below 1, each value becomes the least or the greatest the output activation
 *   can take, with equal probability; so only for sigmoid, tanh and satlin outputs
 *
 * On sparse rows only `masking`, under which zeros stay zeros.
 *
 * The noise is a function of seed, fit, epoch, row and column: different in each epoch, the same at any number of threads. With L-BFGS it
 * stays the same over a fit, since a line search needs a cost that does not change.
 *
 * Source: Vincent et al., "Stacked denoising autoencoders", JMLR 2010, section 3.
 */
export interface Corruption {
  /** Which noise: values set to 0, normal numbers added, or values set to an end of the output's range. */
  readonly kind: 'masking' | 'gaussian' | 'saltAndPepper'
  /**
   * The amount: for `masking` and `saltAndPepper` the probability that a value is changed, from 0 to below 1; for `gaussian` the standard
   * deviation, at least 0, in the units of the scaled rows.
   */
  readonly amount: number
}

/** Checks a corruption option with the output activation; undefined is returned unchanged. */
export function checkCorruption(
  argument: string,
  value: unknown,
  output: Activation,
): Corruption | undefined {
  if (value === undefined) return undefined
  const given = checkOptions(argument, value, ['kind', 'amount'])
  const kind = checkChoice(`${argument}.kind`, given.kind, ['masking', 'gaussian', 'saltAndPepper'] as const)
  if (kind === 'saltAndPepper' && !isBounded(output)) {
    throw argumentError(
      `${argument}.kind`,
      `noise for ${output} outputs ('saltAndPepper' needs ${boundedNames()}, whose values have two ends)`,
      kind,
    )
  }
  const amount = checkNumber(`${argument}.amount`, given.amount, { min: 0 })
  if (kind !== 'gaussian' && amount >= 1) {
    throw argumentError(`${argument}.amount`, 'a probability of at least 0 and below 1', amount)
  }
  return { kind, amount }
}

/** Noise options for native code. */
export function nativeCorruption(
  corruption: Corruption | undefined,
  output: Activation,
): NativeCorruption | undefined {
  if (corruption === undefined) return undefined
  const [low, high] = corruption.kind === 'saltAndPepper' ? activationRange(output) : [0, 0]
  return { ...corruption, low, high }
}
