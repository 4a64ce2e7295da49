import type { PlainFloat64Array, PlainUint8Array } from '../base/precision.js'
import type { AnomalyHistory } from './anomaly-options.js'
import type { Drift } from './drift.js'

/** What a detector says of one row. */
export interface AnomalyAnswer {
  /** As `scoreSync`. */
  readonly score: number
  /** Whether the score is above the threshold. */
  readonly isAnomaly: boolean
  /**
   * The probability that a normal row scores at least as high: the rank of the score among those of held-out rows. There are no labels, so it is
   * not the probability that this row is normal. At least 1 ÷ (1 + held-out rows).
   */
  readonly normal: number
}

/** What a detector says of rows, each array with an entry a row. */
export interface AnomalyAnswers {
  /** As `score`. */
  readonly scores: PlainFloat64Array
  /** 1 where the score is above the threshold, otherwise 0. */
  readonly isAnomaly: PlainUint8Array
  /** As {@link AnomalyAnswer.normal}. */
  readonly normal: PlainFloat64Array
}

/** What `update` did. Plain data. */
export interface AnomalyUpdate extends AnomalyHistory {
  /** How the scores of all new rows, by the detector as it was before, differ from those of the rows held out then. */
  readonly drift: Drift
}

/** The scores of consecutive rows. */
export interface ScoresBatch {
  /** The number of the first row, counted from 0 through all batches. */
  readonly from: number
  /** One a row. */
  readonly scores: PlainFloat64Array
}
