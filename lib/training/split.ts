import { ownCopy, shapeError } from '../base/check.js'
import { checkPartWeights } from '../data/row-weights.js'
import type { Between } from '../data/slices.js'
import { numbersOf, rangesAt, splitBlocks } from '../data/split-blocks.js'
import { splitRowsInSlices } from '../data/split-rows.js'
import { usedRows } from '../data/used-rows.js'
import type { NativeRows } from '../native/binding.js'
import type { FitSettings } from './options.js'
import { holdsOutBlocks } from './shuffle.js'

/** Two parts of the rows of a fit. */
interface Parts {
  readonly training: NativeRows
  readonly validation: NativeRows
}

/**
 * Holds a fraction of the rows out of training, as {@link splitRowsInSlices} or, by blocks of neighbours, {@link splitBlocks} parts them.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE` for a single row; `ERR_RANGE` for row weights that are all 0 in one part
 */
export async function holdOut(
  argument: string,
  rows: NativeRows,
  fraction: number,
  seed: number,
  settings: FitSettings,
  between: Between,
): Promise<Parts> {
  const count = usedRows(rows)
  if (count < 2) throw shapeError(argument, 'at least 2 rows, to hold some out for validation', count)
  const parts = holdsOutBlocks(settings, rows)
    ? await holdOutBlocks(argument, rows, fraction, seed, between)
    : await holdOutRows(argument, rows, fraction, seed, between)
  await checkPartWeights('rowWeights', parts.training, 'left for training', between)
  await checkPartWeights('rowWeights', parts.validation, 'held out', between)
  return parts
}

async function holdOutRows(
  argument: string,
  rows: NativeRows,
  fraction: number,
  seed: number,
  between: Between,
): Promise<Parts> {
  const [heldOut, others] = await splitRowsInSlices(argument, rows.rows, fraction, seed, between)
  return { validation: ownCopy({ ...rows, order: heldOut }), training: ownCopy({ ...rows, order: others }) }
}

async function holdOutBlocks(
  argument: string,
  rows: NativeRows,
  fraction: number,
  seed: number,
  between: Between,
): Promise<Parts> {
  const [heldOut, others] = await splitBlocks(argument, usedRows(rows), fraction, seed, between)
  const part = async (places: Float64Array): Promise<NativeRows> => {
    const { files } = rows
    if (files === undefined) return ownCopy({ ...rows, order: await numbersOf(argument, places, between) })
    const ranges = files.ranges === undefined ? places : rangesAt(argument, places, files.ranges)
    return ownCopy({ ...rows, files: ownCopy({ ...files, ranges }) })
  }
  return { validation: await part(heldOut), training: await part(others) }
}
