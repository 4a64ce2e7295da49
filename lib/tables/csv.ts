import { Pace, turn } from '../data/slices.js'
import type { Bytes } from './byte-stream.js'
import { type CsvColumn, type CsvColumnReader, CsvTypeFinder, csvColumnReader } from './csv-column.js'
import { fieldText } from './csv-field.js'
import { type CsvMarks, type CsvRecord, CsvRecords } from './csv-records.js'
import type { CsvOptions, ReadOptions } from './read-options.js'
import { batchRows, type TableBatch } from './table-batch.js'
import { checkNames, chooseColumns, tableError } from './table-error.js'
import { isTextType, PREFIX_BYTES, PREFIX_ROWS } from './types-found.js'

/**
 * The rows of a CSV text (RFC 4180). The types of columns are found in the first rows, which are kept until then.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` naming the line
 */
export async function* csvBatches(
  { name, pieces }: Bytes,
  options: ReadOptions & CsvOptions,
): AsyncGenerator<TableBatch, void> {
  let reader: CsvReader | undefined
  let start: Uint8Array = new Uint8Array(0)
  for await (const piece of pieces) {
    if (reader === undefined) {
      // The separator is found in the first line.
      start = Buffer.concat([start, piece])
      const marks = marksOf(start, false, options)
      if (marks === undefined) continue
      reader = new CsvReader(name, marks, options)
    }
    reader.records.push(start.length > 0 ? start : piece)
    start = new Uint8Array(0)
    for (const batch of reader.read()) {
      if (batch !== undefined) yield batch
      await turn()
    }
  }
  if (reader === undefined) {
    reader = new CsvReader(name, marksOf(start, true, options)!, options)
    reader.records.push(start)
  }
  reader.records.finish()
  for (const batch of reader.end()) {
    if (batch !== undefined) yield batch
    await turn()
  }
}

/** Bytes in which the separator is found, where the first line is longer. */
const SAMPLE = 65_536
const SEPARATORS = [0x2c, 0x3b, 0x09, 0x7c]
const [LF, CR] = [0x0a, 0x0d]

/**
 * The separator is that of `, ; tab |` that appears most often in the first line, outside of quotes; a comma, where none does.
 *
 * @param isAll - whether no more bytes will come
 * @returns undefined where the line has not ended yet: the separator must not depend on how the bytes are cut
 */
function marksOf(
  start: Uint8Array,
  isAll: boolean,
  { separator, quote = '"' }: CsvOptions,
): CsvMarks | undefined {
  const mark = quote === false ? -1 : quote.charCodeAt(0)
  if (separator !== undefined) return { separator: separator.charCodeAt(0), quote: mark }
  const counts = new Map<number, number>()
  let isQuoted = false
  let isWhole = isAll || start.length >= SAMPLE
  for (const byte of start.subarray(0, SAMPLE)) {
    if (byte === mark) isQuoted = !isQuoted
    else if (isQuoted) continue
    else if (byte === LF || byte === CR) {
      isWhole = true
      break
    } else counts.set(byte, (counts.get(byte) ?? 0) + 1)
  }
  if (!isWhole) return undefined
  const often = (byte: number) => counts.get(byte) ?? 0
  return {
    separator: SEPARATORS.reduce((best, byte) => (often(byte) > often(best) ? byte : best)),
    quote: mark,
  }
}

/** Reads records into columns: first the header, then the rows in which types are found, then all others. */
class CsvReader {
  readonly records: CsvRecords
  readonly #source: string
  readonly #options: ReadOptions & CsvOptions
  readonly #marks: CsvMarks
  #width = -1
  #columns: readonly CsvColumn[] = []
  #finders: readonly (CsvTypeFinder | undefined)[] = []
  /** The first rows, as bytes, until types are known; and what reads them again. */
  #kept: Uint8Array[] | undefined = []
  #keptBytes = 0
  #keptRows = 0
  #again: CsvRecords | undefined
  #readers: readonly CsvColumnReader[] = []
  #rows = 0
  #batchRows = 0
  readonly #pace = new Pace()

  constructor(source: string, marks: CsvMarks, options: ReadOptions & CsvOptions) {
    this.#source = source
    this.#options = options
    this.#marks = marks
    this.records = new CsvRecords(source, marks)
  }

  /** The batches of the records that are complete; nothing where other events should be served first. */
  *read(): Generator<TableBatch | undefined, void> {
    const { records } = this
    while (records.next()) {
      if (this.#pace.isDue(records.count)) yield undefined
      if (records.isEmpty && this.#width !== 1) {
        records.skip()
        continue
      }
      if (this.#width < 0 && this.#begin()) continue
      this.#checkWidth()
      if (this.#kept === undefined) {
        if (this.#add(records)) yield this.#take()
        continue
      }
      for (const finder of this.#finders) finder?.look(records)
      this.#keptBytes += records.length
      if (++this.#keptRows < PREFIX_ROWS && this.#keptBytes < PREFIX_BYTES) continue
      this.#keep()
      yield* this.#begun()
    }
    this.#keep()
  }

  /** The last batches. A table without rows has one batch without rows, so that its columns are known. */
  *end(): Generator<TableBatch | undefined, void> {
    yield* this.read()
    if (this.#width < 0) throw tableError(this.#source, {}, 'it is empty: not even a header')
    if (this.#kept !== undefined) yield* this.#begun()
    if (this.#rows > 0 || this.#keptRows === 0) yield this.#take()
  }

  /** Keeps the bytes of the records that were read. */
  #keep(): void {
    if (this.#kept === undefined || this.#width < 0) return
    this.#kept.push(this.records.taken())
  }

  /** Takes the names of the columns from the first record. Returns whether that was the header. */
  #begin(): boolean {
    const { records } = this
    const { header = true, columns, types, missing = [] } = this.#options
    const names =
      header === true
        ? this.#headerNames()
        : header === false
          ? Array.from({ length: records.count }, (_, i) => `column${i}`)
          : header
    this.#width = names.length
    checkNames(this.#source, names, records.line)
    if (types !== undefined) chooseColumns(this.#source, names, [...types.keys()], 'types')
    const texts = new Set(missing)
    this.#columns = chooseColumns(this.#source, names, columns).map((field) => {
      return { source: this.#source, name: names[field]!, field, missing: texts }
    })
    this.#finders = this.#columns.map((column) =>
      types?.has(column.name) === true ? undefined : new CsvTypeFinder(column),
    )
    if (header === true) {
      records.skip()
      records.taken()
      this.#again = records.again()
    }
    return header === true
  }

  #headerNames(): string[] {
    const { records } = this
    try {
      return Array.from({ length: records.count }, (_, i) => fieldText(records, i))
    } catch (cause) {
      const problem = "it is not UTF-8; the option encoding names another, as 'latin1'"
      throw tableError(this.#source, { line: records.line }, problem, undefined, cause)
    }
  }

  #checkWidth(): void {
    const { count, line, row } = this.records
    if (count !== this.#width)
      throw tableError(
        this.#source,
        { line, row },
        `it has ${count} fields; there are ${this.#width} columns`,
      )
  }

  /** All types are known: the rows that were kept become columns. */
  *#begun(): Generator<TableBatch | undefined, void> {
    const kept = this.#kept!
    this.#kept = undefined
    this.#batchRows = batchRows(this.#columns.length)
    const { types } = this.#options
    this.#readers = this.#columns.map((column, i) => {
      const given = types?.get(column.name)
      if (given !== undefined && !isTextType(given))
        throw tableError(this.#source, { name: column.name }, `texts cannot be read as ${given}`)
      return csvColumnReader(column, given ?? this.#finders[i]!.type, this.#batchRows, given !== undefined)
    })
    this.#finders = []
    const again = this.#again ?? new CsvRecords(this.#source, this.#marks)
    for (const [i, bytes] of kept.entries()) {
      again.push(bytes)
      if (i === kept.length - 1) again.finish()
      while (again.next()) {
        if (this.#pace.isDue(again.count)) yield undefined
        if (again.isEmpty && this.#width !== 1) again.skip()
        else if (this.#add(again)) yield this.#take()
      }
    }
  }

  /** Returns whether a batch is full. */
  #add(record: CsvRecord): boolean {
    const readers = this.#readers
    for (let i = 0; i < readers.length; i++) readers[i]!.add(record)
    return ++this.#rows === this.#batchRows
  }

  #take(): TableBatch {
    const rows = this.#rows
    this.#rows = 0
    return { rows, columns: this.#readers.map(({ builder }) => builder.take()) }
  }
}
