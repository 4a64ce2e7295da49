import { ownCopy } from '../base/check.js'
import { transferredError } from '../base/data-errors.js'
import { allocateUnset, type PlainUint8Array } from '../base/precision.js'
import { isAttached, type NativeRows } from '../native/binding.js'
import { binding } from '../native/load.js'
import { turn } from './slices.js'
import { sparseBytes } from './sparse-rows.js'
import { viewLike } from './storage.js'

/** Rows of at most this many bytes are copied before a fit; larger ones are read in place. 256 MiB. */
export const SNAPSHOT_BYTES = 256 * 2 ** 20

/** Bytes copied between two turns of the event loop: some tenths of a millisecond. */
const SLICE_BYTES = 2 ** 20

const CACHE_LINE = 64
const HUGE_PAGE = 2 ** 21

/**
 * A copy of the rows, so that changes of the caller's array during a long fit have no effect: neither a write nor a transfer, after which
 * the memory may be freed while other threads read it. Node-API cannot hold memory that was transferred.
 *
 * @param between - called between slices; what it throws ends the copying
 * @throws {@link LayerwiseError} `ERR_STATE` if the buffer is transferred during the copying, `ERR_MEMORY` if there is no room for the copy
 */
export async function snapshot(
  argument: string,
  rows: NativeRows,
  between: () => void,
  limit: number = SNAPSHOT_BYTES,
): Promise<NativeRows> {
  const { data } = rows
  if (!isAttached(rows)) throw transferredError(argument)
  if (rows.files !== undefined) return rows
  if (rows.sparse !== undefined) return snapshotSparse(argument, rows, between, limit)
  if (data.byteLength > limit) return rows
  return ownCopy({ ...rows, data: await copied(argument, data, between) })
}

async function snapshotSparse(
  argument: string,
  rows: NativeRows,
  between: () => void,
  limit: number,
): Promise<NativeRows> {
  if (sparseBytes(rows) > limit) return rows
  const { data, sparse } = rows
  const { indptr, indices, stored } = sparse!
  const values = await copied(argument, data, between)
  const copies = {
    indptr: await copied(argument, indptr, between),
    indices: await copied(argument, indices, between),
    stored,
  }
  return ownCopy({ ...rows, data: values, sparse: ownCopy(copies) })
}

/** A copy of an array, made a slice at a time. */
async function copied<D extends NativeRows['data']>(
  argument: string,
  array: D,
  between: () => void,
): Promise<D> {
  const bytes = memoryForRows(array.byteLength, argument)
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    if (at > 0) await turn()
    between()
    if (array.byteLength !== bytes.length) throw transferredError(argument)
    const length = Math.min(SLICE_BYTES, bytes.length - at)
    bytes.set(new Uint8Array(array.buffer, array.byteOffset + at, length), at)
  }
  return viewLike(array, bytes.buffer, bytes.byteOffset)
}

/**
 * Memory for rows that are read in any order. It is aligned to a cache line: a row of 256 bytes then takes four lines, not five as with the
 * allocator's alignment. From half a MiB on it begins and ends at a huge page, if the system has them, like the core's buffers
 * (native/core/base/buffer.h): finding the page of a row can take as long as reading it.
 */
function memoryForRows(length: number, argument: string): PlainUint8Array {
  const unit = length < HUGE_PAGE / 4 ? CACHE_LINE : HUGE_PAGE
  const bytes = allocateUnset('uint8', Math.ceil(length / unit) * unit + unit - 1, argument)
  const begin = binding().prepareRows(bytes, unit)
  return bytes.subarray(begin, begin + length)
}
