import { inFile, notFiniteError, transferredError } from '../../base/data-errors.js'
import { LayerwiseError } from '../../base/errors.js'
import { allocateUnset } from '../../base/precision.js'
import { fileOfRow, type NativeRows } from '../../native/binding.js'
import type { Dataset } from '../dataset.js'
import { anySlices } from '../dataset-slices.js'
import { halfNumbers } from '../halves.js'
import type { Matrix } from '../matrix.js'
import { blocks, rowSlices, SCANNED, turn } from '../slices.js'
import { storedBatches } from '../stored-batches.js'

/** Sums of columns, and of their rounding errors, which with a large offset can be as large as the spread. */
export class ColumnSums {
  readonly #sums: Float64Array
  readonly #rests: Float64Array

  /** @param sums - zeros, one a column, as `rests` */
  private constructor(sums: Float64Array, rests: Float64Array) {
    this.#sums = sums
    this.#rests = rests
  }

  static async of(argument: string, cols: number): Promise<ColumnSums> {
    return new ColumnSums(await columnsOf(0, argument, cols), await columnsOf(0, argument, cols))
  }

  /**
   * Returns the sum of column `j` as it is now.
   *
   * Source: Knuth's TwoSum, Handbook of Floating-Point Arithmetic, section 4.3.2: the error of an addition is a float64 again.
   */
  add(j: number, value: number): number {
    const before = this.#sums[j]!
    const after = before + value
    const added = after - before
    this.#rests[j]! += before - (after - added) + (value - added)
    this.#sums[j] = after
    return after
  }

  /** The sums, divided by the number of rows or the sum of their weights. Ends the summation. */
  async means(rows: number): Promise<Float64Array> {
    const means = this.#sums
    for await (const [from, to] of rowSlices(means.length, 1)) {
      for (let j = from; j < to; j++) means[j] = (means[j]! + this.#rests[j]!) / rows
    }
    return means
  }
}

/** Of each column, in float64. */
export interface ColumnStatistics {
  readonly min: Float64Array
  readonly max: Float64Array
  /** A sum divided by m: refined by {@link columnSpread}. */
  readonly mean: Float64Array
}

/**
 * First pass: extremes and mean of each column. Rows of weight 0 have no part in them.
 *
 * @param weights - of the rows; default 1 each
 * @throws {@link LayerwiseError} `ERR_RANGE` naming the first row and column that is not finite
 */
export async function columnStatistics(
  argument: string,
  x: Matrix | Dataset,
  weights?: Float64Array,
): Promise<ColumnStatistics> {
  const { rows, cols } = x
  const min = await columnsOf(Infinity, argument, cols)
  const max = await columnsOf(-Infinity, argument, cols)
  const sums = await ColumnSums.of(argument, cols)
  for await (const { row, column, toColumn, values } of anySlices(argument, x)) {
    const width = toColumn - column
    for (let i = row, k = 0; k < values.length; i++) {
      const weight = weights?.[i] ?? 1
      if (weight === 0) {
        k += width
        continue
      }
      for (let j = column; j < toColumn; j++, k++) {
        const value = values[k]!
        if (value < min[j]!) min[j] = value
        if (value > max[j]!) max[j] = value
        sums.add(j, value * weight)
      }
    }
  }
  return { min, max, mean: await sums.means(weights === undefined ? rows : await sumOf(weights)) }
}

/**
 * Second pass: variance, Σ(x − mean)²/m, or Σw(x − mean)²/Σw of weighted rows, from deviations and not from squares, so that a large mean does
 * not cancel it; the sum of the deviations corrects the rounding of the mean in the first pass.
 *
 * Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance", the corrected two-pass algorithm.
 */
export async function columnSpread(
  argument: string,
  x: Matrix | Dataset,
  firstMean: Float64Array,
  weights?: Float64Array,
): Promise<{ mean: Float64Array; variance: Float64Array }> {
  const { cols } = x
  const total = weights === undefined ? x.rows : await sumOf(weights)
  const mean = await columnsOf(0, argument, cols)
  const variance = await columnsOf(0, argument, cols)
  const sum = mean
  const squares = variance
  for await (const { row, column, toColumn, values } of anySlices(argument, x)) {
    for (let i = row, k = 0; k < values.length; i++) {
      const weight = weights?.[i] ?? 1
      for (let j = column; j < toColumn; j++, k++) {
        const deviation = values[k]! - firstMean[j]!
        const weighted = deviation * weight
        sum[j]! += weighted
        squares[j]! += weighted * deviation
      }
    }
  }
  for await (const [from, to] of rowSlices(cols, 1)) {
    for (let j = from; j < to; j++) {
      variance[j] = (squares[j]! - (sum[j]! * sum[j]!) / total) / total
      mean[j] = firstMean[j]! + sum[j]! / total
    }
  }
  return { mean, variance }
}

async function sumOf(weights: Float64Array): Promise<number> {
  let sum = 0
  for await (const [from, to] of rowSlices(weights.length, 1)) {
    for (let row = from; row < to; row++) sum += weights[row]!
  }
  return sum
}

/** An array with `value` for each column, filled a slice at a time: there may be millions of columns. */
export async function columnsOf(value: number, argument: string, cols: number): Promise<Float64Array> {
  // To get the memory takes a millisecond or more, if it is long, and may begin a collection of garbage.
  if (cols > SCANNED) await turn()
  const numbers = allocateUnset('float64', cols, argument)
  for await (const [from, to] of rowSlices(cols, 1, SCANNED)) numbers.fill(value, from, to)
  return numbers
}

/**
 * The mean of each column over the rows in use, weighted where they have weights.
 *
 * @param between - called between slices; what it throws is passed on
 * @throws {@link LayerwiseError} `ERR_RANGE` naming the first row and column that is not finite, or whose column's sum is not
 */
export async function columnMeans(
  argument: string,
  rows: NativeRows,
  between: () => void,
): Promise<Float64Array> {
  const { cols, scale, type, weights } = rows
  const sums = await ColumnSums.of(argument, cols)
  let total = 0
  for await (const { data, count, rowAt, placeOf } of usedBatches(argument, rows)) {
    const numbers = halfNumbers(data, type)
    for await (const block of blocks(count, cols)) {
      between()
      if (rows.files === undefined && data.length !== rows.rows * cols) throw transferredError(argument)
      for (let i = block.row; i < block.toRow; i++) {
        const row = rowAt(i)
        const weight = weights?.[row] ?? 1
        if (block.column === 0) total += weight
        for (let j = block.column; j < block.toColumn; j++) {
          const stored = data[placeOf(i) * cols + j]!
          const value = (numbers === undefined ? stored : numbers[stored]!) * scale
          const fits = Number.isFinite(value) && Number.isFinite(sums.add(j, value * weight))
          if (!fits) throw meanError(argument, value, row, j, fileOfRow(rows, row))
        }
      }
    }
  }
  return sums.means(total)
}

/** Rows in use that are in memory together. */
interface UsedBatch {
  readonly data: NativeRows['data']
  readonly count: number
  /** The number of the row at position `i`. */
  readonly rowAt: (i: number) => number
  /** Where it is in `data`. */
  readonly placeOf: (i: number) => number
}

async function* usedBatches(argument: string, rows: NativeRows): AsyncGenerator<UsedBatch, void> {
  const { data, order, files } = rows
  if (files === undefined) {
    const rowAt = (i: number) => order?.[i] ?? i
    yield { data, count: order?.length ?? rows.rows, rowAt, placeOf: rowAt }
    return
  }
  for await (const { data, from, rows: count } of storedBatches(argument, rows)) {
    yield { data, count, rowAt: (i) => from + i, placeOf: (i) => i }
  }
}

function meanError(
  argument: string,
  value: number,
  row: number,
  column: number,
  file: string | undefined,
): LayerwiseError {
  const error = Number.isFinite(value)
    ? sumError(argument, value, row, column)
    : notFiniteError(argument, value, row, column)
  return file === undefined ? error : inFile(error, file)
}

function sumError(argument: string, value: number, row: number, column: number): LayerwiseError {
  const expected = 'numbers whose sum is finite'
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected} in each column, received ${value} in row ${row}, column ${column}`,
    { argument, expected, received: value, row, column },
  )
}
