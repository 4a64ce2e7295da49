import { types } from 'node:util'
import { argumentError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { elementType } from '../base/precision.js'
import type { MatrixData } from './matrix-data.js'

type Getter<T> = (of: object) => T

/** A getter as the language defines it: what an object or its class says of itself may be anything. */
function getterOf<T>(prototype: object, name: string): Getter<T> | undefined {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get
  return get && (Function.prototype.call.bind(get) as Getter<T>)
}

const typedArrays: object = Object.getPrototypeOf(Uint8Array.prototype)
/** How many numbers a typed array holds. */
export const lengthOf = getterOf<number>(typedArrays, 'length')!
const offsetOf = getterOf<number>(typedArrays, 'byteOffset')!
/** The memory that a typed array lies over. */
export const bufferOf = getterOf<ArrayBufferLike>(typedArrays, 'buffer')!
const bytesOf = getterOf<number>(ArrayBuffer.prototype, 'byteLength')!
const isResizable = getterOf<boolean>(ArrayBuffer.prototype, 'resizable') ?? (() => false)

const CLASSES = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array } as const

/** What our code asks of an array, and an object of a caller's could answer itself. */
const ASKED = ['length', 'buffer', 'byteOffset', 'byteLength', 'constructor', 'subarray', 'forEach']

/** Refuses what native code could not safely read: other array types, and memory that is shared, may shrink or is gone. */
export function checkStorage(argument: string, data: unknown): asserts data is MatrixData {
  if (elementType(data) === undefined) {
    const convertible =
      types.isTypedArray(data) && !types.isBigInt64Array(data) && !types.isBigUint64Array(data)
    const other = convertible ? ' (Float64Array.from converts other numbers)' : ''
    throw argumentError(argument, `a Float32Array, Float64Array or Uint8Array${other}`, data)
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
 * The array itself where it is an ordinary one, or an ordinary one over the same memory: a class made from a typed array's, as Buffer, may
 * have a `length` and an iterator of its own, and its `subarray` may answer anything.
 *
 * @throws {@link LayerwiseError} as {@link checkStorage}
 */
export function plainArray<D extends MatrixData>(argument: string, data: D): D
export function plainArray(argument: string, data: unknown): MatrixData
export function plainArray(argument: string, data: unknown): MatrixData {
  checkStorage(argument, data)
  const kind = elementType(data)!
  const isPlain =
    Object.getPrototypeOf(data) === CLASSES[kind].prototype &&
    !ASKED.some((name) => Object.hasOwn(data, name))
  return isPlain ? data : viewOf(data, 0, lengthOf(data))
}

/** The numbers `from` to `to` (not included) of an array, over the same memory. Unlike `subarray`, it asks no class what to make. */
export function viewOf<D extends MatrixData>(data: D, from: number, to: number): D {
  const ordinary = CLASSES[elementType(data)!]
  const buffer = bufferOf(data) as ArrayBuffer
  return new ordinary(
    buffer,
    offsetOf(data) + from * ordinary.BYTES_PER_ELEMENT,
    to - from,
  ) as MatrixData as D
}

/** Bytes of an ordinary buffer; undefined of a shared one, which the getter of ordinary ones refuses. Asking Node costs far more. */
function ordinaryBytes(buffer: ArrayBufferLike): number | undefined {
  try {
    return bytesOf(buffer)
  } catch {
    return undefined
  }
}

/** Of a buffer without bytes, whether it had some. */
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
