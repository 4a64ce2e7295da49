import { types } from 'node:util'
import { argumentError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { elementType } from '../base/precision.js'
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

const CLASSES = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array } as const

/** Members that our code uses, and that a caller's object could override. */
const ASKED = ['length', 'buffer', 'byteOffset', 'byteLength', 'constructor', 'subarray', 'forEach']

/** Refuses arrays that native code cannot safely read: other types, and memory that is shared, resizable or detached. */
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
 * The array itself if it is a plain typed array, else a plain one over the same memory: a subclass such as Buffer may override `length` and
 * the iterator, and its `subarray` may return anything.
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

/** The numbers `from` to `to` (not included) of an array, over the same memory. Unlike `subarray`, it does not use the class's species. */
export function viewOf<D extends MatrixData>(data: D, from: number, to: number): D {
  const ordinary = CLASSES[elementType(data)!]
  const buffer = bufferOf(data) as ArrayBuffer
  return new ordinary(
    buffer,
    offsetOf(data) + from * ordinary.BYTES_PER_ELEMENT,
    to - from,
  ) as MatrixData as D
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
