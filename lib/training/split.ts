import { ownCopy, shapeError } from '../base/check.js'
import type { Between } from '../data/slices.js'
import { splitRowsInSlices } from '../data/split-rows.js'
import type { NativeRows } from '../native/binding.js'

/** Holds a fraction of the rows out of training, as {@link splitRowsInSlices} parts them. */
export async function holdOut(
  argument: string,
  rows: NativeRows,
  fraction: number,
  seed: number,
  between: Between,
): Promise<{ training: NativeRows; validation: NativeRows }> {
  const m = rows.rows
  if (m < 2) throw shapeError(argument, 'at least 2 rows, to hold some out for validation', m)
  const [validation, training] = await splitRowsInSlices(argument, m, fraction, seed, between)
  return {
    validation: ownCopy({ ...rows, order: validation }),
    training: ownCopy({ ...rows, order: training }),
  }
}
