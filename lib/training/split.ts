import { ownCopy, shapeError } from '../base/check.js'
import { checkPartWeights } from '../data/row-weights.js'
import type { Between } from '../data/slices.js'
import { splitRowsInSlices } from '../data/split-rows.js'
import type { NativeRows } from '../native/binding.js'

/**
 * Holds a fraction of the rows out of training, as {@link splitRowsInSlices} parts them.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE` for a single row; `ERR_RANGE` for row weights that are all 0 in one part
 */
export async function holdOut(
  argument: string,
  rows: NativeRows,
  fraction: number,
  seed: number,
  between: Between,
): Promise<{ training: NativeRows; validation: NativeRows }> {
  const m = rows.rows
  if (m < 2) throw shapeError(argument, 'at least 2 rows, to hold some out for validation', m)
  const [heldOut, others] = await splitRowsInSlices(argument, m, fraction, seed, between)
  const validation = ownCopy({ ...rows, order: heldOut })
  const training = ownCopy({ ...rows, order: others })
  await checkPartWeights('rowWeights', training, 'left for training', between)
  await checkPartWeights('rowWeights', validation, 'held out', between)
  return { validation, training }
}
