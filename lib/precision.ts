import { checkChoice } from './check.js'
import { LayerwiseError } from './errors.js'

/** What a model computes in, and keeps its parameters in. */
export type Precision = 'float32' | 'float64'

/** The typed array of a precision. */
export type FloatArray<P extends Precision = Precision> = P extends 'float64' ? Float64Array : Float32Array

export function checkPrecision(argument: string, value: unknown): Precision {
  return checkChoice(argument, value, ['float32', 'float64'])
}

/**
 * `length` zeros; `what` they are for is named if there is no room.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if they cannot be allocated
 */
export function allocate<P extends Precision>(precision: P, length: number, what: string): FloatArray<P> {
  try {
    return (precision === 'float64' ? new Float64Array(length) : new Float32Array(length)) as FloatArray<P>
  } catch (cause) {
    throw new LayerwiseError('ERR_MEMORY', `${what}: no room for ${length} ${precision} numbers`, {}, cause)
  }
}
