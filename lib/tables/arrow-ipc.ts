import type { FileHandle } from 'node:fs/promises'
import { checkFooter, checkMessage, MetadataError } from './arrow-metadata.js'

const MAGIC = Buffer.from('ARROW1')
/** Magic and padding at the start; the length of the footer and magic at the end. */
const [START, END] = [8, 10]
const CONTINUATION = 0xffffffff
/** Bytes of the longest metadata of one message. */
const LONGEST = 256 * 1024 * 1024

/** Whether bytes begin a file, not a stream. */
export function isIpcFile(start: Uint8Array): boolean {
  return MAGIC.equals(start.subarray(0, MAGIC.length))
}

/** Reads `length` bytes at a place; fewer, where there are no more. */
export type ReadAt = (position: number, length: number) => Promise<Uint8Array>

export function readerOf(handle: FileHandle): ReadAt {
  return async (position, length) => {
    const bytes = Buffer.alloc(length)
    let read = 0
    while (read < length) {
      const { bytesRead } = await handle.read(bytes, read, length - read, position + read)
      if (bytesRead === 0) break
      read += bytesRead
    }
    return bytes.subarray(0, read)
  }
}

/** Checks the footer of a file and the message of each of its blocks. @throws {@link MetadataError} for a damaged one */
export async function checkIpcFile(readAt: ReadAt, size: number): Promise<void> {
  const end = Buffer.from(await readAt(Math.max(0, size - END), END))
  if (size < START + END || !MAGIC.equals(end.subarray(4))) throw new MetadataError('it is cut')
  const length = end.readInt32LE(0)
  if (length <= 0 || length > Math.min(LONGEST, size - START - END))
    throw new MetadataError('its footer is damaged')
  for (const { offset, metadataLength, bodyLength, isDictionary } of checkFooter(
    await readAt(size - END - length, length),
  )) {
    const isWithin = offset >= START && metadataLength > 0 && bodyLength >= 0
    if (!isWithin || metadataLength > LONGEST || offset + metadataLength + bodyLength > size)
      throw new MetadataError('a batch lies outside of the file')
    const message = messageOf(Buffer.from(await readAt(offset, metadataLength)))
    if (checkMessage(message, isDictionary) > size - offset)
      throw new MetadataError('a batch lies outside of the file')
  }
}

/** The metadata of a message behind its length, which older versions write without a mark. */
function messageOf(bytes: Buffer): Uint8Array {
  if (bytes.length < 8) throw new MetadataError('a message is cut')
  const start = bytes.readUInt32LE(0) === CONTINUATION ? 8 : 4
  const length = bytes.readInt32LE(start - 4)
  if (length <= 0 || start + length > bytes.length) throw new MetadataError('a message is cut')
  return bytes.subarray(start, start + length)
}

/** The bytes of a stream, message by message, each checked before it is passed on; a file is passed on as a whole. */
export async function* checkedIpc(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const bytes = new Pieces(pieces)
  try {
    const start = await bytes.peek(START)
    if (isIpcFile(start)) {
      const whole = await bytes.rest()
      await checkIpcFile(
        async (position, length) => whole.subarray(position, position + length),
        whole.length,
      )
      yield whole
      return
    }
    for (;;) {
      const head = await bytes.peek(8)
      if (head.length < 4) break
      const isMarked = head.readUInt32LE(0) === CONTINUATION
      if (isMarked && head.length < 8) throw new MetadataError('it is cut')
      const length = head.readInt32LE(isMarked ? 4 : 0)
      const prefix = isMarked ? 8 : 4
      if (length === 0) break
      if (length < 0 || length > LONGEST) throw new MetadataError('it is no Arrow IPC file or stream')
      const message = await bytes.peek(prefix + length)
      if (message.length < prefix + length) throw new MetadataError('it is cut')
      let left = prefix + length + checkMessage(message.subarray(prefix))
      while (left > 0) {
        const piece = await bytes.take(left)
        if (piece.length === 0) throw new MetadataError('it is cut')
        left -= piece.length
        yield piece
      }
    }
    yield await bytes.peek(8)
  } catch (error) {
    // It is not hidden by one of closing.
    await bytes.close().catch(() => {})
    throw error
  } finally {
    await bytes.close()
  }
}

/** Bytes that arrive in pieces, to be looked at before they are taken. */
class Pieces {
  readonly #iterator: AsyncIterator<Uint8Array>
  #bytes: Buffer = Buffer.alloc(0)

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#iterator = pieces[Symbol.asyncIterator]()
  }

  /** The next `length` bytes; fewer at the end. */
  async peek(length: number): Promise<Buffer> {
    const parts = [this.#bytes]
    for (let known = this.#bytes.length; known < length; ) {
      const { done, value } = await this.#iterator.next()
      if (done === true) break
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
      known += value.length
    }
    if (parts.length > 1) this.#bytes = Buffer.concat(parts)
    return this.#bytes.subarray(0, length)
  }

  /** Up to `most` bytes, at least one unless there are no more. */
  async take(most: number): Promise<Buffer> {
    if (this.#bytes.length === 0) await this.peek(1)
    const taken = this.#bytes.subarray(0, most)
    this.#bytes = this.#bytes.subarray(taken.length)
    return taken
  }

  async rest(): Promise<Buffer> {
    return this.peek(Infinity)
  }

  async close(): Promise<void> {
    await this.#iterator.return?.()
  }
}
