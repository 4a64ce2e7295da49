import type { Matrix } from '../matrix.js'
import { ColumnScaler, isConstant, type ScalingOf } from './column-scaler.js'
import { type ColumnStatistics, columnSpread } from './column-statistics.js'
import { checkJSON, fittedFromJSON, type ScalerJSON, type ScalerKind } from './scaler-json.js'

/**
 * Brings each column to mean 0 and variance 1, over the m training rows (divided by m; by the sum of
 * their weights where they have some). A column that is constant, or
 * within 3 · 2.2e-16 of its size, maps to 0.
 */
export class StandardScaler extends ColumnScaler {
  protected override async find(
    x: Matrix,
    { min, max, mean }: ColumnStatistics,
    weights?: Float64Array,
  ): Promise<ScalingOf> {
    const spread = await columnSpread('x', x, mean, weights)
    return (j) =>
      isConstant(min[j]!, max[j]!) ? [min[j]!, 1] : [spread.mean[j]!, 1 / Math.sqrt(spread.variance[j]!)]
  }

  /** @internal */
  override kindOf(): ScalerKind {
    return { kind: 'standard' }
  }

  /** @internal */
  override copy(): StandardScaler {
    return new StandardScaler().restore(this.copied())
  }

  override toJSON(): ScalerJSON {
    return { kind: 'standard', shift: [...this.shift], factor: [...this.factor] }
  }

  /** The inverse of {@link toJSON}; anything else is `ERR_FORMAT`. */
  static fromJSON(value: unknown): StandardScaler {
    const json = checkJSON(value, 'standard', ['kind', 'shift', 'factor'])
    return new StandardScaler().restore(fittedFromJSON(json))
  }
}
