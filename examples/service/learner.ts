import { existsSync } from 'node:fs'
import { AnomalyDetector, readTable } from '../../lib/index.js'
import { COLUMNS, type Database } from './orders.js'

/** The detector in use, its file, and the database that it learns from. */
export class Learner {
  readonly #file: string
  readonly #database: Database
  readonly #stop = new AbortController()
  #detector = new AnomalyDetector()
  #learning: Promise<void> | undefined
  #learned = 0

  private constructor(file: string, database: Database) {
    this.#file = file
    this.#database = database
  }

  /** With the detector of the file; if there is none, with one that is learned first. */
  static async open(file: string, database: Database): Promise<Learner> {
    const learner = new Learner(file, database)
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

  /** Begins to learn a new detector in the background. Says false if it does so already. */
  begin(onError: (error: unknown) => void): boolean {
    if (this.#learning !== undefined) return false
    this.#learning = this.#learn()
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) onError(error)
      })
      .finally(() => {
        this.#learning = undefined
      })
    return true
  }

  /** Stops learning. What was learned before stays in the file. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#learning
  }

  /** `save` writes the file whole or not at all: a process that is killed leaves the old one. */
  async #learn(): Promise<void> {
    const { signal } = this.#stop
    const sql = `SELECT ${COLUMNS.join(', ')} FROM orders`
    const table = readTable({ sql, sqlite: this.#database }, { signal })
    const detector = new AnomalyDetector({ contamination: 0.02 })
    await detector.fit(table, { signal })
    await detector.save(this.#file)
    this.#detector = detector
    this.#learned++
  }
}
