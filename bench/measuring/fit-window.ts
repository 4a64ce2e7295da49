import type { FitProgress } from '../../lib/index.js'

/** Options of a training in a window besides its own. */
export interface WindowOptions {
  readonly epochs: number
  readonly signal: AbortSignal
  readonly onProgress: (progress: FitProgress) => void
}

/** Rows that a training has been through, of all its epochs. */
export function rowsSeen({ epoch, step }: FitProgress, rows: number, batchSize: number): number {
  return (epoch - 1) * rows + Math.min(rows, step * batchSize)
}

/**
 * Samples/s of one training, from the first report of its progress on: reading options, checking rows and allocating buffers happen before
 * it. At the end of the window the training is aborted; the model continues from there in the next one.
 */
export async function fitWindow(
  train: (options: WindowOptions) => Promise<unknown>,
  rows: number,
  batchSize: number,
  seconds: number,
): Promise<number> {
  const enough = new AbortController()
  let first: { at: number; seen: number } | undefined
  let rate = 0
  const fitting = train({
    epochs: 1e9,
    signal: enough.signal,
    onProgress: (progress) => {
      const at = performance.now() / 1000
      const seen = rowsSeen(progress, rows, batchSize)
      first ??= { at, seen }
      if (seen > first.seen) rate = (seen - first.seen) / (at - first.at)
      if (rate > 0 && at - first.at >= seconds) enough.abort()
    },
  })
  try {
    await fitting
  } catch (error) {
    if (error !== enough.signal.reason) throw error
  }
  return rate
}
