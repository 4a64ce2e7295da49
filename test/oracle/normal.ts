/** The standard normal distribution, of full relative accuracy in both tails. */

/** φ(z) = e^(−z²/2) / √(2π), the exponent in two parts: z² is rounded, and e^x makes the rounding of x relative. */
export function normalDensity(z: number): number {
  const head = Math.fround(z)
  return (Math.exp((-head * head) / 2) * Math.exp((-(z - head) * (z + head)) / 2)) / Math.sqrt(2 * Math.PI)
}

/** Φ(z) = ½ erfc(−z/√2). */
export function normalDistribution(z: number): number {
  return z > 0 ? 1 - upperTail(z) : upperTail(-z)
}

/**
 * 1 − Φ(t) for t ≥ 0. Up to 1 it is ½ − φ(t) (t + t³/3 + t⁵/15 + …), a series of positive terms; beyond that φ(t) over the continued
 * fraction t + 1/(t + 2/(t + 3/(t + …))).
 * Source: Abramowitz & Stegun, "Handbook of mathematical functions", 26.2.11 and 26.2.14.
 */
function upperTail(t: number): number {
  if (t > 37.6) return 0 // below the normal numbers of float64
  if (t < 1) {
    let sum = 0
    for (let k = 0, term = t; term > 1e-20 * t; k++, term *= (t * t) / (2 * k + 1)) sum += term
    return 0.5 - normalDensity(t) * sum
  }
  let fraction = t
  for (let k = Math.ceil(40 + 600 / (t * t)); k > 0; k--) fraction = t + k / fraction
  return normalDensity(t) / fraction
}
