import { indexError, notFiniteError, transferredError } from '../../base/data-errors.js'
import { rowSlices, turn } from '../slices.js'
import type { SparseMatrix } from '../sparse-matrix.js'
import { plainArray } from '../storage.js'
import { type ColumnStatistics, ColumnSums, columnsOf } from './column-statistics.js'

/** Stored values between two turns of the event loop. */
const SLICE = 2 ** 15

/**
 * Extremes and mean of each column of sparse rows, zeros included. Rows of weight 0 have no part in them.
 *
 * @param weights - of the rows; default 1 each
 * @throws {@link LayerwiseError} `ERR_RANGE` naming row and column of the first value that is not finite, or whose column is wrong
 */
export async function sparseStatistics(
  argument: string,
  x: SparseMatrix,
  weights?: Float64Array,
): Promise<ColumnStatistics> {
  const { cols } = x
  const min = await columnsOf(Infinity, argument, cols)
  const max = await columnsOf(-Infinity, argument, cols)
  const counts = await columnsOf(0, argument, cols)
  const sums = await ColumnSums.of(argument, cols)
  await eachElement(argument, x, (column, value, row) => {
    const weight = weights?.[row] ?? 1
    if (weight === 0) return
    counts[column]!++
    if (value < min[column]!) min[column] = value
    if (value > max[column]!) max[column] = value
    sums.add(column, value * weight)
  })
  const { used, total } = await rowsUsed(x.rows, weights)
  for await (const [from, to] of rowSlices(cols, 1)) {
    for (let j = from; j < to; j++) {
      if (counts[j] === used) continue
      min[j] = Math.min(min[j]!, 0)
      max[j] = Math.max(max[j]!, 0)
    }
  }
  return { min, max, mean: await sums.means(total) }
}

/** Mean and variance of each column, zeros included, as {@link columnSpread} has them: from deviations. */
export async function sparseSpread(
  argument: string,
  x: SparseMatrix,
  firstMean: Float64Array,
  weights?: Float64Array,
): Promise<{ mean: Float64Array; variance: Float64Array }> {
  const { cols } = x
  const sum = await columnsOf(0, argument, cols)
  const squares = await columnsOf(0, argument, cols)
  const stored = await columnsOf(0, argument, cols)
  await eachElement(argument, x, (column, value, row) => {
    const weight = weights?.[row] ?? 1
    const deviation = value - firstMean[column]!
    stored[column]! += weight
    sum[column]! += weight * deviation
    squares[column]! += weight * deviation * deviation
  })
  const { total } = await rowsUsed(x.rows, weights)
  for await (const [from, to] of rowSlices(cols, 1)) {
    for (let j = from; j < to; j++) {
      const [zeros, mean] = [Math.max(0, total - stored[j]!), firstMean[j]!]
      const deviations = sum[j]! - zeros * mean
      squares[j] = (squares[j]! + zeros * mean * mean - (deviations * deviations) / total) / total
      sum[j] = mean + deviations / total
    }
  }
  return { mean: sum, variance: squares }
}

/** The number of rows with a weight above 0, and the sum of the weights. */
async function rowsUsed(
  rows: number,
  weights: Float64Array | undefined,
): Promise<{ used: number; total: number }> {
  if (weights === undefined) return { used: rows, total: rows }
  let [used, total] = [0, 0]
  for await (const [from, to] of rowSlices(rows, 1)) {
    for (let i = from; i < to; i++) {
      used += Number(weights[i]! > 0)
      total += weights[i]!
    }
  }
  return { used, total }
}

/** Calls `take` for each stored value, in the order of the rows; other events are served now and then. */
async function eachElement(
  argument: string,
  { rows, cols, ...arrays }: SparseMatrix,
  take: (column: number, value: number, row: number) => void,
): Promise<void> {
  const values = plainArray(`${argument}.values`, arrays.values)
  const indices = plainArray(`${argument}.indices`, arrays.indices)
  const indptr = plainArray(`${argument}.indptr`, arrays.indptr)
  const { length } = values
  for (let i = 0; i < rows; i++) {
    if (i % SLICE === SLICE - 1) await turn()
    if (indptr.length !== rows + 1) throw transferredError(argument)
    for (let k = indptr[i]!; k < indptr[i + 1]!; k++) {
      if (k % SLICE === SLICE - 1) await turn()
      if (values.length !== length || indices.length !== length) throw transferredError(argument)
      const [column, value] = [indices[k]!, values[k]!]
      const isRising = k === indptr[i] || column > indices[k - 1]!
      if (column >= cols || !isRising) throw indexError(argument, i, column, cols)
      if (!Number.isFinite(value)) throw notFiniteError(argument, value, i, column)
      take(column, value, i)
    }
  }
}
