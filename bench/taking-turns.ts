import type { ChildProcess } from 'node:child_process'

/** Lines that a program must have written before it counts: its rows are copied then, and its code compiled. */
const WARM = 20

/**
 * A program that trains without end and says ten times a second, in a line, how many rows it has seen. Outside its turns it is stopped by a
 * signal, threads and all, so that turns can be short without a beginning in each.
 */
export class TakingTurns {
  readonly #process: ChildProcess
  readonly #threadsOf: (pid: number) => readonly number[]
  readonly #marks: { readonly awake: number; readonly rows: number }[] = []
  readonly #end = () => this.#process.kill('SIGKILL')
  readonly #ended: Promise<never>
  #warm: () => void = () => {}
  #slept = 0
  #stoppedAt: number | undefined

  /** @param threadsOf - those of its threads that compute */
  constructor(
    process: ChildProcess,
    lines: AsyncIterable<string>,
    threadsOf: (pid: number) => readonly number[],
  ) {
    this.#process = process
    this.#threadsOf = threadsOf
    globalThis.process.once('exit', this.#end)
    this.#ended = this.#read(lines)
    // Told to whoever waits for it.
    this.#ended.catch(() => {})
  }

  /** Waits until it runs steadily, and stops it; kills it if it does not come to that. */
  async warm(): Promise<void> {
    const warm = new Promise<void>((resolve) => {
      this.#warm = resolve
    })
    try {
      await Promise.race([warm, this.#ended])
    } catch (error) {
      this.close()
      throw error
    }
    this.stop()
    this.#marks.length = 0
  }

  threads(): readonly number[] {
    return this.#threadsOf(this.#process.pid!)
  }

  go(): void {
    this.#process.kill('SIGCONT')
    this.#slept += now() - this.#stoppedAt!
    this.#stoppedAt = undefined
  }

  stop(): void {
    this.#process.kill('SIGSTOP')
    this.#stoppedAt = now()
  }

  /** Rows a second of all its turns. */
  rate(): number {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)]
    if (!first || !last || first === last) throw new Error('too little time to measure a training in')
    return (last.rows - first.rows) / (last.awake - first.awake)
  }

  close(): void {
    globalThis.process.removeListener('exit', this.#end)
    this.#end()
  }

  async #read(lines: AsyncIterable<string>): Promise<never> {
    let count = 0
    for await (const line of lines) {
      const rows = Number(line)
      if (!Number.isFinite(rows)) throw new Error(`a training said: ${line}`)
      this.#marks.push({ awake: (this.#stoppedAt ?? now()) - this.#slept, rows })
      if (++count === WARM) this.#warm()
    }
    throw new Error('a training ended by itself')
  }
}

const now = () => performance.now() / 1000
