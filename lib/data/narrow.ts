import { notFiniteError } from '../base/data-errors.js'
import type { StoredArray } from '../base/precision.js'
import { STORAGE_TYPES, type StorageType } from '../base/storage-type.js'
import { halfBits, isHalf, roundedToEven } from './halves.js'
import type { Slice } from './slices.js'

/**
 * Writes the values of a slice in another type, from the beginning of `out`: rounded to the nearest number that it holds, of two as near the
 * even one.
 *
 * @param cols - columns of the whole
 * @param out - an array of that type
 * @param scale - factor on every number of it: a value is divided by it before it is rounded
 * @throws {@link LayerwiseError} `ERR_RANGE` naming row and column of the first value that is NaN, or that the type cannot hold
 */
export function narrowSlice(
  argument: string,
  { from, values }: Slice,
  cols: number,
  type: StorageType,
  out: StoredArray,
  scale = 1,
): void {
  const stored = storedIn(type)
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!
    const number = stored(value / scale)
    if (number === undefined) {
      const holder = scale === 1 ? type : `${type} with scale ${scale}`
      throw notFiniteError(argument, value, Math.floor((from + k) / cols), (from + k) % cols, holder)
    }
    out[k] = number
  }
}

/** A value as the type stores it; undefined for what it cannot hold. */
function storedIn(type: StorageType): (value: number) => number | undefined {
  const { range } = STORAGE_TYPES[type]
  if (isHalf(type)) return (value) => halfBits(value, type)
  if (range !== undefined) {
    const [low, high] = range
    return (value) => {
      const rounded = roundedToEven(value)
      return rounded >= low && rounded <= high ? rounded : undefined
    }
  }
  const rounded = type === 'float32' ? Math.fround : Number
  return (value) => (Number.isFinite(rounded(value)) ? rounded(value) : undefined)
}
