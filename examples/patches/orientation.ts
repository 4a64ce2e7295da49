/**
 * How far the brightness of a square tile changes along one direction only: 1 for a straight edge or bar, 0 if no direction dominates. From
 * the structure tensor Σ ∇g ∇gᵀ with eigenvalues λ₁ ≥ λ₂:
 *
 *   (λ₁ − λ₂) / (λ₁ + λ₂)
 *
 * Source: Bigün & Granlund, "Optimal orientation detection of linear symmetry", 1987.
 *
 * @param tile - side² values, line by line, not all the same
 */
export function orientation(tile: ArrayLike<number>): number {
  const side = Math.sqrt(tile.length)
  let [xx, xy, yy] = [0, 0, 0]
  for (let i = 0; i + 1 < side; i++) {
    for (let j = 0; j + 1 < side; j++) {
      // Roberts' differences along both diagonals: each square of four pixels counts once.
      const k = i * side + j
      const a = tile[k + side + 1]! - tile[k]!
      const b = tile[k + side]! - tile[k + 1]!
      xx += a * a
      xy += a * b
      yy += b * b
    }
  }
  return Math.hypot(xx - yy, 2 * xy) / (xx + yy)
}
