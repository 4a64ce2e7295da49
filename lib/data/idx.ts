import { createGunzip } from 'node:zlib'
import { allocateUnset, type FloatArray, type PlainUint8Array, type Precision } from '../base/precision.js'
import { Matrix } from './matrix.js'
import type { MatrixData } from './matrix-data.js'
import { type ByteSource, formatError, type OpenFile, readExactly, readStart, withFile } from './read-file.js'
import { rowSlices } from './slices.js'

/** Element types of a file, each with a number type that represents it exactly. All are big-endian. */
export interface IdxElementType {
  readonly name: string
  /** Bytes each. */
  readonly size: number
  readonly precision: Precision
  readonly read: (view: DataView, at: number) => number
}

const unsignedBytes: IdxElementType = {
  name: 'unsigned bytes',
  size: 1,
  precision: 'float32',
  read: (view, at) => view.getUint8(at),
}

/** By their number in the header. */
const elementTypes: ReadonlyMap<number, IdxElementType> = new Map([
  [8, unsignedBytes],
  [9, { name: 'signed bytes', size: 1, precision: 'float32', read: (view, at) => view.getInt8(at) }],
  [11, { name: '16-bit integers', size: 2, precision: 'float32', read: (view, at) => view.getInt16(at) }],
  [12, { name: '32-bit integers', size: 4, precision: 'float64', read: (view, at) => view.getInt32(at) }],
  [13, { name: '32-bit floats', size: 4, precision: 'float32', read: (view, at) => view.getFloat32(at) }],
  [14, { name: '64-bit floats', size: 8, precision: 'float64', read: (view, at) => view.getFloat64(at) }],
])

/** A four-byte magic number, and at most 255 dimensions of four bytes. */
export const LONGEST_IDX_HEADER = 4 + 255 * 4

/** The most rows or columns of a Matrix. */
const largestSize = 2 ** 31 - 1

/** DEFLATE expands one byte to at most 1,032: a header with a larger size is wrong. */
const largestRatio = 1032

/** What the elements of a file are, and where they begin. */
export interface IdxHeader {
  readonly dimensions: readonly number[]
  readonly type: IdxElementType
  /** Bytes of the header. */
  readonly length: number
  /** Bytes of all elements. */
  readonly bytes: number
}

/** The contents of a file: its elements as stored. */
interface IdxFile {
  readonly name: string
  readonly dimensions: readonly number[]
  readonly type: IdxElementType
  readonly data: PlainUint8Array
}

/** Checks a header before anything after it is read. */
type HeaderCheck = (name: string, header: IdxHeader) => void

/**
 * Reads images from an IDX file (MNIST's format) in two or more dimensions, gzipped or not.
 *
 * The first dimension becomes the rows, the others are flattened: [60000, 28, 28] is 60,000 × 784.
 *
 * @typeParam D - the array type for files of other elements than unsigned bytes, which are rare: Float32Array or Float64Array
 * @returns unsigned bytes as stored, with `scale` 1/255: values from 0 to 1. Other elements as numbers, exactly: signed bytes, 16-bit
 *   integers and 32-bit floats in float32, 32-bit integers and 64-bit floats in float64
 * @throws {@link LayerwiseError} `ERR_FORMAT` if it is another kind of file, cut, or longer than its header says
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if it cannot be opened or read
 */
export async function readIdx<D extends MatrixData = PlainUint8Array>(
  path: string | URL,
): Promise<Matrix<D>> {
  const { name, type, dimensions, data } = await readIdxFile(path, (name, { dimensions }) => {
    if (dimensions.length === 1) {
      throw formatError(name, 'it has one dimension, as labels have: read it with readIdxLabels')
    }
  })
  const [rows = 0, ...others] = dimensions
  const isBytes = type === unsignedBytes
  const stored: MatrixData = isBytes ? data : await numbersOf(name, type, data)
  return Matrix.from(stored as D, rows, product(others), { scale: isBytes ? 1 / 255 : 1 })
}

/**
 * Reads labels from an IDX file of bytes or integers in one dimension, gzipped or not.
 *
 * @returns one label, 0 to 255, for each row
 * @throws {@link LayerwiseError} as {@link readIdx}; `ERR_FORMAT` also for floats, and for integers beyond 0 to 255
 */
export async function readIdxLabels(path: string | URL): Promise<PlainUint8Array> {
  const { name, type, data } = await readIdxFile(path, (name, { dimensions, type }) => {
    if (dimensions.length !== 1) {
      throw formatError(name, `it has ${dimensions.length} dimensions, as images have: read it with readIdx`)
    }
    if (type.name.endsWith('floats'))
      throw formatError(name, `its labels are ${type.name}; integers are read`)
  })
  return type === unsignedBytes ? data : labelsOf(name, await numbersOf(name, type, data))
}

async function numbersOf(
  name: string,
  { size, precision, read }: IdxElementType,
  data: Uint8Array,
): Promise<FloatArray> {
  const numbers = allocateUnset(precision, data.length / size, `'${name}'`)
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  for await (const [from, to] of rowSlices(numbers.length, 1)) {
    for (let k = from; k < to; k++) numbers[k] = read(view, k * size)
  }
  return numbers
}

async function labelsOf(name: string, numbers: FloatArray): Promise<PlainUint8Array> {
  const labels = allocateUnset('uint8', numbers.length, `'${name}'`)
  for await (const [from, to] of rowSlices(numbers.length, 1)) {
    for (let row = from; row < to; row++) {
      const label = numbers[row]!
      if (label < 0 || label > 255)
        throw formatError(name, `its label in row ${row} is ${label}; 0 to 255 are read`)
      labels[row] = label
    }
  }
  return labels
}

function readIdxFile(path: string | URL, check: HeaderCheck): Promise<IdxFile> {
  return withFile(path, async (file) => {
    const start = await readStart(file, LONGEST_IDX_HEADER)
    if (start[0] === 0x1f && start[1] === 0x8b) return readGzipped(file, check)
    const header = readIdxHeader(file, start, check)
    const data = allocateUnset('uint8', header.bytes, `'${file.name}'`)
    await readExactly(file, data, header.length)
    return { name: file.name, dimensions: header.dimensions, type: header.type, data }
  })
}

/**
 * The header of a file that is not compressed and has as many elements as it promises.
 *
 * @param start - the first bytes of the file, as many as the longest header has, or all
 * @param check - called with the header before the length of the file is compared with it
 * @throws {@link LayerwiseError} as {@link readIdx}
 */
export function readIdxHeader(file: ByteSource, start: Uint8Array, check?: HeaderCheck): IdxHeader {
  const header = readHeader(file.name, start)
  if (header === undefined) throw formatError(file.name, 'it ends inside its IDX header')
  check?.(file.name, header)
  checkLength(file.name, header, file.size - header.length)
  return header
}

/** Unpacks into an array of the length in the header, and stops at the first byte beyond it. */
async function readGzipped(file: OpenFile, check: HeaderCheck): Promise<IdxFile> {
  let start = Buffer.alloc(0)
  let header: IdxHeader | undefined
  let data = new Uint8Array(0)
  let filled = 0
  const source = file.handle.createReadStream({ autoClose: false, start: 0 })
  const gunzip = createGunzip({ chunkSize: 256 * 1024 })
  source.on('error', (error) => gunzip.destroy(error)).pipe(gunzip)
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      let body = chunk
      if (header === undefined) {
        start = Buffer.concat([start, chunk])
        header = readHeader(file.name, start)
        if (header === undefined) continue
        check(file.name, header)
        if (header.bytes > file.size * largestRatio) {
          throw formatError(
            file.name,
            `its header promises ${header.bytes} bytes, more than ${file.size} of gzip can hold`,
          )
        }
        data = allocateUnset('uint8', header.bytes, `'${file.name}'`)
        body = start.subarray(header.length)
      }
      if (filled + body.length > data.length) {
        throw formatError(file.name, `there is more in it than the ${data.length} bytes of its header`)
      }
      data.set(body, filled)
      filled += body.length
    }
    await checkPadding(file, gunzip.bytesWritten)
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (typeof code !== 'string' || !code.startsWith('Z_')) throw error
    throw formatError(file.name, `it is no intact gzip file: ${(error as Error).message}`, error)
  } finally {
    source.destroy()
  }
  if (header === undefined) throw formatError(file.name, 'it ends inside its IDX header')
  checkLength(file.name, header, filled)
  return { name: file.name, dimensions: header.dimensions, type: header.type, data }
}

/** Zeros after a gzip stream are padding of tapes and blocks; other bytes are an error. */
async function checkPadding(file: OpenFile, from: number): Promise<void> {
  const padding = new Uint8Array(64 * 1024)
  for (let position = from; position < file.size; position += padding.length) {
    const piece = padding.subarray(0, Math.min(padding.length, file.size - position))
    await readExactly(file, piece, position)
    if (piece.some((byte) => byte !== 0))
      throw formatError(file.name, 'there are bytes after its gzip stream')
  }
}

/** The header at the start of `bytes`; `undefined` if they are too few to tell. */
function readHeader(name: string, bytes: Uint8Array): IdxHeader | undefined {
  const [first, second, type = 0, count = 0] = bytes
  if (first === 0x93) throw formatError(name, 'it begins like a .npy file: read it with readNpy')
  if (bytes.length < 4) return undefined
  const elements = elementTypes.get(type)
  if (first !== 0 || second !== 0 || count === 0 || elements === undefined) {
    throw formatError(name, 'it is no IDX file: its magic number is wrong')
  }
  const length = 4 + 4 * count
  if (bytes.length < length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const dimensions = Array.from({ length: count }, (_, k) => view.getUint32(4 + 4 * k))
  const zero = dimensions.indexOf(0)
  if (zero >= 0) throw formatError(name, `dimension ${zero} of its header is 0: there is nothing in it`)
  if (dimensions[0]! > largestSize || product(dimensions.slice(1)) > largestSize) {
    throw formatError(name, `${dimensions.join(' × ')} is too large for a Matrix`)
  }
  return { dimensions, type: elements, length, bytes: product(dimensions) * elements.size }
}

function checkLength(name: string, { dimensions, type, bytes }: IdxHeader, found: number): void {
  if (found !== bytes) {
    throw formatError(
      name,
      `its header promises ${dimensions.join(' × ')} ${type.name} = ${bytes} bytes, but ${found < bytes ? 'only ' : ''}${found} follow`,
    )
  }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1)
}
