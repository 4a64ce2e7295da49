import { LayerwiseError, readTable, type TableFormat, type TableSource } from '../../lib/index.js'
import { mutated } from './mutate.js'
import { must } from './proof.js'
import { READERS } from './readers.js'
import type { Target } from './target.js'

/** Bytes as a stream gives them. */
async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

/** All that a table says, as a text. */
async function contentOf(source: TableSource, format: TableFormat): Promise<string> {
  const columns: { name: string; type: string; values: unknown[] }[] = []
  for await (const batch of readTable(source, { format })) {
    for (const [i, { name, type, values }] of batch.columns.entries()) {
      must(type === 'list' || values.length === batch.rows, `${values.length} values in ${batch.rows} rows`)
      columns[i] ??= { name, type, values: [] }
      columns[i].values.push(...values)
    }
  }
  return JSON.stringify(columns, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
}

/** What a reading comes to: the content, or the error without the name of the source. */
async function endOf(reading: Promise<string>, hasLines: boolean): Promise<string> {
  return reading.catch((error: unknown) => {
    if (!(error instanceof LayerwiseError)) throw error
    const { code, message } = error
    return hasLines ? `${code} ${message.replace(/^the (bytes|stream)/, '')}` : code
  })
}

/** Whether bytes are unpacked or converted before they are cut into lines: errors of that come when their piece does. */
function isConverted([first, second]: Uint8Array): boolean {
  return (first === 0x1f && second === 0x8b) || (first === 0xff && second === 0xfe) || first === 0xfe
}

/** A text: the first byte of an input says in which pieces a stream has the others, which must not matter. */
const ofTexts = (name: string, format: TableFormat): Target => ({
  seeds: async (folder) =>
    (await READERS[name]!.good(folder)).map((text, i) => Buffer.concat([Buffer.from([5 * i]), text])),
  mutate: mutated,
  async read(input) {
    const text = input.subarray(1)
    const whole = contentOf(text, format)
    const pieces = contentOf(inPieces(text, 3 + ((input[0] ?? 0) % 61)), format)
    const hasLines = !isConverted(text)
    const [expected, found] = await Promise.all([endOf(whole, hasLines), endOf(pieces, hasLines)])
    must(found === expected, `in pieces it is ${found}, as a whole ${expected}`)
    await whole
  },
  codes: READERS[name]!.codes,
})

export const csvInPieces: Target = ofTexts('CSV', 'csv')
export const jsonLinesInPieces: Target = ofTexts('JSON lines', 'jsonLines')
