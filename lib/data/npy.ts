import { checkChoice, checkOptions } from '../base/check.js'
import { allocate, allocateUnset, type StoredArray } from '../base/precision.js'
import { STORAGE_TYPES, type StorageType } from '../base/storage-type.js'
import { bytesOf } from './bytes.js'
import { checkMatrix, Matrix } from './matrix.js'
import { narrowSlice } from './narrow.js'
import { type ByteSource, formatError, readExactly, readStart, withFile } from './read-file.js'
import { valueSlices } from './slices.js'
import { checkStorage } from './storage.js'
import { writeFileWhole } from './write-file.js'

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY

/** Much longer than any header of one array without named fields. */
const longestHeader = 64 * 1024

/** The most rows or columns of a Matrix. */
const largestSize = 2 ** 31 - 1

/** A type of numbers that a .npy file may hold: all that a Matrix may be stored in, but for bfloat16, which NumPy does not know. */
export type NpyType = Exclude<StorageType, 'bfloat16'>

/** What each is called in a file. */
const DESCRIPTORS: Readonly<Record<NpyType, string>> = {
  uint8: '|u1',
  int8: '|i1',
  uint16: '<u2',
  int16: '<i2',
  uint32: '<u4',
  int32: '<i4',
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
}

const NPY_TYPES = Object.keys(DESCRIPTORS) as NpyType[]

/** How a matrix is written. */
export interface WriteNpyOptions {
  /**
   * The type of the numbers in the file: values, scaled, are rounded to the nearest number that it holds, of two as near the even one.
   * Default: the type they are stored in; where there is a scale, and for bfloat16, `'float32'`, or `'float64'` for integers of 32 bits.
   */
  readonly type?: NpyType | undefined
}

/** What the numbers of a file are, and where they begin. */
export interface NpyHeader {
  readonly type: NpyType
  readonly rows: number
  readonly cols: number
  /** Bytes before the numbers. */
  readonly length: number
}

/**
 * Reads a NumPy array (little-endian, C order) in one or two dimensions, of integers of 8, 16 or 32 bits or floats of 16, 32 or 64; format
 * versions 1.0, 2.0, 3.0.
 *
 * One dimension of n becomes n rows of one column. Numbers stay as they are stored, with scale 1: uint8 in a Uint8Array, float64 in a
 * Float64Array and so on; uint16, and float16 as its bits, in a Uint16Array, of which the Matrix's `type` says what it holds.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for every other file; the message says what to do in NumPy
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if it cannot be opened or read
 */
export async function readNpy(path: string | URL): Promise<Matrix<StoredArray>> {
  return withFile(path, npyFrom)
}

/** The array of a .npy file, as {@link readNpy}. */
export async function npyFrom(file: ByteSource): Promise<Matrix<StoredArray>> {
  const { type, rows, cols, length } = await readNpyHeader(file)
  const data = allocateUnset<StorageType>(type, rows * cols, `'${file.name}'`)
  await readExactly(file, data, length)
  return Matrix.from(data, rows, cols, { type })
}

/**
 * Writes a matrix as a two-dimensional NumPy array, its numbers as they are stored, or as values in the type that is asked for. The format
 * has no place for a scale: numbers with another than 1 are written as values, scaled.
 *
 * The file is written completely or not at all.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if `matrix` is none, or the file cannot be written
 * @throws {@link LayerwiseError} `ERR_RANGE` naming row and column of a value that the type cannot hold and, where numbers are not written as
 *   they are stored, of NaN and infinities; an older file stays
 * @throws {@link LayerwiseError} `ERR_STATE` if the matrix's buffer is transferred away while it is written; an older file stays
 */
export async function writeNpy(path: string | URL, matrix: Matrix, options?: WriteNpyOptions): Promise<void> {
  const given = checkMatrix('matrix', matrix)
  checkStorage('matrix', given.data)
  const { type: wanted } = checkOptions('options', options, ['type'])
  const type = wanted === undefined ? ownType(given) : checkChoice('type', wanted, NPY_TYPES)
  const asStored = type === given.type && given.scale === 1
  const { data, rows, cols } = given
  const parts = asStored ? [npyHeader(type, rows, cols), ...bytesOf(data)] : convertedParts(given, type)
  await writeFileWhole(path, parts)
}

/** The type that a matrix is written in where none is asked for. */
function ownType({ type, scale }: Matrix): NpyType {
  return scale === 1 && type !== 'bfloat16' ? type : STORAGE_TYPES[type].precision
}

async function* convertedParts(matrix: Matrix, type: NpyType): AsyncGenerator<Uint8Array, void> {
  const { rows, cols } = matrix
  yield npyHeader(type, rows, cols)
  for await (const slice of valueSlices('matrix', matrix)) {
    const numbers = allocate<StorageType>(type, slice.values.length, 'matrix')
    narrowSlice('matrix', slice, cols, type, numbers)
    yield new Uint8Array(numbers.buffer)
  }
}

/** Version 1.0, padded as NumPy pads it: the numbers begin at a multiple of 64. */
function npyHeader(type: NpyType, rows: number, cols: number): Uint8Array {
  const dictionary = `{'descr': '${DESCRIPTORS[type]}', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64
  const header = Buffer.alloc(length, ' ')
  header.set([...magic, 1, 0])
  header.writeUInt16LE(length - 10, 8)
  header.write(dictionary, 10, 'latin1')
  header.write('\n', length - 1, 'latin1')
  return header
}

/**
 * The header of a file that has as many numbers as it promises.
 *
 * @throws {@link LayerwiseError} as {@link readNpy}
 */
export async function readNpyHeader(file: ByteSource): Promise<NpyHeader> {
  const header = await readHeader(file)
  const { type, rows, cols, length } = header
  const expected = rows * cols * STORAGE_TYPES[type].bytes
  if (file.size - length !== expected) {
    throw formatError(
      file.name,
      `its header promises ${rows} × ${cols} numbers in ${expected} bytes, but ${file.size - length} follow`,
    )
  }
  return header
}

async function readHeader(file: ByteSource): Promise<NpyHeader> {
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
  const type = readType(name, descriptor)
  const { rows, cols } = readShape(name, shape)
  checkOrder(name, order, rows, cols)
  return { type, rows, cols }
}

function readType(name: string, quoted: string): NpyType {
  const type = NPY_TYPES.find((known) => DESCRIPTORS[known] === quoted.slice(1, -1))
  if (quoted.startsWith('[') || type === undefined) {
    throw formatError(
      name,
      `its elements are ${quoted.slice(0, 40)}; integers of 8, 16 and 32 bits and floats of 16, 32 and 64, little-endian, are read: ` +
        "in NumPy, np.save(path, a.astype('<f4'))",
    )
  }
  return type
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
