import { shapeError } from '../check.js'
import type { NativeRows } from '../native/binding.js'
import { binding } from '../native/load.js'
import { allocate } from '../precision.js'

/** Random numbers for splits: `Stream::split` of the native core. */
const SPLIT_STREAM = 2

/**
 * Holds a fraction of the rows out of training: at least one, at most all but one, both parts in their own order.
 * The same seed and number of rows give the same split.
 */
export function holdOut(
  argument: string,
  rows: NativeRows,
  fraction: number,
  seed: number,
): { training: NativeRows; validation: NativeRows } {
  const m = rows.rows
  if (m < 2) throw shapeError(argument, 'at least 2 rows, to hold some out for validation', `${m}`)
  const held = Math.min(m - 1, Math.max(1, Math.round(m * fraction)))
  const isHeld = allocate('uint8', m, argument)
  for (const row of binding().permutation(m, seed, SPLIT_STREAM, 0).subarray(0, held)) isHeld[row] = 1
  const validation = allocate('uint32', held, argument)
  const training = allocate('uint32', m - held, argument)
  let [v, t] = [0, 0]
  for (let row = 0; row < m; row++) {
    if (isHeld[row] === 1) validation[v++] = row
    else training[t++] = row
  }
  return { validation: { ...rows, order: validation }, training: { ...rows, order: training } }
}
