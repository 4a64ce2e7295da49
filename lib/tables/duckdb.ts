import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import { argumentError } from '../base/check.js'
import { LayerwiseError, messageOf } from '../base/errors.js'
import { elementType } from '../base/precision.js'
import { fileError } from '../data/read-file.js'
import { loadPeer } from './peer.js'
import type { ReadOptions } from './read-options.js'
import type { ColumnType, TableBatch } from './table-batch.js'
import { tableError } from './table-error.js'
import { TypedColumns, type TypedField, type ValueAt } from './typed-columns.js'

/** A query of DuckDB. */
export interface DuckdbSource {
  /** One statement that returns rows. It runs again in each iteration. */
  readonly sql: string
  /** Values of its parameters. Default none. */
  readonly parameters?: readonly unknown[] | undefined
  /** A connection of `@duckdb/node-api`, or the path of a database, which is opened for reading only, as `':memory:'`. */
  readonly duckdb: DuckdbConnection | string
}

/** A connection of `@duckdb/node-api`, by the members that are used. */
export interface DuckdbConnection {
  /** Runs a query whose rows are fetched chunk by chunk. */
  stream(sql: string, values?: never): Promise<unknown>
}

export function isDuckdbSource(source: unknown): source is DuckdbSource {
  return (
    source !== null &&
    typeof source === 'object' &&
    Object.hasOwn(source, 'sql') &&
    Object.hasOwn(source, 'duckdb')
  )
}

/** What is used of a result, a chunk, a vector and a type. */
interface Result {
  columnNames(): string[]
  columnTypes(): readonly Type[]
  fetchChunk(): Promise<Chunk | null>
}
interface Chunk {
  readonly rowCount: number
  getColumnVector(column: number): Vector
}
interface Vector {
  getItem(row: number): unknown
}
interface Type {
  readonly typeId: number
  readonly scale?: number
}
interface Instance {
  connect(): Promise<DuckdbConnection & { closeSync(): void }>
  closeSync(): void
}
interface DuckdbPackage {
  readonly DuckDBInstance: { create(path: string, options: Record<string, string>): Promise<Instance> }
  readonly DuckDBTypeId: Readonly<Record<string, number>>
}

/** Nothing is loaded from the network: extensions are those that are built in. */
const SETTINGS = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' }

/** The rows of a query. */
export async function* queryBatches(
  source: DuckdbSource,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  const { sql, duckdb, parameters } = source
  if (typeof sql !== 'string') throw argumentError('source.sql', 'a string', sql)
  if (typeof duckdb !== 'string') return yield* rowsOf(duckdb, sql, parameters, 'the query', options)
  const access: Record<string, string> = duckdb === ':memory:' ? {} : { access_mode: 'READ_ONLY' }
  yield* withInstance(duckdb, { ...SETTINGS, ...access }, 'the query', (connection) =>
    rowsOf(connection, sql, parameters, 'the query', options),
  )
}

/** The rows of a Parquet file, read by DuckDB. */
export async function* parquetBatches(
  path: string | URL,
  name: string,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  // A name that is no regular file could be a pattern or an address.
  const file = typeof path === 'string' ? resolve(path) : fileURLToPath(path.href)
  try {
    if (!(await stat(file)).isFile()) throw new Error('it is not a regular file')
  } catch (error) {
    throw fileError('read', name.slice(1, -1), error)
  }
  const sql = `SELECT * FROM read_parquet('${file.replace(/[[*?]/g, '[$&]').replaceAll("'", "''")}')`
  yield* withInstance(':memory:', SETTINGS, name, (connection) =>
    rowsOf(connection, sql, undefined, name, options),
  )
}

async function* withInstance(
  path: string,
  settings: Record<string, string>,
  name: string,
  use: (connection: DuckdbConnection) => AsyncGenerator<TableBatch, void>,
): AsyncGenerator<TableBatch, void> {
  const { DuckDBInstance } = duckdbPackage(name)
  let instance: Instance
  try {
    instance = await DuckDBInstance.create(path, settings)
  } catch (error) {
    throw new LayerwiseError(
      'ERR_ARGUMENT',
      `source.duckdb: cannot open the database: ${messageOf(error)}`,
      { argument: 'source.duckdb', expected: 'the path of a database', received: path },
      error,
    )
  }
  try {
    const connection = await instance.connect()
    try {
      yield* use(connection)
    } finally {
      connection.closeSync()
    }
  } finally {
    instance.closeSync()
  }
}

function duckdbPackage(name: string): DuckdbPackage {
  return loadPeer(
    '@duckdb/node-api',
    name === 'the query' ? 'A query of DuckDB' : 'A Parquet file',
  ) as DuckdbPackage
}

async function* rowsOf(
  connection: DuckdbConnection,
  sql: string,
  parameters: readonly unknown[] | undefined,
  name: string,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  const { DuckDBTypeId } = duckdbPackage(name)
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw tableError(name, {}, `DuckDB cannot read it: ${messageOf(error)}`, undefined, error)
    }
  }
  const values = parameters === undefined ? [] : [parameters as never]
  const result = await attempt(async () => (await connection.stream(sql, ...values)) as Result)
  const kinds = result.columnTypes().map(({ typeId }) => kindOf(typeId, DuckDBTypeId))
  const names = result.columnNames()
  const fields = result.columnTypes().map(({ scale = 0 }, i): TypedField => {
    const { type } = kinds[i]!
    return type === 'decimal' ? { name: names[i]!, type, scale } : { name: names[i]!, type }
  })
  const columns = new TypedColumns(name, fields, options)
  for (;;) {
    const chunk = await attempt(() => result.fetchChunk())
    if (chunk === null || chunk.rowCount === 0) break
    yield* columns.add({
      rows: chunk.rowCount,
      valuesOf: (column) => valuesOf(chunk.getColumnVector(column), kinds[column]!),
    })
  }
  yield* columns.finish()
}

/** How values of a type of DuckDB are read. */
interface Kind {
  readonly type: ColumnType
  /** What an item becomes; absent where it stays. */
  readonly of?: (item: never) => unknown
}

const DAY = 86_400_000
const asIs = (type: ColumnType): Kind => ({ type })
const KINDS: Readonly<Record<string, Kind>> = {
  SQLNULL: asIs('number'),
  BOOLEAN: asIs('boolean'),
  TINYINT: asIs('number'),
  SMALLINT: asIs('number'),
  INTEGER: asIs('number'),
  UTINYINT: asIs('number'),
  USMALLINT: asIs('number'),
  UINTEGER: asIs('number'),
  FLOAT: asIs('number'),
  DOUBLE: asIs('number'),
  BIGINT: asIs('bigint'),
  UBIGINT: asIs('bigint'),
  HUGEINT: asIs('bigint'),
  UHUGEINT: asIs('bigint'),
  VARCHAR: asIs('string'),
  ENUM: asIs('string'),
  UUID: { type: 'string', of: String },
  DECIMAL: { type: 'decimal', of: ({ value }: { value: bigint }) => value },
  DATE: { type: 'date', of: ({ days }: { days: number }) => days * DAY },
  TIMESTAMP: { type: 'date', of: ({ micros }: { micros: bigint }) => milliseconds(micros, 1000) },
  TIMESTAMP_TZ: { type: 'date', of: ({ micros }: { micros: bigint }) => milliseconds(micros, 1000) },
  TIMESTAMP_S: { type: 'date', of: ({ seconds }: { seconds: bigint }) => Number(seconds) * 1000 },
  TIMESTAMP_MS: { type: 'date', of: ({ millis }: { millis: bigint }) => Number(millis) },
  TIMESTAMP_NS: { type: 'date', of: ({ nanos }: { nanos: bigint }) => milliseconds(nanos, 1e6) },
}

/** From a smaller unit, of which `parts` are a millisecond. Rounded once. */
function milliseconds(units: bigint, parts: number): number {
  const number = Number(units)
  if (Number.isSafeInteger(number)) return number / parts
  const whole = units / BigInt(parts)
  return Number(whole) + Number(units - whole * BigInt(parts)) / parts
}

function kindOf(typeId: number, ids: Readonly<Record<string, number>>): Kind {
  const name = Object.keys(KINDS).find((known) => ids[known] === typeId)
  return name === undefined ? asIs('list') : KINDS[name]!
}

function valuesOf(vector: Vector, { type, of }: Kind): ValueAt {
  if (type === 'number') return numbersOf(vector) ?? ((row) => vector.getItem(row))
  if (of === undefined) return (row) => vector.getItem(row)
  return (row) => {
    const item = vector.getItem(row)
    return item === null ? null : of(item as never)
  }
}

/**
 * Numbers straight from the memory of a vector, whose own check of missing values computes with BigInts; undefined if it has another form than in the versions
 * that are known.
 */
function numbersOf(vector: Vector): ValueAt | undefined {
  const { items, validity } = vector as { items?: unknown; validity?: { data?: unknown; offset?: unknown } }
  if (elementType(items) === undefined || validity?.offset !== 0) return undefined
  const numbers = items as Float64Array
  const { data } = validity
  if (data === null) return (row) => numbers[row]!
  if (!types.isBigUint64Array(data)) return undefined
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length * 2)
  return (row) => ((bits[row >>> 5]! >>> (row & 31)) & 1 ? numbers[row]! : null)
}
