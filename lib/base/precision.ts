import { types } from 'node:util'
import { checkChoice } from './check.js'
import { LayerwiseError, messageOf } from './errors.js'

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

/**
 * The element type of a typed array, read without instanceof, since a sandbox or another vm context has its own classes. Undefined for
 * other arrays and for imitations: a proxy, or an object created from an array's prototype.
 */
export function elementType(data: unknown): 'float32' | 'float64' | 'uint8' | undefined {
  if (types.isFloat32Array(data)) return 'float32'
  if (types.isFloat64Array(data)) return 'float64'
  return types.isUint8Array(data) ? 'uint8' : undefined
}

/** The same for arrays of floats. */
export function precisionOf(data: Float32Array | Float64Array): Precision {
  return types.isFloat64Array(data) ? 'float64' : 'float32'
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  uint32: Uint32Array,
} as const

/**
 * `length` zeros; `what` is named in the error if there is no memory.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if they cannot be allocated
 */
export function allocate(type: 'uint8', length: number, what: string): PlainUint8Array
export function allocate(type: 'uint32', length: number, what: string): PlainUint32Array
export function allocate<P extends Precision>(type: P, length: number, what: string): FloatArray<P>
export function allocate(
  type: keyof typeof ARRAYS,
  length: number,
  what: string,
): FloatArray | Uint8Array | Uint32Array {
  try {
    return new ARRAYS[type](length)
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
