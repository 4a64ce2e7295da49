import { setImmediate } from 'node:timers/promises'
import { LayerwiseError } from '../errors.js'
import type { Matrix } from './matrix.js'

/** Numbers between two turns of the event loop: some tenths of a millisecond of simple work. */
const sliceLength = 65_536

/** Consecutive ranges of rows, [from, to), of about 64k numbers; other events are served between them. */
export async function* rowSlices(
  rows: number,
  cols: number,
): AsyncGenerator<readonly [number, number], void> {
  const step = Math.max(1, Math.floor(sliceLength / cols))
  for (let from = 0; from < rows; from += step) {
    if (from > 0) await setImmediate()
    yield [from, Math.min(rows, from + step)]
  }
}

/**
 * Goes through the scaled values of `x` in order, slice by slice.
 *
 * @param use - gets each value, its column, and its place in `x.data`
 * @throws {@link LayerwiseError} `ERR_RANGE` naming row and column of the first value that is not finite
 */
export async function eachValue(
  argument: string,
  x: Matrix,
  use: (value: number, column: number, index: number) => void,
): Promise<void> {
  const { data, rows, cols, scale } = x
  for await (const [from, to] of rowSlices(rows, cols)) {
    for (let i = from; i < to; i++) {
      for (let j = 0; j < cols; j++) {
        const value = data[i * cols + j]! * scale
        if (!Number.isFinite(value)) throw notFiniteError(argument, value, i, j)
        use(value, j, i * cols + j)
      }
    }
  }
}

/** The refusal of NaN or Infinity at a place in the data. */
export function notFiniteError(argument: string, value: number, row: number, column: number): LayerwiseError {
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected finite numbers, received ${value} in row ${row}, column ${column}`,
    {
      argument,
      expected: 'finite numbers',
      received: value,
      row,
      column,
    },
  )
}
