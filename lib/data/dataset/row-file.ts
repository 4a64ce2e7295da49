import { resolve } from 'node:path'
import { STORAGE_TYPES, type StorageType } from '../../base/storage-type.js'
import { identityOf, type Segment } from '../file-rows.js'
import { LONGEST_IDX_HEADER, readIdxHeader } from '../idx.js'
import { readNpyHeader } from '../npy.js'
import { type ByteSource, filePath, formatError, type OpenFile, readStart, withFile } from '../read-file.js'
import { LONGEST_HEADER, readSafetensorsHeader, SAFETENSORS_TYPES } from '../safetensors-header.js'

/** The most rows or columns of a dataset. */
export const LARGEST_SIZE = 2 ** 31 - 1

/** How numbers lie in a file that has no header of its own. */
export interface RawLayout {
  /** What the numbers are: little-endian, row after row without gaps, to the end of the file. */
  readonly type: StorageType
  /** Numbers of a row. */
  readonly cols: number
  /** Bytes before the first row. Default 0. */
  readonly offset?: number | undefined
}

/** How a file is read. */
export interface RowFileOptions {
  /** Of a safetensors file: the name of the array that holds the rows. Default: its only array, or the one named `rows`. */
  readonly tensor?: string | undefined
  /** The layout of a file without a header. Default: the file says it. */
  readonly raw?: RawLayout | undefined
}

/** Rows of one file: their layout, before it is known which file it is. */
interface Layout {
  readonly rows: number
  readonly cols: number
  readonly type: StorageType
  /** The factor that the format implies; 1 for nearly all. */
  readonly scale: number
  /** Where the numbers begin. */
  readonly offset: number
}

/** A file of rows. */
export interface RowFile extends Omit<Layout, 'offset'> {
  readonly segment: Segment
}

/**
 * The layout of a file, of whose content only the header is read.
 *
 * @param path - absolute
 * @throws {@link LayerwiseError} `ERR_FORMAT` if it is of no known format, cut, too long or contradictory; `ERR_ARGUMENT` if it cannot be opened
 */
export function openRowFile(path: string, options: RowFileOptions): Promise<RowFile> {
  return withFile(path, async (file) => {
    const identity = await identityOfOpen(file)
    const { rows, cols, type, scale, offset } = await readLayout(file, options)
    return { rows, cols, type, scale, segment: { path, offset, rows, identity } }
  })
}

/** Which file it is; it must not change its size while it is opened. */
export async function identityOfOpen(file: OpenFile): Promise<string> {
  const found = await file.handle.stat({ bigint: true })
  if (Number(found.size) !== file.size) throw formatError(file.name, 'it changed while it was opened')
  return identityOf(found)
}

/**
 * A path or file: URL as an absolute path.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another kind of URL
 */
export function absolutePath(path: string | URL): string {
  return resolve(filePath('read', path))
}

/** How the rows of a file lie in it, as {@link openRowFile}. */
export async function readLayout(file: ByteSource, { tensor, raw }: RowFileOptions): Promise<Layout> {
  if (raw !== undefined) return rawLayout(file, raw)
  const start = await readStart(file, LONGEST_IDX_HEADER)
  if (isSafetensors(start)) return tensorLayout(file, tensor)
  if (tensor !== undefined)
    throw formatError(file.name, `it is no safetensors file, of which '${tensor}' would be an array`)
  if (start[0] === 0x93) {
    const { length, ...layout } = await readNpyHeader(file)
    return { ...layout, scale: 1, offset: length }
  }
  if (start[0] === 0x1f && start[1] === 0x8b)
    throw formatError(file.name, 'it is compressed, so its rows cannot be read in place: unpack it first')
  if (isIdx(start)) return idxLayout(file, start)
  throw formatError(
    file.name,
    'it is no file of rows: .npy, safetensors and IDX files are recognised by their first bytes; of another file say { raw: { type, cols } }',
  )
}

/** Two zeros, a type and a number of dimensions. A file of other rows may begin with zeros, too. */
function isIdx([first, second, type = 0, dimensions = 0]: Uint8Array): boolean {
  return first === 0 && second === 0 && type >= 8 && type <= 14 && dimensions > 0
}

/** A header of a plausible length that begins like a JSON object. */
function isSafetensors(start: Uint8Array): boolean {
  if (start.length < 9 || start[8] !== 0x7b) return false
  const view = new DataView(start.buffer, start.byteOffset)
  return view.getBigUint64(0, true) <= BigInt(LONGEST_HEADER)
}

function rawLayout(file: ByteSource, { type, cols, offset = 0 }: RawLayout): Layout {
  const size = cols * STORAGE_TYPES[type].bytes
  const rows = (file.size - offset) / size
  if (offset > file.size)
    throw formatError(file.name, `it has ${file.size} bytes, and its rows would begin at ${offset}`)
  if (!Number.isInteger(rows)) {
    throw formatError(
      file.name,
      `its ${file.size - offset} bytes are no whole number of rows of ${cols} ${type} numbers, ${size} bytes each`,
    )
  }
  if (rows > LARGEST_SIZE)
    throw formatError(file.name, `it has ${rows} rows; at most ${LARGEST_SIZE} are read`)
  return { rows, cols, type, scale: 1, offset }
}

/** The array of a safetensors file that holds rows: the one that is asked for, `rows`, or the only one. */
export async function tensorLayout(file: ByteSource, tensor: string | undefined): Promise<Layout> {
  const { entries, length } = await readSafetensorsHeader(file)
  const wanted = tensor ?? (entries.length === 1 ? entries[0]!.name : 'rows')
  const entry = entries.find(({ name }) => name === wanted)
  if (entry === undefined) {
    const names = entries.slice(0, 5).map(({ name }) => `'${name.slice(0, 40)}'`)
    const list = names.length === 0 ? 'none' : names.join(', ') + (entries.length > 5 ? ', …' : '')
    const advice = tensor === undefined ? '; the option tensor says which' : ''
    throw formatError(file.name, `it has no array '${wanted.slice(0, 80)}'; its arrays are ${list}${advice}`)
  }
  const { dtype, shape, begin } = entry
  const wrong = (problem: string) => formatError(file.name, `tensor '${wanted.slice(0, 80)}': ${problem}`)
  if (!Object.hasOwn(SAFETENSORS_TYPES, dtype)) {
    const read = Object.keys(SAFETENSORS_TYPES).join(', ')
    throw wrong(`its dtype is ${JSON.stringify(dtype).slice(0, 40)}; ${read} are read`)
  }
  const type = SAFETENSORS_TYPES[dtype as keyof typeof SAFETENSORS_TYPES]
  const [rows, cols = 1, ...others] = shape
  if (rows === undefined || others.length > 0)
    throw wrong(`its shape is [${shape.slice(0, 8).join(', ')}]; one and two dimensions are read`)
  if (rows > LARGEST_SIZE || cols > LARGEST_SIZE || cols === 0)
    throw wrong(
      `its shape is [${rows}, ${cols}]; 0 to ${LARGEST_SIZE} rows and 1 to ${LARGEST_SIZE} columns are read`,
    )
  return { rows, cols, type, scale: 1, offset: length + begin }
}

/** Images have the scale that `readIdx` gives them; labels, in one dimension, have none. */
function idxLayout(file: ByteSource, start: Uint8Array): Layout {
  const { dimensions, type, length } = readIdxHeader(file, start)
  if (type.size > 1) {
    throw formatError(
      file.name,
      `it holds ${type.name}, big-endian, which are not read in place: writeDataset writes what readIdx reads from it`,
    )
  }
  const [rows = 0, ...others] = dimensions
  const cols = others.reduce((product, size) => product * size, 1)
  const isImages = type.name === 'unsigned bytes' && others.length > 0
  return {
    ...{ rows, cols, offset: length },
    type: type.name === 'unsigned bytes' ? 'uint8' : 'int8',
    scale: isImages ? 1 / 255 : 1,
  }
}
