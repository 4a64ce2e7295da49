import { types } from 'node:util'
import { showReceived } from '../base/show.js'
import { BooleanBuilder, type ColumnBuilder, FloatBuilder, ValuesBuilder } from './column-builder.js'
import type { ColumnType } from './table-batch.js'
import { misfitError, type TablePlace, tableError } from './table-error.js'
import { bigintOfText, booleanOfText, dateOfText, isMissingText, numberOfText } from './texts.js'

/** What a JavaScript value is, by itself. `day`: a text that is a date. */
type ValueKind = 'missing' | 'number' | 'integer' | 'bigint' | 'boolean' | 'date' | 'day' | 'string' | 'list'

function kindOf(value: unknown): ValueKind {
  switch (typeof value) {
    case 'number':
      return Number.isNaN(value) ? 'missing' : Number.isInteger(value) ? 'integer' : 'number'
    case 'string':
      if (value === '') return 'missing'
      return Number.isNaN(dateOfText(value)) ? 'string' : 'day'
    case 'boolean':
      return 'boolean'
    case 'bigint':
      return value >= -MOST_SAFE && value <= MOST_SAFE ? 'integer' : 'bigint'
    case 'undefined':
      return 'missing'
    default:
      if (value === null) return 'missing'
      return types.isDate(value) ? 'date' : 'list'
  }
}

const MOST_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Finds the type of a column of JavaScript values in its first values. */
export class ValueTypeFinder {
  /** What kinds it has, and in which row each appeared first. */
  readonly #kinds = new Map<ValueKind, TablePlace>()
  /** Whether it has texts that are missing in a column of numbers, and texts in one of texts. */
  #hasWeak = false

  look(value: unknown, place: TablePlace): void {
    const kind = kindOf(value)
    if (kind === 'missing') return
    if (kind === 'string' && isMissingText(value as string)) this.#hasWeak = true
    else if (!this.#kinds.has(kind)) this.#kinds.set(kind, place)
  }

  /**
   * The type that fits all values; `number` if all are missing.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` naming two rows, if none fits
   */
  type(source: string, column: TablePlace): ColumnType {
    const kinds = new Set(this.#kinds.keys())
    if (kinds.size === 0) return this.#hasWeak ? 'string' : 'number'
    const only = (...fit: ValueKind[]) => [...kinds].every((kind) => fit.includes(kind))
    if (only('number', 'integer')) return 'number'
    if (only('integer', 'bigint')) return 'bigint'
    if (only('boolean')) return 'boolean'
    if (only('date', 'day')) return 'date'
    if (only('string', 'day')) return 'string'
    if (only('list')) return 'list'
    const [[first, before], [second, place]] = [...this.#kinds] as [
      [ValueKind, TablePlace],
      [ValueKind, TablePlace],
    ]
    const where = before.line !== undefined ? `line ${before.line}` : `row ${before.row}`
    throw tableError(
      source,
      { ...place, ...column },
      `${SAID[second]}, where ${where} has ${SAID[first]}; types: { … } chooses the type of the column`,
    )
  }
}

const SAID: Readonly<Record<ValueKind, string>> = {
  missing: 'nothing',
  number: 'a number',
  integer: 'a number',
  bigint: 'an integer beyond 2^53',
  boolean: 'a truth value',
  date: 'a date',
  day: 'a text that is a date',
  string: 'a text',
  list: 'a list or an object',
}

/** Collects the JavaScript values of a column. */
export interface ValueColumnReader {
  readonly builder: ColumnBuilder
  /** @throws {@link LayerwiseError} `ERR_FORMAT` for a value that is not of the type */
  add(value: unknown, place: TablePlace): void
}

/** How JavaScript values of a type are read. `isGiven`: the user chose the type, so that texts become values of it. */
export function valueColumnReader(
  source: string,
  name: string,
  type: ColumnType,
  capacity: number,
  isGiven: boolean,
): ValueColumnReader {
  const reader = <T>(
    builder: ColumnBuilder & { add(value: T): void },
    toValue: (value: unknown) => T | undefined,
    expected: string,
  ): ValueColumnReader => ({
    builder,
    add(value, place) {
      if (value === null || value === undefined || value === '') return builder.addMissing()
      const read = toValue(value)
      if (read !== undefined) return builder.add(read)
      if (typeof value === 'number' && Number.isNaN(value)) return builder.addMissing()
      if (typeof value === 'string' && type !== 'string' && isMissingText(value)) return builder.addMissing()
      throw misfitError(source, { ...place, name }, expected, value, isGiven)
    },
  })
  switch (type) {
    case 'number':
      return reader(
        new FloatBuilder(name, capacity, 'number'),
        (value) => asNumber(value, isGiven),
        'a number whose digits float64 holds',
      )
    case 'boolean':
      return reader(new BooleanBuilder(name, capacity), (value) => asBoolean(value, isGiven), 'true or false')
    case 'date':
      return reader(new FloatBuilder(name, capacity, 'date'), asDate, 'a date')
    case 'bigint':
      return reader(
        new ValuesBuilder(name, capacity, 'bigint'),
        (value) => asBigint(value, isGiven),
        'an integer',
      )
    case 'string':
      return reader(new ValuesBuilder(name, capacity, 'string'), (value) => asText(value, isGiven), 'a text')
    case 'list':
      return reader(
        new ValuesBuilder(name, capacity, 'list'),
        (value) => (isGiven || kindOf(value) === 'list' ? value : undefined),
        'a list or an object',
      )
    case 'decimal':
      throw tableError(
        source,
        { name },
        `${showReceived(type)} is a type of Parquet, Arrow and databases only`,
      )
  }
}

function asNumber(value: unknown, isGiven: boolean): number | undefined {
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : value
  if (typeof value === 'bigint') return value >= -MOST_SAFE && value <= MOST_SAFE ? Number(value) : undefined
  if (!isGiven) return undefined
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'string' ? numberOfText(value, true) : undefined
}

function asBoolean(value: unknown, isGiven: boolean): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (!isGiven) return undefined
  if (value === 0 || value === 1 || value === 0n || value === 1n) return Boolean(value)
  return typeof value === 'string' ? booleanOfText(value) : undefined
}

function asDate(value: unknown): number | undefined {
  const date = types.isDate(value)
    ? Number(Date.prototype.getTime.call(value))
    : typeof value === 'string'
      ? dateOfText(value)
      : Number.NaN
  return Number.isNaN(date) ? undefined : date
}

function asBigint(value: unknown, isGiven: boolean): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  return isGiven && typeof value === 'string' ? bigintOfText(value) : undefined
}

function asText(value: unknown, isGiven: boolean): string | undefined {
  if (typeof value === 'string') return value
  const isPlain = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
  if (!isGiven || !isPlain || Number.isNaN(value)) return undefined
  return String(value)
}

/**
 * A value as one of a type: a number, milliseconds, a truth value, a text or a bigint; null where it is missing, undefined where it does not fit. By the same rules
 * as the values of a column whose type was given.
 */
export function valueOfType(
  type: ColumnType,
  value: unknown,
): number | boolean | string | bigint | null | undefined {
  if (value === null || value === undefined || value === '') return null
  const read = readAs(type, value)
  if (read !== undefined) return read
  if (typeof value === 'number' && Number.isNaN(value)) return null
  return typeof value === 'string' && type !== 'string' && isMissingText(value) ? null : undefined
}

function readAs(type: ColumnType, value: unknown) {
  switch (type) {
    case 'number':
      return asNumber(value, true)
    case 'boolean':
      return asBoolean(value, true)
    case 'date':
      return asDate(value)
    case 'bigint':
      return asBigint(value, true)
    case 'string':
      return asText(value, true)
    default:
      return undefined
  }
}
