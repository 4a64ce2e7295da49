import type { ChildProcess } from 'node:child_process'

/** Lines that a program must have written before it counts: its rows are copied then, and its code compiled. */
const WARM = 20

interface Mark {
  readonly at: number
  readonly rows: number
}

/**
 * A program that trains without end and prints ten times a second, in a line, how many rows it has processed. Outside its turns it is
 * stopped by a signal, with all its threads, so that turns can be short and none contains the start of a training.
 */
export class TakingTurns {
  readonly #process: ChildProcess
  readonly #threadsOf: (pid: number) => readonly number[]
  /** Of its turns up to their last lines. */
  #rows = 0
  #seconds = 0
  #mark: Mark | undefined
  readonly #end = () => this.#process.kill('SIGKILL')
  readonly #ended: Promise<never>
  #warm: () => void = () => {}
  #awake = true

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
    // The error for those who wait for it.
    this.#ended.catch(() => {})
  }

  /** Waits until it runs steadily, then stops it; kills it if that fails. */
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
    this.#rows = this.#seconds = 0
  }

  threads(): readonly number[] {
    return this.#threadsOf(this.#process.pid!)
  }

  go(): void {
    this.#process.kill('SIGCONT')
    this.#awake = true
  }

  stop(): void {
    this.#process.kill('SIGSTOP')
    this.#awake = false
    this.#mark = undefined
  }

  /**
   * Rows a second of all its turns, each from its first line to its last. The time up to the first line is not counted: the program's clock
   * went on while it was stopped, and the caches held another program's data.
   */
  rate(): number {
    if (this.#seconds === 0) throw new Error('too little time to measure a training in')
    return this.#rows / this.#seconds
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
      this.#see({ at: performance.now() / 1000, rows })
      if (++count === WARM) this.#warm()
    }
    throw new Error('a training ended by itself')
  }

  #see(mark: Mark): void {
    // Output that arrives while it is stopped was written earlier, at an unknown time.
    if (!this.#awake) return
    if (this.#mark) {
      this.#rows += mark.rows - this.#mark.rows
      this.#seconds += mark.at - this.#mark.at
    }
    this.#mark = mark
  }
}
