import { argumentError, type Complete, checkNumber } from '../base/check.js'
import { checkPrecision, type Precision } from '../base/precision.js'
import type { Scaler } from '../data/scaling/column-scaler.js'
import type { MetadataOption } from './metadata.js'

/** Whether transformed rows have equal variance in all directions, and along which axes. */
export type Whitening = false | 'pca' | 'zca'

/** Options of a Pca. */
export interface PcaOptions<P extends Precision = Precision> extends MetadataOption {
  /**
   * How many components are kept, at least 1 and at most the columns of the data. Or, strictly between 0 and 1, the fraction of the total
   * variance to explain: the fewest components that reach it are kept. Default: all of them. Rows of more than 2,000 columns need a number;
   * up to a quarter of the columns are then found without the full covariance.
   */
  readonly components?: number | undefined
  /**
   * Whether transformed rows have variance wᵢ/(wᵢ + ε) in every direction, which is 1 at ε = 0: `'pca'` along the components, V the unit
   * vectors in the rows of `components`, `(x − μ)Vᵀ diag(w + ε)^−½`; `'zca'` rotated back to the columns of the data, `(x − μ)Vᵀ diag(w +
   * ε)^−½ V`. Default false: `(x − μ)Vᵀ`.
   */
  readonly whiten?: Whitening | undefined
  /** ε ≥ 0, in the squared units of the data. With 0, directions without variance become 0. Only with `whiten`. Default 0. */
  readonly epsilon?: number | undefined
  /** Number type of transformed rows and their computation; fitting is done in float64. Default `'float32'`. */
  readonly precision?: P | undefined
  /** A fitted scaler, copied, applied to every input and saved with the model; `inverseTransform` returns the units of x. Default: none. */
  readonly scaling?: Scaler | undefined
}

/**
 * All of them but `scaling` and `metadata`, with their defaults; `components` only if given, `epsilon` only with `whiten`: saved as a
 * model's options.
 */
export type PcaSettings<P extends Precision> = Pick<PcaOptions<P>, 'components' | 'epsilon'> &
  Complete<Pick<PcaOptions<P>, 'whiten' | 'precision'>>

/** Names of the settings. */
export const PCA_SETTINGS = ['components', 'whiten', 'epsilon', 'precision']

/** Whether `components` is a fraction of the variance, not a number of components. */
export function isFraction(components: number | undefined): components is number {
  return components !== undefined && components < 1
}

/** Settings from options whose names are already checked. */
export function checkPcaSettings<P extends Precision>(given: Record<string, unknown>): PcaSettings<P> {
  const { components, whiten = false, epsilon = 0, precision = 'float32' } = given
  if (whiten !== false && whiten !== 'pca' && whiten !== 'zca') {
    throw argumentError('whiten', "false, 'pca' or 'zca'", whiten)
  }
  if (given.epsilon !== undefined && whiten === false) {
    throw argumentError('epsilon', 'nothing, since whiten is false', given.epsilon)
  }
  return {
    ...(components !== undefined && { components: checkComponents(components) }),
    whiten,
    ...(whiten !== false && { epsilon: checkNumber('epsilon', epsilon, { min: 0 }) }),
    precision: checkPrecision('precision', precision) as P,
  }
}

function checkComponents(value: unknown): number {
  const whole = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value < 2 ** 31
  if (whole || (typeof value === 'number' && value > 0 && value < 1)) return value
  throw argumentError(
    'components',
    'a whole number of at least 1, or a fraction of the variance strictly between 0 and 1',
    value,
  )
}
