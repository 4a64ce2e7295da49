import { type FileHandle, open, stat } from 'node:fs/promises'
import { LayerwiseError, messageOf } from '../base/errors.js'
import { fileError } from '../data/read-file.js'
import { checkedIpc, checkIpcFile, isIpcFile, readerOf } from './arrow-ipc.js'
import { hasLength } from './arrow-lengths.js'
import { fileBytes } from './byte-stream.js'
import { loadPeer } from './peer.js'
import type { ReadOptions } from './read-options.js'
import type { ColumnType, TableBatch } from './table-batch.js'
import { tableError } from './table-error.js'
import { TypedColumns, type TypedField, type ValueAt } from './typed-columns.js'

/** A type of `apache-arrow`, by the members that are used. */
export interface ArrowType {
  /** A member of its enumeration `Type`. */
  readonly typeId: number
}

/** A schema of `apache-arrow`, by the members that are used. */
export interface ArrowSchema {
  /** The columns. */
  readonly fields: readonly {
    /** Of the column. */
    readonly name: string
    /** Of its values. */
    readonly type: ArrowType
  }[]
}

/** A column of `apache-arrow`, by the members that are used. */
export interface ArrowVector {
  /** The value of a row, null where it is missing. */
  get(row: number): unknown
}

/** A record batch of `apache-arrow`, by the members that are used. */
export interface ArrowRecordBatch {
  /** The columns. */
  readonly schema: ArrowSchema
  /** How many rows. */
  readonly numRows: number
  /** The column at a place. */
  getChildAt(index: number): ArrowVector | null
}

/** A table of `apache-arrow`, by the members that are used. */
export interface ArrowTable {
  /** The columns. */
  readonly schema: ArrowSchema
  /** The parts. */
  readonly batches: readonly ArrowRecordBatch[]
}

/** Tables and record batches of `apache-arrow` in memory. */
export type ArrowSource = ArrowTable | ArrowRecordBatch | readonly ArrowRecordBatch[]

/** Table or record batches in memory, as the schema and the batches; undefined for all else. */
export function arrowSourceOf(source: unknown): ArrowTable | undefined {
  if (source === null || typeof source !== 'object') return undefined
  const { schema, batches } = source as Partial<ArrowTable>
  if (isSchema(schema) && Array.isArray(batches)) return source as ArrowTable
  if (isRecordBatch(source)) return { schema: source.schema, batches: [source] }
  if (Array.isArray(source) && source.length > 0 && isRecordBatch(source[0]))
    return { schema: source[0].schema, batches: source as ArrowRecordBatch[] }
  return undefined
}

function isSchema(schema: unknown): schema is ArrowSchema {
  return Array.isArray((schema as Partial<ArrowSchema> | null | undefined)?.fields)
}

/** Whether a value is a record batch of `apache-arrow`. */
export function isRecordBatch(value: unknown): value is ArrowRecordBatch {
  if (value === null || typeof value !== 'object') return false
  const { schema, numRows, getChildAt } = value as Partial<ArrowRecordBatch>
  return isSchema(schema) && typeof numRows === 'number' && typeof getChildAt === 'function'
}

/** The rows of a table in memory. */
export async function* arrowBatches(
  name: string,
  { schema, batches }: ArrowTable,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  yield* recordBatches(name, batches, options, schema)
}

/**
 * The rows of record batches, all of one schema.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` naming the column by which a later batch differs
 */
export async function* recordBatches(
  name: string,
  batches: AsyncIterable<unknown> | Iterable<unknown>,
  options: ReadOptions,
  schema?: ArrowSchema,
): AsyncGenerator<TableBatch, void> {
  let fields = schema?.fields.map(fieldOf)
  let columns = fields && new TypedColumns(name, fields, options)
  let row = 0
  for await (const batch of batches) {
    if (!isRecordBatch(batch)) throw tableError(name, { row }, 'expected a record batch', batch)
    const given = batch.schema.fields.map(fieldOf)
    if (fields === undefined || columns === undefined) {
      fields = given
      columns = new TypedColumns(name, fields, options)
    } else checkSame(name, fields, given, row)
    const known = batch.schema.fields
    const valuesAt = (column: number) => {
      const vector = batch.getChildAt(column)
      const { name: columnName, type } = known[column]!
      if (vector !== null && !hasLength(vector, batch.numRows))
        throw tableError(
          name,
          { row, column, name: columnName },
          `it has no memory for ${batch.numRows} rows`,
        )
      return valuesOf(vector, type)
    }
    if (!Number.isSafeInteger(batch.numRows) || batch.numRows < 0)
      throw tableError(name, { row }, 'a record batch has an impossible number of rows', batch.numRows)
    yield* columns.add({ rows: batch.numRows, valuesOf: valuesAt })
    row += batch.numRows
  }
  if (columns === undefined) throw tableError(name, {}, 'it has no record batches')
  yield* columns.finish()
}

function checkSame(
  name: string,
  fields: readonly TypedField[],
  given: readonly TypedField[],
  row: number,
): void {
  for (let column = 0; column < Math.max(fields.length, given.length); column++) {
    const [before, now] = [fields[column], given[column]]
    if (before?.name === now?.name && before?.type === now?.type && before?.scale === now?.scale) continue
    const place = { row, column, name: (before ?? now)!.name }
    const said = (field: TypedField | undefined) =>
      field === undefined ? 'absent' : `'${field.name}' of ${field.type}`
    throw tableError(name, place, `the schema changes here: it was ${said(before)}, and is ${said(now)}`)
  }
}

/** The enumeration `Type` of apache-arrow, as the format numbers it. */
const [NULL, INT, FLOAT, UTF8, BOOL, DECIMAL, DATE, TIMESTAMP, LARGE_UTF8, DICTIONARY] = [
  ...[1, 2, 3, 5, 6, 7, 8, 10, 20, -1],
] as [number, number, number, number, number, number, number, number, number, number]

function fieldOf({ name, type }: ArrowSchema['fields'][number]): TypedField {
  const { scale = 0 } = type as { scale?: number }
  const said = typeOf(type)
  return said === 'decimal' ? { name, type: said, scale } : { name, type: said }
}

function typeOf(type: ArrowType): ColumnType {
  switch (type.typeId) {
    case NULL:
    case FLOAT:
      return 'number'
    case INT:
      return (type as { bitWidth?: number }).bitWidth === 64 ? 'bigint' : 'number'
    case BOOL:
      return 'boolean'
    case UTF8:
    case LARGE_UTF8:
      return 'string'
    case DECIMAL:
      return 'decimal'
    case DATE:
    case TIMESTAMP:
      return 'date'
    case DICTIONARY:
      return typeOf((type as unknown as { dictionary: ArrowType }).dictionary)
    default:
      return 'list'
  }
}

function valuesOf(vector: ArrowVector | null, type: ArrowType): ValueAt {
  if (vector === null) return () => null
  switch (typeOf(type)) {
    case 'number':
    case 'date':
      return (row) => {
        const value = vector.get(row)
        return value === null || typeof value === 'number' ? value : Number(value)
      }
    case 'decimal':
      return (row) => {
        const words = vector.get(row)
        return words === null ? null : integerOf(words as Uint32Array)
      }
    default:
      return (row) => vector.get(row)
  }
}

/** The integer of little-endian words in two's complement. */
function integerOf(words: Uint32Array): bigint {
  let value = 0n
  for (let i = words.length - 1; i >= 0; i--) value = (value << 32n) | BigInt(words[i]!)
  return BigInt.asIntN(32 * words.length, value)
}

interface ArrowPackage {
  readonly RecordBatchReader: {
    from(source: unknown): Promise<{
      open(): Promise<AsyncIterable<unknown> & { readonly schema: ArrowSchema }>
      cancel(): Promise<void>
    }>
  }
}

/** Where an IPC file or stream lies. */
export interface IpcSource {
  readonly name: string
  /** Of a file, which is read a batch at a time. */
  readonly path?: string | URL
  /** Of bytes and streams. The file format is read whole, the stream format a batch at a time. */
  readonly pieces?: AsyncIterable<Uint8Array>
}

/**
 * The rows of an Arrow IPC file or stream, read by `apache-arrow`.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for what is none, or is damaged
 */
export async function* ipcBatches(
  { name, path, pieces }: IpcSource,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  const { RecordBatchReader } = loadPeer('apache-arrow', 'An Arrow IPC file') as ArrowPackage
  const handle = path === undefined ? undefined : await openFile(path, name)
  try {
    const reader = await RecordBatchReader.from(await checkedSource(handle, path, name, pieces))
    const batches = await reader.open()
    if (!isSchema(batches.schema)) throw tableError(name, {}, 'it is no Arrow IPC file')
    yield* recordBatches(name, batches, options, batches.schema)
  } catch (error) {
    throw error instanceof LayerwiseError
      ? error
      : tableError(
          name,
          {},
          `it is no Arrow IPC file, or a damaged one: ${messageOf(error)}`,
          undefined,
          error,
        )
  } finally {
    await handle?.close()
  }
}

/** What apache-arrow reads: a file by its handle, all else as a stream; its metadata are checked. */
async function checkedSource(
  handle: FileHandle | undefined,
  path: string | URL | undefined,
  name: string,
  pieces: AsyncIterable<Uint8Array> | undefined,
): Promise<unknown> {
  if (handle === undefined || path === undefined) return checkedIpc(pieces!)
  const readAt = readerOf(handle)
  if (!isIpcFile(await readAt(0, 8))) return checkedIpc(fileBytes(path, name.slice(1, -1)))
  await checkIpcFile(readAt, (await handle.stat()).size)
  return handle
}

async function openFile(path: string | URL, name: string): Promise<FileHandle> {
  try {
    // Opening a pipe would block until its other end is opened.
    if (!(await stat(path)).isFile()) throw new Error('it is not a regular file')
    return await open(path)
  } catch (error) {
    throw fileError('read', name.slice(1, -1), error)
  }
}
