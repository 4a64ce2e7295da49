import { types } from 'node:util'
import { argumentError, shapeError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { allocate } from '../base/precision.js'
import { showReceived } from '../base/show.js'
import type { IntegerArray } from '../data/integer-array.js'

/** Scores, one for each row, finite: the higher, the more likely a row is positive (sought). */
export type Scores = Float64Array | Float32Array | IntegerArray | readonly number[]

/** For each row whether it is positive (sought): 1 or true, 0 or false. */
export type IsSought = IntegerArray | readonly number[] | readonly boolean[]

/**
 * The area under the ROC curve: the probability that a positive row scores higher than a negative one, equal scores counting half. 1/2 is
 * chance, 1 a perfect order. On the calling thread, O(n log n): some 0.2 s for a million rows.
 *
 * Source: Hanley & McNeil 1982, "The meaning and use of the area under a ROC curve"; the same number as scikit-learn's `roc_auc_score`.
 *
 * @param scores - such as reconstruction errors
 * @param labels - as many
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for other arrays; `ERR_SHAPE` for none, or more or fewer labels than scores; `ERR_RANGE` for
 *   scores that are not finite, labels other than 0 and 1 (row in `details`), and labels that are all alike
 */
export function rocAuc(scores: Scores, labels: IsSought): number {
  const { sought, others } = apart(scores, labels)
  if (sought.length === 0 || others.length === 0) {
    throw labelsError(
      'both 1 (true) and 0 (false) among them',
      `1 in ${sought.length} of ${scores.length} rows`,
    )
  }
  let won = 0
  let below = 0
  for (let from = 0; from < sought.length; ) {
    const score = sought[from]!
    const to = endOfEquals(sought, from)
    while (below < others.length && others[below]! < score) below++
    const equal = others[below] === score ? endOfEquals(others, below) - below : 0
    won += (to - from) * (below + equal / 2)
    from = to
  }
  return won / sought.length / others.length
}

/**
 * Average precision, Σ (Rₙ − Rₙ₋₁) Pₙ: over falling thresholds n, one for each different score, Pₙ (precision) is the share of positive
 * rows among those that score at least as high, and Rₙ (recall) the share of all positive rows that do. Without interpolation. Chance is
 * the share of positive rows. On the calling thread, O(n log n): some 0.2 s for a million rows.
 *
 * Source: the same number as scikit-learn's `average_precision_score`.
 *
 * @param scores - such as reconstruction errors
 * @param labels - as many, at least one of them positive
 * @throws {@link LayerwiseError} as {@link rocAuc}, but all rows may be positive
 */
export function averagePrecision(scores: Scores, labels: IsSought): number {
  const { sought, others } = apart(scores, labels)
  if (sought.length === 0) throw labelsError('at least one 1 (true)', 'none')
  let sum = 0
  for (let i = sought.length, j = others.length; i > 0; ) {
    const score = sought[i - 1]!
    const begin = beginOfEquals(sought, i)
    while (j > 0 && others[j - 1]! >= score) j--
    const found = sought.length - begin
    sum += (i - begin) * (found / (found + others.length - j))
    i = begin
  }
  return sum / sought.length
}

/** The scores of positive and negative rows, ascending: typed arrays are sorted numerically and fast. */
function apart(scores: Scores, labels: IsSought): { sought: Float64Array; others: Float64Array } {
  checkArray('scores', scores)
  checkArray('labels', labels)
  const count = scores.length
  if (count === 0) throw shapeError('scores', 'at least one', 0)
  if (labels.length !== count) throw shapeError('labels', `${count} labels, one a score`, labels.length)
  const both = allocate('float64', count, 'scores')
  let [s, o] = [0, count]
  for (let row = 0; row < count; row++) {
    const score: unknown = scores[row]
    if (typeof score !== 'number') throw argumentError(`scores[${row}]`, 'a number', score)
    if (!Number.isFinite(score)) throw rowError('scores', 'finite numbers', score, row)
    if (isSought(labels[row], row)) both[s++] = score
    else both[--o] = score
  }
  return { sought: both.subarray(0, s).sort(), others: both.subarray(s).sort() }
}

function isSought(label: unknown, row: number): boolean {
  if (label === true || label === 1) return true
  if (label === false || label === 0) return false
  throw rowError('labels', '0 or 1, false or true', label, row)
}

function endOfEquals(sorted: Float64Array, from: number): number {
  let to = from + 1
  while (to < sorted.length && sorted[to] === sorted[from]) to++
  return to
}

function beginOfEquals(sorted: Float64Array, to: number): number {
  let from = to - 1
  while (from > 0 && sorted[from - 1] === sorted[to - 1]) from--
  return from
}

function checkArray(argument: string, value: unknown): void {
  if (!Array.isArray(value) && !types.isTypedArray(value)) throw argumentError(argument, 'an array', value)
}

function rowError(argument: string, expected: string, received: unknown, row: number): LayerwiseError {
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received ${showReceived(received, ` in row ${row}`)}`,
    { argument, expected, received, row },
  )
}

function labelsError(expected: string, received: string): LayerwiseError {
  return new LayerwiseError('ERR_RANGE', `labels: expected ${expected}, received ${received}`, {
    argument: 'labels',
    expected,
    received,
  })
}
