import { allocate, type StoredArray } from '../base/precision.js'
import { STORAGE_TYPES, type StorageType } from '../base/storage-type.js'
import type { NativeRows } from '../native/binding.js'
import { readSegments, segmentsBetween } from './file-rows.js'

/** Bytes of a batch, unless a row has more. */
const BATCH_BYTES = 2 ** 22

/** Consecutive rows of files, as they are stored. */
export interface StoredBatch {
  /** The number of the first row. */
  readonly from: number
  readonly rows: number
  /** Row-major, before scale and scaling. */
  readonly data: StoredArray
}

/**
 * The rows of files that are in use, in their order: the next batch is read while the caller works on the one before.
 *
 * @throws {@link LayerwiseError} `ERR_FILE` if a file is gone, was changed, or cannot be read; `ERR_MEMORY` if there is no room for two batches
 */
export async function* storedBatches(
  argument: string,
  { files, rows, cols, type }: NativeRows,
): AsyncGenerator<StoredBatch, void> {
  const { segments, ranges = Float64Array.of(0, rows) } = files!
  const rowBytes = cols * STORAGE_TYPES[type].bytes
  const read = async (from: number, to: number): Promise<StoredBatch> => {
    const data = allocate<StorageType>(type, (to - from) * cols, argument)
    await readSegments(segmentsBetween(segments, from, to, rowBytes), rowBytes, data)
    return { from, rows: to - from, data }
  }
  let next: Promise<StoredBatch> | undefined
  try {
    for (const [from, to] of cuts(ranges, Math.max(1, Math.floor(BATCH_BYTES / rowBytes)))) {
      const batch = next
      next = read(from, to)
      // What it fails with is told when its turn comes.
      next.catch(() => {})
      if (batch !== undefined) yield await batch
    }
    if (next !== undefined) yield await next
  } finally {
    await next?.catch(() => {})
  }
}

/** Pairs [begin, end) cut into pieces of at most `most`. */
function* cuts(ranges: Float64Array, most: number): Generator<readonly [number, number]> {
  for (let k = 0; k < ranges.length; k += 2) {
    for (let from = ranges[k]!; from < ranges[k + 1]!; from += most) {
      yield [from, Math.min(ranges[k + 1]!, from + most)]
    }
  }
}
