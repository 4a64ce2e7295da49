import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { notFiniteError, transferredError } from '../base/data-errors.js'
import { allocate } from '../base/precision.js'
import type { StorageType } from '../base/storage-type.js'
import { halfNumbers } from './halves.js'
import type { MatrixLike } from './matrix-data.js'
import { viewOf } from './storage.js'

/** Milliseconds of work on the JavaScript thread after which other events are served. */
const SHARE_MS = 1

/** When work went on after other events had been served. */
let since = -Infinity

/** Serves other events between two slices of long work on the JavaScript thread. */
export async function turn(): Promise<void> {
  await setImmediate()
  since = performance.now()
}

/** Whether the JavaScript thread has worked for so long that other events should be served: {@link turn}. To ask takes some 50 ns. */
export function isDue(): boolean {
  return performance.now() - since >= SHARE_MS
}

/** Values whose work takes some microseconds, or some tens of them before it is compiled. */
const CLOCKED = 256

/** Asks now and then whether it {@link isDue}, for work that is done in small steps. */
export class Pace {
  #values = 0

  /** Whether other events should be served after a step with so many values. */
  isDue(values: number): boolean {
    this.#values += values
    if (this.#values < CLOCKED) return false
    this.#values = 0
    return isDue()
  }
}

/** Called between slices of long work; an error that it throws ends the work. */
export type Between = () => void

/** Numbers of a slice: some hundredths of a millisecond of simple work, or one or two before it is compiled. */
const SLICE = 8192

/** Consecutive ranges of rows, [from, to), of about `length` numbers; other events are served between them, when it is due. */
export async function* rowSlices(
  rows: number,
  cols: number,
  length: number = SLICE,
): AsyncGenerator<readonly [number, number], void> {
  const step = Math.max(1, Math.floor(length / cols))
  for (let from = 0; from < rows; from += step) {
    if (from > 0 && isDue()) await turn()
    yield [from, Math.min(rows, from + step)]
  }
}

/** Some whole rows, [row, toRow), or some columns, [column, toColumn), of one row that is longer than a slice. */
export interface Block {
  readonly row: number
  readonly toRow: number
  readonly column: number
  readonly toColumn: number
}

/**
 * All numbers of `rows` rows, row by row, in blocks of at most about 8k of them.
 *
 * @param perRow - a row takes as long as so many numbers more
 */
export function* blockRanges(rows: number, cols: number, perRow = 0): Generator<Block, void> {
  const [height, width] = [Math.max(1, Math.floor(SLICE / (cols + perRow))), Math.min(cols, SLICE)]
  for (let row = 0; row < rows; row += height) {
    const toRow = Math.min(rows, row + height)
    for (let column = 0; column < cols; column += width) {
      yield { row, toRow, column, toColumn: Math.min(cols, column + width) }
    }
  }
}

/** The same; other events are served between them, when it is due. */
export async function* blocks(rows: number, cols: number): AsyncGenerator<Block, void> {
  for (const block of blockRanges(rows, cols)) {
    if ((block.row > 0 || block.column > 0) && isDue()) await turn()
    yield block
  }
}

/** The numbers of a block: scaled, all finite. */
export interface Slice extends Block {
  /** Place of the first number in the whole matrix. */
  readonly from: number
  /** Row-major, in float64; reused for the next slice, and may be overwritten. */
  readonly values: Float64Array
}

/**
 * The values of `x`, slice by slice.
 *
 * @param firstRow - the number of its first row, where `x` is a part of a whole
 * @throws {@link LayerwiseError} `ERR_RANGE` naming row and column of the first value that is not finite; `ERR_STATE` if the buffer of
 *   `x` is transferred during the call
 */
export async function* valueSlices(
  argument: string,
  x: MatrixLike & { readonly scale: number; readonly type: StorageType },
  firstRow = 0,
): AsyncGenerator<Slice, void> {
  const { data, rows, cols, scale, type } = x
  const numbers = halfNumbers(data, type)
  let buffer: Float64Array = new Float64Array(0)
  for await (const block of blocks(rows, cols)) {
    const { row, column } = block
    const length = (block.toRow - row) * (block.toColumn - column)
    if (buffer.length < length) buffer = allocate('float64', length, argument)
    const values = buffer.subarray(0, length)
    const from = row * cols + column
    if (data.length !== rows * cols) throw transferredError(argument)
    values.set(viewOf(data, from, from + length))
    for (let k = 0; k < length; k++) {
      values[k] = (numbers === undefined ? values[k]! : numbers[values[k]!]!) * scale
      if (!Number.isFinite(values[k]!)) {
        const at = from + k
        throw notFiniteError(argument, values[k]!, firstRow + Math.floor(at / cols), at % cols)
      }
    }
    const [first, end] = [firstRow + row, firstRow + block.toRow]
    yield { ...block, row: first, toRow: end, from: firstRow * cols + from, values }
  }
}

/** Numbers of a slice if copying or checking each takes about a nanosecond. */
export const SCANNED = 2 ** 16

/** The index of the first number that is not finite; −1 if there is none. */
export async function firstNotFinite(numbers: Float32Array | Float64Array): Promise<number> {
  for await (const [from, to] of rowSlices(numbers.length, 1, SCANNED)) {
    const bad = notFiniteWithin(numbers, from, to)
    if (bad >= 0) return bad
  }
  return -1
}

/** The same for a part of the array. */
export function notFiniteWithin(numbers: Float32Array | Float64Array, from: number, to: number): number {
  for (let k = from; k < to; k++) if (!Number.isFinite(numbers[k])) return k
  return -1
}
