import { LayerwiseError } from '../base/errors.js'
import { onAbort } from '../native/abort.js'
import { firstRows, type TableBatch } from './table-batch.js'

/** How a reader gives its batches. */
export interface TableReader {
  /** What messages call the source. */
  readonly name: string
  readonly onePass: boolean
  batches(): AsyncIterable<TableBatch>
}

/**
 * A table that is read batch by batch, as {@link readTable} returns it. Nothing is read before it is iterated. Ending the iteration early closes what
 * it had opened.
 *
 *     for await (const { rows, columns } of readTable('orders.csv')) …
 */
export class Table implements AsyncIterable<TableBatch> {
  /** What messages call it: the path, in quotes, or a description of the source. */
  readonly name: string
  /** Whether it can be iterated once only, as a stream; {@link spoolTable} makes one that can be iterated again. */
  readonly onePass: boolean
  readonly #reader: TableReader
  readonly #rows: number
  readonly #signal: AbortSignal | undefined
  #isUsed = false

  /** @internal */
  constructor(reader: TableReader, rows = Infinity, signal?: AbortSignal) {
    this.name = reader.name
    this.onePass = reader.onePass
    this.#reader = reader
    this.#rows = rows
    this.#signal = signal
  }

  /**
   * The batches, from the first row on. Two iterations at once are independent of each other.
   *
   * @throws (rejects) {@link LayerwiseError} `ERR_STATE` for a second iteration of a one-pass table; `ERR_FORMAT` naming line or row and column of wrong
   *   content; `ERR_ARGUMENT` for what cannot be opened and for columns that are not there; `ERR_LOAD` where a package for the format is absent; an
   *   abort rejects with `signal.reason`
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<TableBatch, void, undefined> {
    if (this.onePass && this.#isUsed) {
      const message = `${this.name}: it can be read once only; spoolTable keeps its rows in a temporary file`
      throw new LayerwiseError('ERR_STATE', message, { argument: 'source' })
    }
    this.#isUsed = true
    const batches = untilAborted(this.#reader.batches(), this.#signal)
    let left = this.#rows
    for await (const batch of batches) {
      if (batch.rows < left) {
        left -= batch.rows
        yield batch
        continue
      }
      yield firstRows(batch, left)
      return
    }
  }
}

/** The same batches; a wait for the next one ends when the signal is aborted, even if the source never answers. */
async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  if (signal === undefined) return yield* source
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let end = () => {}
  const aborted = new Promise<never>((_, reject) => {
    end = onAbort(signal, () => reject(signal.reason))
  })
  aborted.catch(() => {})
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted])
      if (next.done === true) return
      yield next.value
      signal.throwIfAborted()
    }
  } finally {
    end()
    // Not awaited where it is aborted: a source that never answers does not close either.
    const closed = iterator.return?.()
    if (signal.aborted) closed?.catch(() => {})
    else await closed
  }
}
