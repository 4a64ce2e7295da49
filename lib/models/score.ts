import { LayerwiseError } from '../base/errors.js'
import type { RowWeightsOption } from '../data/row-weights.js'
import { rowSlices } from '../data/slices.js'
import type { NativeRows } from '../native/binding.js'
import type { RunOptions } from '../native/run-options.js'

/** The counts of all pairs of this many classes take 128 MiB. */
const MOST_CLASSES = 4096

/** Options of `score`. */
export interface ScoreOptions extends RunOptions, RowWeightsOption {}

/** The performance of a classifier on rows with known classes. Plain data. With `rowWeights` every row counts its weight instead of 1. */
export interface Score {
  /** The fraction of rows whose class was predicted. */
  readonly accuracy: number
  /** The fraction of rows predicted as class k that belong to it. NaN for a class that was never predicted. */
  readonly precision: readonly number[]
  /** The fraction of rows of class k that were predicted as it. NaN for a class without rows. */
  readonly recall: readonly number[]
  /** Rows counted by [true class][predicted class]; with `rowWeights` sums of these. */
  readonly confusion: readonly (readonly number[])[]
  /** Mean of −ln p(yᵢ), in nats. Without class weights and weight decay. */
  readonly logLoss: number
}

/** Refuses more classes than the table can hold. */
export function checkScorable(classes: number): void {
  if (classes <= MOST_CLASSES) return
  throw new LayerwiseError(
    'ERR_MEMORY',
    `classes: no room to count all pairs of ${classes} classes, ${MOST_CLASSES} at most; count the answers of predict`,
    { argument: 'classes', expected: `at most ${MOST_CLASSES}`, received: classes },
  )
}

/**
 * Counts predictions by true class, a slice of rows at a time.
 *
 * @param predicted - the class of each row; `classes` if the probabilities were not finite
 * @throws {@link LayerwiseError} `ERR_RANGE` for such a row
 */
export async function scoreOf(
  { labels, weights }: NativeRows,
  predicted: Uint32Array,
  classes: number,
  logLoss: number,
): Promise<Score> {
  const truth = labels!
  const confusion: number[][] = []
  for await (const [from, to] of rowSlices(classes, classes)) {
    for (let k = from; k < to; k++) confusion.push(new Array<number>(classes).fill(0))
  }
  for await (const [from, to] of rowSlices(truth.length, 1)) {
    for (let row = from; row < to; row++) {
      const answer = predicted[row]!
      if (answer >= classes) throw overflowError(row)
      confusion[truth[row]!]![answer]! += weights?.[row] ?? 1
    }
  }
  const [ofClass, asPredicted] = [new Float64Array(classes), new Float64Array(classes)]
  for await (const [from, to] of rowSlices(classes, classes)) {
    for (let k = from; k < to; k++) {
      for (const [answer, count] of confusion[k]!.entries()) {
        ofClass[k]! += count
        asPredicted[answer]! += count
      }
    }
  }
  const add = (sum: number, count: number) => sum + count
  const right = confusion.map((counts, k) => counts[k]!)
  return {
    accuracy: right.reduce(add, 0) / ofClass.reduce(add, 0),
    precision: right.map((count, k) => count / asPredicted[k]!),
    recall: right.map((count, k) => count / ofClass[k]!),
    confusion,
    logLoss,
  }
}

function overflowError(row: number): LayerwiseError {
  const expected = 'numbers whose probabilities can be computed'
  return new LayerwiseError(
    'ERR_RANGE',
    `x: expected ${expected}, received a row that overflows on its way through the layers: row ${row}`,
    { argument: 'x', expected, row },
  )
}
