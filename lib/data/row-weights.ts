import { types } from 'node:util'
import { argumentError, shapeError } from '../base/check.js'
import { changedError } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import { allocateUnset } from '../base/precision.js'
import { showReceived } from '../base/show.js'
import type { NativeRows } from '../native/binding.js'
import { columnOf } from './column.js'
import { asDataset, type Dataset } from './dataset.js'
import type { IntegerArray } from './integer-array.js'
import { rowSlices } from './slices.js'
import { usedRowNumbers, usedRows } from './used-rows.js'

/**
 * How much each row counts, one number a row: finite, at least 0, not all 0. Only their ratios matter to a cost, a mean or a scaler: a weight
 * of 2 is the row twice, a weight of 0 the row left out. A {@link Dataset} of one column is read into memory.
 */
export type RowWeights = readonly number[] | Float32Array | Float64Array | IntegerArray | Dataset

/** The option of every method that takes weights. */
export interface RowWeightsOption {
  /**
   * How much each row counts: see {@link RowWeights}; copied. `ERR_SHAPE` unless there is one a row, `ERR_ARGUMENT` for what is no number,
   * `ERR_RANGE` for negative numbers, NaN, infinities, zeros alone, and a sum beyond 1e-200 … 1e200. Default 1 each.
   */
  readonly rowWeights?: RowWeights | undefined
}

/** Sums within these keep every ratio of weights within float64. */
const [LEAST_SUM, MOST_SUM] = [1e-200, 1e200]

/**
 * Row weights for the addon: checked and copied, a slice at a time, so that the event loop stays free.
 *
 * @param between - called between slices; what it throws ends the copying
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another kind of array or an entry that is no number, `ERR_SHAPE` for another number of weights
 *   than `rows`, or a dataset of several columns; `ERR_FILE` if its files fail
 * @throws {@link LayerwiseError} `ERR_RANGE` for negative numbers, NaN and infinities, naming the first such row, and for a sum of 0 or beyond
 *   1e-200 … 1e200
 * @throws {@link LayerwiseError} `ERR_STATE` if the array changes its length during the call
 */
export async function toRowWeights(
  argument: string,
  weights: unknown,
  rows: number,
  between: () => void,
): Promise<Float64Array> {
  const dataset = asDataset(argument, weights)
  const given = dataset ? await columnOf(argument, dataset, between) : checkArray(argument, weights)
  if (given.length !== rows)
    throw shapeError(argument, `${rows} weights, one a row`, `${given.length} weights`)
  const out = allocateUnset('float64', rows, argument)
  for await (const [from, to] of rowSlices(rows, 1)) {
    between()
    if (given.length !== rows) throw changedError(argument)
    for (let row = from; row < to; row++) out[row] = checkWeight(argument, given[row], row)
  }
  let sum = 0
  for await (const [from, to] of rowSlices(rows, 1)) {
    between()
    for (let row = from; row < to; row++) sum += out[row]!
  }
  if (!isUsable(sum)) throw sumError(argument, sum, `in all ${rows} rows`)
  return out
}

/**
 * Refuses a part of weighted rows whose weights are all 0, or so small beside the others that nothing is left of them.
 *
 * @param part - how messages name it: `held out`
 * @throws {@link LayerwiseError} `ERR_RANGE`
 */
export async function checkPartWeights(
  argument: string,
  rows: NativeRows,
  part: string,
  between: () => void,
): Promise<void> {
  const { weights } = rows
  if (weights === undefined) return
  let sum = 0
  for await (const numbers of usedRowNumbers(rows)) {
    between()
    for (const row of numbers) sum += weights[row]!
  }
  if (!isUsable(sum)) throw sumError(argument, sum, `in all ${usedRows(rows)} rows that validation ${part}`)
}

function checkArray(argument: string, weights: unknown): ArrayLike<unknown> {
  const numbers =
    types.isTypedArray(weights) && !types.isBigInt64Array(weights) && !types.isBigUint64Array(weights)
  if (numbers || Array.isArray(weights)) return weights as ArrayLike<unknown>
  throw argumentError(argument, 'an array of numbers, one a row', weights)
}

function checkWeight(argument: string, weight: unknown, row: number): number {
  if (typeof weight === 'number' && weight >= 0 && weight < Infinity) return weight
  const expected = 'a finite number of at least 0'
  const code = typeof weight === 'number' ? 'ERR_RANGE' : 'ERR_ARGUMENT'
  throw new LayerwiseError(
    code,
    `${argument}: expected ${expected}, received ${showReceived(weight, ` in row ${row}`)}`,
    { argument, expected, received: weight, row },
  )
}

function isUsable(sum: number): boolean {
  return sum >= LEAST_SUM && sum <= MOST_SUM
}

function sumError(argument: string, sum: number, where: string): LayerwiseError {
  const expected = sum === 0 ? 'a weight above 0' : `weights whose sum is from ${LEAST_SUM} to ${MOST_SUM}`
  const received = sum === 0 ? `0 ${where}` : `a sum of ${sum} ${where}`
  return new LayerwiseError('ERR_RANGE', `${argument}: expected ${expected}, received ${received}`, {
    argument,
    expected,
    received: sum,
  })
}
