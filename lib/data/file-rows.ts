import { type FileHandle, open } from 'node:fs/promises'
import { LayerwiseError, messageOf } from '../base/errors.js'
import type { StoredArray } from '../base/precision.js'
import { binding } from '../native/load.js'
import { formatError } from './read-file.js'

/** The checksum of a part of a file. */
export interface Checksum {
  /** CRC32C, a whole number. */
  readonly crc32c: number
  /** The first byte. */
  readonly begin: number
  /** How many bytes. */
  readonly bytes: number
}

/** Rows of one file, in their order. */
export interface Segment {
  /** The file, as an absolute path. */
  readonly path: string
  /** Where its first row begins, in bytes. */
  readonly offset: number
  /** How many rows. */
  readonly rows: number
  /** Which file it is, as it was opened: device, inode, size and time of the last change, `dev:ino:size:mtimeNs`. */
  readonly identity: string
  /** Of a shard of our folders: the checksum of its numbers. Default: none is known. */
  readonly checksum?: Checksum | undefined
}

/** Bytes requested at once: they are read off the JavaScript thread. */
const CHUNK = 2 ** 23

/** The segments of the rows `from` to `to` (not included) of some segments. */
export function segmentsBetween(
  segments: readonly Segment[],
  from: number,
  to: number,
  rowBytes: number,
): Segment[] {
  const found: Segment[] = []
  let first = 0
  for (const segment of segments) {
    const [begin, end] = [Math.max(from, first), Math.min(to, first + segment.rows)]
    if (begin < end) {
      const offset = segment.offset + (begin - first) * rowBytes
      found.push(Object.freeze({ ...segment, offset, rows: end - begin }))
    }
    first += segment.rows
  }
  return found
}

/** What distinguishes a file from another at its path, and from itself after a change. */
export function identityOf(found: {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
}): string {
  return `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`
}

/**
 * @internal Opens the file of a segment, passes it to `use`, and always closes it. The file must be the one that was opened first, before and after.
 *
 * @throws {@link LayerwiseError} `ERR_FILE` if it is gone, is another, was changed, or cannot be read
 */
export async function withSegment<T>(
  { path, identity }: Segment,
  use: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  try {
    const handle = await open(path, 'r')
    try {
      await checkIdentity(handle, path, identity)
      const result = await use(handle)
      await checkIdentity(handle, path, identity)
      return result
    } finally {
      await handle.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException)?.syscall === undefined) throw error
    const problem = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is gone' : 'it cannot be read'
    throw brokenFileError(path, `${problem} (${messageOf(error)})`, error)
  }
}

async function checkIdentity(handle: FileHandle, path: string, identity: string): Promise<void> {
  const found = identityOf(await handle.stat({ bigint: true }))
  if (!isSame(identity, found))
    throw brokenFileError(path, `it is not as it was when it was opened${how(identity, found)}`)
}

/** Whether a file that was found is the one that was opened first. Some hosts, as Deno, know times in milliseconds only: then no more of them is compared. */
function isSame(identity: string, found: string): boolean {
  return identity === (identity.endsWith('000000') ? found.replace(/\d{6}$/, '000000') : found)
}

/** What changed, in words. */
function how(before: string, after: string): string {
  const [old, now] = [before.split(':'), after.split(':')]
  if (old[0] !== now[0] || old[1] !== now[1]) return ': another file is at its place'
  if (old[2] !== now[2]) return `: it had ${old[2]} bytes, and has ${now[2]}`
  return ': it was written to'
}

/**
 * The bytes of segments, one after another.
 *
 * @param target - as many bytes as they have
 * @throws {@link LayerwiseError} as {@link withSegment}
 */
export async function readSegments(
  segments: readonly Segment[],
  rowBytes: number,
  target: StoredArray,
): Promise<void> {
  let done = 0
  for (const segment of segments) {
    const bytes = segment.rows * rowBytes
    await withSegment(segment, (handle) => fill(handle, segment, target, done, bytes))
    done += bytes
  }
}

/**
 * Some bytes of a segment.
 *
 * @param from - counted from its first row
 * @throws {@link LayerwiseError} as {@link withSegment}
 */
export async function readPart(segment: Segment, from: number, target: StoredArray): Promise<void> {
  const at = { ...segment, offset: segment.offset + from }
  await withSegment(segment, (handle) => fill(handle, at, target, 0, target.byteLength))
}

async function fill(
  handle: FileHandle,
  { path, offset }: Segment,
  { buffer, byteOffset }: StoredArray,
  from: number,
  bytes: number,
): Promise<void> {
  for (let done = 0; done < bytes; ) {
    // A view of the current part: a view of all bytes might be too long for a Uint8Array.
    const part = new Uint8Array(buffer, byteOffset + from + done, Math.min(CHUNK, bytes - done))
    done += await readSome(handle, path, part, offset + done)
  }
}

/**
 * Reads all bytes of the files of segments, and compares those that have a checksum with it.
 *
 * @throws {@link LayerwiseError} as {@link withSegment}; `ERR_FORMAT` for a file that has other numbers than were written
 */
export async function verifySegments(
  segments: readonly Segment[],
  rowBytes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const seen = new Set<string>()
  const bytes = new Uint8Array(CHUNK)
  for (const segment of segments) {
    const { path, offset, rows, checksum } = segment
    const [begin, length] = checksum ? [checksum.begin, checksum.bytes] : [offset, rows * rowBytes]
    const key = `${begin} ${length} ${path}`
    if (seen.has(key)) continue
    seen.add(key)
    let sum = 0
    await withSegment(segment, async (handle) => {
      for (let done = 0; done < length; ) {
        signal?.throwIfAborted()
        const part = bytes.subarray(0, Math.min(CHUNK, length - done))
        const read = await readSome(handle, path, part, begin + done)
        if (checksum) sum = await binding().checksum(part.subarray(0, read), sum)
        done += read
      }
    })
    if (checksum && sum !== checksum.crc32c) {
      const shown = [sum, checksum.crc32c].map((number) => number.toString(16).padStart(8, '0'))
      throw formatError(
        path,
        `its numbers are not those that were written: their CRC32C is ${shown.join(', not ')}`,
      )
    }
  }
}

/** Reads up to as many bytes as `part` has, at least one. */
async function readSome(
  handle: FileHandle,
  path: string,
  part: Uint8Array,
  position: number,
): Promise<number> {
  const { bytesRead } = await handle.read(part, 0, part.length, position)
  if (bytesRead === 0) throw brokenFileError(path, `it ends after ${position} bytes`)
  return bytesRead
}

/** The error for a file that was as it should be when it was opened, and now fails. */
export function brokenFileError(file: string, problem: string, cause?: unknown): LayerwiseError {
  return new LayerwiseError('ERR_FILE', `'${file}': ${problem}`, { argument: 'path', file }, cause)
}
