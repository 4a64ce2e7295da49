import { types } from 'node:util'
import { argumentError } from '../base/check.js'
import { transferredError } from '../base/data-errors.js'
import { allocateUnset, type PlainUint8Array } from '../base/precision.js'
import type { ByteSource } from './read-file.js'
import { turn } from './slices.js'
import { plainArray } from './storage.js'

/** Bytes of one view. */
const VIEW_BYTES = 2 ** 30

/** The bytes of an array, in place, as several views: a single one might be too long for a Uint8Array. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array[] {
  const count = Math.ceil(byteLength / VIEW_BYTES)
  return Array.from({ length: count }, (_, k) => {
    const at = k * VIEW_BYTES
    return new Uint8Array(buffer, byteOffset + at, Math.min(VIEW_BYTES, byteLength - at))
  })
}

/** Bytes copied between two turns of the event loop: some tenths of a millisecond. */
const SLICE_BYTES = 2 ** 20

/**
 * Bytes of the caller as a source, copied a slice at a time, so that the event loop stays free.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but a Uint8Array over an ordinary buffer; reading rejects with `ERR_STATE`
 *   if that is transferred during the call
 */
export function bytesSource(argument: string, given: unknown): ByteSource {
  if (!types.isUint8Array(given)) throw argumentError(argument, 'a Uint8Array', given)
  const bytes = plainArray(argument, given)
  const size = bytes.length
  return {
    name: argument,
    size,
    read: async (target, offset, length, position) => {
      await turn()
      if (bytes.length !== size) throw transferredError(argument)
      const slice = bytes.subarray(position, position + Math.min(length, SLICE_BYTES))
      target.set(slice, offset)
      return slice.length
    },
  }
}

/**
 * One array of all parts, copied a slice at a time, so that the event loop stays free.
 *
 * @throws {@link LayerwiseError} `ERR_STATE` if the memory of a part is transferred during the call, `ERR_MEMORY` if there is no room
 */
export async function joinBytes(argument: string, parts: readonly Uint8Array[]): Promise<PlainUint8Array> {
  const lengths = parts.map(({ length }) => length)
  const whole = lengths.reduce((sum, length) => sum + length, 0)
  const joined = allocateUnset('uint8', whole, argument)
  let end = 0
  for (const [k, length] of lengths.entries()) {
    for (let at = 0; at < length; at += SLICE_BYTES) {
      if (at > 0) await turn()
      if (parts[k]!.length !== length) throw transferredError(argument)
      const slice = parts[k]!.subarray(at, at + SLICE_BYTES)
      joined.set(slice, end)
      end += slice.length
    }
  }
  return joined
}
