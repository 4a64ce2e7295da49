import { argumentError, shapeError } from '../../base/check.js'
import { show } from '../../base/show.js'
import { isDue, turn } from '../../data/slices.js'
import { COLUMN_TYPES, type TableBatch, type TableColumn } from '../table-batch.js'

/** A table, as {@link readTable} returns it, any other (async) iterable of batches, or one batch. */
export type TableBatches = TableBatch | Iterable<TableBatch> | AsyncIterable<TableBatch>

/** The batches, each checked. Other events are served between them when it is due, also between those without rows. */
export async function* checkedBatches(table: TableBatches): AsyncGenerator<TableBatch, void> {
  if (isBatch(table)) return yield checked(table)
  const { [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = (table ?? {}) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >
  // A text can be iterated, and is the path of a file that was meant to be read.
  if (typeof table === 'string' || (typeof async !== 'function' && typeof sync !== 'function'))
    throw argumentError('table', 'a table, as readTable returns it, or its batches', table)
  for await (const batch of table as AsyncIterable<unknown>) {
    if (!isBatch(batch))
      throw argumentError('table', 'batches with rows and columns (of objects, readTable(objects))', batch)
    yield checked(batch)
    if (isDue()) await turn()
  }
}

/** Whether a value looks like a batch of a table. A Dataset has rows and columns too, but its columns are names. */
export function isBatch(value: unknown): value is TableBatch {
  if (value === null || typeof value !== 'object') return false
  const { rows, columns } = value as Partial<TableBatch>
  const isTable = typeof rows === 'number' && Array.isArray(columns)
  return isTable && columns.every((column: unknown) => typeof column === 'object' && column !== null)
}

function checked(batch: TableBatch): TableBatch {
  for (const { name, type, values } of batch.columns) {
    if (typeof name !== 'string' || !COLUMN_TYPES.includes(type))
      throw argumentError('table', 'columns with a name and a type', { name, type })
    const isArray = Array.isArray(values) || ArrayBuffer.isView(values)
    if (!isArray) throw argumentError('table', `an array of values of column ${show(name)}`, values)
    if (values.length !== batch.rows)
      throw shapeError('table', `${batch.rows} values of column ${show(name)}`, values.length)
  }
  return batch
}

/** @throws {@link LayerwiseError} `ERR_ARGUMENT` for a name that stands twice */
export function columnsByName({ columns }: TableBatch): ReadonlyMap<string, TableColumn> {
  const found = new Map(columns.map((column) => [column.name, column]))
  if (found.size === columns.length) return found
  const names = new Set<string>()
  for (const { name } of columns) {
    if (names.has(name)) throw argumentError('table', 'columns of different names', name)
    names.add(name)
  }
  return found
}
