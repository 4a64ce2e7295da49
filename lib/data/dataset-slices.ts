import { inFile } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import { fileOfRow } from '../native/binding.js'
import { type Dataset, datasetRows } from './dataset.js'
import { Matrix } from './matrix.js'
import { type Slice, valueSlices } from './slices.js'
import { storedBatches } from './stored-batches.js'

/**
 * The values of rows in memory or in files, slice by slice; the same numbers, in the same order for each column.
 *
 * @throws {@link LayerwiseError} as {@link valueSlices}; `ERR_FILE` if a file is gone, was changed, or cannot be read
 */
export async function* anySlices(argument: string, x: Matrix | Dataset): AsyncGenerator<Slice, void> {
  if (x instanceof Matrix) {
    yield* valueSlices(argument, x)
    return
  }
  const { cols, scale, type } = x
  const stored = datasetRows(argument, x, { width: cols, scaling: undefined })
  for await (const { from, rows, data } of storedBatches(argument, stored)) {
    try {
      yield* valueSlices(argument, Matrix.from(data, rows, cols, { scale, type }), from)
    } catch (error) {
      const { row } = error instanceof LayerwiseError ? error.details : {}
      const file = typeof row === 'number' ? fileOfRow(stored, row) : undefined
      throw file === undefined ? error : inFile(error as LayerwiseError, file)
    }
  }
}
