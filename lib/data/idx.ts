import { createGunzip } from 'node:zlib'
import { Matrix } from './matrix.js'
import { allocate, formatError, type OpenFile, readExactly, readStart, withFile } from './read-file.js'

const elementTypes: Readonly<Record<number, string>> = {
  9: 'signed bytes',
  11: '16-bit integers',
  12: '32-bit integers',
  13: '32-bit floats',
  14: '64-bit floats',
}

const unsignedByte = 8

/** A four-byte magic number, and at most 255 dimensions of four bytes. */
const longestHeader = 4 + 255 * 4

/** The most rows or columns of a Matrix. */
const largestSize = 2 ** 31 - 1

/** DEFLATE makes at most 1,032 bytes out of one: a header that promises more is false. */
const largestRatio = 1032

interface IdxHeader {
  readonly dimensions: readonly number[]
  /** Bytes of the header. */
  readonly length: number
  /** Elements, each a byte. */
  readonly elements: number
}

/** Refuses a header before anything is read after it. */
type HeaderCheck = (name: string, header: IdxHeader) => void

/**
 * Reads images from an IDX file of unsigned bytes (MNIST's format) in two or more dimensions, gzipped or not.
 *
 * The first dimension becomes the rows, the others are flattened: [60000, 28, 28] is 60,000 × 784.
 *
 * @returns the bytes as stored, with `scale` 1/255: values from 0 to 1
 * @throws {@link LayerwiseError} `ERR_FORMAT` if it is another kind of file, cut, or longer than its header says
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if it cannot be opened or read
 */
export async function readIdx(path: string | URL): Promise<Matrix<Uint8Array>> {
  const { dimensions, data } = await readIdxFile(path, (name, { dimensions }) => {
    if (dimensions.length === 1) {
      throw formatError(name, 'it has one dimension, as labels have: read it with readIdxLabels')
    }
  })
  const [rows = 0, ...others] = dimensions
  return Matrix.from(data, rows, product(others), { scale: 1 / 255 })
}

/**
 * Reads labels from an IDX file of unsigned bytes in one dimension, gzipped or not.
 *
 * @returns one label, 0 to 255, for each row
 * @throws {@link LayerwiseError} as {@link readIdx}
 */
export async function readIdxLabels(path: string | URL): Promise<Uint8Array> {
  const { data } = await readIdxFile(path, (name, { dimensions }) => {
    if (dimensions.length !== 1) {
      throw formatError(name, `it has ${dimensions.length} dimensions, as images have: read it with readIdx`)
    }
  })
  return data
}

function readIdxFile(
  path: string | URL,
  check: HeaderCheck,
): Promise<{ dimensions: readonly number[]; data: Uint8Array }> {
  return withFile(path, async (file) => {
    const start = await readStart(file, longestHeader)
    if (start[0] === 0x1f && start[1] === 0x8b) return readGzipped(file, check)
    const header = readHeader(file.name, start)
    if (header === undefined) throw formatError(file.name, 'it ends inside its IDX header')
    check(file.name, header)
    checkLength(file.name, header, file.size - header.length)
    const data = allocate(file.name, header.elements, (length) => new Uint8Array(length))
    await readExactly(file, data, header.length)
    return { dimensions: header.dimensions, data }
  })
}

/** Unpacks into an array of the promised length, and stops at the first byte beyond it. */
async function readGzipped(
  file: OpenFile,
  check: HeaderCheck,
): Promise<{ dimensions: readonly number[]; data: Uint8Array }> {
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
        if (header.elements > file.size * largestRatio) {
          throw formatError(
            file.name,
            `its header promises ${header.elements} bytes, more than ${file.size} of gzip can hold`,
          )
        }
        data = allocate(file.name, header.elements, (length) => new Uint8Array(length))
        body = start.subarray(header.length)
      }
      if (filled + body.length > data.length) {
        throw formatError(file.name, `there is more in it than the ${data.length} elements of its header`)
      }
      data.set(body, filled)
      filled += body.length
    }
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (typeof code !== 'string' || !code.startsWith('Z_')) throw error
    throw formatError(file.name, `it is no intact gzip file: ${(error as Error).message}`, error)
  } finally {
    source.destroy()
  }
  if (header === undefined) throw formatError(file.name, 'it ends inside its IDX header')
  checkLength(file.name, header, filled)
  if (gunzip.bytesWritten !== file.size) throw formatError(file.name, 'there are bytes after its gzip stream')
  return { dimensions: header.dimensions, data }
}

/** The header at the start of `bytes`; `undefined` if they are too few to tell. */
function readHeader(name: string, bytes: Uint8Array): IdxHeader | undefined {
  const [first, second, type = 0, count = 0] = bytes
  if (first === 0x93) throw formatError(name, 'it begins like a .npy file: read it with readNpy')
  if (bytes.length < 4) return undefined
  if (first !== 0 || second !== 0 || count === 0 || !(type === unsignedByte || type in elementTypes)) {
    throw formatError(name, 'it is no IDX file: its magic number is wrong')
  }
  if (type !== unsignedByte) {
    throw formatError(name, `its elements are ${elementTypes[type]}; only unsigned bytes are read`)
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
  return { dimensions, length, elements: product(dimensions) }
}

function checkLength(name: string, { dimensions, elements }: IdxHeader, found: number): void {
  if (found !== elements) {
    throw formatError(
      name,
      `its header promises ${dimensions.join(' × ')} = ${elements} bytes, but ${found < elements ? 'only ' : ''}${found} follow`,
    )
  }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1)
}
