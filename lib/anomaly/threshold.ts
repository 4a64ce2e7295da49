/** The score above which a row is an anomaly, and how it came about. Plain data. */
export interface Threshold {
  /** Rows that score higher are anomalies. */
  readonly score: number
  /** The share of rows that was to be found normal. */
  readonly quantile: number
  /** The share that is: more than `quantile` where scores are equal, or where the number of rows allows no closer share. */
  readonly reached: number
  /** How many rows it was taken from. */
  readonly rows: number
}

/**
 * The least score that at least `quantile` of the rows do not exceed, by exact ranks.
 *
 * @param sorted - scores, rising, at least one
 */
export function thresholdOf(sorted: Float64Array, quantile: number): Threshold {
  const rows = sorted.length
  // 0.1 · 30 is 3.0000000000000004: a rank is not raised by rounding.
  const rank = Math.max(1, Math.ceil(quantile * rows - 1e-9))
  const score = sorted[rank - 1]!
  return { score, quantile, reached: notAbove(sorted, score) / rows, rows }
}

/** How many of the sorted scores are at most `score`. */
export function notAbove(sorted: Float64Array, score: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= score) low = middle + 1
    else high = middle
  }
  return low
}

/** How many of the sorted scores are below `score`. */
function below(sorted: Float64Array, score: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < score) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * The probability that a normal row scores at least as high as `score`: the rank of the score among those of held-out rows, it being one of them.
 *
 * Source: Laxhammar & Falkman 2010, conformal anomaly detection: (1 + the rows that score at least as high) ÷ (1 + rows).
 */
export function normalProbability(sorted: Float64Array, score: number): number {
  return (1 + sorted.length - below(sorted, score)) / (1 + sorted.length)
}
