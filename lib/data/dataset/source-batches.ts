import { argumentError } from '../../base/check.js'
import { unlessAborted } from '../../native/abort.js'
import { asDataset, type Dataset, sourceOfBatches } from '../dataset.js'
import { isDue, turn } from '../slices.js'
import type { RowBatch } from './batch-numbers.js'

/** Rows to write: batches that are there or come one after another, or all rows of a dataset. */
export type RowBatches = Iterable<RowBatch> | AsyncIterable<RowBatch> | Dataset

/** The dataset that batches come from, if they are its own. */
export function sourceOf(batches: unknown): Dataset | undefined {
  if (batches === null || typeof batches !== 'object') return undefined
  return asDataset('batches', batches) ?? sourceOfBatches(batches)
}

/**
 * The batches of a source, one after another: the next is asked for when the caller is done with the one before. A source that is left early
 * is told so. Other events are served between batches when it is due, however fast the source is.
 *
 * @throws (rejects) `signal.reason` when the signal is aborted, even if the source never answers; what the source throws
 */
export async function* batchesOf(
  batches: unknown,
  signal: AbortSignal | undefined,
): AsyncGenerator<unknown, void> {
  const iterator = iteratorOf(asDataset('batches', batches)?.batches() ?? batches)
  let isAsked = false
  let isDone = false
  try {
    for (;;) {
      if (isDue()) await turn()
      signal?.throwIfAborted()
      isAsked = true
      const step = await unlessAborted(iterator.next(), signal)
      isAsked = false
      if (step.done) {
        isDone = true
        return
      }
      yield step.value
    }
  } catch (error) {
    // A source that threw is at its end.
    isDone ||= isAsked && !signal?.aborted
    throw error
  } finally {
    if (!isDone) await closed(iterator, signal)
  }
}

/** Tells a source that it is left. After an abort its answer is not awaited, which may never come, nor is it an error. */
async function closed(
  iterator: Iterator<unknown> | AsyncIterator<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await unlessAborted(iterator.return?.(), signal)
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}

function iteratorOf(batches: unknown): Iterator<unknown> | AsyncIterator<unknown> {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = (
    batches !== null && typeof batches === 'object' ? batches : {}
  ) as Partial<AsyncIterable<unknown> & Iterable<unknown>>
  const isBatch = ArrayBuffer.isView(batches)
  if (!isBatch && typeof later === 'function') return later.call(batches)
  if (!isBatch && typeof now === 'function') return now.call(batches)
  throw argumentError(
    'batches',
    'an iterable or async iterable of batches of rows (one batch alone is [batch])',
    batches,
  )
}
