import { shapeError } from '../base/check.js'
import { rowSlices } from '../data/slices.js'
import { notAbove } from './threshold.js'

/** How far the scores of new rows have moved from those of held-out rows. Plain data. */
export interface Drift {
  /** New rows. */
  readonly rows: number
  /**
   * The population stability index over ten bins, each with a tenth of the held-out scores: Σ (p − q) ln(p/q). By custom below 0.1 nothing has
   * changed, from 0.25 on much has. A bin counts as half a row at least, so that an empty one gives no infinity.
   */
  readonly stabilityIndex: number
  /** The Kolmogorov-Smirnov statistic: the largest distance between both distribution functions, from 0 to 1. */
  readonly kolmogorovSmirnov: number
  /** The probability of such a distance, or a larger one, if nothing had changed (the limit for many rows, with Stephens' correction). */
  readonly probability: number
  /** The share of new rows above the threshold. */
  readonly aboveThreshold: number
}

/** Fewer rows than this on either side say nothing about drift. */
export const LEAST_ROWS = 100

const BINS = 10

/**
 * Compares scores of new rows with held-out ones.
 *
 * @param reference - rising
 * @param scores - rising
 * @throws {@link LayerwiseError} `ERR_SHAPE` for fewer than 100 rows on either side
 */
export async function driftOf(
  reference: Float64Array,
  scores: Float64Array,
  threshold: number,
): Promise<Drift> {
  const rows = scores.length
  if (reference.length < LEAST_ROWS)
    throw shapeError('drift', `a detector with at least ${LEAST_ROWS} held-out rows`, reference.length)
  if (rows < LEAST_ROWS) throw shapeError('x', `at least ${LEAST_ROWS} rows, to see a drift`, rows)
  const statistic = await largestDistance(reference, scores)
  return {
    rows,
    stabilityIndex: stabilityIndex(reference, scores),
    kolmogorovSmirnov: statistic,
    probability: kolmogorov(statistic, reference.length, rows),
    aboveThreshold: (rows - notAbove(scores, threshold)) / rows,
  }
}

/** Bins end at the deciles of the reference; where these are equal, the bins between them are one. */
function stabilityIndex(reference: Float64Array, scores: Float64Array): number {
  const deciles = Array.from(
    { length: BINS - 1 },
    (_, k) => reference[Math.ceil(((k + 1) * reference.length) / BINS) - 1]!,
  )
  const ends = [...new Set(deciles), Infinity]
  let index = 0
  let [expectedBelow, foundBelow] = [0, 0]
  for (const end of ends) {
    const [expected, found] = [notAbove(reference, end), notAbove(scores, end)]
    const p = share(found - foundBelow, scores.length)
    const q = share(expected - expectedBelow, reference.length)
    index += (p - q) * Math.log(p / q)
    expectedBelow = expected
    foundBelow = found
  }
  return index
}

function share(rows: number, of: number): number {
  return Math.max(rows, 0.5) / of
}

/** Of numbers that rise, a slice at a time. */
async function largestDistance(a: Float64Array, b: Float64Array): Promise<number> {
  let [i, j, largest] = [0, 0, 0]
  for await (const [, to] of rowSlices(a.length + b.length, 1)) {
    while (i + j < to && i < a.length && j < b.length) {
      const score = Math.min(a[i]!, b[j]!)
      // Also past NaN, so that it ends.
      while (i < a.length && !(a[i]! > score)) i++
      while (j < b.length && !(b[j]! > score)) j++
      largest = Math.max(largest, Math.abs(i / a.length - j / b.length))
    }
  }
  return largest
}

/** Source: Press et al., "Numerical Recipes", section 14.3, after Stephens 1970. */
function kolmogorov(statistic: number, m: number, n: number): number {
  const root = Math.sqrt((m * n) / (m + n))
  const lambda = (root + 0.12 + 0.11 / root) * statistic
  // The series needs more and more terms towards 0, where the probability is 1 to 12 digits.
  if (lambda < 0.2) return 1
  let sum = 0
  for (let k = 1, sign = 1; k <= 100; k++, sign = -sign) sum += sign * Math.exp(-2 * k * k * lambda * lambda)
  return Math.min(1, Math.max(0, 2 * sum))
}
