import { shapeError } from '../check.js'
import { splitRows } from '../data/split-rows.js'
import type { NativeRows } from '../native/binding.js'

/** Holds a fraction of the rows out of training, as {@link splitRows} parts them. */
export function holdOut(
  argument: string,
  rows: NativeRows,
  fraction: number,
  seed: number,
): { training: NativeRows; validation: NativeRows } {
  const m = rows.rows
  if (m < 2) throw shapeError(argument, 'at least 2 rows, to hold some out for validation', `${m}`)
  const [validation, training] = splitRows(argument, m, fraction, seed)
  return { validation: { ...rows, order: validation }, training: { ...rows, order: training } }
}
