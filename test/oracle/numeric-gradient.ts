/**
 * ∂f/∂θₚ ≈ (f(θ + hₚeₚ) − f(θ − hₚeₚ)) / 2hₚ with hₚ = step · max(1, |θₚ|).
 * The default step, the cube root of the float64 spacing, balances truncation (h²) against rounding (1/h).
 */
export function numericGradient(
  f: (theta: Float64Array) => number,
  theta: ArrayLike<number>,
  step: number = Math.cbrt(Number.EPSILON),
): Float64Array {
  const point = Float64Array.from(theta)
  return Float64Array.from({ length: point.length }, (_, p) => {
    const middle = point[p]!
    const h = step * Math.max(1, Math.abs(middle))
    const above = middle + h
    const below = middle - h
    point[p] = above
    const fAbove = f(point)
    point[p] = below
    const fBelow = f(point)
    point[p] = middle
    return (fAbove - fBelow) / (above - below)
  })
}

/** ‖g − ĝ‖ / (‖g‖ + ‖ĝ‖); 0 when both are 0. */
export function relativeError(g: ArrayLike<number>, gHat: ArrayLike<number>): number {
  if (g.length !== gHat.length) throw new Error(`${g.length} numbers against ${gHat.length}`)
  let difference = 0
  let norm = 0
  let normHat = 0
  for (let p = 0; p < g.length; p++) {
    difference += (g[p]! - gHat[p]!) ** 2
    norm += g[p]! ** 2
    normHat += gHat[p]! ** 2
  }
  return difference === 0 ? 0 : Math.sqrt(difference) / (Math.sqrt(norm) + Math.sqrt(normHat))
}
