import { TextDecoder } from 'node:util'
import { type CsvRecord, ESCAPED } from './csv-records.js'

const [MINUS, PLUS, POINT, ZERO, NINE, E] = [0x2d, 0x2b, 0x2e, 0x30, 0x39, 0x45]

/** The powers of ten that float64 holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

/**
 * The number that bytes write in the usual way; NaN for all else, also for numbers that are rarely written: with spaces, with more than 15
 * digits, with leading zeros. At most 15 digits and a power of ten up to 22 are exact in float64, so one multiplication or division rounds
 * correctly.
 *
 * Source: Clinger 1990, "How to read floating point numbers accurately", the fast case.
 */
export function plainNumber(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  const isNegative = bytes[at] === MINUS
  if (isNegative || bytes[at] === PLUS) at++
  let [mantissa, digits, decimals] = [0, 0, 0]
  const first = at
  for (; at < end; at++) {
    const byte = bytes[at]!
    if (byte < ZERO || byte > NINE) break
    mantissa = mantissa * 10 + (byte - ZERO)
    digits++
  }
  if (digits > 1 && bytes[first] === ZERO) return Number.NaN
  if (at < end && bytes[at] === POINT) {
    const point = at++
    for (; at < end; at++) {
      const byte = bytes[at]!
      if (byte < ZERO || byte > NINE) break
      mantissa = mantissa * 10 + (byte - ZERO)
      digits++
    }
    decimals = at - point - 1
  }
  if (digits === 0 || digits > 15) return Number.NaN
  let exponent = 0
  if (at < end) {
    if ((bytes[at]! & 0xdf) !== E) return Number.NaN
    at++
    const isDown = bytes[at] === MINUS
    if (isDown || bytes[at] === PLUS) at++
    const from = at
    for (; at < end && at < from + 4; at++) {
      const byte = bytes[at]!
      if (byte < ZERO || byte > NINE) return Number.NaN
      exponent = exponent * 10 + (byte - ZERO)
    }
    if (at !== end || at === from) return Number.NaN
    if (isDown) exponent = -exponent
  }
  exponent -= decimals
  if (exponent < -22 || exponent > 22) return Number.NaN
  const value = exponent < 0 ? mantissa / POWERS[-exponent]! : mantissa * POWERS[exponent]!
  return isNegative ? -value : value
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a field. @throws TypeError if it is not UTF-8 */
export function fieldText(record: CsvRecord, field: number): string {
  const { bytes } = record
  const [start, end] = [record.starts[field]!, record.ends[field]!]
  let marks = 0
  for (let at = start; at < end; at++) marks |= bytes[at]!
  const text = marks < 0x80 ? latin1(bytes, start, end) : decoder.decode(bytes.subarray(start, end))
  if (record.forms[field] !== ESCAPED) return text
  const quote = String.fromCharCode(bytes[start - 1]!)
  return text.replaceAll(quote + quote, quote)
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  if (end - start === 0) return ''
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}

const SLOTS = 128
const LONGEST = 32

/** Texts of a column that were seen lately: the same bytes again need no new string. */
export class FieldTexts {
  readonly #seen: (string | undefined)[] = []

  text(record: CsvRecord, field: number): string {
    const { bytes, starts, ends } = record
    const [start, end] = [starts[field]!, ends[field]!]
    const length = end - start
    if (length > LONGEST || record.forms[field] === ESCAPED) return fieldText(record, field)
    let [hash, marks] = [length, 0]
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      marks |= byte
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    if (marks >= 0x80) return fieldText(record, field)
    const slot = (hash ^ (hash >>> 11) ^ (hash >>> 21)) & (SLOTS - 1)
    const seen = this.#seen[slot]
    if (seen !== undefined && isText(seen, bytes, start, length)) return seen
    const text = latin1(bytes, start, end)
    this.#seen[slot] = text
    return text
  }
}

function isText(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false
  return true
}
