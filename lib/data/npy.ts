import { transferredError } from '../base/data-errors.js'
import { elementType, type FloatArray, type PlainUint8Array } from '../base/precision.js'
import { bytesOf } from './bytes.js'
import { checkMatrix, Matrix } from './matrix.js'
import { allocate, formatError, type OpenFile, readExactly, readStart, withFile } from './read-file.js'
import { rowSlices } from './slices.js'
import { checkStorage } from './storage.js'
import { writeFileWhole } from './write-file.js'

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY

/** Much longer than any header of one array without named fields. */
const longestHeader = 64 * 1024

/** The most rows or columns of a Matrix. */
const largestSize = 2 ** 31 - 1

type Descriptor = '|u1' | '<f4' | '<f8'

const elementKinds = {
  '|u1': { size: 1, make: (length: number): FloatArray | PlainUint8Array => new Uint8Array(length) },
  '<f4': { size: 4, make: (length: number): FloatArray | PlainUint8Array => new Float32Array(length) },
  '<f8': { size: 8, make: (length: number): FloatArray | PlainUint8Array => new Float64Array(length) },
} as const satisfies Record<Descriptor, unknown>

/** The NumPy type of each storage of a Matrix. */
const DESCRIPTORS = { uint8: '|u1', float32: '<f4', float64: '<f8' } as const

interface NpyHeader {
  readonly descriptor: Descriptor
  readonly rows: number
  readonly cols: number
  /** Where the numbers begin. */
  readonly length: number
}

/**
 * Reads a NumPy array of uint8, float32 or float64 (little-endian, C order) in one or two dimensions; format versions 1.0, 2.0, 3.0.
 *
 * One dimension of n becomes n rows of one column. uint8 has scale 1.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for every other file; the message says what to do in NumPy
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if it cannot be opened or read
 */
export async function readNpy(path: string | URL): Promise<Matrix<FloatArray | PlainUint8Array>> {
  return withFile(path, async (file) => {
    const { descriptor, rows, cols, length } = await readHeader(file)
    const kind = elementKinds[descriptor]
    const expected = rows * cols * kind.size
    if (file.size - length !== expected) {
      throw formatError(
        file.name,
        `its header promises ${rows} × ${cols} numbers in ${expected} bytes, but ${file.size - length} follow`,
      )
    }
    const data = allocate<FloatArray | PlainUint8Array>(file.name, rows * cols, kind)
    await readExactly(file, data, length)
    return Matrix.from(data, rows, cols)
  })
}

/**
 * Writes a matrix as a two-dimensional NumPy array: float64, float32, or uint8 as stored. Bytes with a scale other than 1 are
 * written as float32 values, scaled, since the format has no place for the scale.
 *
 * The file is written completely or not at all.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if `matrix` is none, or the file cannot be written
 * @throws {@link LayerwiseError} `ERR_STATE` if the matrix's buffer is transferred away while it is written; an older file stays
 */
export async function writeNpy(path: string | URL, matrix: Matrix): Promise<void> {
  const given = checkMatrix('matrix', matrix)
  checkStorage('matrix', given.data)
  await writeFileWhole(path, npyParts(given))
}

function npyParts(matrix: Matrix): readonly Uint8Array[] | AsyncIterable<Uint8Array> {
  const { data, rows, cols, scale } = matrix
  if (scale !== 1) return scaledParts(matrix)
  return [npyHeader(DESCRIPTORS[elementType(data)!], rows, cols), ...bytesOf(data)]
}

async function* scaledParts({ data, rows, cols, scale }: Matrix): AsyncGenerator<Uint8Array, void> {
  yield npyHeader('<f4', rows, cols)
  for await (const [from, to] of rowSlices(rows * cols, 1)) {
    if (data.length !== rows * cols) throw transferredError('matrix')
    const values = Float32Array.from(data.subarray(from, to), (value) => value * scale)
    yield new Uint8Array(values.buffer)
  }
}

/** Version 1.0, padded as NumPy pads it: the numbers begin at a multiple of 64. */
function npyHeader(descriptor: Descriptor, rows: number, cols: number): Uint8Array {
  const dictionary = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64
  const header = Buffer.alloc(length, ' ')
  header.set([...magic, 1, 0])
  header.writeUInt16LE(length - 10, 8)
  header.write(dictionary, 10, 'latin1')
  header.write('\n', length - 1, 'latin1')
  return header
}

async function readHeader(file: OpenFile): Promise<NpyHeader> {
  const start = await readStart(file, 12)
  if (start[0] === 0 && start[1] === 0) {
    throw formatError(file.name, 'it begins like an IDX file: read it with readIdx or readIdxLabels')
  }
  if (!magic.every((byte, k) => start[k] === byte))
    throw formatError(file.name, 'it is no .npy file: its magic is wrong')
  const [major = 0, minor = 0] = start.subarray(6)
  if (major < 1 || major > 3 || minor !== 0) {
    throw formatError(file.name, `its format version is ${major}.${minor}; 1.0, 2.0 and 3.0 are read`)
  }
  if (start.length < 12) throw formatError(file.name, 'it ends inside its header')
  const view = new DataView(start.buffer)
  const from = major === 1 ? 10 : 12
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > longestHeader || from + length > file.size) {
    throw formatError(
      file.name,
      `its header is said to have ${length} bytes: more than is in it, or than any array needs`,
    )
  }
  const header = Buffer.alloc(length)
  await readExactly(file, header, from)
  return {
    ...readDictionary(file.name, header.toString(major === 3 ? 'utf8' : 'latin1')),
    length: from + length,
  }
}

/** The Python dictionary of the header, its three keys in any order. */
function readDictionary(name: string, text: string): Omit<NpyHeader, 'length'> {
  const dictionary = text.trim()
  const body = dictionary.slice(1, -1)
  const entry =
    /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*('[^']*'|"[^"]*"|True|False|\([\dL\s,]*\)|\[.*\])\s*(?:,|$)/sy
  const fields = new Map<string, string>()
  let end = 0
  for (let match = entry.exec(body); match !== null; match = entry.exec(body)) {
    const [, , key = '', value = ''] = match
    if (fields.has(key)) throw formatError(name, `its header names ${key} twice`)
    fields.set(key, value)
    end = entry.lastIndex
  }
  const [descriptor, order, shape] = [fields.get('descr'), fields.get('fortran_order'), fields.get('shape')]
  const isWhole = dictionary.startsWith('{') && dictionary.endsWith('}') && body.slice(end).trim() === ''
  if (!isWhole || descriptor === undefined || order === undefined || shape === undefined) {
    throw formatError(
      name,
      'its header is not the dictionary of one array with descr, fortran_order and shape',
    )
  }
  const elements = readDescriptor(name, descriptor)
  const { rows, cols } = readShape(name, shape)
  checkOrder(name, order, rows, cols)
  return { descriptor: elements, rows, cols }
}

function readDescriptor(name: string, quoted: string): Descriptor {
  const descriptor = quoted.slice(1, -1)
  if (quoted.startsWith('[') || !Object.hasOwn(elementKinds, descriptor)) {
    throw formatError(
      name,
      `its elements are ${quoted.slice(0, 40)}; uint8, float32 and float64 are read: in NumPy, np.save(path, a.astype('<f4'))`,
    )
  }
  return descriptor as Descriptor
}

/** One row or one column is the same in both orders. */
function checkOrder(name: string, order: string, rows: number, cols: number): void {
  if (order === 'False' || (order === 'True' && (rows <= 1 || cols === 1))) return
  throw formatError(
    name,
    order === 'True'
      ? 'it is in Fortran order: in NumPy, np.save(path, np.ascontiguousarray(a))'
      : 'its fortran_order is neither True nor False',
  )
}

function readShape(name: string, tuple: string): { rows: number; cols: number } {
  if (/^\(\s*\)$/.test(tuple)) {
    throw formatError(
      name,
      'it is a single number without dimensions: in NumPy, np.save(path, np.atleast_2d(a))',
    )
  }
  // Python 2 writes an L after some numbers.
  const sizes = /^\(\s*(?:\d+L?\s*,\s*)*(?:\d+L?\s*)?\)$/.test(tuple)
    ? tuple.match(/\d+/g)?.map(Number)
    : undefined
  const [rows, cols = 1, ...others] = sizes ?? []
  if (rows === undefined || others.length > 0) {
    throw formatError(
      name,
      `its shape is ${tuple.slice(0, 40)}; one and two dimensions are read: in NumPy, np.save(path, a.reshape(len(a), -1))`,
    )
  }
  if (rows > largestSize || cols > largestSize || cols === 0) {
    throw formatError(
      name,
      `its shape is ${tuple.slice(0, 40)}; a Matrix has 0 to ${largestSize} rows and 1 to ${largestSize} columns`,
    )
  }
  return { rows, cols }
}
