import type { PlainUint8Array } from '../base/precision.js'
import { tableError } from './table-error.js'

const [TAB, LF, CR, SPACE] = [9, 10, 13, 32]

/** Bytes of the longest record: a quote that is never closed ends here, not at the end of a large file. */
const LONGEST_RECORD = 4 * 1024 * 1024

/** How the fields of a CSV text are told apart. All are bytes of ASCII. */
export interface CsvMarks {
  readonly separator: number
  /** −1: no field is quoted. */
  readonly quote: number
}

/** How a field was written. */
export const [PLAIN, QUOTED, ESCAPED] = [0, 1, 2] as const

/** A record: the places of its fields within `bytes`, without quotes. */
export interface CsvRecord {
  readonly bytes: Uint8Array
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** {@link PLAIN}, {@link QUOTED}, or {@link ESCAPED} where doubled quotes stand for one. */
  readonly forms: Uint8Array
  /** How many fields. */
  readonly count: number
  /** The line in which it begins, counted from 1. */
  readonly line: number
  /** Its number among the rows of the table, counted from 0. */
  readonly row: number
}

/** Cuts bytes, which arrive in pieces, into records and fields. Each byte is looked at once, where records are shorter than pieces. */
export class CsvRecords implements CsvRecord {
  bytes: PlainUint8Array = new Uint8Array(0)
  starts: Int32Array = new Int32Array(64)
  ends: Int32Array = new Int32Array(64)
  forms: Uint8Array = new Uint8Array(64)
  count = 0
  line = 1
  row = -1
  /** Bytes of the present record, with its line end. */
  length = 0
  readonly #source: string
  readonly #marks: CsvMarks
  #at = 0
  #taken = 0
  #nextLine = 1
  #lines = 0
  #isLast = false

  constructor(source: string, marks: CsvMarks) {
    this.#source = source
    this.#marks = marks
  }

  /** Adds the next bytes. The present record is no longer valid. */
  push(piece: Uint8Array): void {
    const rest = this.bytes.length - this.#at
    if (rest > LONGEST_RECORD) {
      const mib = LONGEST_RECORD / 1024 / 1024
      throw this.#error(`a row is longer than ${mib} MiB; is a quotation mark missing?`)
    }
    const bytes = new Uint8Array(rest + piece.length)
    bytes.set(this.bytes.subarray(this.#at))
    bytes.set(piece, rest)
    this.bytes = bytes
    this.#at = 0
    this.#taken = 0
  }

  /** Says that there are no more bytes. */
  finish(): void {
    this.#isLast = true
  }

  /** Reads the next record into this object. False if it is not yet complete, or there is none. */
  next(): boolean {
    const { length } = this.bytes
    if (this.#at >= length) return false
    this.line = this.#nextLine
    this.#lines = 0
    const { separator } = this.#marks
    let at = this.#at
    this.count = 0
    for (;;) {
      at = this.#field(at)
      if (at < 0) return false
      if (at >= length) {
        if (!this.#isLast) return false
        break
      }
      const mark = this.bytes[at]!
      at++
      if (mark === separator) continue
      this.#lines++
      if (mark === CR) {
        if (at === length && !this.#isLast) return false
        if (this.bytes[at] === LF) at++
      }
      break
    }
    this.length = at - this.#at
    this.#at = at
    this.#nextLine = this.line + this.#lines
    this.row++
    return true
  }

  /** The bytes of the records since the last call, or since the last bytes were added. They never change. */
  taken(): Uint8Array {
    const taken = this.bytes.subarray(this.#taken, this.#at)
    this.#taken = this.#at
    return taken
  }

  /** Another, which begins where the next record of this one will: for {@link taken} bytes that are read again. */
  again(): CsvRecords {
    const again = new CsvRecords(this.#source, this.#marks)
    again.#nextLine = this.#nextLine
    again.row = this.row
    return again
  }

  /** An empty line, which is no record of a table of more than one column. */
  get isEmpty(): boolean {
    return this.count === 1 && this.starts[0] === this.ends[0] && this.forms[0] === PLAIN
  }

  /** Says that the present record is no row of the table. */
  skip(): void {
    this.row--
  }

  /** Reads one field; returns the place after it, −1 if its end has not arrived. */
  #field(begin: number): number {
    const { bytes, count } = this
    const { length } = bytes
    const { separator, quote } = this.#marks
    if (count === this.starts.length) this.#grow()
    this.count = count + 1
    if (bytes[begin] === quote && begin < length) return this.#quoted(begin + 1)
    let at = begin
    while (at < length) {
      const byte = bytes[at]!
      if (byte === separator || byte === LF || byte === CR) break
      at++
    }
    this.starts[count] = begin
    this.ends[count] = at
    this.forms[count] = PLAIN
    return at
  }

  #quoted(begin: number): number {
    const { bytes } = this
    const { length } = bytes
    const { separator, quote } = this.#marks
    let form: number = QUOTED
    let end = bytes.indexOf(quote, begin)
    while (end >= 0 && end + 1 < length && bytes[end + 1] === quote) {
      form = ESCAPED
      end = bytes.indexOf(quote, end + 2)
    }
    if (end < 0) {
      if (this.#isLast) throw this.#error('a quotation mark is not closed')
      return -1
    }
    if (end + 1 === length && !this.#isLast) return -1
    for (let at = bytes.indexOf(LF, begin); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) this.#lines++
    const field = this.count - 1
    this.starts[field] = begin
    this.ends[field] = end
    this.forms[field] = form
    let at = end + 1
    while (at < length && (bytes[at] === SPACE || bytes[at] === TAB) && bytes[at] !== separator) at++
    if (at >= length) return this.#isLast ? at : -1
    const after = bytes[at]!
    if (after !== separator && after !== LF && after !== CR)
      throw this.#error('text follows a closing quotation mark; within a field it must be doubled')
    return at
  }

  #grow(): void {
    const size = this.starts.length * 2
    const grown = <T extends Int32Array | Uint8Array>(old: T, made: T): T => {
      made.set(old)
      return made
    }
    this.starts = grown(this.starts, new Int32Array(size))
    this.ends = grown(this.ends, new Int32Array(size))
    this.forms = grown(this.forms, new Uint8Array(size))
  }

  #error(problem: string): Error {
    return tableError(this.#source, { line: this.line + this.#lines }, problem)
  }
}
