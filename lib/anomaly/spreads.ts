import { isConstant } from '../data/scaling/column-scaler.js'
import { columnStatistics } from '../data/scaling/column-statistics.js'
import { StandardScaler } from '../data/scaling/standard-scaler.js'
import type { LearningRows } from './learning-rows.js'

/** Scaled values are bounded by this, so that no finite row overflows. */
const BOUND = 1e12

/** The spread of a constant column, as a part of its size: then a move by a tenth counts as one spread. */
const CONSTANT_SPREAD = 0.1

/** Mean and spread of each column, and which columns are constant. */
export interface Spreads {
  readonly scaler: StandardScaler
  /** Columns that are constant, but for rounding. */
  readonly constant: readonly number[]
}

/**
 * A StandardScaler of the rows. It scales a constant column by a tenth of its size, and a column of zeros by 0.1, so that a later move is seen.
 *
 * @throws {@link LayerwiseError} as the `fit` of a StandardScaler
 */
export async function spreadsOf(rows: LearningRows): Promise<Spreads> {
  const fitted = await new StandardScaler().fit(rows)
  const { min, max } = await columnStatistics('x', rows)
  const [shift, factor] = [fitted.shift.slice(), fitted.factor.slice()]
  const constant: number[] = []
  for (let j = 0; j < rows.cols; j++) {
    if (!isConstant(min[j]!, max[j]!)) continue
    constant.push(j)
    const size = Math.max(Math.abs(min[j]!), Math.abs(max[j]!))
    // A spread that float64 cannot divide by is as good as a column of zeros.
    factor[j] = size > 1e-300 ? 1 / (CONSTANT_SPREAD * size) : 1 / CONSTANT_SPREAD
  }
  return { scaler: new StandardScaler({ clip: BOUND }).restore({ shift, factor }), constant }
}
