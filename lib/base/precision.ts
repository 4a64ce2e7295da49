import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { checkChoice } from './check.js'
import { LayerwiseError, messageOf } from './errors.js'
import type { StorageType } from './storage-type.js'

/** The number type of a model's computation and parameters. */
export type Precision = 'float32' | 'float64'

/**
 * A Float32Array over a plain buffer, not a shared one: the type of results. From TypeScript 5.7 on this is `Float32Array<ArrayBuffer>`,
 * which a `Blob` or a `Response` accepts; older versions have one type for both, without a type argument.
 */
export type PlainFloat32Array = ReturnType<typeof Float32Array.of>
/** A Float64Array over a plain buffer: see {@link PlainFloat32Array}. */
export type PlainFloat64Array = ReturnType<typeof Float64Array.of>
/** A Uint8Array over a plain buffer: see {@link PlainFloat32Array}. */
export type PlainUint8Array = ReturnType<typeof Uint8Array.of>
/** A Uint32Array over a plain buffer: see {@link PlainFloat32Array}. */
export type PlainUint32Array = ReturnType<typeof Uint32Array.of>

/** The typed array of a precision, as results are. */
export type FloatArray<P extends Precision = Precision> = P extends 'float64'
  ? PlainFloat64Array
  : PlainFloat32Array

/** The typed array of a precision, as arguments may be. */
export type FloatInput<P extends Precision = Precision> = P extends 'float64' ? Float64Array : Float32Array

export function checkPrecision(argument: string, value: unknown): Precision {
  return checkChoice(argument, value, ['float32', 'float64'])
}

const tagGetter = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!
/** The name of the language's class that an array is of; undefined of all else. Neither the array nor its own class is asked. */
const arrayName: (data: unknown) => string | undefined = Function.prototype.call.bind(tagGetter)

/** What a typed array may hold by its class. A Uint16Array may also hold the bits of halves: only who made it knows. */
export type ElementType = Exclude<StorageType, 'bfloat16'>

const ELEMENT_TYPES: ReadonlyMap<string | undefined, ElementType> = new Map([
  ['Float32Array', 'float32'],
  ['Float64Array', 'float64'],
  ['Uint8Array', 'uint8'],
  ['Int8Array', 'int8'],
  ['Uint16Array', 'uint16'],
  ['Int16Array', 'int16'],
  ['Uint32Array', 'uint32'],
  ['Int32Array', 'int32'],
  ['Float16Array', 'float16'],
])

/**
 * The element type of a typed array, read without instanceof, since a sandbox or another vm context has its own classes. Undefined for
 * arrays of BigInts and of clamped bytes, and for what only looks like an array: a proxy, or an object made from an array's
 * prototype.
 */
export function elementType(data: unknown): ElementType | undefined {
  return ELEMENT_TYPES.get(arrayName(data))
}

/** The same for arrays of floats. */
export function precisionOf(data: Float32Array | Float64Array): Precision {
  return types.isFloat64Array(data) ? 'float64' : 'float32'
}

/** Whether a model may compute in it. */
export function isPrecision(type: StorageType | undefined): type is Precision {
  return type === 'float32' || type === 'float64'
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  // As their bits.
  float16: Uint16Array,
  bfloat16: Uint16Array,
} as const satisfies Record<StorageType, unknown>

/** An array of numbers of a storage type that every version of Node has: halves lie in it as their bits. */
export type StoredArray<T extends StorageType = StorageType> = ReturnType<(typeof ARRAYS)[T]['of']>

/**
 * `length` zeros; `what` is named in the error if there is no memory.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if they cannot be allocated
 */
export function allocate<P extends Precision>(type: P, length: number, what: string): FloatArray<P>
export function allocate<T extends StorageType>(type: T, length: number, what: string): StoredArray<T>
export function allocate(type: StorageType, length: number, what: string): StoredArray {
  try {
    return new ARRAYS[type](length)
  } catch (cause) {
    throw memoryError(what, length, ARRAYS[type].BYTES_PER_ELEMENT, cause)
  }
}

/**
 * The sizes in bytes, from 1 MiB to 64 MiB, of arrays that a C library may give from memory it had before, and fill with zeros in one go:
 * milliseconds of the event loop. glibc does so up to 32 MiB; longer ones are new pages of the system, which are zeros already.
 */
const [LEAST_UNSET, MOST_UNSET] = [2 ** 20, 2 ** 26]

/**
 * As {@link allocate}, with any numbers in place of zeros: for arrays that are written in full before others see them.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if they cannot be allocated
 */
export function allocateUnset<P extends Precision>(type: P, length: number, what: string): FloatArray<P>
export function allocateUnset<T extends StorageType>(type: T, length: number, what: string): StoredArray<T>
export function allocateUnset(type: StorageType, length: number, what: string): StoredArray {
  const bytes = length * ARRAYS[type].BYTES_PER_ELEMENT
  if (bytes < LEAST_UNSET || bytes > MOST_UNSET) return allocate(type, length, what)
  try {
    return new ARRAYS[type](Buffer.allocUnsafeSlow(bytes).buffer, 0, length)
  } catch (cause) {
    throw memoryError(what, length, ARRAYS[type].BYTES_PER_ELEMENT, cause)
  }
}

/** The error for an array of `length` numbers of `size` bytes each that could not be allocated: no memory, or too long. */
export function memoryError(what: string, length: number, size: number, cause: unknown): LayerwiseError {
  const bytes = `${length} numbers, ${length * size} bytes`
  const tooLong = messageOf(cause).startsWith('Invalid typed array length')
  const problem = tooLong
    ? `a typed array of Node ${process.version} cannot hold ${bytes}: before Node 22 it holds 2^32 numbers at most. ` +
      'Use a newer Node, or split the data'
    : `no memory for ${bytes}`
  return new LayerwiseError('ERR_MEMORY', `${what}: ${problem}`, { received: length }, cause)
}
