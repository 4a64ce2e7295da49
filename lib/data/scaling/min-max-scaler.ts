import { argumentError, checkBoolean, checkNumber, checkOptions, readArray } from '../../base/check.js'
import { ColumnScaler, isConstant, type ScalingOf } from './column-scaler.js'
import type { ColumnStatistics } from './column-statistics.js'
import {
  checkJSON,
  clipFromJSON,
  fittedFromJSON,
  rangeFromJSON,
  type ScalerJSON,
  type ScalerKind,
} from './scaler-json.js'

/** What a {@link MinMaxScaler} maps to. */
export interface MinMaxScalerOptions {
  /** What the smallest and the largest training value of a column become, low < high. Default [0, 1]. */
  readonly range?: readonly [low: number, high: number] | undefined
  /**
   * Whether later values below or above those of the training data map to the ends of `range`. Default false: they map beyond them, where a
   * model with bounded outputs refuses to train on them. NaN and infinities are refused in either case.
   */
  readonly clip?: boolean | undefined
}

/**
 * Maps each column's smallest and largest training value to the ends of `range`.
 *
 * A column that is constant, or within 3 · 2.2e-16 of its size, which is rounding, maps to the low end. Training data never leaves [−1, 1]
 * or [0, 1] by rounding, so a model bounded there accepts it.
 */
export class MinMaxScaler extends ColumnScaler {
  /** What the smallest and the largest training value of a column become. */
  readonly range: readonly [low: number, high: number]
  /** Whether values outside the range of the training data map to the nearer end of `range`, also inside a model. */
  readonly clip: boolean

  /**
   * Not fitted yet: call `await scaler.fit(x)` first.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another range, and for a `clip` that is neither true nor false
   */
  constructor(options?: MinMaxScalerOptions) {
    super()
    const { range = [0, 1], clip = false } = checkOptions('options', options, ['range', 'clip'])
    this.clip = checkBoolean('clip', clip)
    const ends = Array.isArray(range) ? readArray<unknown>(range) : []
    if (ends.length !== 2) throw argumentError('range', 'two numbers, [low, high]', range)
    const low = checkNumber('range[0]', ends[0])
    const high = checkNumber('range[1]', ends[1])
    if (low >= high) throw argumentError('range[1]', `a number above range[0] = ${low}`, high)
    this.range = [low, high]
    if (this.clip) this.clipped = this.range
  }

  protected override async find(_: unknown, { min, max }: ColumnStatistics): Promise<ScalingOf> {
    const [low, high] = this.range
    return (j) => {
      const [least, most] = [min[j]!, max[j]!]
      // A constant column gets a spread of 1, or more if 1 would be lost by rounding.
      const spread = isConstant(least, most) ? Math.max(1, Math.abs(least) * 2 ** -20) : most - least
      const gain = (high - low) / spread
      const shift = least - low / gain
      return [shift, withinRange(gain, shift, least, most, this.range)]
    }
  }

  /** @internal */
  override kindOf(): ScalerKind {
    return { kind: 'minMax', range: [...this.range], ...(this.clip && ({ clip: true } as const)) }
  }

  /** @internal */
  override copy(): MinMaxScaler {
    return new MinMaxScaler({ range: this.range, clip: this.clip }).restore(this.copied())
  }

  override toJSON(): ScalerJSON {
    const clip = this.clip && ({ clip: true } as const)
    return {
      kind: 'minMax',
      range: [...this.range],
      ...clip,
      shift: [...this.shift],
      factor: [...this.factor],
    }
  }

  /** The inverse of {@link toJSON}; anything else is `ERR_FORMAT`. */
  static fromJSON(value: unknown): MinMaxScaler {
    const json = checkJSON(value, 'minMax', ['kind', 'range', 'shift', 'factor'], ['clip'])
    const scaler = new MinMaxScaler({ range: rangeFromJSON(json), clip: clipFromJSON(json) })
    return scaler.restore(fittedFromJSON(json))
  }
}

/** The largest factor up to `gain` that keeps training data inside `range` although shift and factor are rounded. */
function withinRange(
  gain: number,
  shift: number,
  least: number,
  most: number,
  [low, high]: readonly [number, number],
): number {
  const above = high > 0 && most > shift ? high / (most - shift) : gain
  const below = low < 0 && least < shift ? low / (least - shift) : gain
  return Math.min(gain, above, below)
}
