import { binding } from '../native/load.js'
import { allocate, type PlainUint32Array } from '../precision.js'

/** Random numbers for splits: `Stream::split` of the native core. */
const SPLIT_STREAM = 2

/**
 * The numbers of at least 2 rows in two parts, a fraction of them and the others: at least one each, both rising. The same seed and number
 * of rows give the same parts.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room
 */
export function splitRows(
  argument: string,
  rows: number,
  fraction: number,
  seed: number,
): [part: PlainUint32Array, rest: PlainUint32Array] {
  const count = Math.min(rows - 1, Math.max(1, Math.round(rows * fraction)))
  const isInPart = allocate('uint8', rows, argument)
  for (const row of binding().permutation(rows, seed, SPLIT_STREAM, 0).subarray(0, count)) isInPart[row] = 1
  const part = allocate('uint32', count, argument)
  const rest = allocate('uint32', rows - count, argument)
  let [p, r] = [0, 0]
  for (let row = 0; row < rows; row++) {
    if (isInPart[row] === 1) part[p++] = row
    else rest[r++] = row
  }
  return [part, rest]
}
