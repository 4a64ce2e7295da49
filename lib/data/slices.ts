import { setImmediate } from 'node:timers/promises'
import { LayerwiseError } from '../errors.js'
import { allocate } from '../precision.js'
import type { Matrix } from './matrix.js'

/** Serves other events: between two slices of long work on the JavaScript thread. */
export async function turn(): Promise<void> {
  await setImmediate()
}

/** Numbers between two turns of the event loop: some tenths of a millisecond of simple work. */
const sliceLength = 32_768

/** Consecutive ranges of rows, [from, to), of about 32k numbers; other events are served between them. */
export async function* rowSlices(
  rows: number,
  cols: number,
): AsyncGenerator<readonly [number, number], void> {
  const step = Math.max(1, Math.floor(sliceLength / cols))
  for (let from = 0; from < rows; from += step) {
    if (from > 0) await turn()
    yield [from, Math.min(rows, from + step)]
  }
}

/** Some consecutive rows as numbers: scaled, all finite. */
interface Slice {
  /** Index of the first row. */
  readonly from: number
  /** Row-major, in float64; used again for the next slice, and free to be overwritten. */
  readonly values: Float64Array
}

/**
 * The values of `x`, slice by slice.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE` naming row and column of the first value that is not finite
 */
export async function* valueSlices(argument: string, x: Matrix): AsyncGenerator<Slice, void> {
  const { data, rows, cols, scale } = x
  let buffer: Float64Array = new Float64Array(0)
  for await (const [from, to] of rowSlices(rows, cols)) {
    const length = (to - from) * cols
    if (buffer.length < length) buffer = allocate('float64', length, argument)
    const values = buffer.subarray(0, length)
    values.set(data.subarray(from * cols, to * cols))
    for (let k = 0; k < length; k++) {
      values[k]! *= scale
      if (!Number.isFinite(values[k]!))
        throw notFiniteError(argument, values[k]!, from + Math.floor(k / cols), k % cols)
    }
    yield { from, values }
  }
}

/** Numbers that are looked at between two turns where each takes a nanosecond or so. */
const SCANNED = 2 ** 18

/** Where the first number lies that is not finite; −1 if there is none. */
export async function firstNotFinite(numbers: Float32Array | Float64Array): Promise<number> {
  for (let from = 0; from < numbers.length; from += SCANNED) {
    if (from > 0) await turn()
    const to = Math.min(numbers.length, from + SCANNED)
    for (let k = from; k < to; k++) if (!Number.isFinite(numbers[k])) return k
  }
  return -1
}

/** The refusal of NaN or Infinity at a place in the data, or of a number that becomes infinite in float32. */
export function notFiniteError(argument: string, value: number, row: number, column: number): LayerwiseError {
  const expected = Number.isFinite(value) ? 'numbers that float32 can hold' : 'finite numbers'
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received ${value} in row ${row}, column ${column}`,
    { argument, expected, received: value, row, column },
  )
}
