import { TextDecoder } from 'node:util'
import {
  argumentError,
  checkBoolean,
  checkChoice,
  checkInteger,
  checkOptions,
  checkText,
  readArray,
} from '../base/check.js'
import { show } from '../base/show.js'
import { checkSignal } from '../native/run-options.js'
import { COLUMN_TYPES, type ColumnType } from './table-batch.js'

/** What a text, bytes or a file may be. */
export type TableFormat = 'csv' | 'jsonLines' | 'parquet' | 'arrow'

export const FORMATS: readonly TableFormat[] = ['csv', 'jsonLines', 'parquet', 'arrow']

/** How {@link readTable} reads. */
export interface ReadTableOptions {
  /** Names of the columns to read, in this order. Default all, in the order of the source. */
  readonly columns?: readonly string[] | undefined
  /** How many rows to read at most, from the first on. Default all. */
  readonly rows?: number | undefined
  /**
   * Types of columns by name: for texts and objects, instead of the types that are found in their first rows, as `{ zip: 'string' }`; for Parquet,
   * Arrow and queries only the type that they have anyway. `TableEncoder.types` are those of a fitted encoder. Default none.
   */
  readonly types?: Readonly<Record<string, ColumnType>> | undefined
  /**
   * What a file, bytes, or a stream of bytes or texts hold. Default by the name of the file (.csv, .tsv, .txt, .jsonl, .ndjson, .parquet, .arrow,
   * .feather, each also with .gz); a stream of anything without a format is one of objects.
   */
  readonly format?: TableFormat | undefined
  /** Rejects the reading with `signal.reason` once it is aborted. Default none. */
  readonly signal?: AbortSignal | undefined
  /** CSV: whether the first row has the names of the columns, or the names, where it has not. Default `true`; `false` names them column0, column1 … */
  readonly header?: boolean | readonly string[] | undefined
  /** CSV: what separates fields, one character of ASCII. Default that of `,` `;` tab and `|` that the first line has most often. */
  readonly separator?: string | undefined
  /** CSV: what surrounds fields that hold separators or line ends, one character of ASCII; `false` where nothing does. Default `'"'`. */
  readonly quote?: string | false | undefined
  /** CSV and JSON lines: how characters are encoded, as TextDecoder names it. Default UTF-8, or UTF-16 where a byte order mark says so. */
  readonly encoding?: string | undefined
  /** CSV: texts that are missing in every column, besides those that docs/tables.md lists by type. Default none. */
  readonly missing?: readonly string[] | undefined
}

/** What all readers are told, checked. */
export interface ReadOptions {
  readonly columns: readonly string[] | undefined
  readonly types: ReadonlyMap<string, ColumnType> | undefined
}

/** What the reader of CSV is told besides. */
export interface CsvOptions {
  readonly header: boolean | readonly string[] | undefined
  readonly separator: string | undefined
  readonly quote: string | false | undefined
  readonly missing: readonly string[] | undefined
}

/** All options, checked. */
export interface CheckedOptions extends ReadOptions, CsvOptions {
  readonly rows: number | undefined
  readonly format: TableFormat | undefined
  readonly signal: AbortSignal | undefined
  readonly encoding: string | undefined
}

const KNOWN = [
  ...['columns', 'rows', 'types', 'format', 'signal', 'header', 'separator', 'quote', 'encoding', 'missing'],
]

export function checkReadOptions(options: unknown): CheckedOptions {
  const given = checkOptions('options', options, KNOWN)
  const { columns, rows, types, format, signal, header, separator, quote, encoding, missing } = given
  const checked = {
    columns: columns === undefined ? undefined : checkTexts('columns', columns),
    rows: rows === undefined ? undefined : checkInteger('rows', rows, 0, Number.MAX_SAFE_INTEGER),
    types: types === undefined ? undefined : checkTypes(types),
    format: format === undefined ? undefined : checkChoice('format', format, FORMATS),
    signal: checkSignal('signal', signal),
    header:
      header === undefined
        ? undefined
        : Array.isArray(header)
          ? checkTexts('header', header)
          : checkBoolean('header', header),
    separator: separator === undefined ? undefined : checkMark('separator', separator),
    quote: quote === undefined || quote === false ? (quote as undefined | false) : checkMark('quote', quote),
    encoding: encoding === undefined ? undefined : checkEncoding(encoding),
    missing: missing === undefined ? undefined : checkTexts('missing', missing),
  }
  const { columns: names } = checked
  if (names !== undefined && (names.length === 0 || new Set(names).size < names.length))
    throw argumentError('columns', 'at least one name, each of them once', columns)
  const mark = checked.quote === undefined ? '"' : checked.quote
  if (checked.separator !== undefined && checked.separator === mark)
    throw argumentError('separator', 'another character than quote', separator)
  return checked
}

function checkTexts(argument: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw argumentError(argument, 'an array of strings', value)
  return readArray<unknown>(value).map((text, i) => checkText(`${argument}[${i}]`, text))
}

function checkTypes(value: unknown): ReadonlyMap<string, ColumnType> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw argumentError('types', 'an object with a type for each name', value)
  return new Map(
    Object.entries(value).map(([name, type]) => [
      name,
      checkChoice(`types[${show(name)}]`, type, COLUMN_TYPES),
    ]),
  )
}

function checkMark(argument: string, value: unknown): string {
  const text = checkText(argument, value)
  if (text.length !== 1 || text.charCodeAt(0) > 0x7e || text === '\n' || text === '\r' || text === '\0')
    throw argumentError(argument, 'one character of ASCII, no line end', value)
  return text
}

function checkEncoding(value: unknown): string {
  const name = checkText('encoding', value)
  try {
    return new TextDecoder(name).encoding
  } catch {
    throw argumentError('encoding', "an encoding that TextDecoder knows, as 'utf-8' or 'windows-1252'", value)
  }
}
