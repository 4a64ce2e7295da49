import { types } from 'node:util'
import { showReceived } from '../base/show.js'
import { turn } from '../data/slices.js'
import type { ReadOptions } from './read-options.js'
import type { TableBatch } from './table-batch.js'
import { tableError } from './table-error.js'
import { ValueRows } from './value-rows.js'

/** Values between two turns of the event loop. */
const SLICE = 16_384

/** Rows that are objects: their own enumerable members are the values. Columns are all names of the first rows. */
export async function* objectBatches(
  name: string,
  source: AsyncIterable<unknown> | Iterable<unknown>,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  const rows = new ValueRows(name, options, 'row')
  let [row, work] = [0, 0]
  for await (const object of source) {
    if (!isRow(object))
      throw tableError(
        name,
        { row },
        `expected an object with a value for each column, received ${showReceived(object)}`,
      )
    rows.begin(row)
    const names = Object.keys(object)
    for (const column of names) rows.set(column, object[column])
    for (const batch of rows.end()) {
      yield batch
      await turn()
    }
    row++
    work += names.length + 8
    if (work > SLICE) {
      work = 0
      await turn()
    }
  }
  for (const batch of rows.finish()) {
    yield batch
    await turn()
  }
}

function isRow(value: unknown): value is Record<string, unknown> {
  return (
    value !== null &&
    typeof value === 'object' &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !types.isDate(value) &&
    !types.isMap(value) &&
    !types.isPromise(value)
  )
}
