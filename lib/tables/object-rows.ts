import { showReceived } from '../base/show.js'
import { turn } from '../data/slices.js'
import { isRecordBatch, recordBatches } from './arrow.js'
import type { ReadOptions } from './read-options.js'
import type { TableBatch } from './table-batch.js'
import { tableError } from './table-error.js'
import { isTableRow } from './table-row.js'
import { ValueRows } from './value-rows.js'

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>

/**
 * Rows that are objects: their own enumerable members are the values. Columns are all names of the first rows. If the first item is a record batch of Arrow, so
 * are all others.
 */
export async function* objectBatches(
  name: string,
  source: AsyncIterable<unknown> | Iterable<unknown>,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  const iterator: AnyIterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  // Values of a synchronous iterator are not awaited: a promise is no row.
  const values = { [Symbol.asyncIterator]: () => iterator as AsyncIterator<unknown> }
  const rows = new ValueRows(name, options, 'row')
  let row = 0
  for await (const value of values) {
    if (row === 0 && isRecordBatch(value))
      return yield* recordBatches(name, withFirst(value, iterator), options)
    if (!isTableRow(value)) {
      const received = showReceived(value)
      throw tableError(name, { row }, `expected an object with a value for each column, received ${received}`)
    }
    rows.begin(row)
    for (const column of Object.keys(value)) rows.set(column, value[column])
    for (const batch of rows.end()) {
      if (batch !== undefined) yield batch
      await turn()
    }
    row++
  }
  for (const batch of rows.finish()) {
    if (batch !== undefined) yield batch
    await turn()
  }
}

/** The first item again, and the others. */
async function* withFirst(first: unknown, iterator: AnyIterator): AsyncGenerator<unknown, void> {
  for (let value = first; ; ) {
    yield value
    const next = await iterator.next()
    if (next.done === true) return
    value = next.value
  }
}
