import { TextDecoder } from 'node:util'
import { messageOf } from '../base/errors.js'
import { turn } from '../data/slices.js'
import type { Bytes } from './byte-stream.js'
import { readJsonObject } from './json-object.js'
import type { ReadOptions } from './read-options.js'
import type { TableBatch } from './table-batch.js'
import { tableError } from './table-error.js'
import { ValueRows } from './value-rows.js'

/** Characters of the longest line. */
const LONGEST_LINE = 4 * 1024 * 1024

/** The objects of JSON lines: one on each line, empty lines are none. Columns are all names of the first rows. */
export async function* jsonLineBatches(
  { name, pieces }: Bytes,
  options: ReadOptions,
): AsyncGenerator<TableBatch, void> {
  const rows = new ValueRows(name, options, 'line')
  let line = 0
  const read = function* (text: string): Generator<TableBatch, void> {
    line++
    if (text.trim() === '') return
    rows.begin(line)
    try {
      readJsonObject(text, rows.set)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      throw tableError(name, { line }, `it is no object of JSON: ${messageOf(error)}`, undefined, error)
    }
    yield* rows.end()
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decode = (piece?: Uint8Array) => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined })
    } catch (cause) {
      throw tableError(name, { line: line + 1 }, 'it is not UTF-8', undefined, cause)
    }
  }
  let rest = ''
  for await (const piece of pieces) {
    const lines = decode(piece).split('\n')
    lines[0] = rest + lines[0]
    rest = lines.pop()!
    if (rest.length > LONGEST_LINE)
      throw tableError(name, { line: line + lines.length + 1 }, 'the line is too long')
    for (const text of lines) {
      for (const batch of read(text)) {
        yield batch
        await turn()
      }
    }
    await turn()
  }
  for (const batch of read(rest + decode())) yield batch
  for (const batch of rows.finish()) {
    yield batch
    await turn()
  }
}
