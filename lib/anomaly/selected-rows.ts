import { transferredError } from '../base/data-errors.js'
import type { PlainUint32Array } from '../base/precision.js'
import { STORAGE_TYPES } from '../base/storage-type.js'
import type { Dataset } from '../data/dataset.js'
import { isHalf } from '../data/halves.js'
import { Matrix } from '../data/matrix.js'
import { rowSlices } from '../data/slices.js'
import { allocateLike, viewOf } from '../data/storage.js'

/** To find a row takes as long as to copy so many numbers. */
const NUMBERS_PER_ROW = 16

/** Rows of files that are copied between two turns of the event loop, and their bytes: some milliseconds. */
const [COPIED_ROWS, COPIED_BYTES] = [2 ** 14, 2 ** 23]

/**
 * Copies of the rows with these numbers, as `select` of a Matrix makes them, a slice at a time.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room; `ERR_STATE` if the buffer of `x` is transferred during the call
 */
export async function selectedRows(x: Matrix, numbers: PlainUint32Array): Promise<Matrix> {
  const { cols, scale, type } = x
  const { length } = x.data
  const data = allocateLike(x.data, numbers.length * cols, 'rows')
  for await (const [from, to] of rowSlices(numbers.length, cols + NUMBERS_PER_ROW)) {
    if (x.data.length !== length) throw transferredError('x')
    for (let k = from; k < to; k++) {
      const i = numbers[k]!
      data.set(viewOf(x.data, i * cols, (i + 1) * cols), k * cols)
    }
  }
  return Matrix.from(data, numbers.length, cols, { scale, type })
}

/** The rows of a dataset with these numbers, which rise, batch by batch. */
export async function* selectedBatches(x: Dataset, numbers: PlainUint32Array): AsyncGenerator<Matrix, void> {
  const rowBytes = bytesInMemory(x) / x.rows
  const step = Math.max(1, Math.min(COPIED_ROWS, Math.floor(COPIED_BYTES / rowBytes)))
  let k = 0
  for await (const { from, rows } of x.batches(step)) {
    const first = k
    while (k < numbers.length && numbers[k]! < from + rows.rows) k++
    if (k > first) yield rows.select(numbers.subarray(first, k).map((number) => number - from))
  }
}

/** What `read` of all rows takes: halves become float32. */
export function bytesInMemory({ rows, cols, type }: Dataset): number {
  return rows * cols * (isHalf(type) ? 4 : STORAGE_TYPES[type].bytes)
}
