import { argumentError, checkBoolean, checkInteger, checkNumber, checkOptions } from '../base/check.js'
import { allocate } from '../base/precision.js'

/** Which linear autoencoder. */
export interface LinearOptimumOptions {
  /** h, hidden units, at least 1. */
  readonly hidden: number
  /** λ ≥ 0. Default 0. */
  readonly weightDecay?: number | undefined
  /** One matrix, y = WᵀWx, decayed once; or two matrices, each decayed. Default true. */
  readonly tied?: boolean | undefined
}

/** The least cost a linear autoencoder can have, and the weights that have it. */
export interface LinearOptimum {
  /** The cost J as `cost` reports it: `loss + weightDecay`. */
  readonly total: number
  /** Mean loss of a row: half the squared reconstruction error. */
  readonly loss: number
  /** λ/2 of the squared weights, of one matrix or of both. */
  readonly weightDecay: number
  /**
   * Singular values of the decoder, [hidden]: the i-th belongs to the i-th principal direction, and is 0 if that has vanished. Without
   * weight decay other minima have other values; these are those of the projection.
   */
  readonly singularValues: Float64Array
}

/**
 * The result of training a linear autoencoder, from the variances of the data alone: every local minimum is global, and its map is the
 * projection on the leading principal directions, shrunk where weights decay.
 *
 *   without decay    J = ½ Σ_{i>h} wᵢ,  s² = 1
 *   tied, decay λ    s² = max(0, 1 − λ/(2wᵢ)): directions with wᵢ ≤ λ/2 vanish
 *   untied, decay λ  s² = max(0, 1 − λ/wᵢ): directions with wᵢ ≤ λ vanish; both matrices have the same s
 *
 * Source: Baldi & Hornik 1989, "Neural networks and principal component analysis"; Kunin et al. 2019, "Loss landscapes of
 * regularized linear autoencoders". Differs: J has the mean over rows, halved, and λ/2; hence w and not its m-fold.
 *
 * @param variances - all the wᵢ, falling: `explainedVariance` of a {@link Pca} with all components; for a tied model of data that is not
 *   centred the eigenvalues of XᵀX/m itself
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for bad options, and for variances that are not finite, at least 0 and falling
 */
export function linearOptimum(variances: ArrayLike<number>, options: LinearOptimumOptions): LinearOptimum {
  const given = checkOptions('options', options, ['hidden', 'weightDecay', 'tied'])
  const hidden = checkInteger('hidden', given.hidden)
  const { weightDecay: decay = 0, tied: one = true } = given
  const lambda = checkNumber('weightDecay', decay, { min: 0 })
  const matrices = checkBoolean('tied', one) ? 1 : 2
  if (variances === null || typeof variances !== 'object' || !('length' in variances)) {
    throw argumentError('variances', 'an array of numbers', variances)
  }
  let loss = 0
  let weightDecay = 0
  const singularValues = allocate('float64', hidden, 'singularValues')
  for (let i = 0; i < variances.length; i++) {
    const w = variances[i]!
    if (!(typeof w === 'number' && w >= 0 && w <= (i === 0 ? Number.MAX_VALUE : variances[i - 1]!))) {
      throw argumentError(`variances[${i}]`, 'a finite number of at least 0 and at most the one before', w)
    }
    const square = i < hidden && w > 0 ? Math.max(0, 1 - (matrices * lambda) / (2 * w)) : 0
    if (i < hidden) singularValues[i] = Math.sqrt(square)
    loss += (w * (1 - square) ** 2) / 2
    weightDecay += (matrices * lambda * square) / 2
  }
  return { total: loss + weightDecay, loss, weightDecay, singularValues }
}
