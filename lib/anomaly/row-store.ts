import { shapeError } from '../base/check.js'
import type { PlainFloat32Array, PlainUint32Array } from '../base/precision.js'
import type { RowBatches } from '../data/dataset/source-batches.js'
import { TemporaryDatasets } from '../data/dataset/temporary-datasets.js'
import { asDataset, type Dataset } from '../data/dataset.js'
import { anySlices } from '../data/dataset-slices.js'
import { joinedRows } from '../data/joined-rows.js'
import { Matrix } from '../data/matrix.js'
import { type DenseRows, emptyError, type Rows, toMatrix } from '../data/rows.js'
import type { RunOptions } from '../native/run-options.js'
import type { TableEncoder } from '../tables/encoding/table-encoder.js'
import { type SpooledTable, spoolTable } from '../tables/spool-table.js'
import type { Table } from '../tables/table.js'
import { abortable, type Given } from './given-rows.js'
import type { LearningRows } from './learning-rows.js'
import { bytesInMemory, selectedBatches, selectedRows } from './selected-rows.js'

/** Rows of more bytes than this are kept in files. 256 MiB. */
export const IN_MEMORY = 2 ** 28

/** Where rows are kept. */
export interface StorePlace {
  /** For temporary files. */
  readonly folder: string
  /** Rows of at most so many bytes are kept in memory. */
  readonly inMemory: number
}

/**
 * Runs a call that learns, with a store for its rows.
 *
 * @returns what the call returns. Its temporary files are removed then, also if it fails
 */
export async function withRowStore<T>(
  place: StorePlace,
  run: RunOptions,
  call: (store: RowStore) => Promise<T>,
): Promise<T> {
  const store = new RowStore(place, run)
  try {
    return await call(store)
  } finally {
    await store.clear()
  }
}

/** The rows of one call: in memory, or in temporary files where they are longer than that. */
export class RowStore {
  readonly #place: StorePlace
  readonly #run: RunOptions
  readonly #files: TemporaryDatasets
  readonly #spooled: SpooledTable[] = []

  constructor(place: StorePlace, run: RunOptions) {
    this.#place = place
    this.#run = run
    this.#files = new TemporaryDatasets(place.folder)
  }

  /**
   * The same rows such that they can be read again: what may come only once is copied to a file, and batches of numbers become a dataset.
   *
   * @param width - columns, where they are known
   */
  async again(given: Given, width?: number): Promise<Exclude<Given, { kind: 'batches' }>> {
    if (given.kind === 'batches') return { kind: 'rows', rows: await this.#written(given.batches, width) }
    if (given.kind === 'rows' || !given.table.onePass) return given
    const spooled = await spoolTable(given.table, { folder: this.#place.folder })
    this.#spooled.push(spooled)
    return { kind: 'table', table: abortable(spooled, this.#run.signal) }
  }

  /**
   * Rows of numbers, or of a table by its encoder, in memory if they are not longer than that.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows; `ERR_RANGE` for NaN and infinities; `ERR_FILE` if files fail or the
   *   disk is full
   */
  async take(
    argument: string,
    given: Given,
    width: number,
    encoder: TableEncoder | undefined,
  ): Promise<LearningRows> {
    if (given.kind === 'table') return this.#encoded(given.table, encoder!)
    const rows = given.kind === 'rows' ? given.rows : await this.#written(given.batches, width)
    return this.#checked(argument, rows, width)
  }

  /** Copies of the rows with these numbers, which rise. */
  async select(rows: LearningRows, numbers: PlainUint32Array): Promise<LearningRows> {
    if (rows instanceof Matrix) return selectedRows(rows, numbers)
    return this.#written(selectedBatches(rows, numbers), rows.cols)
  }

  /** Removes what was written. */
  async clear(): Promise<void> {
    for (const table of this.#spooled.splice(0)) await table.close()
    await this.#files.remove()
  }

  #written(batches: RowBatches, cols: number | undefined): Promise<Dataset> {
    return this.#files.write(batches, { cols, signal: this.#run.signal })
  }

  async #checked(argument: string, x: Rows, width: number): Promise<LearningRows> {
    const { signal } = this.#run
    const between = () => signal?.throwIfAborted()
    const dataset = asDataset(argument, x)
    const rows = dataset ?? (await toMatrix(argument, x as DenseRows, width, 'float64', between))
    if (rows.cols !== width) throw shapeError(argument, `${width} columns`, rows.cols)
    if (rows.rows === 0) throw emptyError(argument)
    // Later parts of the rows have numbers of their own.
    for await (const _ of anySlices(argument, rows)) between()
    const isLong = dataset !== undefined && bytesInMemory(dataset) > this.#place.inMemory
    return dataset === undefined || isLong ? rows : dataset.read(0)
  }

  async #encoded(table: Table, encoder: TableEncoder): Promise<LearningRows> {
    const batches = encoder.transformBatches(table)
    const parts: Matrix<PlainFloat32Array>[] = []
    let bytes = 0
    for await (const part of batches) {
      parts.push(part)
      bytes += part.data.byteLength
      if (bytes > this.#place.inMemory) return await this.#written(followedBy(parts, batches), encoder.width)
    }
    if (parts.length === 0) throw emptyError('x')
    return joinedRows(parts, 'float32', encoder.width, 'encoded rows')
  }
}

/** What was taken of an iterator, and what is left. Each part can be freed when it is taken. */
async function* followedBy<T>(taken: T[], left: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  for (let part = taken.shift(); part !== undefined; part = taken.shift()) yield part
  yield* left
}
