import { MISSING_BOOLEAN, type TableColumn } from './table-batch.js'

/** Columns whose values are collected one after another, and taken as a whole. Each makes new arrays: a taken column never changes. */
export abstract class ColumnBuilder {
  readonly name: string
  protected readonly capacity: number
  /** How many values it has. */
  protected length = 0

  constructor(name: string, capacity: number) {
    this.name = name
    this.capacity = capacity
  }

  /** Adds a missing value. */
  abstract addMissing(): void
  /** The column of all values added since the last call. */
  abstract take(): TableColumn
}

/** Numbers or dates. */
export class FloatBuilder extends ColumnBuilder {
  readonly #type: 'number' | 'date'
  #values: Float64Array

  constructor(name: string, capacity: number, type: 'number' | 'date') {
    super(name, capacity)
    this.#type = type
    this.#values = new Float64Array(capacity)
  }

  add(value: number): void {
    this.#values[this.length++] = value
  }

  override addMissing(): void {
    this.add(Number.NaN)
  }

  override take(): TableColumn {
    const values = this.length === this.capacity ? this.#values : this.#values.slice(0, this.length)
    this.#values = new Float64Array(this.capacity)
    this.length = 0
    return { name: this.name, type: this.#type, values }
  }
}

/** Truth values. */
export class BooleanBuilder extends ColumnBuilder {
  #values = new Uint8Array(this.capacity)

  add(value: boolean): void {
    this.#values[this.length++] = Number(value)
  }

  override addMissing(): void {
    this.#values[this.length++] = MISSING_BOOLEAN
  }

  override take(): TableColumn {
    const values = this.#values.slice(0, this.length)
    this.length = 0
    return { name: this.name, type: 'boolean', values }
  }
}

/** What each kind of list holds. */
interface ListValues {
  string: string
  bigint: bigint
  list: unknown
}

/** Texts, big integers, or lists. */
export class ValuesBuilder<K extends keyof ListValues> extends ColumnBuilder {
  readonly #type: K
  #values: (ListValues[K] | null)[] = []

  constructor(name: string, capacity: number, type: K) {
    super(name, capacity)
    this.#type = type
  }

  add(value: ListValues[K]): void {
    this.#values.push(value)
  }

  override addMissing(): void {
    this.#values.push(null)
  }

  override take(): TableColumn {
    const values = this.#values
    this.#values = []
    return { name: this.name, type: this.#type, values } as TableColumn
  }
}
