import { BooleanBuilder, type ColumnBuilder, FloatBuilder, ValuesBuilder } from './column-builder.js'
import { FieldTexts, fieldText, plainNumber } from './csv-field.js'
import { type CsvRecord, ESCAPED } from './csv-records.js'
import type { ColumnType } from './table-batch.js'
import { misfitError, tableError } from './table-error.js'
import {
  bigintOfText,
  booleanOfText,
  dateOfText,
  isMissingText,
  kindOfText,
  numberOfText,
  type TextKind,
} from './texts.js'

/** A column of a CSV text, and what is known about it. */
export interface CsvColumn {
  /** What messages call the text. */
  readonly source: string
  readonly name: string
  /** Its place in a record. */
  readonly field: number
  /** Texts that are missing in columns of any type. */
  readonly missing: ReadonlySet<string>
}

/** The types that texts can have. */
export type TextType = Exclude<ColumnType, 'decimal' | 'list'>

function textOf(column: CsvColumn, record: CsvRecord, texts?: FieldTexts): string {
  try {
    return texts === undefined ? fieldText(record, column.field) : texts.text(record, column.field)
  } catch (cause) {
    throw tableError(
      column.source,
      placeOf(column, record),
      "it is not UTF-8; the option encoding names another, as 'latin1'",
      undefined,
      cause,
    )
  }
}

function placeOf({ name, field }: CsvColumn, { line, row }: CsvRecord) {
  return { line, row, column: field, name }
}

function isEmpty({ starts, ends }: CsvRecord, field: number): boolean {
  return starts[field] === ends[field]
}

/** Finds the type of a column in its first values. */
export class CsvTypeFinder {
  readonly #column: CsvColumn
  readonly #texts = new FieldTexts()
  readonly #kinds = new Set<TextKind>()
  #hasFraction = false

  constructor(column: CsvColumn) {
    this.#column = column
  }

  look(record: CsvRecord): void {
    const { field, missing } = this.#column
    if (isEmpty(record, field) || (this.#kinds.has('string') && record.forms[field] !== ESCAPED)) return
    const number = plainNumber(record.bytes, record.starts[field]!, record.ends[field]!)
    if (!Number.isNaN(number) && missing.size === 0) {
      this.#kinds.add('number')
      if (!Number.isInteger(number)) this.#hasFraction = true
      return
    }
    const text = textOf(this.#column, record, this.#texts)
    if (missing.has(text)) return
    const kind = kindOfText(text)
    if (kind === 'number' && !Number.isInteger(Number(text))) this.#hasFraction = true
    this.#kinds.add(kind)
  }

  /** The one type that all values have; `string` if they have several, `number` if all are missing. */
  get type(): TextType {
    const kinds = this.#kinds
    kinds.delete('missing')
    if (kinds.size === 0) return 'number'
    if (kinds.size === 2 && kinds.has('number') && kinds.has('bigint') && !this.#hasFraction) return 'bigint'
    return kinds.size === 1 ? ([...kinds][0] as TextType) : 'string'
  }
}

/** Collects the values of a column. */
export interface CsvColumnReader {
  readonly builder: ColumnBuilder
  /** @throws {@link LayerwiseError} `ERR_FORMAT` naming line and column of a value that is not of the type */
  add(record: CsvRecord): void
}

/** How the values of a column are read. `isGiven`: the user chose the type. */
export function csvColumnReader(
  column: CsvColumn,
  type: TextType,
  capacity: number,
  isGiven: boolean,
): CsvColumnReader {
  const { name, field, source, missing } = column
  const misfit = (record: CsvRecord, text: string, expected: string) =>
    misfitError(source, placeOf(column, record), expected, text, isGiven)
  /** Values that are found by their text. */
  const byText = <T>(
    builder: ColumnBuilder & { add(value: T): void },
    toValue: (text: string) => T | undefined,
    expected: string,
  ): CsvColumnReader => ({
    builder,
    add(record) {
      if (isEmpty(record, field)) return builder.addMissing()
      const text = textOf(column, record)
      if (missing.has(text)) return builder.addMissing()
      const value = toValue(text)
      if (value !== undefined) builder.add(value)
      else if (isMissingText(text)) builder.addMissing()
      else throw misfit(record, text, expected)
    },
  })
  switch (type) {
    case 'number': {
      const builder = new FloatBuilder(name, capacity, 'number')
      const rare = byText(builder, (text) => numberOfText(text, isGiven), `a number${DIGITS}`)
      const isPlain = missing.size === 0
      return {
        builder,
        add(record) {
          const start = record.starts[field]!
          const end = record.ends[field]!
          if (start === end) return builder.addMissing()
          const value = isPlain ? plainNumber(record.bytes, start, end) : Number.NaN
          if (Number.isNaN(value)) rare.add(record)
          else builder.add(value)
        },
      }
    }
    case 'date':
      return byText(new FloatBuilder(name, capacity, 'date'), dateOrNothing, 'a date in ISO 8601')
    case 'boolean':
      return byText(new BooleanBuilder(name, capacity), booleanOfText, 'true or false')
    case 'bigint':
      return byText(new ValuesBuilder(name, capacity, 'bigint'), bigintOfText, 'an integer of 64 bits')
    case 'string': {
      const builder = new ValuesBuilder(name, capacity, 'string')
      const texts = new FieldTexts()
      return {
        builder,
        add(record) {
          const text = isEmpty(record, field) ? '' : textOf(column, record, texts)
          if (text === '' || missing.has(text)) builder.addMissing()
          else builder.add(text)
        },
      }
    }
  }
}

/** What {@link numberOfText} refuses besides what is no number. */
const DIGITS = ' whose digits float64 holds'

function dateOrNothing(text: string): number | undefined {
  const date = dateOfText(text)
  return Number.isNaN(date) ? undefined : date
}
