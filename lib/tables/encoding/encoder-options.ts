import {
  argumentError,
  checkChoice,
  checkInteger,
  checkKind,
  checkOptions,
  checkWithin,
  ownCopy,
} from '../../base/check.js'
import { show } from '../../base/show.js'

/** How numbers are scaled. */
export type NumberEncoding = 'standard' | 'robust' | 'log' | 'none'

/** Texts as one of a fixed number of columns, chosen by a hash of the text. */
export interface HashEncoding {
  /** Identifies the kind of encoding. */
  readonly kind: 'hash'
  /** How many columns, from 2 to 65536. */
  readonly buckets: number
}

/**
 * How a column of a table is encoded:
 *
 * - `'standard'`, `'robust'`, `'log'`, `'none'`: numbers and dates, as {@link TableEncoderOptions.numbers} says; of dates the time since 1970 alone;
 * - `'category'`: texts, numbers and truth values, one column for each frequent value;
 * - `{ kind: 'hash', buckets }`: the same values, a fixed number of columns;
 * - `'drop'`: not at all.
 */
export type ColumnEncoding = NumberEncoding | 'category' | 'drop' | HashEncoding

/** Options of a {@link TableEncoder}. */
export interface TableEncoderOptions {
  /**
   * How numbers are scaled: `'standard'` (x − mean) / standard deviation; `'robust'` (x − median) / (interquartile range / 1.349), so that a few extreme
   * values change nothing; `'log'` the same of sign(x) · log(1 + |x| / median of |x|), for heavy tails; `'none'` not at all. Default `'standard'`.
   */
  readonly numbers?: NumberEncoding | undefined
  /** A category needs as many rows to get a column of its own; the others share one, `other`. Default 5. */
  readonly minimumCount?: number | undefined
  /** How many categories of one table column may get a column of their own; more are an error. Default 100, at most 10000. */
  readonly mostCategories?: number | undefined
  /** Encodings of single columns, by name, instead of the usual one of their type. Default none. */
  readonly columns?: Readonly<Record<string, ColumnEncoding>> | undefined
}

/** All options, checked and complete. */
export interface EncoderSettings {
  readonly numbers: NumberEncoding
  readonly minimumCount: number
  readonly mostCategories: number
  readonly columns: ReadonlyMap<string, ColumnEncoding>
}

export const NUMBER_ENCODINGS: readonly NumberEncoding[] = ['standard', 'robust', 'log', 'none']
const ENCODINGS: readonly string[] = [...NUMBER_ENCODINGS, 'category', 'drop']
/** Distinct values of a column that are counted at most. */
export const MOST_DISTINCT = 10_000
const MOST_BUCKETS = 65_536

export function checkEncoderOptions(options: unknown): EncoderSettings {
  const given = checkOptions('options', options, ['numbers', 'minimumCount', 'mostCategories', 'columns'])
  const { numbers = 'standard', minimumCount = 5, mostCategories = 100, columns = {} } = given
  return {
    numbers: checkChoice('numbers', numbers, NUMBER_ENCODINGS),
    minimumCount: checkInteger('minimumCount', minimumCount, 1),
    mostCategories: checkInteger('mostCategories', mostCategories, 1, MOST_DISTINCT),
    columns: checkColumns(columns),
  }
}

function checkColumns(value: unknown): ReadonlyMap<string, ColumnEncoding> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw argumentError('columns', 'an object with an encoding for each name', value)
  const encodings = Object.entries(value).filter(([, encoding]) => encoding !== undefined)
  return new Map(
    encodings.map(([name, encoding]) => [name, checkEncoding(`columns[${show(name)}]`, encoding)]),
  )
}

export function checkEncoding(argument: string, value: unknown): ColumnEncoding {
  if (typeof value === 'object' && value !== null) {
    checkKind(argument, value, ['hash'])
    const given = checkWithin(argument, () => checkOptions('options', ownCopy(value), ['kind', 'buckets']))
    return { kind: 'hash', buckets: checkInteger(`${argument}.buckets`, given.buckets, 2, MOST_BUCKETS) }
  }
  if (typeof value !== 'string' || !ENCODINGS.includes(value))
    throw argumentError(argument, `one of '${ENCODINGS.join("', '")}' or { kind: 'hash', buckets }`, value)
  return value as ColumnEncoding
}
