import { TextDecoder } from 'node:util'
import { messageOf } from '../base/errors.js'
import { isDue, turn } from '../data/slices.js'
import type { Bytes } from './byte-stream.js'
import { readJsonObject } from './json-object.js'
import type { ReadOptions } from './read-options.js'
import type { TableBatch } from './table-batch.js'
import { tableError } from './table-error.js'
import { ValueRows } from './value-rows.js'

const LF = 0x0a
/** Bytes of the longest line. */
const LONGEST_LINE = 4 * 1024 * 1024

const ARRAY = '; a file that is one array of objects: readTable(JSON.parse(text))'

/** The objects of JSON lines: one on each line, empty lines are none. Columns are all names of the first rows. */
export async function* jsonLineBatches(
  { name, pieces }: Bytes,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  const rows = new ValueRows(name, options, 'line')
  let line = 0
  const read = (text: string): Iterable<TableBatch | undefined> => {
    line++
    if (text.trim() === '') return []
    rows.begin(line)
    try {
      readJsonObject(text, rows.set)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      const advice = line === 1 && text.trimStart().startsWith('[') ? ARRAY : ''
      const problem = `it is no object of JSON: ${messageOf(error)}${advice}`
      throw tableError(name, { line }, problem, undefined, error)
    }
    return rows.end()
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  /** The lines before one that is not UTF-8 are read first: which error is found, and where, must not depend on how the bytes are cut. */
  const linesOf = function* (bytes: Uint8Array): Generator<string, void> {
    let text: string | undefined
    try {
      text = decoder.decode(bytes)
    } catch (cause) {
      const end = bytes.lastIndexOf(LF)
      if (end < 0) throw tableError(name, { line: line + 1 }, 'it is not UTF-8', undefined, cause)
    }
    if (text !== undefined) return yield* text.split('\n')
    for (let from = 0; from <= bytes.length; ) {
      const end = bytes.indexOf(LF, from)
      const to = end < 0 ? bytes.length : end
      yield* linesOf(bytes.subarray(from, to))
      from = to + 1
    }
  }
  /** What has come of a line that has not ended: copies, since a stream may use its memory again. */
  let rest: Uint8Array[] = []
  let restLength = 0
  for await (const piece of pieces) {
    const end = piece.lastIndexOf(LF)
    if (end >= 0) {
      const lines = Buffer.concat([...rest, piece.subarray(0, end)])
      rest = []
      restLength = 0
      for (const text of linesOf(lines)) {
        for (const batch of read(text)) {
          if (batch !== undefined) yield batch
          await turn()
        }
      }
    }
    rest.push(Buffer.from(piece.subarray(end + 1)))
    restLength += piece.length - end - 1
    if (restLength > LONGEST_LINE) throw tableError(name, { line: line + 1 }, 'the line is too long')
    if (isDue()) await turn()
  }
  for (const text of linesOf(Buffer.concat(rest)))
    for (const batch of read(text)) if (batch !== undefined) yield batch
  for (const batch of rows.finish()) {
    if (batch !== undefined) yield batch
    await turn()
  }
}
