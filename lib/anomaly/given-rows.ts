import { argumentError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { show } from '../base/show.js'
import { type RowBatch, rowsOfBatch } from '../data/dataset/batch-numbers.js'
import { batchesOf, type RowBatches } from '../data/dataset/source-batches.js'
import { asDataset } from '../data/dataset.js'
import { asMatrix } from '../data/matrix.js'
import { emptyError, type Rows } from '../data/rows.js'
import { asSparseMatrix } from '../data/sparse-matrix.js'
import type { RunOptions } from '../native/run-options.js'
import { checkedBatches, isBatch, type TableBatches } from '../tables/encoding/checked-batches.js'
import type { TableEncoder } from '../tables/encoding/table-encoder.js'
import { readTable } from '../tables/read-table.js'
import { Table } from '../tables/table.js'
import type { TableRow } from '../tables/table-row.js'

/**
 * Rows that come one after another, from an iterable, an async iterable or a stream: a table as {@link readTable} returns it, or its batches;
 * objects, each a row of a table; or batches of rows of numbers, each a Matrix, an array of rows, or what `batches` of a Dataset gives.
 */
export type AnomalyBatches = TableBatches | Iterable<TableRow> | AsyncIterable<TableRow> | RowBatches

/** What a caller gave. */
export type Given =
  | { readonly kind: 'rows'; readonly rows: Rows }
  | { readonly kind: 'batches'; readonly batches: Iterable<RowBatch> | AsyncIterable<RowBatch> }
  | { readonly kind: 'table'; readonly table: Table }

/** What a detector knows of its rows, once it is fitted. */
export interface KnownForm {
  /** Columns. */
  readonly width?: number
  /** Of a detector that was fitted on a table. */
  readonly encoder?: TableEncoder | undefined
}

type AnyIterable = Iterable<unknown> | AsyncIterable<unknown>

/**
 * Says what the rows are. Of what is iterated, the first element is looked at.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for what is neither rows nor a table, and for a table where the detector was fitted on numbers;
 *   `ERR_SHAPE` for nothing
 * @throws `signal.reason`, also while a stream does not answer; what the source throws
 */
export async function givenRows(
  argument: string,
  x: unknown,
  { signal }: RunOptions,
  known: KnownForm = {},
): Promise<Given> {
  const asTable = (table: Table): Given => {
    if (known.width !== undefined && known.encoder === undefined)
      throw argumentError(argument, 'rows of numbers, as those of fit', x)
    return { kind: 'table', table: abortable(table, signal) }
  }
  const ofBatches = (batches: unknown, onePass = false) =>
    asTable(new Table({ name: 'the table', onePass, batches: () => checkedBatches(batches as TableBatches) }))
  // Types are those of the fitted table.
  const ofObjects = (rows: AnyIterable) => {
    const table = readTable(rows, { types: known.encoder?.types })
    return asTable(known.encoder === undefined ? table : ofSameColumns(argument, table))
  }

  if (isTable(x)) return asTable(x)
  if (isBatch(x)) return ofBatches(x)
  if (!isIterable(x) || Array.isArray(x)) {
    if (!isRows(argument, x)) throw argumentError(argument, EXPECTED, x)
    // An array is rows of numbers, unless its elements can be none.
    const kind = Array.isArray(x) ? kindOf(x[0]) : 'numbers'
    if (kind === 'table') return ofBatches(x)
    return kind === 'objects' ? ofObjects(x as AnyIterable) : { kind: 'rows', rows: x as Rows }
  }
  const { first, all } = await peeked(argument, x, signal)
  try {
    switch (kindOf(first)) {
      case 'table':
        return ofBatches(all, true)
      case 'objects':
        return ofObjects(all)
      case 'numbers':
        if (known.width === undefined && ArrayBuffer.isView(rowsOfBatch(first))) {
          const expected = 'batches that say their columns, as Matrix.from(data, rows, cols)'
          throw argumentError(argument, expected, first)
        }
        return { kind: 'batches', batches: all as AsyncIterable<RowBatch> }
      default: {
        const advice = "of a stream of bytes or texts, readTable(stream, { format: 'csv' })"
        const expected = `batches of rows, batches of a table, or objects (${advice})`
        throw argumentError(argument, expected, first)
      }
    }
  } catch (error) {
    // It is not hidden by one of closing.
    await all.return().catch(() => {})
    throw error
  }
}

const EXPECTED =
  'a table (of a file, readTable(path)), rows of numbers, or an array or stream of objects (one object alone is [object])'

/** Whether it can be rows of numbers, or an array of what are rows. */
function isRows(argument: string, x: unknown): boolean {
  return Array.isArray(x) || kindOf(x) === 'numbers' || asDataset(argument, x) !== undefined
}

/** Objects with the columns of the fitted table, whose names the caller did not write as types. */
function ofSameColumns(argument: string, table: Table): Table {
  const { name, onePass } = table
  async function* batches() {
    try {
      yield* table
    } catch (error) {
      if (!(error instanceof LayerwiseError) || error.details.argument !== 'types') throw error
      const column = error.details.received as string
      const expected = `objects with a member ${show(column)}, as in the fitted table (null where it is missing)`
      const message = `${argument}: expected ${expected}, received none`
      throw new LayerwiseError('ERR_ARGUMENT', message, { argument, expected, name: column })
    }
  }
  return new Table({ name, onePass, batches })
}

/** Whether it is a table as {@link readTable} returns it, also that of another copy of this library. */
function isTable(x: unknown): x is Table {
  if (!isIterable(x)) return false
  const { name, onePass } = x as Partial<Table>
  return typeof name === 'string' && typeof onePass === 'boolean'
}

/** A table whose iteration ends when the signal is aborted. */
export function abortable(table: Table, signal: AbortSignal | undefined): Table {
  const { name, onePass } = table
  return new Table({ name, onePass, batches: () => table }, Infinity, signal)
}

function kindOf(first: unknown): 'table' | 'objects' | 'numbers' | undefined {
  if (isBatch(first)) return 'table'
  if (first === null || typeof first !== 'object' || Buffer.isBuffer(first)) return undefined
  const rows = rowsOfBatch(first)
  const isNumbers =
    Array.isArray(rows) ||
    ArrayBuffer.isView(rows) ||
    asMatrix('x', rows) !== undefined ||
    asSparseMatrix('x', rows) !== undefined
  return isNumbers ? 'numbers' : 'objects'
}

function isIterable(x: unknown): x is AnyIterable {
  if (x === null || typeof x !== 'object' || ArrayBuffer.isView(x)) return false
  return Symbol.asyncIterator in x || Symbol.iterator in x
}

/**
 * The first element, and what gives all of them once. Whether a source could be iterated again is not seen from outside: an object that makes iterators
 * may make them of one stream.
 */
async function peeked(argument: string, x: AnyIterable, signal: AbortSignal | undefined) {
  const iterator = batchesOf(x, signal)
  const { value: first, done } = await iterator.next()
  if (done === true) throw emptyError(argument)
  return { first, all: withFirst(first, iterator) }
}

/** An iterator, whose first element was taken, with it again. */
function withFirst(first: unknown, others: AsyncGenerator<unknown, void>) {
  let isFirst = true
  return {
    next: async () => {
      if (!isFirst) return others.next()
      isFirst = false
      return { done: false, value: first }
    },
    return: () => others.return(),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
