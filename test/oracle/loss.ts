import { activate, type OracleActivation, slope } from './layers.js'

/** All but `logLoss` compare a row of outputs with a row of targets. */
export type OracleLoss = 'squared' | 'euclidean' | 'absolute' | 'crossEntropy' | 'logLoss'
type RowLoss = Exclude<OracleLoss, 'logLoss'>

/**
 * The loss of one row y = f(z) against t, before the mean over rows:
 *
 *   squared ½ Σ (y−t)²    euclidean ‖y−t‖    absolute Σ |y−t|    crossEntropy Σ −t ln y − (1−t) ln(1−y)
 *
 * crossEntropy is for sigmoid outputs and computed from z: −t ln σ(z) − (1−t) ln(1−σ(z)) = softplus(z) − t z.
 */
export function rowLoss(loss: RowLoss, z: Float64Array, y: Float64Array, t: Float64Array): number {
  let sum = 0
  for (let j = 0; j < y.length; j++) {
    const e = y[j]! - t[j]!
    if (loss === 'absolute') sum += Math.abs(e)
    else if (loss === 'crossEntropy') sum += activate('softplus', z[j]!) - t[j]! * z[j]!
    else sum += e * e
  }
  if (loss === 'squared') return sum / 2
  return loss === 'euclidean' ? Math.sqrt(sum) : sum
}

/** ∂(loss of one row)/∂z. Where the loss has no derivative (y = t) it is 0. */
export function rowDelta(
  loss: RowLoss,
  activation: OracleActivation,
  z: Float64Array,
  y: Float64Array,
  t: Float64Array,
): Float64Array {
  const e = y.map((value, j) => value - t[j]!)
  if (loss === 'crossEntropy') return e
  const norm = Math.sqrt(e.reduce((sum, value) => sum + value * value, 0))
  return e.map((value, j) => {
    const dy =
      loss === 'squared' ? value : loss === 'absolute' ? Math.sign(value) : norm > 0 ? value / norm : 0
    return dy * slope(activation, z[j]!)
  })
}

/** −ln of the probability that softmax gives to `label`, from z by log-sum-exp. Its derivative by z is the probabilities, less 1 at the label. */
export function logLoss(z: Float64Array, label: number): number {
  const greatest = Math.max(...z)
  return greatest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - greatest), 0)) - z[label]!
}
