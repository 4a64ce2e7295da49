import { ownCopy } from '../base/check.js'
import { rangesAt } from '../data/split-blocks.js'
import { usedRows } from '../data/used-rows.js'
import type { NativeRows } from '../native/binding.js'

/** The most rows, and about the most numbers, that are looked at. */
const [MOST_ROWS, MOST_NUMBERS] = [2048, 2 ** 21]

/** Rows of files are read in so many blocks of neighbours. */
const BLOCKS = 64

/** All of some rows, or some that are spread over them. */
export function sampledRows(rows: NativeRows): NativeRows {
  const used = usedRows(rows)
  const count = Math.min(used, MOST_ROWS, Math.max(BLOCKS, Math.floor(MOST_NUMBERS / rows.cols)))
  if (count === used) return rows
  const { files, order } = rows
  const place = (k: number, of: number) => Math.floor((k * used) / of)
  if (files === undefined) {
    const chosen = Uint32Array.from({ length: count }, (_, k) => order?.[place(k, count)] ?? place(k, count))
    return ownCopy({ ...rows, order: chosen })
  }
  const size = Math.floor(count / BLOCKS)
  const places = new Float64Array(2 * BLOCKS)
  for (let k = 0; k < BLOCKS; k++) places.set([place(k, BLOCKS), place(k, BLOCKS) + size], 2 * k)
  const ranges = files.ranges === undefined ? places : rangesAt('x', places, files.ranges)
  return ownCopy({ ...rows, files: ownCopy({ ...files, ranges }) })
}
