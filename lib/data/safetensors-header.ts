import type { StorageType } from '../base/storage-type.js'
import { type ByteSource, formatError, readExactly, readStart } from './read-file.js'
import { parseJsonBytes } from './strict-json.js'

/** The format's own bound on its header, in bytes. */
export const LONGEST_HEADER = 100_000_000

/** The most arrays of a file, twice as many as any model has. */
export const MOST_TENSORS = 8192

/** The most dimensions of an array. */
const MOST_DIMENSIONS = 32

/** A tensor has a name, and three more in its entry; metadata has its own. */
const MOST_NAMES = 5 * MOST_TENSORS

/** The member of a header that is no array. */
export const METADATA = '__metadata__'

/** The format's names of the types that a Matrix may be stored in. */
export const SAFETENSORS_TYPES = {
  U8: 'uint8',
  I8: 'int8',
  U16: 'uint16',
  I16: 'int16',
  U32: 'uint32',
  I32: 'int32',
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
} as const satisfies Record<string, StorageType>

/** Bytes of a number of each type whose numbers are whole bytes. Of arrays of other types the length is not checked. */
const SIZES: ReadonlyMap<string, number> = new Map([
  ...['BOOL', 'U8', 'I8', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0'].map((name) => [name, 1] as const),
  ...['U16', 'I16', 'F16', 'BF16'].map((name) => [name, 2] as const),
  ...['U32', 'I32', 'F32'].map((name) => [name, 4] as const),
  ...['U64', 'I64', 'F64', 'C64'].map((name) => [name, 8] as const),
])

/** The entry of one array. */
export interface HeaderEntry {
  readonly name: string
  /** The format's name of its type. */
  readonly dtype: string
  readonly shape: readonly number[]
  /** Its bytes, counted from the end of the header. */
  readonly begin: number
  readonly end: number
}

/** What a file holds. */
export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: readonly HeaderEntry[]
  readonly metadata: Readonly<Record<string, string>>
  /** Bytes before the first array. */
  readonly length: number
}

/**
 * The header of a safetensors file. Every size in it is checked against the others and the size of the file. Other events are served even
 * during a long header.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` if it is another kind of file, cut or contradictory
 */
export async function readSafetensorsHeader(file: ByteSource): Promise<SafetensorsHeader> {
  const start = await readStart(file, 8)
  if (start.length < 8) throw formatError(file.name, 'it is too short to be a safetensors file')
  const jsonLength = Number(new DataView(start.buffer).getBigUint64(0, true))
  if (jsonLength > LONGEST_HEADER || jsonLength > file.size - 8) {
    throw formatError(
      file.name,
      `it is no safetensors file, or cut: its header is said to have ${jsonLength} bytes`,
    )
  }
  const bytes = new Uint8Array(jsonLength)
  await readExactly(file, bytes, 8)
  const { [METADATA]: metadata, ...described } = await parseHeader(file.name, bytes)
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
  const limits = { depth: 3, names: MOST_NAMES }
  return parseJsonBytes(bytes, limits, (problem, cause) =>
    formatError(name, `its header is not the JSON of a safetensors file: ${problem}`, cause),
  ) as Promise<Record<string, unknown>>
}

function readMetadata(name: string, value: unknown = Object.create(null)): Record<string, string> {
  if (!isRecord(value) || !Object.values(value).every((entry) => typeof entry === 'string')) {
    throw formatError(name, 'its __metadata__ is not an object of strings')
  }
  return value as Record<string, string>
}

function readEntry(file: string, name: string, value: unknown): HeaderEntry {
  const wrong = (problem: string) => formatError(file, `tensor '${name.slice(0, 80)}': ${problem}`)
  if (!isRecord(value) || Object.keys(value).sort().join() !== 'data_offsets,dtype,shape') {
    throw wrong('its entry does not consist of dtype, shape and data_offsets')
  }
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string') throw wrong('its dtype is no text')
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw wrong(`its shape or data_offsets are not at most ${MOST_DIMENSIONS} whole numbers of at least 0`)
  }
  const [begin = 0, end = 0] = offsets
  const size = SIZES.get(dtype)
  const bytes = shape.reduce((product, length) => product * length, size ?? 0)
  if (end < begin || (size !== undefined && end - begin !== bytes)) {
    throw wrong(
      `its shape [${shape.slice(0, 8).join(', ')}] needs ${bytes} bytes, its data_offsets hold ${end - begin}`,
    )
  }
  return { name, dtype, shape, begin, end }
}

/** One array after another, without gap or overlap, to the last byte. */
function checkLayout(name: string, entries: HeaderEntry[], size: number): void {
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function isSizes(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length > MOST_DIMENSIONS) return false
  return value.every((entry) => Number.isSafeInteger(entry) && entry >= 0)
}
