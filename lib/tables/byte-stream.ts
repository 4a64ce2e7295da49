import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import { createGunzip } from 'node:zlib'
import { LayerwiseError, messageOf } from '../base/errors.js'
import { fileError } from '../data/read-file.js'
import { isDue, turn } from '../data/slices.js'
import { tableError } from './table-error.js'

/** Bytes that arrive in pieces, and what messages call them. */
export interface Bytes {
  readonly name: string
  readonly pieces: AsyncIterable<Uint8Array>
}

/** Bytes of a piece: parsing one takes about a millisecond. */
const PIECE = 32_768
/** Bytes that are read from a file at once. */
const READ = 262_144

/** The bytes of a regular file. */
export async function* fileBytes(path: string | URL, name: string): AsyncGenerator<Uint8Array, void> {
  try {
    // Opening a pipe would block until its other end is opened.
    if (!(await stat(path)).isFile()) throw fileError('read', name, new Error('it is not a regular file'))
    const handle = await open(path, constants.O_RDONLY)
    try {
      for (;;) {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ), 0, READ, null)
        if (bytesRead === 0) return
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw error instanceof LayerwiseError ? error : fileError('read', name, error)
  }
}

/** Texts and bytes as bytes. Anything else is refused. Other events are served between pieces when it is due, also between empty ones. */
export async function* bytesOf(
  source: AsyncIterable<unknown> | Iterable<unknown>,
  name: string,
): AsyncGenerator<Uint8Array, void> {
  for await (const piece of source) {
    if (typeof piece === 'string') yield Buffer.from(piece)
    else if (ArrayBuffer.isView(piece)) yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
    else throw tableError(name, {}, 'expected pieces that are bytes or strings', piece)
    if (isDue()) await turn()
  }
}

/** Unpacked where they are gzip, without a byte order mark, in UTF-8, in pieces that are short enough to be worked on in one turn. */
export async function* textBytes(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  encoding?: string,
): AsyncGenerator<Uint8Array, void> {
  for await (const piece of inUtf8(unpacked(pieces, name), name, encoding)) {
    for (let at = 0; at < piece.length; at += PIECE) yield piece.subarray(at, at + PIECE)
  }
}

/** The same pieces, the first of at least `length` bytes, where there are as many. */
async function* withStart(
  pieces: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array, void> {
  let start: Uint8Array | undefined = new Uint8Array(0)
  for await (const piece of pieces) {
    if (start === undefined) {
      yield piece
      continue
    }
    start = Buffer.concat([start, piece])
    if (start.length < length) continue
    yield start
    start = undefined
  }
  if (start !== undefined && start.length > 0) yield start
}

async function* unpacked(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array, void> {
  const iterator = withStart(pieces, 2)[Symbol.asyncIterator]()
  const all = { [Symbol.asyncIterator]: () => iterator }
  for await (const first of all) {
    const again = startingWith(first, all)
    return yield* first[0] === 0x1f && first[1] === 0x8b ? gunzip(again, name) : again
  }
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T, void> {
  yield first
  yield* rest
}

async function* gunzip(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array, void> {
  const packed = Readable.from(pieces, { objectMode: false })
  const plain = createGunzip({ chunkSize: 2 * PIECE })
  packed.on('error', (error) => plain.destroy(error))
  packed.pipe(plain)
  try {
    for await (const piece of plain) yield piece as Uint8Array
  } catch (error) {
    const { code } = error as { code?: unknown }
    const isOfZlib = typeof code === 'string' && code.startsWith('Z_')
    throw isOfZlib
      ? tableError(name, {}, `its gzip is damaged: ${messageOf(error)}`, undefined, error)
      : error
  } finally {
    packed.destroy()
    plain.destroy()
  }
}

async function* inUtf8(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  encoding?: string,
): AsyncGenerator<Uint8Array, void> {
  let decoder: TextDecoder | undefined
  let isFirst = true
  const decode = (piece?: Uint8Array): Uint8Array => {
    try {
      return Buffer.from(decoder!.decode(piece, { stream: piece !== undefined }))
    } catch (cause) {
      throw tableError(name, {}, `it is not ${decoder!.encoding}`, undefined, cause)
    }
  }
  for await (let piece of withStart(pieces, 3)) {
    if (isFirst) {
      isFirst = false
      const mark = markOf(piece)
      const named = encoding ?? mark?.encoding ?? 'utf-8'
      // The decoder removes the mark of its own encoding.
      if (named !== 'utf-8') decoder = new TextDecoder(named, { fatal: true })
      else piece = piece.subarray(mark?.encoding === 'utf-8' ? mark.length : 0)
    }
    yield decoder === undefined ? piece : decode(piece)
  }
  if (decoder !== undefined) yield decode()
}

function markOf(bytes: Uint8Array): { encoding: string; length: number } | undefined {
  const [a, b, c] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', length: 3 }
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', length: 2 }
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', length: 2 }
  return undefined
}
