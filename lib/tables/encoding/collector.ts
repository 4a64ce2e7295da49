import type { TableColumn } from '../table-batch.js'
import { BooleanPlan } from './boolean-plan.js'
import { HashPlan } from './category-plan.js'
import { numbersOf, textsOf } from './cells.js'
import { DroppedPlan } from './dropped-plan.js'
import type { ColumnPlan } from './encoded-column.js'

/** Collects in one pass, in bounded memory, what the plan of a column needs. */
export interface Collector {
  /**
   * Adds the rows from `from` to `to`, not included, step by step: other events may be served after each. `firstRow` is the number of the first
   * row of the batch.
   */
  add(column: TableColumn, from: number, to: number, firstRow: number): Iterable<void>
  plan(): ColumnPlan
}

/** What is collected about a column of truth values. */
export class BooleanCollector implements Collector {
  readonly #name: string
  #rows = 0
  #known = 0
  #true = 0

  constructor(name: string) {
    this.#name = name
  }

  *add(column: TableColumn, from: number, to: number, firstRow: number): Generator<void> {
    const numberAt = numbersOf(column, firstRow)
    this.#rows += to - from
    for (let row = from; row < to; row++) {
      const value = numberAt(row)
      if (Number.isNaN(value)) continue
      this.#known++
      this.#true += value
    }
    yield
  }

  plan(): ColumnPlan {
    const hasMissing = this.#known > 0 && this.#known < this.#rows
    if (this.#known === 0) return new BooleanPlan({ name: this.#name, hasMissing })
    return new BooleanPlan({ name: this.#name, share: this.#true / this.#known, hasMissing })
  }
}

/** A column whose texts are hashed: only whether some are missing is to be found. */
export class HashCollector implements Collector {
  readonly #name: string
  readonly #buckets: number
  #hasMissing = false

  constructor(name: string, buckets: number) {
    this.#name = name
    this.#buckets = buckets
  }

  *add(column: TableColumn, from: number, to: number): Generator<void> {
    const textAt = textsOf(column)
    for (let row = from; row < to && !this.#hasMissing; row++) this.#hasMissing = textAt(row) === null
    yield
  }

  plan(): ColumnPlan {
    return new HashPlan({ name: this.#name, buckets: this.#buckets, hasMissing: this.#hasMissing })
  }
}

/** A column that is left out. */
export class DroppedCollector implements Collector {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  add(): Iterable<void> {
    return []
  }

  plan(): ColumnPlan {
    return new DroppedPlan(this.#name)
  }
}
