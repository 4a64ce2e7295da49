import { argumentError, checkInteger, shapeError } from '../base/check.js'
import { allocateUnset, elementType, isPrecision, type Precision } from '../base/precision.js'
import { bytesOf } from './bytes.js'
import { type ByteSource, formatError, readExactly, withFile } from './read-file.js'
import {
  type HeaderEntry,
  LONGEST_HEADER,
  METADATA,
  MOST_TENSORS,
  readSafetensorsHeader,
} from './safetensors-header.js'
import { checkStorage } from './storage.js'
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

const elementTypes = {
  F64: { size: 8, precision: 'float64' },
  F32: { size: 4, precision: 'float32' },
} as const satisfies Record<string, { size: number; precision: Precision }>

type ElementType = keyof typeof elementTypes

/** The entry of one array in a file's header. */
export interface TensorEntry {
  readonly name: string
  readonly type: 'F32' | 'F64'
  readonly shape: readonly number[]
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
  if (Object.keys(metadata).length > 0) header[METADATA] = { ...metadata }
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
  if (padded > LONGEST_HEADER)
    throw argumentError('metadata', `a header below ${LONGEST_HEADER} bytes`, padded)
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
  const header = await readSafetensorsHeader(source)
  const { metadata, length } = header
  const entries = header.entries.map((entry) => ({ ...entry, type: floatType(source.name, entry) }))
  const places = await check?.(entries, metadata)
  const tensors = new Map<string, Tensor>()
  for (const { name, type, shape, begin, end } of entries) {
    const kind = elementTypes[type]
    const data =
      places?.get(name) ?? allocateUnset(kind.precision, (end - begin) / kind.size, `'${source.name}'`)
    await readExactly(source, data as typeof data & ArrayBufferView<ArrayBuffer>, length + begin)
    tensors.set(name, { name, shape, data })
  }
  return { tensors, metadata }
}

function floatType(file: string, { name, dtype }: HeaderEntry): ElementType {
  if (Object.hasOwn(elementTypes, dtype)) return dtype as ElementType
  const problem = `its dtype is ${JSON.stringify(dtype).slice(0, 40)}; F32 and F64 are read`
  throw formatError(file, `tensor '${name.slice(0, 80)}': ${problem}`)
}

function checkTensor({ name, shape, data }: Tensor, index: number): void {
  checkText(`tensors[${index}].name`, name, '')
  if (name === METADATA) throw argumentError(`tensors[${index}].name`, `a name other than ${METADATA}`, name)
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
