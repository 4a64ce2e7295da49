import type { NativeFiles } from '../native/binding.js'
import { isDue, turn } from './slices.js'

/** Row numbers of a slice. */
const SLICE = 16_384

/** Which rows are used. */
export interface UsedRows {
  readonly rows: number
  readonly order?: Uint32Array | undefined
  readonly files?: NativeFiles | undefined
}

/** How many rows are used: all, or those of `order` or of the ranges of files. */
export function usedRows({ rows, order, files }: UsedRows): number {
  if (order !== undefined) return order.length
  const ranges = files?.ranges
  return ranges === undefined ? rows : lengthOf(ranges)
}

/** How many numbers are in pairs [begin, end). */
export function lengthOf(ranges: Float64Array): number {
  let length = 0
  for (let k = 0; k < ranges.length; k += 2) length += ranges[k + 1]! - ranges[k]!
  return length
}

/** The numbers of the rows that are used, in their order, slice by slice; other events are served between slices, when it is due. */
export async function* usedRowNumbers({ rows, order, files }: UsedRows): AsyncGenerator<Uint32Array, void> {
  if (order === undefined) {
    yield* rangeNumbers(files?.ranges ?? Float64Array.of(0, rows))
    return
  }
  for (let from = 0; from < order.length; from += SLICE) {
    if (from > 0 && isDue()) await turn()
    yield order.subarray(from, from + SLICE)
  }
}

/** The numbers in pairs [begin, end), slice by slice. Each slice is overwritten by the next. */
export async function* rangeNumbers(ranges: Float64Array): AsyncGenerator<Uint32Array, void> {
  const slice = new Uint32Array(SLICE)
  let filled = 0
  for (let k = 0; k < ranges.length; k += 2) {
    for (let row = ranges[k]!; row < ranges[k + 1]!; row++) {
      slice[filled++] = row
      if (filled < SLICE) continue
      yield slice
      if (isDue()) await turn()
      filled = 0
    }
  }
  if (filled > 0) yield slice.subarray(0, filled)
}
