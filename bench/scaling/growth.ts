import { quantile } from '../measuring/statistics.js'

/** A size, and its cost. */
export type Cost = readonly [size: number, cost: number]

/** A point further from linear growth than is tolerated. */
export interface Deviation {
  readonly at: number
  /** 0.3: costs 30 % more than linear growth would; −0.3: 30 % less. */
  readonly by: number
}

/** How a cost grows. */
export interface Growth {
  /** The sizes the slopes are taken over, least and greatest: the upper half of the points. */
  readonly over: readonly [number, number]
  /** d log cost / d log size there. */
  readonly slope: number
  /** The same of the work. */
  readonly workSlope: number
  /** Cost ÷ work, over the median of it in the upper half, less 1; one a point, in order. */
  readonly beside: readonly number[]
  /** Points where that is more than {@link TOLERATED} from 0. */
  readonly deviations: readonly Deviation[]
}

export const TOLERATED = 0.2

/**
 * Compares a cost with the work it should be proportional to.
 *
 * @param sizes - in ascending order, above 0; at least two
 * @param costs - measured at each, above 0
 * @param work - the work at each, to which linear growth is proportional, in any unit, above 0
 */
export function growth(sizes: readonly number[], costs: readonly number[], work: readonly number[]): Growth {
  if (sizes.length < 2 || costs.length !== sizes.length || work.length !== sizes.length) {
    throw new RangeError(`${sizes.length} sizes, ${costs.length} costs, ${work.length} of work`)
  }
  const from = Math.min(Math.floor(sizes.length / 2), sizes.length - 2)
  const rates = costs.map((cost, i) => cost / work[i]!)
  const usual = quantile(rates.slice(from), 0.5)
  const beside = rates.map((rate) => rate / usual - 1)
  return {
    over: [sizes[from]!, sizes.at(-1)!],
    slope: slope(sizes.slice(from).map((size, i) => [size, costs[from + i]!])),
    workSlope: slope(sizes.slice(from).map((size, i) => [size, work[from + i]!])),
    beside,
    deviations: sizes.map((at, i) => ({ at, by: beside[i]! })).filter(({ by }) => Math.abs(by) > TOLERATED),
  }
}

/** Slope of the line of least squares through the logarithms: 1 where costs are proportional to sizes, 0 where they stay the same. */
export function slope(points: readonly Cost[]): number {
  if (points.length < 2) throw new RangeError(`a slope through ${points.length} points`)
  if (!points.flat().every((value) => value > 0 && value < Infinity)) {
    throw new RangeError('logarithms of numbers that are not above 0')
  }
  const x = points.map(([size]) => Math.log(size))
  const y = points.map(([, cost]) => Math.log(cost))
  const [mx, my] = [mean(x), mean(y)]
  const xx = x.reduce((sum, value) => sum + (value - mx) ** 2, 0)
  if (xx === 0) throw new RangeError('a slope through points of one size')
  return x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0) / xx
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
