import { types } from 'node:util'
import { argumentError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { type ElementType, elementType, memoryError } from '../base/precision.js'
import type { StorageType } from '../base/storage-type.js'
import type { NativeData } from '../native/binding.js'
import type { MatrixData } from './matrix-data.js'

type Getter<T> = (of: object) => T

/** A getter of the language itself: getters of an object or its class could return anything. */
function getterOf<T>(prototype: object, name: string): Getter<T> | undefined {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get
  return get && (Function.prototype.call.bind(get) as Getter<T>)
}

const typedArrays: object = Object.getPrototypeOf(Uint8Array.prototype)
/** How many numbers a typed array holds. */
export const lengthOf = getterOf<number>(typedArrays, 'length')!
const offsetOf = getterOf<number>(typedArrays, 'byteOffset')!
/** The buffer of a typed array. */
export const bufferOf = getterOf<ArrayBufferLike>(typedArrays, 'buffer')!
const bytesOf = getterOf<number>(ArrayBuffer.prototype, 'byteLength')!
const isResizable = getterOf<boolean>(ArrayBuffer.prototype, 'resizable') ?? (() => false)

/** What makes an array of one kind: over memory, or of zeros. */
interface ArrayClass {
  readonly prototype: object
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, offset: number, length: number): MatrixData
  new (length: number): MatrixData
}

const { Float16Array } = globalThis as { readonly Float16Array?: ArrayClass }

const CLASSES: Readonly<Record<ElementType, ArrayClass | undefined>> = {
  float32: Float32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  // Node has it from version 24 on.
  float16: Float16Array,
}

/** The class of an array, as this realm has it. */
function classOf(data: MatrixData): ArrayClass {
  return CLASSES[elementType(data)!]!
}

/** Members that our code uses, and that a caller's object could override. */
const ASKED = ['length', 'buffer', 'byteOffset', 'byteLength', 'constructor', 'subarray', 'forEach']

/** Refuses arrays that native code cannot safely read: other types, and memory that is shared, resizable or detached. */
export function checkStorage(argument: string, data: unknown): asserts data is MatrixData {
  if (elementType(data) === undefined) {
    const convertible = types.isUint8ClampedArray(data)
      ? ' (Uint8Array.from converts clamped ones)'
      : Array.isArray(data)
        ? ' (Float64Array.from converts arrays, Matrix.fromRows arrays of rows)'
        : ''
    throw argumentError(argument, `a typed array of integers or floats of 8 to 64 bits${convertible}`, data)
  }
  const buffer = bufferOf(data as object)
  const bytes = ordinaryBytes(buffer)
  if (bytes === undefined) {
    throw storageError(
      argument,
      'an array over an ordinary ArrayBuffer',
      'one over a SharedArrayBuffer: copy it',
    )
  }
  if (isResizable(buffer)) {
    throw storageError(
      argument,
      'an array over an ArrayBuffer of fixed size',
      'one over a resizable ArrayBuffer: copy it',
    )
  }
  if (bytes === 0 && isDetached(buffer)) {
    throw storageError(
      argument,
      'an array that still has its memory',
      'one whose ArrayBuffer was transferred away',
    )
  }
}

/**
 * The array itself if it is a plain typed array, else a plain one over the same memory: a subclass such as Buffer may override `length` and
 * the iterator, and its `subarray` may return anything.
 *
 * @throws {@link LayerwiseError} as {@link checkStorage}
 */
export function plainArray<D extends MatrixData>(argument: string, data: D): D
export function plainArray(argument: string, data: unknown): MatrixData
export function plainArray(argument: string, data: unknown): MatrixData {
  checkStorage(argument, data)
  const isPlain =
    Object.getPrototypeOf(data) === classOf(data).prototype &&
    !ASKED.some((name) => Object.hasOwn(data, name))
  return isPlain ? data : viewOf(data, 0, lengthOf(data))
}

/** The numbers `from` to `to` (not included) of an array, over the same memory. Unlike `subarray`, it does not use the class's species. */
export function viewOf<D extends MatrixData>(data: D, from: number, to: number): D {
  const ordinary = classOf(data)
  return new ordinary(bufferOf(data), offsetOf(data) + from * ordinary.BYTES_PER_ELEMENT, to - from) as D
}

/** Where in its buffer an array begins and ends, in bytes. */
export function bytesBetween(data: MatrixData): readonly [begin: number, end: number] {
  const begin = offsetOf(data)
  return [begin, begin + lengthOf(data) * classOf(data).BYTES_PER_ELEMENT]
}

/** As many numbers as `data` has, in an array of its class, over other memory. */
export function viewLike<D extends MatrixData>(data: D, buffer: ArrayBuffer, byteOffset: number): D {
  return new (classOf(data))(buffer, byteOffset, lengthOf(data)) as D
}

/**
 * `length` zeros in an array of the same class.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if they cannot be allocated
 */
export function allocateLike<D extends MatrixData>(data: D, length: number, what: string): D {
  const ordinary = classOf(data)
  try {
    return new ordinary(length) as D
  } catch (cause) {
    throw memoryError(what, length, ordinary.BYTES_PER_ELEMENT, cause)
  }
}

/**
 * What the numbers of an array are: what its class says or, of a Uint16Array, what its owner said.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` where the owner of a Uint16Array said nothing, or said of another what it is not
 */
export function storageTypeOf(argument: string, data: MatrixData, said?: unknown): StorageType {
  const held = elementType(data)!
  if (said === undefined && held !== 'uint16') return held
  const choices: readonly StorageType[] = held === 'uint16' ? ['uint16', 'float16', 'bfloat16'] : [held]
  if (said === undefined) {
    throw argumentError(
      argument,
      'an array that says what its numbers are, which may be integers or the bits of halves: ' +
        "Matrix.from(data, rows, cols, { type: 'uint16' | 'float16' | 'bfloat16' })",
      data,
    )
  }
  if (!(choices as readonly unknown[]).includes(said)) {
    throw argumentError('type', `${choices.map((type) => `'${type}'`).join(' | ')}, as data holds`, said)
  }
  return said as StorageType
}

/** The array as native code takes it, of numbers of this type: bits of halves as a Uint16Array, over the same memory. */
export function nativeData(data: MatrixData, type: StorageType): NativeData {
  return type === 'float16' && elementType(data) === 'float16'
    ? new Uint16Array(bufferOf(data) as ArrayBuffer, offsetOf(data), lengthOf(data))
    : (data as NativeData)
}

/** Bytes of an ordinary buffer; undefined for a shared one, for which the getter throws. Node's own check is much slower. */
function ordinaryBytes(buffer: ArrayBufferLike): number | undefined {
  try {
    return bytesOf(buffer)
  } catch {
    return undefined
  }
}

/** Whether a buffer without bytes was detached. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

function storageError(argument: string, expected: string, received: string): LayerwiseError {
  return new LayerwiseError('ERR_ARGUMENT', `${argument}: expected ${expected}, received ${received}`, {
    argument,
    expected,
    received,
  })
}
