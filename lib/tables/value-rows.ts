import { Pace } from '../data/slices.js'
import type { ReadOptions } from './read-options.js'
import { batchRows, type TableBatch } from './table-batch.js'
import { checkNames, chooseColumns, tableError } from './table-error.js'
import { PREFIX_ROWS } from './types-found.js'
import { type ValueColumnReader, ValueTypeFinder, valueColumnReader } from './value-column.js'

/** Values that are kept until types are known. */
const PREFIX_VALUES = 500_000

/** A row takes as long as so many values more. */
const VALUES_PER_ROW = 8

const NOTHING: readonly TableBatch[] = []
const GIVE_WAY: readonly undefined[] = [undefined]

/** Collects rows of JavaScript values, each given name by name, into batches. Columns and types are found in the first rows. */
export class ValueRows {
  readonly #source: string
  readonly #options: ReadOptions
  /** What messages count: lines of a text, or rows. */
  readonly #counts: 'line' | 'row'
  readonly #places = new Map<string, number>()
  /** Of each place the name, and the column of which it is. */
  #names: string[] = []
  #columnOf: readonly number[] = []
  #kept: { values: unknown[]; at: number }[] | undefined = []
  #keptValues = 0
  #row: unknown[] = []
  /** Of each place the number of the last row that had a value there. */
  readonly #givenIn: number[] = []
  #rowNumber = 0
  #finders: ValueTypeFinder[] = []
  #readers: readonly ValueColumnReader[] = []
  #rows = 0
  #batchRows = 0
  #at = 0
  readonly #pace = new Pace()

  /** `names`: those of the columns, where they are known before the first row. */
  constructor(source: string, options: ReadOptions, counts: 'line' | 'row', names: readonly string[] = []) {
    this.#source = source
    this.#options = options
    this.#counts = counts
    checkNames(source, names)
    for (const name of names) this.#addName(name)
  }

  /** Begins a row: its line or number, for messages. */
  begin(at: number): void {
    this.#at = at
    this.#row = new Array(this.#names.length)
    this.#rowNumber++
  }

  /** A member of the present row. */
  readonly set = (name: string, value: unknown): void => {
    const place = this.#places.get(name) ?? this.#addNew(name)
    if (this.#givenIn[place] === this.#rowNumber)
      throw tableError(this.#source, { ...this.#place, name }, 'the name stands twice')
    this.#givenIn[place] = this.#rowNumber
    this.#row[place] = value
  }

  /** Ends a row; returns the batches that are complete, and nothing where other events should be served first. */
  end(): Iterable<TableBatch | undefined> {
    const values = this.#row
    if (this.#kept !== undefined) return this.#keep(values)
    if (this.#add(values, this.#at)) return [this.#take()]
    return this.#pace.isDue(values.length + VALUES_PER_ROW) ? GIVE_WAY : NOTHING
  }

  #keep(values: unknown[]): Iterable<TableBatch | undefined> {
    const place = this.#place
    for (let i = 0; i < values.length; i++) this.#finders[i]!.look(values[i], place)
    const kept = this.#kept!
    kept.push({ values, at: this.#at })
    this.#keptValues += values.length
    if (kept.length === PREFIX_ROWS || this.#keptValues >= PREFIX_VALUES) return this.#begun()
    return this.#pace.isDue(values.length + VALUES_PER_ROW) ? GIVE_WAY : NOTHING
  }

  /** The last batches. */
  *finish(): Generator<TableBatch | undefined, void> {
    const isEmpty = this.#kept?.length === 0
    if (isEmpty && this.#names.length === 0) throw tableError(this.#source, {}, 'it has no rows')
    if (this.#kept !== undefined) yield* this.#begun()
    if (this.#rows > 0 || isEmpty) yield this.#take()
  }

  get #place() {
    return { [this.#counts]: this.#at }
  }

  #addName(name: string): number {
    const place = this.#names.push(name) - 1
    this.#places.set(name, place)
    this.#finders.push(new ValueTypeFinder())
    return place
  }

  #addNew(name: string): number {
    if (this.#kept === undefined)
      throw tableError(this.#source, { ...this.#place, name }, 'the first rows have no such column')
    if (this.#names.length >= MOST_NAMES)
      throw tableError(this.#source, this.#place, `more than ${MOST_NAMES} columns`)
    return this.#addName(name)
  }

  /** All types are known: the rows that were kept become columns. */
  *#begun(): Generator<TableBatch | undefined, void> {
    const kept = this.#kept!
    this.#kept = undefined
    const { columns, types } = this.#options
    if (types !== undefined) chooseColumns(this.#source, this.#names, [...types.keys()], 'types')
    this.#columnOf = chooseColumns(this.#source, this.#names, columns)
    this.#batchRows = batchRows(this.#columnOf.length)
    this.#readers = this.#columnOf.map((place) => {
      const name = this.#names[place]!
      const given = types?.get(name)
      const type = given ?? this.#finders[place]!.type(this.#source, { column: place, name })
      return valueColumnReader(this.#source, name, type, this.#batchRows, given !== undefined)
    })
    for (const { values, at } of kept) {
      if (this.#add(values, at)) yield this.#take()
      else if (this.#pace.isDue(values.length + VALUES_PER_ROW)) yield undefined
    }
  }

  /** Returns whether a batch is full. */
  #add(values: readonly unknown[], at: number): boolean {
    const place = { [this.#counts]: at, column: 0 }
    for (let i = 0; i < this.#readers.length; i++) {
      const column = this.#columnOf[i]!
      place.column = column
      this.#readers[i]!.add(values[column], place)
    }
    return ++this.#rows === this.#batchRows
  }

  #take(): TableBatch {
    const rows = this.#rows
    this.#rows = 0
    return { rows, columns: this.#readers.map(({ builder }) => builder.take()) }
  }
}

const MOST_NAMES = 100_000
