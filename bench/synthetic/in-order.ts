import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { MakerOf } from './maker.js'

export interface InOrderOptions {
  /** Default as many as there are processors. */
  readonly threads?: number
  /** Default 4,096. */
  readonly rowsPerBatch?: number
}

/** Batches that may be ready or at work for each thread while one is consumed. */
const AHEAD = 2

/**
 * Rows `from` to `to` (not included) in batches, in their order, made by threads. At most {@link AHEAD} batches a thread are made before they are
 * asked for.
 */
export async function* rowsInOrder<T extends Uint8Array | Float32Array>(
  of: MakerOf,
  from: number,
  to: number,
  { threads = availableParallelism(), rowsPerBatch = 4096 }: InOrderOptions = {},
): AsyncGenerator<T> {
  const crew = Array.from({ length: threads }, () => new MakingThread<T>(of))
  const coming: Promise<T>[] = []
  let next = from
  const askForNext = () => {
    if (next >= to) return
    const end = Math.min(to, next + rowsPerBatch)
    const member = crew[Math.floor((next - from) / rowsPerBatch) % threads]!
    const batch = member.make(next, end)
    // Whoever awaits it gets the error; until then it is not unhandled.
    batch.catch(() => {})
    coming.push(batch)
    next = end
  }
  try {
    for (let k = 0; k < AHEAD * threads; k++) askForNext()
    for (let batch = coming.shift(); batch !== undefined; batch = coming.shift()) {
      const rows = await batch
      askForNext()
      yield rows
    }
  } finally {
    await Promise.all(crew.map((thread) => thread.end()))
  }
}

/** One thread with a maker; it answers in the order it was asked. */
class MakingThread<T> {
  readonly #worker: Worker
  readonly #waiting: { resolve: (rows: T) => void; reject: (error: unknown) => void }[] = []
  #failure: unknown

  constructor(of: MakerOf) {
    this.#worker = new Worker(new URL('./making-thread.mjs', import.meta.url), { workerData: of })
    this.#worker.on('message', (rows: T) => this.#waiting.shift()!.resolve(rows))
    this.#worker.on('error', (error) => {
      this.#failure = error
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    })
  }

  make(from: number, to: number): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage([from, to])
    })
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}
