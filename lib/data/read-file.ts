import { type FileHandle, open, stat } from 'node:fs/promises'
import { isAbsolute, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { argumentError } from '../base/check.js'
import { LayerwiseError, messageOf } from '../base/errors.js'
import type { PlainUint8Array } from '../base/precision.js'
import { shorten } from '../base/show.js'

/** Bytes requested at once: they are read off the JavaScript thread. */
const chunkLength = 8 * 1024 * 1024

/** A source of bytes of known size: a file or memory. Wrong content is `ERR_FORMAT`; see {@link formatError}. */
export interface ByteSource {
  /** What messages call it. */
  readonly name: string
  readonly size: number
  /** Reads up to `length` bytes from `position` on into `target` at `offset`, and returns how many. */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>
}

/** A file open for reading. `size` is its size when it was opened. */
export interface OpenFile extends ByteSource {
  /** @internal The published declarations name no type of Node's. */
  readonly handle: FileHandle
}

/**
 * Opens a regular file, passes it to `use`, and always closes it.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be opened or read
 */
export async function withFile<T>(path: string | URL, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const name = checkPath('path', path)
  const place = filePath('read', path)
  try {
    // Opening a pipe would block until its other end is opened.
    if (!(await stat(place)).isFile()) throw fileError('read', name, new Error('it is not a regular file'))
    const handle = await open(place, 'r')
    try {
      const read: ByteSource['read'] = async (target, offset, length, position) =>
        (await handle.read(target, offset, length, position)).bytesRead
      return await use({ name, handle, size: (await handle.stat()).size, read })
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw error instanceof LayerwiseError ? error : fileError('read', name, error)
  }
}

/** Fills `target` from the source, beginning at `position`; `ERR_FORMAT` if the source ends first. */
export async function readExactly(
  source: ByteSource,
  target: ArrayBufferView,
  position: number,
): Promise<void> {
  const { buffer, byteOffset, byteLength } = target
  for (let done = 0; done < byteLength; ) {
    // A view of the current part: a view of all bytes might be too long for a Uint8Array.
    const wanted = new Uint8Array(buffer, byteOffset + done, Math.min(chunkLength, byteLength - done))
    const read = await source.read(wanted, 0, wanted.length, position + done)
    if (read === 0) throw formatError(source.name, `it ends after ${position + done} bytes`)
    done += read
  }
}

/** The first bytes of the source: `length` of them, or as many as there are. */
export async function readStart(source: ByteSource, length: number): Promise<PlainUint8Array> {
  const bytes = new Uint8Array(Math.min(length, source.size))
  await readExactly(source, bytes, 0)
  return bytes
}

/** The error for wrong content of a file. */
export function formatError(name: string, problem: string, cause?: unknown): LayerwiseError {
  return new LayerwiseError(
    'ERR_FORMAT',
    `'${name}': ${problem}`,
    { argument: 'path', received: name },
    cause,
  )
}

/** Of a path: a text of a whole table may be taken for one. */
const MOST_SHOWN = 300

/** The error for a failure of the file system. */
export function fileError(action: 'read' | 'write', name: string, cause: unknown): LayerwiseError {
  return new LayerwiseError(
    'ERR_ARGUMENT',
    `path: cannot ${action} '${shorten(name, MOST_SHOWN)}': ${shorten(messageOf(cause), 2 * MOST_SHOWN)}`,
    { argument: 'path', expected: `a file that this process can ${action}`, received: name },
    cause,
  )
}

/**
 * A path or file: URL as a path that is the same file for the whole call, also if the process changes its working directory meanwhile.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another kind of URL, and a path with a null character
 */
export function filePath(action: 'read' | 'write', path: string | URL): string {
  try {
    const given = typeof path === 'string' ? path : fileURLToPath(path)
    if (given.includes('\0')) throw new Error('it has a null character')
    // What `..` behind a link means only the system knows.
    return isAbsolute(given) ? given : `${resolve()}${sep}${given}`
  } catch (error) {
    throw fileError(action, String(path), error)
  }
}

/** A path as a name for messages. */
export function checkPath(argument: string, path: unknown): string {
  // Tested as in Node: a test runner's environment may have its own class URL.
  const { href, protocol } = (typeof path === 'object' ? (path ?? {}) : {}) as Partial<URL>
  if (typeof href === 'string' && typeof protocol === 'string') return href
  if (typeof path !== 'string' || path === '')
    throw argumentError(argument, 'a path (string or file: URL)', path)
  return path
}
