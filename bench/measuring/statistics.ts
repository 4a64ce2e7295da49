/** The summary of several rounds of one measurement. */
export interface Summary {
  readonly best: number
  readonly median: number
  /** The least and the greatest. */
  readonly range: readonly [number, number]
  /** One value a round, in order. */
  readonly values: readonly number[]
}

/**
 * @param better - whether the best value is the greatest, as of rates, or the least, as of times
 * @throws RangeError if there are no values, or one is not finite
 */
export function summary(values: readonly number[], better: 'greater' | 'less' = 'greater'): Summary {
  const sorted = inOrder(values)
  const [least, greatest] = [sorted[0]!, sorted.at(-1)!]
  const best = better === 'greater' ? greatest : least
  return { best, median: quantile(values, 0.5), range: [least, greatest], values: [...values] }
}

/** Round by round a over b, so that what drifts between rounds, such as the clock rate, drops out. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  if (a.length !== b.length) throw new RangeError(`${a.length} rounds against ${b.length}`)
  return a.map((value, round) => value / b[round]!)
}

/** The value below which a share `p`, from 0 to 1, of the values is, interpolated between neighbours. */
export function quantile(values: ArrayLike<number>, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p is ${p}, not from 0 to 1`)
  const sorted = inOrder(values)
  const place = p * (sorted.length - 1)
  const below = Math.floor(place)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (place - below) * (high - low)
}

/**
 * Two of the values that enclose the median of their distribution with a confidence of at least 95%; for fewer than six values, the least
 * and the greatest. For any distribution: each value is below the median with probability one half.
 */
export function medianInterval(values: readonly number[]): readonly [number, number] {
  const sorted = inOrder(values)
  const count = sorted.length
  // `outside` is P(at most `out` of them are below the median); `term` is that of exactly `out`.
  let out = 0
  let term = 0.5 ** count
  let outside = term
  for (;;) {
    term *= (count - out) / (out + 1)
    outside += term
    if (outside > 0.025) break
    out++
  }
  return [sorted[out]!, sorted[count - 1 - out]!]
}

function inOrder(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) throw new RangeError('no values')
  if (!sorted.every(Number.isFinite)) throw new RangeError('a value is not finite')
  return sorted
}
