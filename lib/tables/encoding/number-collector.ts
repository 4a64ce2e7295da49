import { LayerwiseError } from '../../base/errors.js'
import { shorten, show } from '../../base/show.js'
import { isConstant } from '../../data/scaling/column-scaler.js'
import { QuantileSketch } from '../../data/scaling/quantile-sketch.js'
import type { TableColumn } from '../table-batch.js'
import { numbersOf } from './cells.js'
import type { Collector } from './collector.js'
import type { NumberEncoding } from './encoder-options.js'
import { Moments } from './moments.js'
import { CYCLE_PARTS, type CycleFit, cycleOf, logOf, NumberPlan, type NumberScaling } from './number-plan.js'

/** Values that a step adds to the quantiles. */
const SKETCHED = 1024

/** What is collected about a column of numbers or dates. */
export class NumberCollector implements Collector {
  readonly #name: string
  readonly #encoding: NumberEncoding
  readonly #isDate: boolean
  readonly #moments = new Moments()
  readonly #values: QuantileSketch | undefined
  readonly #sizes: QuantileSketch | undefined
  readonly #cycles: readonly Moments[]
  #scratch = new Float64Array(0)
  #rows = 0

  /** `hasCycles`: also the parts of cycles of dates. */
  constructor(name: string, encoding: NumberEncoding, isDate: boolean, hasCycles: boolean) {
    this.#name = name
    this.#encoding = encoding
    this.#isDate = isDate
    if (encoding === 'robust' || encoding === 'log') this.#values = new QuantileSketch()
    if (encoding === 'log') this.#sizes = new QuantileSketch()
    this.#cycles = hasCycles ? CYCLE_PARTS.map(() => new Moments()) : []
  }

  *add(column: TableColumn, from: number, to: number, firstRow: number): Generator<void> {
    const numberAt = numbersOf(column, firstRow)
    if (this.#scratch.length < to - from) this.#scratch = new Float64Array(to - from)
    const values = this.#scratch.subarray(0, to - from)
    for (let i = 0; i < values.length; i++) values[i] = numberAt(from + i)
    this.#rows += values.length
    this.#moments.add(values)
    yield
    if (this.#values !== undefined) {
      for (const [i, value] of values.entries()) {
        if (i % SKETCHED === SKETCHED - 1) yield
        if (Number.isNaN(value)) continue
        this.#values.add(value)
        this.#sizes?.add(Math.abs(value))
      }
      yield
    }
    if (this.#cycles.length === 0) return
    const parts = new Float64Array(values.length)
    for (const [k, { cycle, part }] of CYCLE_PARTS.entries()) {
      for (let i = 0; i < values.length; i++) parts[i] = cycleOf(values[i]!, cycle, part)
      this.#cycles[k]!.add(parts)
      yield
    }
  }

  plan(): NumberPlan {
    const { count, min, max } = this.#moments
    const name = this.#name
    const fit = { name, isDate: this.#isDate, cycles: [], hasMissing: count > 0 && count < this.#rows }
    if (count === 0) return new NumberPlan(fit)
    if (isConstant(min, max)) return new NumberPlan({ ...fit, constant: min })
    const cycles = this.#cycles.flatMap(({ min, max, mean }, k): CycleFit[] =>
      max - min <= ROUNDING ? [] : [{ ...CYCLE_PARTS[k]!, mean }],
    )
    if (this.#encoding !== 'log') return new NumberPlan({ ...fit, cycles, scaling: this.#scaling() })
    const unit = this.#sizes!.quantile(0.5) || Math.max(-min, max)
    return new NumberPlan({ ...fit, cycles, unit, scaling: this.#robust((value) => logOf(value, unit)) })
  }

  #scaling(): NumberScaling {
    const { mean, deviation } = this.#moments
    if (this.#encoding === 'none') return { center: 0, spread: 1, fill: mean }
    if (this.#encoding === 'robust') return this.#robust((value) => value)
    return this.#checked({ center: mean, spread: deviation, fill: 0 })
  }

  /**
   * Median and quartiles, where `map` rises. Where more than half of the values are the same, quantiles further out, at last the extremes, so that
   * the spread is never 0.
   */
  #robust(map: (value: number) => number): NumberScaling {
    const quantile = (share: number) => map(this.#values!.quantile(share))
    const pair = PAIRS.find(([share]) => !isConstant(quantile(share), quantile(1 - share)))
    const { min, max } = this.#moments
    const spread =
      pair === undefined
        ? (map(max) - map(min)) / EXTREMES
        : (quantile(1 - pair[0]) - quantile(pair[0])) / pair[1]
    return this.#checked({ center: quantile(0.5), spread, fill: 0 })
  }

  #checked(scaling: NumberScaling): NumberScaling {
    const { center, spread } = scaling
    if (Number.isFinite(center) && Number.isFinite(spread) && Number.isFinite(1 / spread) && spread > 0)
      return scaling
    throw new LayerwiseError(
      'ERR_RANGE',
      `column ${show(this.#name)}: its spread is too large or too small to be scaled in float64`,
      { argument: 'table', name: shorten(this.#name, 200) },
    )
  }
}

/** Pairs of quantiles, by the share below the lower one, and how many standard deviations lie between them in a normal distribution. */
const PAIRS: readonly (readonly [share: number, deviations: number])[] = [
  [0.25, 1.349],
  [0.1, 2.563],
  [0.05, 3.29],
  [0.01, 4.653],
]
const EXTREMES = 6
/** Sines and cosines of one and the same moment differ by rounding alone, up to this. */
const ROUNDING = 1e-9
