import { isDue, turn } from '../data/slices.js'
import { BooleanBuilder, type ColumnBuilder, FloatBuilder, ValuesBuilder } from './column-builder.js'
import type { ReadOptions } from './read-options.js'
import { batchRows, type ColumnType, type TableBatch, type TableColumn } from './table-batch.js'
import { checkNames, chooseColumns, tableError } from './table-error.js'

/** A column of a source that says its types. */
export interface TypedField {
  readonly name: string
  readonly type: ColumnType
  /** Of decimals. */
  readonly scale?: number
}

/** A value of a {@link TypedField}: a number, milliseconds, a boolean, a text, a bigint, or anything, by its type; null where it is missing. */
export type ValueAt = (row: number) => unknown

/** A part of a source: its rows, and how values are read. */
export interface TypedPart {
  readonly rows: number
  /** `column` is a place in the fields of the source. */
  valuesOf(column: number): ValueAt
}

/** Collects parts of any length into batches of the usual one. */
export class TypedColumns {
  readonly #fields: readonly TypedField[]
  readonly #columnOf: readonly number[]
  readonly #builders: readonly ColumnBuilder[]
  readonly #batchRows: number
  #rows = 0
  #batches = 0

  constructor(source: string, fields: readonly TypedField[], { columns, types }: ReadOptions) {
    const names = fields.map(({ name }) => name)
    checkNames(source, names)
    this.#columnOf = chooseColumns(source, names, columns)
    this.#fields = this.#columnOf.map((place) => fields[place]!)
    if (types !== undefined) {
      chooseColumns(source, names, [...types.keys()], 'types')
      for (const { name, type } of this.#fields) checkType(source, name, type, types.get(name))
    }
    this.#batchRows = batchRows(this.#fields.length)
    this.#builders = this.#fields.map((field) => builderOf(field, this.#batchRows))
  }

  async *add(part: TypedPart): AsyncGenerator<TableBatch, void> {
    const values = this.#columnOf.map((place) => part.valuesOf(place))
    for (let from = 0; from < part.rows; ) {
      const to = Math.min(part.rows, from + this.#batchRows - this.#rows)
      for (let i = 0; i < values.length; i++) {
        addRange(this.#builders[i]!, values[i]!, from, to)
        if (isDue()) await turn()
      }
      this.#rows += to - from
      from = to
      if (this.#rows < this.#batchRows) return
      yield this.#take()
      await turn()
    }
  }

  /** The last batch. A table without rows has one without rows, so that its columns are known. */
  *finish(): Generator<TableBatch, void> {
    if (this.#rows > 0 || this.#batches === 0) yield this.#take()
  }

  #take(): TableBatch {
    const rows = this.#rows
    this.#rows = 0
    this.#batches++
    const columns = this.#builders.map((builder, i) => {
      const column = builder.take()
      const { type, scale = 0 } = this.#fields[i]!
      return (type === 'decimal' ? { ...column, type, scale } : column) as TableColumn
    })
    return { rows, columns }
  }
}

const NUMERIC: ReadonlySet<ColumnType> = new Set(['number', 'bigint', 'decimal'] as const)

/** A source that says its types cannot be given others. All that are numbers go together. */
function checkType(source: string, name: string, type: ColumnType, given: ColumnType | undefined): void {
  if (given === undefined || given === type || (NUMERIC.has(given) && NUMERIC.has(type))) return
  throw tableError(
    source,
    { name },
    `its type is ${type}, not ${given}; such a source cannot be given other types`,
  )
}

function builderOf({ name, type }: TypedField, capacity: number): ColumnBuilder {
  switch (type) {
    case 'number':
    case 'date':
      return new FloatBuilder(name, capacity, type)
    case 'boolean':
      return new BooleanBuilder(name, capacity)
    case 'decimal':
    case 'bigint':
      return new ValuesBuilder(name, capacity, 'bigint')
    default:
      return new ValuesBuilder(name, capacity, type)
  }
}

function addRange(builder: ColumnBuilder, valueAt: ValueAt, from: number, to: number): void {
  const adds = builder as ColumnBuilder & { add(value: unknown): void }
  for (let row = from; row < to; row++) {
    const value = valueAt(row)
    if (value === null || value === undefined || value === '') adds.addMissing()
    else adds.add(value)
  }
}
