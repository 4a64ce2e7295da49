import { existsSync } from 'node:fs'
import { AnomalyDetector, readTable } from '../../lib/index.js'
import { COLUMNS, type Database } from './orders.js'

/** The detector in use, its file, and the database that it learns from. */
export class Learner {
  readonly #file: string
  readonly #database: Database
  readonly #stop: AbortSignal
  #detector = new AnomalyDetector()
  #learning: Promise<void> | undefined
  #learned = 0
  #problem: string | undefined

  private constructor(file: string, database: Database, stop: AbortSignal) {
    this.#file = file
    this.#database = database
    this.#stop = stop
  }

  /**
   * With the detector of the file; if there is none, with one that is learned first.
   *
   * @param stop - stops learning when it is aborted. What was learned before stays in the file
   */
  static async open(file: string, database: Database, stop: AbortSignal): Promise<Learner> {
    const learner = new Learner(file, database, stop)
    if (existsSync(file)) learner.#detector = await AnomalyDetector.load(file)
    else await learner.#learn()
    return learner
  }

  get detector(): AnomalyDetector {
    return this.#detector
  }

  /** How often this process has learned. */
  get learned(): number {
    return this.#learned
  }

  /** Why the last try to learn failed; undefined if it did not. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Begins to learn a new detector in the background. Says false if it does so already. */
  begin(): boolean {
    if (this.#learning !== undefined) return false
    this.#problem = undefined
    this.#learning = this.#learn()
      .catch((error: Error) => {
        this.#problem = error.message
      })
      .finally(() => {
        this.#learning = undefined
      })
    return true
  }

  /** Awaits the end of what is being learned. */
  async ended(): Promise<void> {
    await this.#learning
  }

  /** `save` writes the file whole or not at all: a process that is killed leaves the old one. */
  async #learn(): Promise<void> {
    const signal = this.#stop
    const sql = `SELECT ${COLUMNS.join(', ')} FROM orders`
    const table = readTable({ sql, sqlite: this.#database }, { signal })
    const detector = new AnomalyDetector({ contamination: 0.02 })
    await detector.fit(table, { signal })
    await detector.save(this.#file)
    this.#detector = detector
    this.#learned++
  }
}
