import { Matrix, type MatrixData, type StorageType } from '../lib/index.js'

/** How a Float16Array is made, where this version of Node has it. */
const { Float16Array } = globalThis as { Float16Array?: { from(numbers: Iterable<number>): MatrixData } }

/** Arrays of every kind that a Matrix may be over, made of numbers from 0 to 1: integers as a share of their range. */
const makers: Record<string, { type: StorageType; scale: number; make: (shares: number[]) => MatrixData }> = {
  float32: { type: 'float32', scale: 1, make: (shares) => Float32Array.from(shares) },
  float64: { type: 'float64', scale: 1, make: (shares) => Float64Array.from(shares) },
  uint8: integers('uint8', Uint8Array, 2 ** 8),
  int8: integers('int8', Int8Array, -(2 ** 7)),
  uint16: integers('uint16', Uint16Array, 2 ** 16),
  int16: integers('int16', Int16Array, -(2 ** 15)),
  uint32: integers('uint32', Uint32Array, 2 ** 32),
  int32: integers('int32', Int32Array, -(2 ** 31)),
  // Bits from 0x2c00 to 0x3c00: from 2^-4 to 1.
  'float16 in bits': {
    type: 'float16',
    scale: 1,
    make: (shares) => Uint16Array.from(shares, (share) => 0x2c00 + 0xfff * share),
  },
  // Bits from 0x3d80 to 0x3f80: the same numbers.
  'bfloat16 in bits': {
    type: 'bfloat16',
    scale: 1,
    make: (shares) => Uint16Array.from(shares, (share) => 0x3d80 + 0x1ff * share),
  },
  ...(Float16Array && {
    float16: { type: 'float16', scale: 1, make: (shares: number[]) => Float16Array.from(shares) },
  }),
}

function integers(
  type: StorageType,
  kind: { from: (shares: number[], map: (share: number) => number) => MatrixData },
  range: number,
) {
  const most = range > 0 ? range - 1 : range
  const make = (shares: number[]) => kind.from(shares, (share) => Math.trunc(most * share))
  return { type, scale: 1 / most, make }
}

/** The same rows, nearly, in every kind of array that a Matrix may be over; values from 0 to 1. */
export function storedRows(shares: readonly number[], cols: number): [name: string, x: Matrix][] {
  return Object.entries(makers).map(([name, { type, scale, make }]) => [
    name,
    Matrix.from(make([...shares]), shares.length / cols, cols, { scale, type }),
  ])
}

/** Whether a flat array of this kind may be handed over alone. */
export const isBare = ({ data }: Matrix) => !(data instanceof Uint16Array)
