import { parseJsonBytes } from '../../lib/data/strict-json.js'
import { LayerwiseError } from '../../lib/index.js'
import { mutated } from './mutate.js'
import { must } from './proof.js'
import type { Target } from './target.js'

const LIMITS = { depth: 8, names: 64 }

/** What is refused although it is JSON. */
const OURS = /nested more than|more than \d+ names|stands twice|is __proto__/
const LONG_NUMBER = /\d{400}|[eE][+-]?\d{10}/

/** What JSON.parse makes of a text in UTF-8; undefined if it is none. */
function parsed(input: Buffer): { text: string; value: unknown } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(input)
    return { text, value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** The parser of all headers, beside JSON.parse. */
export const strictJson: Target = {
  seeds: async () =>
    [
      '{"a":[1,-2.5e-3,true,null],"b":{"c":"\\u00e4\\n😀"}}',
      ' [ "x" , {} , [ ] ] ',
      '-0.5E+10',
      '"\\ud800"',
    ].map((text) => Buffer.from(text)),
  async read(input) {
    const plainly = parsed(input)
    let value: unknown
    try {
      value = await parseJsonBytes(input, LIMITS, (problem) => new LayerwiseError('ERR_FORMAT', problem))
    } catch (error) {
      const { message } = error as Error
      const isMeant = plainly === undefined || OURS.test(message) || LONG_NUMBER.test(plainly.text)
      must(isMeant, `JSON.parse reads what is refused: ${message}`)
      throw error
    }
    must(plainly !== undefined, 'JSON.parse refuses what is read')
    must(JSON.stringify(value) === JSON.stringify(plainly.value), 'JSON.parse reads something else')
  },
  mutate: mutated,
  codes: ['ERR_FORMAT'],
}
