import { checkBoolean, checkNumber, checkOptions } from '../../base/check.js'
import type { Dataset } from '../dataset.js'
import type { Matrix } from '../matrix.js'
import { SparseMatrix } from '../sparse-matrix.js'
import { ColumnScaler, isConstant, type ScalingOf } from './column-scaler.js'
import { type ColumnStatistics, columnSpread } from './column-statistics.js'
import {
  boundFromJSON,
  centerFromJSON,
  checkJSON,
  fittedFromJSON,
  type ScalerJSON,
  type ScalerKind,
  type StandardScalerJSON,
} from './scaler-json.js'
import { sparseSpread } from './sparse-statistics.js'

/** What a {@link StandardScaler} does. */
export interface StandardScalerOptions {
  /** Whether the mean is subtracted. Default true; false keeps zeros, as a SparseMatrix needs it. */
  readonly center?: boolean | undefined
  /**
   * A bound on scaled values, above 0: values beyond ±`clip` map to ±`clip`, also inside a model. NaN and infinities are refused in either
   * case. Default: none.
   */
  readonly clip?: number | undefined
}

/**
 * Brings each column to mean 0 and variance 1, over the m training rows (divided by m; by the sum of their weights where they have some);
 * with `center: false` only to variance 1. A column that is constant, or within 3 · 2.2e-16 of its size, maps to 0, or with
 * `center: false` to itself.
 */
export class StandardScaler extends ColumnScaler {
  /** Whether the mean is subtracted. */
  readonly center: boolean
  /** The bound on scaled values; undefined if there is none. */
  readonly clip: number | undefined

  /**
   * Not fitted yet: call `await scaler.fit(x)` first.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for a `center` that is neither true nor false, and for a `clip` that is not above 0
   */
  constructor(options?: StandardScalerOptions) {
    super()
    const { center = true, clip } = checkOptions('options', options, ['center', 'clip'])
    this.center = checkBoolean('center', center)
    this.clip = clip === undefined ? undefined : checkNumber('clip', clip, { min: 0, open: true })
    if (this.clip !== undefined) this.clipped = [-this.clip, this.clip]
  }

  protected override async find(
    x: Matrix | Dataset | SparseMatrix,
    { min, max, mean }: ColumnStatistics,
    weights?: Float64Array,
  ): Promise<ScalingOf> {
    const spread = await (x instanceof SparseMatrix
      ? sparseSpread('x', x, mean, weights)
      : columnSpread('x', x, mean, weights))
    const shiftOf = this.center ? (value: number) => value : () => 0
    return (j) =>
      isConstant(min[j]!, max[j]!)
        ? [shiftOf(min[j]!), 1]
        : [shiftOf(spread.mean[j]!), 1 / Math.sqrt(spread.variance[j]!)]
  }

  /** @internal */
  override kindOf(): ScalerKind {
    return { kind: 'standard', ...this.#said() }
  }

  /** @internal */
  override copy(): StandardScaler {
    return new StandardScaler({ center: this.center, clip: this.clip }).restore(this.copied())
  }

  override toJSON(): ScalerJSON {
    return { kind: 'standard', ...this.#said(), shift: [...this.shift], factor: [...this.factor] }
  }

  /** The options that are not the defaults. */
  #said(): Pick<StandardScalerJSON, 'center' | 'clip'> {
    return {
      ...(!this.center && ({ center: false } as const)),
      ...(this.clip !== undefined && { clip: this.clip }),
    }
  }

  /** The inverse of {@link toJSON}; anything else is `ERR_FORMAT`. */
  static fromJSON(value: unknown): StandardScaler {
    const json = checkJSON(value, 'standard', ['kind', 'shift', 'factor'], ['center', 'clip'])
    return new StandardScaler({ center: centerFromJSON(json), clip: boundFromJSON(json) }).restore(
      fittedFromJSON(json),
    )
  }
}
