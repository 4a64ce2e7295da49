import { allocate, type PlainUint32Array } from '../base/precision.js'
import { type Between, rowSlices } from './slices.js'
import { splitRowsInSlices } from './split-rows.js'
import { lengthOf, rangeNumbers } from './used-rows.js'

/** Where there are enough rows, so many blocks or a few more; and the most rows that a block has. */
const [BLOCKS, MOST_ROWS] = [1024, 256]

/** Pairs [begin, end) of places of one part of the rows and of the others, each rising. */
export type SplitRanges = [part: Float64Array, rest: Float64Array]

/**
 * Places of at least 2 rows in two parts: a fraction of the blocks of neighbours that the rows are cut into, and the others; at least one block
 * each. The same seed and number of rows give the same parts.
 *
 * @param between - called between slices; what it throws ends the work
 * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room
 */
export async function splitBlocks(
  argument: string,
  rows: number,
  fraction: number,
  seed: number,
  between: Between,
): Promise<SplitRanges> {
  const length = Math.min(MOST_ROWS, Math.max(1, Math.floor(rows / BLOCKS)))
  const [part, rest] = await splitRowsInSlices(argument, Math.ceil(rows / length), fraction, seed, between)
  const ranges = (blocks: PlainUint32Array) => blockRanges(argument, blocks, length, rows, between)
  return [await ranges(part), await ranges(rest)]
}

/**
 * The numbers in pairs [begin, end).
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room
 */
export async function numbersOf(
  argument: string,
  ranges: Float64Array,
  between: Between,
): Promise<PlainUint32Array> {
  const numbers = allocate('uint32', lengthOf(ranges), argument)
  let written = 0
  for await (const slice of rangeNumbers(ranges)) {
    between()
    numbers.set(slice, written)
    written += slice.length
  }
  return numbers
}

/**
 * The rows at these places of the rows in `ranges`, as ranges again. Both rise.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room
 */
export function rangesAt(argument: string, places: Float64Array, ranges: Float64Array): Float64Array {
  const out = allocate('float64', places.length + ranges.length, argument)
  let [written, k, before] = [0, 0, 0]
  for (let p = 0; p < places.length; p += 2) {
    for (let place = places[p]!; place < places[p + 1]!; ) {
      const [begin, end] = [ranges[k]!, ranges[k + 1]!]
      const last = before + end - begin
      if (place >= last) {
        before = last
        k += 2
        continue
      }
      const to = Math.min(places[p + 1]!, last)
      out[written++] = begin + place - before
      out[written++] = begin + to - before
      place = to
    }
  }
  return out.slice(0, written)
}

/** The rows of rising blocks; those of neighbours as one range. */
async function blockRanges(
  argument: string,
  blocks: PlainUint32Array,
  length: number,
  rows: number,
  between: Between,
): Promise<Float64Array> {
  let count = 0
  for await (const [from, to] of rowSlices(blocks.length, 1)) {
    between()
    for (let k = from; k < to; k++) if (k === 0 || blocks[k] !== blocks[k - 1]! + 1) count++
  }
  const ranges = allocate('float64', 2 * count, argument)
  let written = 0
  for await (const [from, to] of rowSlices(blocks.length, 1)) {
    between()
    for (let k = from; k < to; k++) {
      if (k === 0 || blocks[k] !== blocks[k - 1]! + 1) {
        ranges[written] = blocks[k]! * length
        written += 2
      }
      ranges[written - 1] = Math.min(rows, (blocks[k]! + 1) * length)
    }
  }
  return ranges
}
