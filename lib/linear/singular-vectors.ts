import { allocate, type PlainFloat64Array } from '../base/precision.js'
import { Matrix } from '../data/matrix.js'
import { rowSlices, turn } from '../data/slices.js'

/** Singular values, falling, and the right singular vectors, one a row, [rank, cols]. */
export interface SingularVectors {
  /** [rank], above 0 and falling. */
  readonly values: PlainFloat64Array
  /** Unit rows, the entry of largest absolute value in each positive. */
  readonly vectors: Matrix<PlainFloat64Array>
}

/** About ten sweeps suffice; if rounding keeps a last pair of rows rotating, more would not improve it. */
const MOST_SWEEPS = 60

/** Passes over the numbers of a row when a pair is rotated. */
const READS_OF_A_PAIR = 5

/**
 * Right singular vectors of a matrix by one-sided Jacobi rotations: pairs of rows are rotated until all are orthogonal; then their lengths
 * are the singular values. Small ones come out as accurately as large ones. Values below max(rows, cols) · 2.2e-16 times the largest count
 * as 0 and are left out. Other events are served between pairs.
 *
 * Source: Hestenes 1958; Golub & Van Loan, "Matrix Computations", section 8.6.3.
 *
 * @param rows - [r, n], row-major, finite, of moderate size: squares must neither overflow nor underflow; overwritten
 */
export async function singularVectors(rows: Float64Array, n: number): Promise<SingularVectors> {
  const r = rows.length / n
  const row = (i: number) => rows.subarray(i * n, (i + 1) * n)
  const squares = Float64Array.from({ length: r }, (_, i) => dot(row(i), row(i)))
  const negligible = (Math.max(r, n) * Number.EPSILON) ** 2 * squares.reduce((sum, square) => sum + square, 0)
  for (let sweep = 0, rotated = true; rotated && sweep < MOST_SWEEPS; sweep++) {
    if (sweep > 0) await turn()
    rotated = false
    let [p, q] = [0, 0]
    for await (const [from, to] of rowSlices((r * (r - 1)) / 2, READS_OF_A_PAIR * n)) {
      for (let pair = from; pair < to; pair++) {
        ;[p, q] = q + 1 < r ? [p, q + 1] : [p + 1, p + 2]
        // The longer row comes first, which sorts the rows and keeps most rotation angles small.
        if (squares[q]! > squares[p]!) exchange(rows, squares, n, p, q)
        if (squares[q]! <= negligible) continue
        const along = dot(row(p), row(q))
        if (Math.abs(along) <= Number.EPSILON * Math.sqrt(n * squares[p]! * squares[q]!)) continue
        rotate(row(p), row(q), along, squares[p]!, squares[q]!)
        squares[p] = dot(row(p), row(p))
        squares[q] = dot(row(q), row(q))
        rotated = true
      }
    }
  }
  const order = Array.from(squares.keys()).sort((i, j) => squares[j]! - squares[i]!)
  const kept = order.filter((i) => squares[i]! > negligible)
  const values = Float64Array.from(kept, (i) => Math.sqrt(squares[i]!))
  const vectors = allocate('float64', kept.length * n, 'singular vectors')
  for await (const [from, to] of rowSlices(kept.length, n)) {
    for (let k = from; k < to; k++) {
      const found = row(kept[k]!)
      const sign = largest(found) < 0 ? -1 : 1
      for (let j = 0; j < n; j++) vectors[k * n + j] = (sign * found[j]!) / values[k]!
    }
  }
  return { values, vectors: Matrix.from(vectors, kept.length, n) }
}

/** Rotates two rows in their plane so that they become orthogonal. */
function rotate(a: Float64Array, b: Float64Array, along: number, squareA: number, squareB: number): void {
  const tau = (squareB - squareA) / (2 * along)
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.hypot(1, tau))
  const c = 1 / Math.hypot(1, t)
  const s = c * t
  for (let j = 0; j < a.length; j++) {
    const [x, y] = [a[j]!, b[j]!]
    a[j] = c * x - s * y
    b[j] = s * x + c * y
  }
}

function exchange(rows: Float64Array, squares: Float64Array, n: number, p: number, q: number): void {
  const copy = rows.slice(p * n, (p + 1) * n)
  rows.copyWithin(p * n, q * n, (q + 1) * n)
  rows.set(copy, q * n)
  ;[squares[p], squares[q]] = [squares[q]!, squares[p]!]
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!
  return sum
}

function largest(row: Float64Array): number {
  return row.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)
}
