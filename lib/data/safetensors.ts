import { TextDecoder } from 'node:util'
import { argumentError, checkInteger, shapeError } from '../base/check.js'
import { elementType, isPrecision } from '../base/precision.js'
import { bytesOf } from './bytes.js'
import { allocate, type ByteSource, formatError, readExactly, readStart, withFile } from './read-file.js'
import { turn } from './slices.js'
import { checkStorage } from './storage.js'
import { parseStrictJson } from './strict-json.js'
import { writeFileWhole } from './write-file.js'

/** An array with a name and a shape, row-major. */
export interface Tensor {
  readonly name: string
  /** Sizes of the dimensions; empty for a single number. */
  readonly shape: readonly number[]
  /** As many numbers as the product of `shape`. */
  readonly data: Float32Array | Float64Array
}

/** The contents of a file. */
export interface Safetensors {
  /** By name. */
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly metadata: Readonly<Record<string, string>>
}

/** The format's own bound on its header, in bytes. */
const longestHeader = 100_000_000

/** The most arrays of a file, twice as many as any model has. */
const MOST_TENSORS = 8192

/** The most dimensions of an array. */
const MOST_DIMENSIONS = 32

/** A tensor has a name, and three more in its entry; metadata has its own. */
const MOST_NAMES = 5 * MOST_TENSORS

/** Bytes of text that are decoded between two turns of the event loop. */
const DECODED = 2 ** 20

const metadataName = '__metadata__'

const elementTypes = {
  F64: { size: 8, make: (length: number): Tensor['data'] => new Float64Array(length) },
  F32: { size: 4, make: (length: number): Tensor['data'] => new Float32Array(length) },
} as const

type ElementType = keyof typeof elementTypes

/** The entry of one array in a file's header. */
export interface TensorEntry {
  readonly name: string
  readonly type: 'F32' | 'F64'
  readonly shape: readonly number[]
}

interface Entry extends TensorEntry {
  readonly begin: number
  readonly end: number
}

/**
 * Writes {@link safetensorsParts} as one file. It is written completely or not at all.
 *
 * @throws {@link LayerwiseError} as {@link safetensorsParts}; `ERR_ARGUMENT` also if the file cannot be written
 */
export async function writeSafetensors(
  path: string | URL,
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileWhole(path, safetensorsParts(tensors, metadata))
}

/**
 * Named arrays and string metadata in the safetensors format (https://github.com/huggingface/safetensors), which Python's package opens:
 * F32 and F64, little-endian, numbers aligned to 8 bytes.
 *
 * @param tensors - names are unique, and neither `__metadata__` nor `__proto__`
 * @returns the bytes in order: the header, then each array, not copied
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for bad names, metadata or storage
 * @throws {@link LayerwiseError} `ERR_SHAPE` if `data` has another number of elements than its shape
 */
export function safetensorsParts(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array[] {
  if (tensors.length > MOST_TENSORS) throw argumentError('tensors', `at most ${MOST_TENSORS}`, tensors.length)
  tensors.forEach(checkTensor)
  const header: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(metadata)) checkText(`metadata['${name}']`, name, value)
  if (Object.keys(metadata).length > 0) header[metadataName] = { ...metadata }
  // F64 before F32, so that every array begins at a multiple of its element size.
  const ordered = [...tensors].sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT)
  let end = 0
  for (const { name, shape, data } of ordered) {
    if (Object.hasOwn(header, name)) throw argumentError('tensors', 'a name of its own for each tensor', name)
    const begin = end
    end += data.byteLength
    header[name] = {
      dtype: elementType(data) === 'float64' ? 'F64' : 'F32',
      shape,
      data_offsets: [begin, end],
    }
  }
  const json = Buffer.from(JSON.stringify(header))
  const padded = Math.ceil(json.length / 8) * 8
  if (padded > longestHeader) throw argumentError('metadata', `a header below ${longestHeader} bytes`, padded)
  const start = Buffer.alloc(8 + padded, ' ')
  start.writeBigUInt64LE(BigInt(padded))
  start.set(json, 8)
  return [start, ...ordered.flatMap(({ data }) => bytesOf(data))]
}

/** Existing arrays to fill, by name; their lengths must be those in the file. */
export type Places = ReadonlyMap<string, Tensor['data']>

/**
 * Reads a safetensors file, as {@link safetensorsFrom}.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` as that; `ERR_ARGUMENT` if it cannot be opened or read
 */
export async function readSafetensors(path: string | URL): Promise<Safetensors> {
  return withFile(path, (file) => safetensorsFrom(file))
}

/**
 * The F32 and F64 arrays of a safetensors file. Every size in the header is checked against the others and the size of the file before
 * memory is allocated. Other events are served even during a long header.
 *
 * @param check - called with the contents of the header, before any array is allocated; its errors are passed on. It may return arrays to
 *   fill; the others are allocated
 * @throws {@link LayerwiseError} `ERR_FORMAT` if it is another kind of file, cut, contradictory, or of other element types
 */
export async function safetensorsFrom(
  source: ByteSource,
  check?: (entries: readonly TensorEntry[], metadata: Safetensors['metadata']) => Promise<Places | undefined>,
): Promise<Safetensors> {
  const { entries, metadata, length } = await readHeader(source)
  const places = await check?.(entries, metadata)
  const tensors = new Map<string, Tensor>()
  for (const { name, type, shape, begin, end } of entries) {
    const kind = elementTypes[type]
    const data = places?.get(name) ?? allocate(source.name, (end - begin) / kind.size, kind)
    await readExactly(source, data as typeof data & ArrayBufferView<ArrayBuffer>, length + begin)
    tensors.set(name, { name, shape, data })
  }
  return { tensors, metadata }
}

async function readHeader(
  file: ByteSource,
): Promise<{ entries: Entry[]; metadata: Record<string, string>; length: number }> {
  const start = await readStart(file, 8)
  if (start.length < 8) throw formatError(file.name, 'it is too short to be a safetensors file')
  const jsonLength = Number(new DataView(start.buffer).getBigUint64(0, true))
  if (jsonLength > longestHeader || jsonLength > file.size - 8) {
    throw formatError(
      file.name,
      `it is no safetensors file, or cut: its header is said to have ${jsonLength} bytes`,
    )
  }
  const bytes = new Uint8Array(jsonLength)
  await readExactly(file, bytes, 8)
  const { [metadataName]: metadata, ...described } = await parseHeader(file.name, bytes)
  const count = Object.keys(described).length
  if (count > MOST_TENSORS) {
    throw formatError(file.name, `it has ${count} arrays; at most ${MOST_TENSORS} are read`)
  }
  const entries = Object.entries(described).map(([name, value]) => readEntry(file.name, name, value))
  checkLayout(file.name, entries, file.size - 8 - jsonLength)
  return { entries, metadata: readMetadata(file.name, metadata), length: 8 + jsonLength }
}

async function parseHeader(name: string, bytes: Uint8Array): Promise<Record<string, unknown>> {
  if (bytes[0] !== 0x7b) throw formatError(name, 'it is no safetensors file: its header is not a JSON object')
  try {
    const limits = { depth: 3, names: MOST_NAMES }
    return (await parseStrictJson(await decode(bytes), limits)) as Record<string, unknown>
  } catch (error) {
    const { name: kind, code } = error as NodeJS.ErrnoException
    if (kind !== 'SyntaxError' && code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error
    throw formatError(
      name,
      `its header is not the JSON of a safetensors file: ${(error as Error).message}`,
      error,
    )
  }
}

/** Text in UTF-8; a TypeError if it is not valid. */
async function decode(bytes: Uint8Array): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const pieces: string[] = []
  for (let from = 0; from < bytes.length; from += DECODED) {
    if (from > 0) await turn()
    pieces.push(decoder.decode(bytes.subarray(from, from + DECODED), { stream: true }))
  }
  pieces.push(decoder.decode())
  return pieces.join('')
}

function readMetadata(name: string, value: unknown = Object.create(null)): Record<string, string> {
  if (!isRecord(value) || !Object.values(value).every((entry) => typeof entry === 'string')) {
    throw formatError(name, 'its __metadata__ is not an object of strings')
  }
  return value as Record<string, string>
}

function readEntry(file: string, name: string, value: unknown): Entry {
  const wrong = (problem: string) => formatError(file, `tensor '${name.slice(0, 80)}': ${problem}`)
  if (!isRecord(value) || Object.keys(value).sort().join() !== 'data_offsets,dtype,shape') {
    throw wrong('its entry does not consist of dtype, shape and data_offsets')
  }
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string' || !Object.hasOwn(elementTypes, dtype)) {
    throw wrong(`its dtype is ${JSON.stringify(dtype).slice(0, 40)}; F32 and F64 are read`)
  }
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw wrong(`its shape or data_offsets are not at most ${MOST_DIMENSIONS} whole numbers of at least 0`)
  }
  const [begin = 0, end = 0] = offsets
  const type = dtype as ElementType
  const bytes = shape.reduce((product, size) => product * size, elementTypes[type].size)
  if (end - begin !== bytes) {
    throw wrong(
      `its shape [${shape.slice(0, 8).join(', ')}] needs ${bytes} bytes, its data_offsets hold ${end - begin}`,
    )
  }
  return { name, type, shape, begin, end }
}

/** One array after another, without gap or overlap, to the last byte. */
function checkLayout(name: string, entries: Entry[], size: number): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let position = 0
  for (const { begin, end } of entries) {
    if (begin !== position)
      throw formatError(name, `its arrays overlap or leave a gap at byte ${Math.min(begin, position)}`)
    position = end
  }
  if (position !== size) {
    throw formatError(
      name,
      `its header promises ${position} bytes of numbers, but ${size} follow: it is cut or has been added to`,
    )
  }
}

function checkTensor({ name, shape, data }: Tensor, index: number): void {
  checkText(`tensors[${index}].name`, name, '')
  if (name === metadataName)
    throw argumentError(`tensors[${index}].name`, `a name other than ${metadataName}`, name)
  checkStorage(`tensors[${index}].data`, data)
  if (!isPrecision(elementType(data)))
    throw argumentError(`tensors[${index}].data`, 'a Float32Array or Float64Array', data)
  const length = shape.reduce(
    (product, size, k) => product * checkInteger(`tensors[${index}].shape[${k}]`, size, 0),
    1,
  )
  if (data.length !== length)
    throw shapeError(`tensors[${index}].data`, `[${shape.join(', ')}] = ${length} numbers`, data.length)
}

/** Text that a file preserves: no half of a surrogate pair, and no name with a special meaning in JavaScript. */
function checkText(argument: string, name: unknown, value: unknown): void {
  for (const text of [name, value]) {
    if (typeof text !== 'string' || /\p{Surrogate}/u.test(text))
      throw argumentError(argument, 'well-formed text', text)
  }
  if (name === '__proto__') throw argumentError(argument, 'a name other than __proto__', name)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function isSizes(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length > MOST_DIMENSIONS) return false
  return value.every((entry) => Number.isSafeInteger(entry) && entry >= 0)
}
