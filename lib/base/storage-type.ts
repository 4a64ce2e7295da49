/**
 * How numbers are stored: as integers, or as floats of 16, 32 or 64 bits. `float16` is IEEE 754's; `bfloat16` is the upper half of a float32.
 * Both may lie in a Uint16Array, as their bits.
 */
export type StorageType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'

/** What a storage type is. */
export interface StorageTraits {
  /** How the addon numbers it: its place in `Storage` of native/core/base/storage.h. */
  readonly number: number
  /** Of a number. */
  readonly bytes: number
  /** Of integers, what they range over. */
  readonly range?: readonly [low: number, high: number]
  /** The narrower of the precisions that hold every number of it. */
  readonly precision: 'float32' | 'float64'
}

/** The one table of storage types. */
export const STORAGE_TYPES: Readonly<Record<StorageType, StorageTraits>> = {
  uint8: { number: 0, bytes: 1, range: [0, 2 ** 8 - 1], precision: 'float32' },
  int8: { number: 1, bytes: 1, range: [-(2 ** 7), 2 ** 7 - 1], precision: 'float32' },
  uint16: { number: 2, bytes: 2, range: [0, 2 ** 16 - 1], precision: 'float32' },
  int16: { number: 3, bytes: 2, range: [-(2 ** 15), 2 ** 15 - 1], precision: 'float32' },
  uint32: { number: 4, bytes: 4, range: [0, 2 ** 32 - 1], precision: 'float64' },
  int32: { number: 5, bytes: 4, range: [-(2 ** 31), 2 ** 31 - 1], precision: 'float64' },
  float16: { number: 6, bytes: 2, precision: 'float32' },
  bfloat16: { number: 7, bytes: 2, precision: 'float32' },
  float32: { number: 8, bytes: 4, precision: 'float32' },
  float64: { number: 9, bytes: 8, precision: 'float64' },
}
