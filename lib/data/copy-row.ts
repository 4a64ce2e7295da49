import { notFiniteError } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import { elementType } from '../base/precision.js'
import { show, showReceived } from '../base/show.js'
import type { NumberArray } from './matrix-data.js'
import { checkStorage, lengthOf, viewOf } from './storage.js'

/**
 * Copies the numbers `column` to `toColumn` of a plain array, which is row `i` of `width` numbers.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but numbers, `ERR_SHAPE` for another width, `ERR_RANGE` for finite numbers
 *   that float32 cannot hold
 */
export function copyRow(
  argument: string,
  row: readonly unknown[],
  i: number,
  width: number,
  data: Float32Array | Float64Array,
  column = 0,
  toColumn = width,
): void {
  checkRowWidth(argument, row.length, i, width)
  for (let j = column; j < toColumn; j++) {
    const value: unknown = row[j]
    if (typeof value !== 'number') {
      throw new LayerwiseError(
        'ERR_ARGUMENT',
        `${argument}: expected a number in row ${i}, column ${j}, received ${showReceived(value)}`,
        { argument, expected: 'numbers', received: value, row: i, column: j },
      )
    }
    store(argument, data, i * width + j, value, i, j)
  }
}

/**
 * The same of a typed array whose class says what its numbers are. Its memory may be of any kind, since JavaScript reads it: to ask which takes
 * longer than to copy it, and gives an array of up to 64 bytes a buffer that it did not have, for its whole life.
 *
 * @throws {@link LayerwiseError} also `ERR_ARGUMENT` where it was transferred
 */
export function copyTypedRow(
  argument: string,
  row: NumberArray,
  i: number,
  width: number,
  data: Float32Array | Float64Array,
  column = 0,
  toColumn = width,
): void {
  const length = lengthOf(row)
  if (length === 0) checkStorage(`${argument}[${i}]`, row)
  checkRowWidth(argument, length, i, width)
  if (elementType(row) !== 'float64' || elementType(data) === 'float64') {
    const isWhole = column === 0 && toColumn === width
    data.set(isWhole ? row : viewOf(row, column, toColumn), i * width + column)
    return
  }
  for (let j = column; j < toColumn; j++) store(argument, data, i * width + j, row[j]!, i, j)
}

/**
 * Writes a number, rounded to the array's precision.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE` for a finite number that float32 cannot hold
 */
export function store(
  argument: string,
  data: Float32Array | Float64Array,
  at: number,
  value: number,
  row: number,
  column: number,
): void {
  data[at] = value
  if (!Number.isFinite(data[at]) && Number.isFinite(value)) throw notFiniteError(argument, value, row, column)
}

/** Refuses a row that is not as wide as the others. */
export function checkRowWidth(argument: string, received: number, i: number, width: number): void {
  if (received === width) return
  throw new LayerwiseError(
    'ERR_SHAPE',
    `${argument}: expected ${width} numbers in row ${i}, received ${show(received)}`,
    { argument, expected: `${width} numbers in each row`, received, row: i },
  )
}
