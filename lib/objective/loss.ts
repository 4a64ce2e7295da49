import { argumentError, checkChoice } from '../base/check.js'
import type { Activation } from './activation.js'

/**
 * The loss of a reconstruction y of x, as a mean over the m rows.
 *
 * - `squared` ½ Σⱼ (yⱼ − xⱼ)². Source: Xue, "Inference of stacked sparse autoencoder", eq. 8
 * - `euclidean` √Σⱼ (yⱼ − xⱼ)². Source: Johnson & Ramsundar, section 2, which sums norms, not their squares
 * - `absolute` Σⱼ |yⱼ − xⱼ|
 * - `crossEntropy` Σⱼ −xⱼ ln yⱼ − (1 − xⱼ) ln(1 − yⱼ), for data in [0, 1] and sigmoid outputs only
 */
export type Loss = 'squared' | 'euclidean' | 'absolute' | 'crossEntropy'

const LOSSES: readonly Loss[] = ['squared', 'euclidean', 'absolute', 'crossEntropy']

/** Checks a loss with the output activation. */
export function checkLoss(argument: string, value: unknown, output: Activation): Loss {
  const loss = checkChoice(argument, value, LOSSES)
  if (loss === 'crossEntropy' && output !== 'sigmoid') {
    throw argumentError(argument, `a loss for ${output} outputs ('crossEntropy' needs 'sigmoid')`, loss)
  }
  return loss
}
