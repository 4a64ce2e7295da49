import { types } from 'node:util'
import { argumentError } from '../check.js'
import { LayerwiseError } from '../errors.js'
import { elementType } from '../precision.js'
import type { MatrixData } from './matrix.js'

/** Refuses what native code could not safely read: other array types, and memory that is shared, may shrink or is gone. */
export function checkStorage(argument: string, data: unknown): asserts data is MatrixData {
  if (elementType(data) === undefined) {
    const convertible =
      types.isTypedArray(data) && !types.isBigInt64Array(data) && !types.isBigUint64Array(data)
    const other = convertible ? ' (Float64Array.from converts other numbers)' : ''
    throw argumentError(argument, `a Float32Array, Float64Array or Uint8Array${other}`, data)
  }
  const { buffer } = data as { buffer: ArrayBufferLike & { resizable?: boolean } }
  if (types.isSharedArrayBuffer(buffer)) {
    throw storageError(
      argument,
      'an array over an ordinary ArrayBuffer',
      'one over a SharedArrayBuffer: copy it',
    )
  }
  if (buffer.resizable === true) {
    throw storageError(
      argument,
      'an array over an ArrayBuffer of fixed size',
      'one over a resizable ArrayBuffer: copy it',
    )
  }
  if (isDetached(buffer)) {
    throw storageError(
      argument,
      'an array that still has its memory',
      'one whose ArrayBuffer was transferred away',
    )
  }
}

function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false
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
