/**
 * What texts mean, wherever a table has texts. Every rule is stated in docs/tables.md.
 */

/** Missing in a column of numbers, truth values or dates; of texts only the empty one is. */
const MISSING: ReadonlySet<string> = new Set([
  ...['', 'NA', 'N/A', 'n/a', '#N/A', 'NaN', 'nan', 'NAN', '-nan', 'null', 'NULL', 'Null', 'None', 'none'],
  ...['nil', '<NA>', '?', '-', '.', '\\N'],
])

/** Whether a text stands for a missing number, truth value or date. */
export function isMissingText(text: string): boolean {
  return MISSING.has(text) || MISSING.has(text.trim())
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const INTEGER = /^[+-]?\d+$/
const INFINITE = /^[+-]?inf(?:inity)?$/i
/** A code, not a number: 007, 02134. */
const CODE = /^[+-]?0\d/

/** What a text is, by itself. */
export type TextKind = 'missing' | 'number' | 'bigint' | 'boolean' | 'date' | 'string'

/**
 * What a text is, by itself: `bigint` for integers beyond ±(2⁵³ − 1) that 64 bits hold; `string` for integers of more digits and for codes
 * with leading zeros.
 */
export function kindOfText(text: string): TextKind {
  if (isMissingText(text)) return 'missing'
  const trimmed = text.trim()
  if (NUMBER.test(trimmed)) {
    if (CODE.test(trimmed)) return 'string'
    if (!INTEGER.test(trimmed) || isSafeInteger(trimmed)) return 'number'
    return trimmed.length <= 20 && BigInt.asIntN(64, bigintOf(trimmed)) === bigintOf(trimmed)
      ? 'bigint'
      : 'string'
  }
  if (INFINITE.test(trimmed)) return 'number'
  if (booleanOfText(trimmed) !== undefined) return 'boolean'
  return Number.isNaN(dateOfText(trimmed)) ? 'string' : 'date'
}

function isSafeInteger(text: string): boolean {
  return Number.isSafeInteger(Number(text))
}

function bigintOf(text: string): bigint {
  return BigInt(text.startsWith('+') ? text.slice(1) : text)
}

/** The number of a text that is not missing; undefined if it is none, or an integer whose digits float64 would lose. */
export function numberOfText(text: string, acceptsCodes: boolean): number | undefined {
  const trimmed = text.trim()
  if (INFINITE.test(trimmed)) return trimmed.startsWith('-') ? -Infinity : Infinity
  if (!NUMBER.test(trimmed) || (!acceptsCodes && CODE.test(trimmed))) return undefined
  return INTEGER.test(trimmed) && !isSafeInteger(trimmed) ? undefined : Number(trimmed)
}

/** The integer of a text that is not missing; undefined if it is none of 64 bits. */
export function bigintOfText(text: string): bigint | undefined {
  const trimmed = text.trim()
  if (trimmed.length > 20 || !INTEGER.test(trimmed) || CODE.test(trimmed)) return undefined
  const value = bigintOf(trimmed)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

/** The truth value of a text that is not missing; undefined if it is none. */
export function booleanOfText(text: string): boolean | undefined {
  const trimmed = text.trim()
  if (trimmed.length > 5) return undefined
  const lower = trimmed.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : undefined
}

const [DASH, COLON, POINT, COMMA, SPACE, T, ZERO] = [0x2d, 0x3a, 0x2e, 0x2c, 0x20, 0x54, 0x30]
const LONGEST_DATE = 45
const ZONE = /^ ?(?:Z|UTC|([+-])(\d\d)(?::?(\d\d))?)$/i

/** Two digits; −100 or less, if they are none. */
function pair(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - ZERO, text.charCodeAt(at + 1) - ZERO]
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1000
}

/**
 * Milliseconds since 1970-01-01 in UTC of a day or a time in ISO 8601, years 0000 to 9999; NaN for any other text. A time without a zone is taken
 * as UTC, whatever the zone of the process.
 */
export function dateOfText(given: string): number {
  if (given.length < 10 || given.length > LONGEST_DATE) return Number.NaN
  const text = given.trim()
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return Number.NaN
  const year = pair(text, 0) * 100 + pair(text, 2)
  const [month, day] = [pair(text, 5), pair(text, 8)]
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return Number.NaN
  const midnight = daysSinceEpoch(year, month, day) * 86_400_000
  return text.length === 10 ? midnight : midnight + timeOfText(text, 10)
}

/** Milliseconds since midnight in UTC of `T12:34:56.789+01:00`, from a place on; NaN for any other text. */
function timeOfText(text: string, begin: number): number {
  const mark = text.charCodeAt(begin)
  if (mark !== T && mark !== T + 0x20 && mark !== SPACE) return Number.NaN
  if (text.charCodeAt(begin + 3) !== COLON) return Number.NaN
  const [hour, minute] = [pair(text, begin + 1), pair(text, begin + 4)]
  let [at, second, fraction] = [begin + 6, 0, 0]
  if (text.charCodeAt(at) === COLON) {
    second = pair(text, at + 1)
    at += 3
    const point = text.charCodeAt(at)
    if (point === POINT || point === COMMA) {
      const from = ++at
      while (at < text.length && text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= ZERO + 9) at++
      if (at === from) return Number.NaN
      fraction = Number(`0.${text.slice(from, at)}`) * 1000
    }
  }
  const isEndOfDay = hour === 24 && minute === 0 && second === 0 && fraction === 0
  const isTime =
    hour >= 0 && (hour <= 23 || isEndOfDay) && minute >= 0 && minute <= 59 && second >= 0 && second <= 60
  if (!isTime) return Number.NaN
  return ((hour * 60 + minute - zoneMinutes(text, at)) * 60 + second) * 1000 + fraction
}

/** Minutes east of UTC of the zone from a place on; 0 if there is none, NaN if it is something else. */
function zoneMinutes(text: string, at: number): number {
  if (at === text.length || (at === text.length - 1 && text[at] === 'Z')) return 0
  const found = ZONE.exec(text.slice(at))
  if (found === null) return Number.NaN
  const [, sign, hours = '0', minutes = '0'] = found
  if (Number(hours) > 15 || Number(minutes) > 59) return Number.NaN
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/**
 * Days from 1970-01-01 in the Gregorian calendar, of years from 0.
 *
 * Source: Hinnant 2013, "chrono-Compatible Low-Level Date Algorithms", days_from_civil. A year begins in March here.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
