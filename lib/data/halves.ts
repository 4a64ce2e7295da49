import { elementType } from '../base/precision.js'
import type { StorageType } from '../base/storage-type.js'
import type { MatrixData } from './matrix-data.js'

/** A float of 16 bits: a sign, then an exponent, then so many bits of mantissa. */
interface HalfFormat {
  readonly mantissaBits: number
  readonly bias: number
}

const FORMATS = {
  float16: { mantissaBits: 10, bias: 15 },
  bfloat16: { mantissaBits: 7, bias: 127 },
} as const satisfies Partial<Record<StorageType, HalfFormat>>

/** A storage type of 16-bit floats. */
export type HalfType = keyof typeof FORMATS

const SIGN = 0x8000

export function isHalf(type: StorageType): type is HalfType {
  return Object.hasOwn(FORMATS, type)
}

const tables = new Map<HalfType, Float32Array>()

/**
 * The number of each of the 65,536 patterns of bits, where an array holds bits and not numbers: float16 and bfloat16 in a Uint16Array. A
 * quarter of a MiB, made when it is first asked for.
 */
export function halfNumbers(data: MatrixData, type: StorageType): Float32Array | undefined {
  if (!isHalf(type) || elementType(data) !== 'uint16') return undefined
  const known = tables.get(type)
  if (known !== undefined) return known
  const table = Float32Array.from({ length: 2 ** 16 }, (_, bits) => numberOf(bits, FORMATS[type]))
  tables.set(type, table)
  return table
}

/** The numbers of a row as they are stored, before any scale: the array itself, or a copy of what its bits mean. */
export function storedNumbers(data: MatrixData, type: StorageType): ArrayLike<number> {
  const numbers = halfNumbers(data, type)
  return numbers === undefined ? data : Float32Array.from(data, (bits) => numbers[bits]!)
}

function numberOf(bits: number, { mantissaBits, bias }: HalfFormat): number {
  const unit = 2 ** mantissaBits
  const mantissa = bits % unit
  const exponent = ((bits % SIGN) - mantissa) / unit
  const sign = bits < SIGN ? 1 : -1
  if (exponent === 2 * bias + 1) return mantissa === 0 ? sign * Infinity : NaN
  return (
    sign * (exponent === 0 ? mantissa : unit + mantissa) * 2 ** (Math.max(1, exponent) - bias - mantissaBits)
  )
}

const FLOAT = new DataView(new ArrayBuffer(8))

/** Powers of two from 2^−1050 on: an array of them is several times faster than `**`. */
const LEAST_POWER = -1050
const POWERS = Float64Array.from({ length: 1200 }, (_, k) => 2 ** (k + LEAST_POWER))

/** The bits of the nearest number, of two as near the one whose last bit is 0. Undefined for NaN, and for what is too large. */
export function halfBits(value: number, type: HalfType): number | undefined {
  const { mantissaBits, bias } = FORMATS[type]
  FLOAT.setFloat64(0, value)
  const top = FLOAT.getUint16(0)
  const exponent = Math.max(1 - bias, ((top >> 4) & 0x7ff) - 1023)
  // In units of the last bit: numbers below the least normal one have its unit. A carry goes on into the exponent.
  const units = roundedToEven(Math.abs(value) * POWERS[mantissaBits - exponent - LEAST_POWER]!)
  const bits = ((exponent + bias - 1) << mantissaBits) + units
  return bits < (2 * bias + 1) << mantissaBits ? (top & SIGN) + bits : undefined
}

/** Beyond this, all float64 are whole. */
const WHOLE = 2 ** 52

/** The nearest whole number, of two as near the even one. */
export function roundedToEven(value: number): number {
  if (!(Math.abs(value) < WHOLE)) return value
  return value < 0 ? value - WHOLE + WHOLE : value + WHOLE - WHOLE
}
