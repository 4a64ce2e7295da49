import type { OracleActivation } from './layers.js'

/** A penalty on one layer's outputs. `kl`, `l2`, `constraint`: on their means; `l1`: on themselves. */
export interface OraclePenalty {
  readonly layer: number
  readonly kind: 'kl' | 'l2' | 'l1' | 'constraint'
  /** ρ of all units, or of each. */
  readonly target: number | ArrayLike<number>
  /** β; of `constraint` c. */
  readonly weight: number
  /** μ of `constraint`, one a unit. Default 0. */
  readonly multipliers?: ArrayLike<number>
}

/** Outside [KL_EDGE, 1 − KL_EDGE] KL is continued by its tangent. */
export const KL_EDGE = 1e-6

/** KL(ρ ‖ r) = ρ ln(ρ/r) + (1−ρ) ln((1−ρ)/(1−r)), Xue eq. 4, continued by its tangent near 0 and 1 and beyond. */
export function kl(rho: number, r: number): number {
  const at = Math.min(Math.max(r, KL_EDGE), 1 - KL_EDGE)
  const inside = rho * Math.log(rho / at) + (1 - rho) * Math.log((1 - rho) / (1 - at))
  return inside + klSlope(rho, at) * (r - at)
}

/** ∂KL/∂r = −ρ/r + (1−ρ)/(1−r), constant outside the edges. */
export function klSlope(rho: number, r: number): number {
  const at = Math.min(Math.max(r, KL_EDGE), 1 - KL_EDGE)
  return -rho / at + (1 - rho) / (1 - at)
}

/** A tanh unit is inactive at −1 (Xue, footnote 1): penalties with a target use (ā+1)/2, whose derivative is ½. */
function rate(activation: OracleActivation, mean: number): { r: number; dr: number } {
  return activation === 'tanh' ? { r: (mean + 1) / 2, dr: 1 / 2 } : { r: mean, dr: 1 }
}

/** What one unit's rate r costs, and the derivative by r; β and c are in both. */
function unitPenalty({ kind, target, weight, multipliers }: OraclePenalty, j: number, r: number) {
  const rho = typeof target === 'number' ? target : target[j]!
  if (kind === 'kl') return { value: weight * kl(rho, r), slope: weight * klSlope(rho, r) }
  const off = r - rho
  if (kind === 'l2') return { value: weight * off ** 2, slope: 2 * weight * off }
  const mu = multipliers?.[j] ?? 0
  return { value: mu * off + (weight / 2) * off ** 2, slope: mu + weight * off }
}

/**
 * Ω of the mean activations of a layer: β Σⱼ KL(ρⱼ ‖ rⱼ), β Σⱼ (rⱼ − ρⱼ)², or the augmented Lagrangian of r = ρ,
 * Σⱼ μⱼ(rⱼ − ρⱼ) + c/2 Σⱼ (rⱼ − ρⱼ)².
 */
export function meanPenalty(
  penalty: OraclePenalty,
  activation: OracleActivation,
  means: ArrayLike<number>,
): number {
  let sum = 0
  for (let j = 0; j < means.length; j++) sum += unitPenalty(penalty, j, rate(activation, means[j]!).r).value
  return sum
}

/** ∂Ω/∂āⱼ for the mean activation ā of each unit. */
export function meanPenaltySlope(
  penalty: OraclePenalty,
  activation: OracleActivation,
  means: ArrayLike<number>,
): Float64Array {
  return Float64Array.from({ length: means.length }, (_, j) => {
    const { r, dr } = rate(activation, means[j]!)
    return unitPenalty(penalty, j, r).slope * dr
  })
}
