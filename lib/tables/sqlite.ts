import { argumentError } from '../base/check.js'
import { LayerwiseError, messageOf } from '../base/errors.js'
import { turn } from '../data/slices.js'
import { loadPeer } from './peer.js'
import type { ReadOptions } from './read-options.js'
import type { TableBatch } from './table-batch.js'
import { tableError } from './table-error.js'
import { ValueRows } from './value-rows.js'

/** A query of SQLite. */
export interface SqliteSource {
  /** One statement that returns rows. It runs again in each iteration. */
  readonly sql: string
  /** Values of its parameters. Default none. */
  readonly parameters?: readonly unknown[] | undefined
  /** An open database of `better-sqlite3`, `node:sqlite` or `node-sqlite3-wasm`, or the path of one, which is opened for reading only. */
  readonly sqlite: SqliteDatabase | string
}

/** A database, by the members that are used. */
export interface SqliteDatabase {
  /** A statement that can be run. */
  prepare(sql: string): unknown
}

/** Its statements. Only `iterate` is in all drivers. */
interface Statement {
  iterate(...parameters: unknown[]): Iterable<unknown>
  columns?(): readonly { readonly name: string }[]
  /** Of better-sqlite3: rows as arrays, integers as BigInts. */
  raw?(on: boolean): unknown
  safeIntegers?(on: boolean): unknown
  /** The same of node:sqlite. */
  setReturnArrays?(on: boolean): void
  setReadBigInts?(on: boolean): void
  /** Of node-sqlite3-wasm. */
  finalize?(): void
}

export function isSqliteSource(source: unknown): source is SqliteSource {
  return (
    source !== null &&
    typeof source === 'object' &&
    Object.hasOwn(source, 'sql') &&
    Object.hasOwn(source, 'sqlite')
  )
}

const NAME = 'the query'

/** The rows of a query. SQLite has no types of columns: they are found in the first rows, as those of objects are. */
export async function* sqliteBatches(
  { sql, sqlite, parameters = [] }: SqliteSource,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  if (typeof sql !== 'string') throw argumentError('source.sql', 'a string', sql)
  if (typeof sqlite !== 'string') {
    if (typeof sqlite?.prepare !== 'function')
      throw argumentError('source.sqlite', 'a database or a path', sqlite)
    return yield* rowsOf(sqlite, sql, parameters, options)
  }
  const database = openDatabase(sqlite)
  try {
    yield* rowsOf(database, sql, parameters, options)
  } finally {
    database.close()
  }
}

async function* rowsOf(
  database: SqliteDatabase,
  sql: string,
  parameters: readonly unknown[],
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  const statement = attempt(() => database.prepare(sql) as Statement)
  try {
    const names = attempt(() => {
      statement.safeIntegers?.(true)
      statement.setReadBigInts?.(true)
      if (statement.columns !== undefined) {
        statement.raw?.(true)
        statement.setReturnArrays?.(true)
      }
      return statement.columns?.().map(({ name }) => name)
    })
    const isWasm = statement.finalize !== undefined
    const rows = new ValueRows(NAME, options, 'row', names)
    // One driver takes the parameters as one array, the others one by one.
    const found = attempt(() =>
      (isWasm ? statement.iterate([...parameters]) : statement.iterate(...parameters))[Symbol.iterator](),
    )
    try {
      for (let row = 0; ; row++) {
        const next = attempt(() => found.next())
        if (next.done === true) break
        rows.begin(row)
        setAll(rows, next.value, names)
        for (const batch of rows.end()) {
          if (batch !== undefined) yield batch
          await turn()
        }
      }
    } finally {
      found.return?.()
    }
    for (const batch of rows.finish()) {
      if (batch !== undefined) yield batch
      await turn()
    }
  } finally {
    statement.finalize?.()
  }
}

function setAll(rows: ValueRows, row: unknown, names: readonly string[] | undefined): void {
  if (Array.isArray(row) && names !== undefined) {
    for (let i = 0; i < names.length; i++) rows.set(names[i]!, row[i])
    return
  }
  const values = row as Record<string, unknown>
  for (const name of Object.keys(values)) rows.set(name, values[name])
}

function attempt<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof LayerwiseError
      ? error
      : tableError(NAME, {}, `SQLite cannot run it: ${messageOf(error)}`, undefined, error)
  }
}

type Opened = SqliteDatabase & { close(): void }

/** By Node's own driver where it has one, else by better-sqlite3. */
function openDatabase(path: string): Opened {
  const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => unknown }
  const own = getBuiltinModule?.('node:sqlite') as
    | { DatabaseSync: new (path: string, options: object) => Opened }
    | undefined
  try {
    if (own !== undefined) return new own.DatabaseSync(path, { readOnly: true })
    const Database = loadPeer(
      'better-sqlite3',
      'The path of a SQLite database, with this version of Node,',
    ) as new (
      path: string,
      options: object,
    ) => Opened
    return new Database(path, { readonly: true, fileMustExist: true })
  } catch (error) {
    if (error instanceof LayerwiseError) throw error
    throw new LayerwiseError(
      'ERR_ARGUMENT',
      `source.sqlite: cannot open the database: ${messageOf(error)}`,
      { argument: 'source.sqlite', expected: 'the path of a database', received: path },
      error,
    )
  }
}
