import { checkBoolean, checkOptions } from '../../base/check.js'
import type { Matrix } from '../matrix.js'
import { SparseMatrix } from '../sparse-matrix.js'
import { ColumnScaler, isConstant, type ScalingOf } from './column-scaler.js'
import { type ColumnStatistics, columnSpread } from './column-statistics.js'
import { centerFromJSON, checkJSON, fittedFromJSON, type ScalerJSON, type ScalerKind } from './scaler-json.js'
import { sparseSpread } from './sparse-statistics.js'

/** What a {@link StandardScaler} does. */
export interface StandardScalerOptions {
  /** Whether the mean is subtracted. Default true; false keeps zeros, as a SparseMatrix needs it. */
  readonly center?: boolean | undefined
}

/**
 * Brings each column to mean 0 and variance 1, over the m training rows (divided by m; by the sum of their weights where they have some);
 * with `center: false` only to variance 1. A column that is constant, or within 3 · 2.2e-16 of its size, maps to 0, or with
 * `center: false` to itself.
 */
export class StandardScaler extends ColumnScaler {
  /** Whether the mean is subtracted. */
  readonly center: boolean

  /**
   * Not fitted yet: call `await scaler.fit(x)` first.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for a `center` that is neither true nor false
   */
  constructor(options?: StandardScalerOptions) {
    super()
    const { center = true } = checkOptions('options', options, ['center'])
    this.center = checkBoolean('center', center)
  }

  protected override async find(
    x: Matrix | SparseMatrix,
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
    return { kind: 'standard', ...(!this.center && ({ center: false } as const)) }
  }

  /** @internal */
  override copy(): StandardScaler {
    return new StandardScaler({ center: this.center }).restore(this.copied())
  }

  override toJSON(): ScalerJSON {
    const center = !this.center && ({ center: false } as const)
    return { kind: 'standard', ...center, shift: [...this.shift], factor: [...this.factor] }
  }

  /** The inverse of {@link toJSON}; anything else is `ERR_FORMAT`. */
  static fromJSON(value: unknown): StandardScaler {
    const json = checkJSON(value, 'standard', ['kind', 'shift', 'factor'], ['center'])
    return new StandardScaler({ center: centerFromJSON(json) }).restore(fittedFromJSON(json))
  }
}
