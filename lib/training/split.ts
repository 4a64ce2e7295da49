import { shapeError } from '../check.js'
import type { NativeRows } from '../native/binding.js'
import { binding } from '../native/load.js'

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
  const order = binding().permutation(m, seed, SPLIT_STREAM, 0)
  return {
    validation: { ...rows, order: order.slice(0, held).sort() },
    training: { ...rows, order: order.slice(held).sort() },
  }
}
