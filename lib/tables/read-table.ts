import { types } from 'node:util'
import { argumentError } from '../base/check.js'
import { checkPath, filePath } from '../data/read-file.js'
import { type ArrowSource, arrowBatches, arrowSourceOf, ipcBatches } from './arrow.js'
import { type Bytes, bytesOf, fileBytes, textBytes } from './byte-stream.js'
import { csvBatches } from './csv.js'
import { type DuckdbSource, isDuckdbSource, parquetBatches, queryBatches } from './duckdb.js'
import { jsonLineBatches } from './json-lines.js'
import { objectBatches } from './object-rows.js'
import {
  type CheckedOptions,
  checkReadOptions,
  FORMATS,
  type ReadTableOptions,
  type TableFormat,
} from './read-options.js'
import { isSqliteSource, type SqliteSource, sqliteBatches } from './sqlite.js'
import { Table, type TableReader } from './table.js'

/** What {@link readTable} reads. */
export type TableSource =
  | string
  | URL
  | Uint8Array
  | ArrowSource
  | DuckdbSource
  | SqliteSource
  | Iterable<unknown>
  | AsyncIterable<unknown>
  | ReadableStreamLike

/** A web stream, by the members that are used. */
export interface ReadableStreamLike {
  /** As in the standard. */
  getReader(): unknown
}

/**
 * A table, batch by batch, with names and types of columns:
 *
 * - a path or `file:` URL: CSV, JSON lines, Parquet, or an Arrow IPC file, CSV and JSON lines also as gzip; bytes in memory, with `format`;
 * - a table or record batches of `apache-arrow`;
 * - `{ sql, duckdb }`: a query of DuckDB, with a connection or the path of a database;
 * - `{ sql, sqlite }`: a query of SQLite, with an open database of `better-sqlite3`, `node:sqlite` or `node-sqlite3-wasm`, or the path of one;
 * - any iterable or async iterable of objects, a Node or web stream of objects; with `format` a stream of bytes or texts.
 *
 * CSV, JSON lines and objects need no other package. Parquet and DuckDB need `@duckdb/node-api`, Arrow IPC files `apache-arrow`, a path of SQLite
 * `better-sqlite3` or Node 22.13: loaded when the table is first iterated. The rules of all formats are in docs/tables.md.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another source, for a file whose format its name does not say, and for wrong options. Reading
 *   happens, and fails, in the iteration: see {@link Table}
 */
export function readTable(source: TableSource, options?: ReadTableOptions): Table {
  const checked = checkReadOptions(options)
  return new Table(readerOf(source, checked), checked.rows, checked.signal)
}

function readerOf(source: unknown, options: CheckedOptions): TableReader {
  const { format } = options
  if (typeof source === 'string' || isUrl(source)) return fileReader(source, options)
  if (types.isUint8Array(source)) {
    if (format === undefined)
      throw argumentError('format', `${FORMATS_SAID}, since bytes have no name`, format)
    return bytesReader('the bytes', false, format, () => bytesOf([source], 'the bytes'), options)
  }
  const arrow = arrowSourceOf(source)
  if (arrow !== undefined) {
    const name = 'the Arrow table'
    return { name, onePass: false, batches: () => arrowBatches(name, arrow, options) }
  }
  if (isDuckdbSource(source))
    return { name: 'the query', onePass: false, batches: () => queryBatches(source, options) }
  if (isSqliteSource(source))
    return { name: 'the query', onePass: false, batches: () => sqliteBatches(source, options) }
  const rows = iterableOf(source)
  if (rows === undefined) {
    throw argumentError(
      'source',
      'a path, bytes, an Arrow table, a query, or an iterable or stream of objects',
      source,
    )
  }
  const onePass = isOnePass(source as object)
  if (format !== undefined)
    return bytesReader('the stream', onePass, format, () => bytesOf(rows, 'the stream'), options)
  const name = onePass ? 'the stream' : 'the rows'
  return { name, onePass, batches: () => objectBatches(name, rows, options) }
}

function isUrl(source: unknown): source is URL {
  return typeof source === 'object' && source !== null && typeof (source as Partial<URL>).href === 'string'
}

const FORMATS_SAID = FORMATS.map((format) => `'${format}'`).join(' | ')

const ENDINGS: Readonly<Record<string, TableFormat>> = {
  csv: 'csv',
  tsv: 'csv',
  tab: 'csv',
  txt: 'csv',
  jsonl: 'jsonLines',
  ndjson: 'jsonLines',
  parquet: 'parquet',
  arrow: 'arrow',
  arrows: 'arrow',
  feather: 'arrow',
}

function fileReader(source: string | URL, options: CheckedOptions): TableReader {
  const name = `'${checkPath('source', source)}'`
  const path = typeof source === 'string' ? filePath('read', source) : source
  const ending = /\.([^./\\]+?)(?:\.gz)?$/i.exec(String(path))?.[1]?.toLowerCase() ?? ''
  const format = options.format ?? (Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined)
  if (format === undefined) {
    const known = Object.keys(ENDINGS).map((known) => `.${known}`)
    const expected = `${FORMATS_SAID}, unless the file ends in ${known.join(', ')}`
    throw argumentError('format', expected, options.format)
  }
  if (format === 'parquet')
    return { name, onePass: false, batches: () => parquetBatches(path, name, options) }
  if (format === 'arrow') return { name, onePass: false, batches: () => ipcBatches({ name, path }, options) }
  return bytesReader(name, false, format, () => fileBytes(path, name.slice(1, -1)), options)
}

function bytesReader(
  name: string,
  onePass: boolean,
  format: TableFormat,
  open: () => AsyncIterable<Uint8Array>,
  options: CheckedOptions,
): TableReader {
  if (format === 'parquet')
    throw argumentError('source', 'the path of a file, where the format is parquet', name)
  if (format === 'arrow')
    return { name, onePass, batches: () => ipcBatches({ name, pieces: open() }, options) }
  const text = (): Bytes => ({ name, pieces: textBytes(open(), name, options.encoding) })
  const read = format === 'csv' ? csvBatches : jsonLineBatches
  return { name, onePass, batches: () => read(text(), options) }
}

type AnyIterable = AsyncIterable<unknown> | Iterable<unknown>

/** What can be iterated of a source; undefined if nothing can. */
function iterableOf(source: unknown): AnyIterable | undefined {
  if (source === null || typeof source !== 'object') return undefined
  const { [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = source as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >
  if (typeof async === 'function' || typeof sync === 'function') return source as AnyIterable
  const { getReader } = source as Partial<ReadableStreamLike>
  return typeof getReader === 'function' ? webStream(source as ReadableStreamLike) : undefined
}

/** Web streams of older browsers and test environments have no async iterator. */
async function* webStream(stream: ReadableStreamLike): AsyncGenerator<unknown, void> {
  const reader = stream.getReader() as {
    read(): Promise<{ done: boolean; value?: unknown }>
    cancel(): Promise<void>
  }
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel()
  }
}

/** Whether a source ends once, as iterators, generators and streams do; arrays, sets and objects that make an iterator each time do not. */
function isOnePass(source: object): boolean {
  const { next, getReader, pipe } = source as { next?: unknown; getReader?: unknown; pipe?: unknown }
  return [next, getReader, pipe].some((method) => typeof method === 'function')
}
