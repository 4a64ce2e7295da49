/**
 * Eigenvalues and vectors of a symmetric n × n matrix by cyclic Jacobi rotations (Golub & Van Loan, §8.5).
 *
 * @returns values falling; `vectors` row i is the unit eigenvector of `values[i]`, its entry of largest absolute value positive
 */
export function jacobiEigen(
  matrix: ArrayLike<number>,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(matrix)
  const v = new Float64Array(n * n) // columns become the eigenvectors
  for (let i = 0; i < n; i++) v[i * n + i] = 1

  for (let sweep = 0; offDiagonal(a, n) > 0; sweep++) {
    if (sweep === 100) throw new Error('Jacobi did not converge in 100 sweeps')
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q)
  }

  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j]! - a[i * n + i]!)
  const values = Float64Array.from(order, (i) => a[i * n + i]!)
  const vectors = new Float64Array(n * n)
  order.forEach((column, row) => {
    let largest = 0
    for (let k = 0; k < n; k++) {
      if (Math.abs(v[k * n + column]!) > Math.abs(largest)) largest = v[k * n + column]!
    }
    for (let k = 0; k < n; k++) vectors[row * n + k] = v[k * n + column]! * Math.sign(largest)
  })
  return { values, vectors }
}

/** Σ a[p, q]² over p ≠ q; below the rounding of the diagonal it counts as 0. */
function offDiagonal(a: Float64Array, n: number): number {
  let off = 0
  let all = 0
  for (let p = 0; p < n; p++) {
    for (let q = 0; q < n; q++) {
      all += a[p * n + q]! ** 2
      if (p !== q) off += a[p * n + q]! ** 2
    }
  }
  return off <= all * Number.EPSILON ** 2 ? 0 : off
}

/** Turns the plane of axes p and q so that a[p, q] becomes 0: A ← JᵀAJ, V ← VJ. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!
  if (apq === 0) return
  const tau = (a[q * n + q]! - a[p * n + p]!) / (2 * apq)
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau))
  const c = 1 / Math.sqrt(1 + t * t)
  const s = t * c
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q, c, s)
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k, c, s)
  for (let k = 0; k < n; k++) turn(v, k * n + p, k * n + q, c, s)
}

function turn(a: Float64Array, p: number, q: number, c: number, s: number): void {
  const ap = a[p]!
  const aq = a[q]!
  a[p] = c * ap - s * aq
  a[q] = s * ap + c * aq
}
