import {
  type EncodedColumn,
  type ReadTableOptions,
  readTable,
  type TableBatch,
  type TableColumn,
  TableEncoder,
  type TableEncoderOptions,
  type TableSource,
} from '../lib/index.js'

/** The whole table: each column with all its values as an array, missing ones null. */
export async function readAll(
  source: TableSource,
  options?: ReadTableOptions,
): Promise<{ rows: number; columns: { name: string; type: string; values: unknown[] }[] }> {
  let rows = 0
  const columns: { name: string; type: string; values: unknown[] }[] = []
  for await (const batch of readTable(source, options)) {
    rows += batch.rows
    for (const [i, column] of batch.columns.entries()) {
      columns[i] ??= { name: column.name, type: column.type, values: [] }
      columns[i].values.push(...valuesOf(column))
    }
  }
  return { rows, columns }
}

function valuesOf(column: TableColumn): unknown[] {
  if (column.type === 'boolean')
    return Array.from(column.values, (value) => (value === 2 ? null : value === 1))
  return Array.from<unknown>(column.values).map((value) => (Number.isNaN(value) ? null : value))
}

/** Values of the columns by name, and types by name. */
export async function readColumns(source: TableSource, options?: ReadTableOptions) {
  const { columns } = await readAll(source, options)
  return {
    values: Object.fromEntries(columns.map(({ name, values }) => [name, values])),
    types: Object.fromEntries(columns.map(({ name, type }) => [name, type])),
  }
}

/** The bytes of a text. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A CSV text, read. */
export const readCsv = (text: string | Uint8Array, options: ReadTableOptions = {}) =>
  readAll(typeof text === 'string' ? bytes(text) : text, { format: 'csv', ...options })

/** JSON lines, read. */
export const readJsonLines = (text: string, options: ReadTableOptions = {}) =>
  readAll(bytes(text), { format: 'jsonLines', ...options })

/** Bytes in pieces of these lengths, over and over, as a stream gives them. */
export async function* inPieces(all: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, k = 0; at < all.length; k++) {
    const length = Math.max(1, lengths[k % lengths.length]!)
    yield all.subarray(at, at + length)
    at += length
  }
}

/** Columns as one batch. */
export function batchOf(...columns: TableColumn[]): TableBatch {
  return { rows: columns[0]!.values.length, columns }
}

export type Objects = readonly Readonly<Record<string, unknown>>[]

/** The encoder of a table. */
export const fitted = (rows: Objects, options?: TableEncoderOptions): Promise<TableEncoder> =>
  new TableEncoder(options).fit(readTable(rows))

export const namesOf = ({ columns }: { readonly columns: readonly EncodedColumn[] }): string[] =>
  columns.map(({ name }) => name)

/** The rows of numbers that an encoder makes of a table. */
export async function encode(encoder: TableEncoder, rows: Objects): Promise<number[][]> {
  const table = readTable(rows, { types: encoder.types })
  return (await encoder.transform(table, { precision: 'float64' })).toArray()
}

export const repeat = <T>(value: T, times: number): T[] => new Array<T>(times).fill(value)
