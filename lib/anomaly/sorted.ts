import { allocateUnset, type PlainFloat64Array } from '../base/precision.js'
import { turn } from '../data/slices.js'

/** Numbers that are sorted, and eight times as many that are merged, between two turns of the event loop: about a millisecond. */
const SLICE = 2 ** 13

/**
 * Sorts numbers other than NaN, rising, a slice at a time. The array is overwritten; it is returned, or another of the same length.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room
 */
export async function sorted(values: PlainFloat64Array): Promise<PlainFloat64Array> {
  const { length } = values
  for (let from = 0; from < length; from += SLICE) {
    if (from > 0) await turn()
    values.subarray(from, from + SLICE).sort()
  }
  if (length <= SLICE) return values
  let [now, next] = [values, allocateUnset('float64', length, 'sorted numbers')]
  for (let run = SLICE; run < length; run *= 2) {
    for (let from = 0; from < length; from += 2 * run) {
      await merge(now, next, from, Math.min(length, from + run), Math.min(length, from + 2 * run))
    }
    ;[now, next] = [next, now]
  }
  return now
}

/** Two sorted ranges, [from, middle) and [middle, to), into one. */
async function merge(
  now: Float64Array,
  next: Float64Array,
  from: number,
  middle: number,
  to: number,
): Promise<void> {
  let [i, j] = [from, middle]
  for (let k = from; k < to; k++) {
    next[k] = i < middle && (j === to || now[i]! <= now[j]!) ? now[i++]! : now[j++]!
    if (k % (8 * SLICE) === 0) await turn()
  }
}
