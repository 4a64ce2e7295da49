import { LayerwiseError } from '../errors.js'
import type { NativeRows } from '../native/binding.js'
import { allocate } from '../precision.js'
import type { Matrix } from './matrix.js'
import { notFiniteError, rowSlices, valueSlices } from './slices.js'

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
  const min = new Float64Array(cols).fill(Infinity)
  const max = new Float64Array(cols).fill(-Infinity)
  const mean = new Float64Array(cols)
  for await (const { values } of valueSlices(argument, x)) {
    for (let k = 0; k < values.length; k += cols) {
      for (let j = 0; j < cols; j++) {
        const value = values[k + j]!
        if (value < min[j]!) min[j] = value
        if (value > max[j]!) max[j] = value
        mean[j]! += value
      }
    }
  }
  for (let j = 0; j < cols; j++) mean[j]! /= rows
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
  const sum = new Float64Array(cols)
  const squares = new Float64Array(cols)
  for await (const { values } of valueSlices(argument, x)) {
    for (let k = 0; k < values.length; k += cols) {
      for (let j = 0; j < cols; j++) {
        const deviation = values[k + j]! - firstMean[j]!
        sum[j]! += deviation
        squares[j]! += deviation * deviation
      }
    }
  }
  return {
    mean: firstMean.map((value, j) => value + sum[j]! / rows),
    variance: squares.map((value, j) => (value - (sum[j]! * sum[j]!) / rows) / rows),
  }
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
  for await (const [from, to] of rowSlices(count, cols)) {
    between()
    for (let i = from; i < to; i++) {
      const row = order?.[i] ?? i
      for (let j = 0; j < cols; j++) {
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
