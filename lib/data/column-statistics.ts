import { LayerwiseError } from '../errors.js'
import type { NativeRows } from '../native/binding.js'
import { allocate } from '../precision.js'
import type { Matrix } from './matrix.js'
import { blocks, notFiniteError, rowSlices, valueSlices } from './slices.js'

/** Of each column, in float64. */
export interface ColumnStatistics {
  readonly min: Float64Array
  readonly max: Float64Array
  /** A sum divided by m: refined by {@link columnSpread}. */
  readonly mean: Float64Array
}

/**
 * First pass: extremes and mean of each column.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE` naming the first row and column that is not finite
 */
export async function columnStatistics(argument: string, x: Matrix): Promise<ColumnStatistics> {
  const { rows, cols } = x
  const [min, max, mean] = [columns(argument, cols), columns(argument, cols), columns(argument, cols)]
  for await (const { row, column, toColumn, values } of valueSlices(argument, x)) {
    if (row === 0) for (let j = column; j < toColumn; j++) min[j] = max[j] = values[j - column]!
    for (let k = 0; k < values.length; ) {
      for (let j = column; j < toColumn; j++, k++) {
        const value = values[k]!
        if (value < min[j]!) min[j] = value
        if (value > max[j]!) max[j] = value
        mean[j]! += value
      }
    }
  }
  for await (const [from, to] of rowSlices(cols, 1)) for (let j = from; j < to; j++) mean[j]! /= rows
  return { min, max, mean }
}

/**
 * Second pass: variance, Σ(x − mean)²/m, from deviations and not from squares, so that a large mean does not swamp it; what the
 * first pass lost of the mean comes back with the sum of the deviations.
 *
 * Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance", the corrected two-pass algorithm.
 */
export async function columnSpread(
  argument: string,
  x: Matrix,
  firstMean: Float64Array,
): Promise<{ mean: Float64Array; variance: Float64Array }> {
  const { rows, cols } = x
  const [mean, variance] = [columns(argument, cols), columns(argument, cols)]
  const sum = mean
  const squares = variance
  for await (const { column, toColumn, values } of valueSlices(argument, x)) {
    for (let k = 0; k < values.length; ) {
      for (let j = column; j < toColumn; j++, k++) {
        const deviation = values[k]! - firstMean[j]!
        sum[j]! += deviation
        squares[j]! += deviation * deviation
      }
    }
  }
  for await (const [from, to] of rowSlices(cols, 1)) {
    for (let j = from; j < to; j++) {
      variance[j] = (squares[j]! - (sum[j]! * sum[j]!) / rows) / rows
      mean[j] = firstMean[j]! + sum[j]! / rows
    }
  }
  return { mean, variance }
}

function columns(argument: string, cols: number): Float64Array {
  return allocate('float64', cols, argument)
}

/**
 * The mean of each column over the rows in use.
 *
 * @param between - called between slices; what it throws is passed on
 * @throws {@link LayerwiseError} `ERR_RANGE` naming the first row and column that is not finite, or whose column's sum is not
 */
export async function columnMeans(
  argument: string,
  { data, rows, cols, scale, order }: NativeRows,
  between: () => void,
): Promise<Float64Array> {
  const count = order?.length ?? rows
  const sums = allocate('float64', cols, argument)
  for await (const block of blocks(count, cols)) {
    between()
    for (let i = block.row; i < block.toRow; i++) {
      const row = order?.[i] ?? i
      for (let j = block.column; j < block.toColumn; j++) {
        const value = data[row * cols + j]! * scale
        if (!Number.isFinite(value)) throw notFiniteError(argument, value, row, j)
        sums[j]! += value
        if (!Number.isFinite(sums[j]!)) throw sumError(argument, value, row, j)
      }
    }
  }
  return sums.map((sum) => sum / count)
}

function sumError(argument: string, value: number, row: number, column: number): LayerwiseError {
  const expected = 'numbers whose sum is finite'
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected} in each column, received ${value} in row ${row}, column ${column}`,
    { argument, expected, received: value, row, column },
  )
}
