import { shapeError } from '../base/check.js'
import { allocateUnset, type PlainFloat64Array } from '../base/precision.js'
import { type Dataset, datasetRows } from './dataset.js'
import { halfNumbers } from './halves.js'
import { type Between, rowSlices } from './slices.js'
import { storedBatches } from './stored-batches.js'

/**
 * The numbers of a Dataset of one column, read into memory a slice at a time.
 *
 * @param between - called between slices; what it throws ends the reading
 * @throws {@link LayerwiseError} `ERR_SHAPE` for several columns, `ERR_STATE` for a closed dataset, `ERR_FILE` if its files fail
 */
export async function columnOf(
  argument: string,
  dataset: Dataset,
  between: Between,
): Promise<PlainFloat64Array> {
  const { rows, cols, type, scale } = dataset
  if (cols !== 1) throw shapeError(argument, 'a dataset of one column', `${cols} columns`)
  const numbers = allocateUnset('float64', rows, argument)
  const stored = datasetRows(argument, dataset, { width: 1, scaling: undefined })
  for await (const { from, rows: count, data } of storedBatches(argument, stored)) {
    const halves = halfNumbers(data, type)
    for await (const [begin, end] of rowSlices(count, 1)) {
      between()
      for (let i = begin; i < end; i++) numbers[from + i] = (halves?.[data[i]!] ?? data[i]!) * scale
    }
  }
  return numbers
}
