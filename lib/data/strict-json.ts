import { TextDecoder } from 'node:util'
import { turn } from './slices.js'

/** Characters, or values, that are read between two turns of the event loop. */
const SLICE = 32_768

/** Bytes of text that are decoded between two turns of the event loop. */
const DECODED = 2 ** 20

/** How large a document may be. */
export interface JsonLimits {
  /** How many brackets may be open at once. */
  readonly depth: number
  /** How many names its objects may have, all together. */
  readonly names: number
}

type Container = unknown[] | Record<string, unknown>

/** What must come next. */
type Expected = 'value' | 'first element' | 'first name' | 'name' | 'colon' | 'comma' | 'rest of text' | 'end'

const SPACE = /[ \t\n\r]{0,32768}/y
/** Longer numbers than any double needs are refused, which bounds the work for one number. */
const LITERAL = /true|false|null|-?(?:0|[1-9]\d{0,399})(?:\.\d{1,399})?(?:[eE][+-]?\d{1,9})?/y
/** Neither a quotation mark, a backslash nor a control character. */
const PLAIN = /[ !#-[\]-\uffff]{0,32768}/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/**
 * JSON.parse for files that may be hostile. It refuses deep nesting, more names than a file of ours can have, a repeated name in one object
 * (of which JSON.parse would silently keep the last), and the name `__proto__`. Other events are served in between, for texts of any
 * length. Objects have no prototype: a member that is not in the text is undefined.
 *
 * @throws (rejects) {@link SyntaxError} saying what is wrong
 */
export async function parseStrictJson(text: string, limits: JsonLimits): Promise<unknown> {
  const parser = new Parser(text, limits)
  while (!parser.advance()) await turn()
  return parser.value
}

/**
 * The same for text in UTF-8.
 *
 * @param wrong - makes the error for text that is no such document, or no UTF-8
 */
export async function parseJsonBytes(
  bytes: Uint8Array,
  limits: JsonLimits,
  wrong: (problem: string, cause: unknown) => Error,
): Promise<unknown> {
  try {
    return await parseStrictJson(await decode(bytes), limits)
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException
    if (name !== 'SyntaxError' && code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error
    throw wrong(message, error)
  }
}

/** Text in UTF-8; a TypeError if it is not valid. */
async function decode(bytes: Uint8Array): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const pieces: string[] = []
  for (let from = 0; from < bytes.length; from += DECODED) {
    if (from > 0) await turn()
    pieces.push(decoder.decode(bytes.subarray(from, from + DECODED), { stream: true }))
  }
  pieces.push(decoder.decode())
  return pieces.join('')
}

/** Reads one document, a slice at each call of {@link advance}. */
class Parser {
  value: unknown
  readonly #text: string
  readonly #limits: JsonLimits
  readonly #open: { readonly container: Container; name: string }[] = []
  #expected: Expected = 'value'
  #at = 0
  #names = 0
  /** The string that is being read: whole slices of it, and pieces of the current slice. */
  #slices: string[] = []
  #pieces: string[] = []
  #isName = false

  constructor(text: string, limits: JsonLimits) {
    this.#text = text
    this.#limits = limits
  }

  /** Reads the next slice. Returns whether the document is complete. */
  advance(): boolean {
    const end = this.#at + SLICE
    for (let steps = 0; steps < SLICE && this.#at < end; steps++) {
      if (this.#expected === 'rest of text') {
        this.#readText()
        continue
      }
      if (this.#take(SPACE).length === SLICE) continue
      if (this.#at === this.#text.length && this.#expected === 'end') return true
      this.#step(this.#text[this.#at])
    }
    this.#slices.push(this.#pieces.splice(0).join(''))
    return false
  }

  #step(character: string | undefined): void {
    const expected = this.#expected
    const isEnd =
      (expected === 'first element' && character === ']') || (expected === 'first name' && character === '}')
    if (isEnd) this.#close()
    else if (expected === 'value' || expected === 'first element') this.#readValue(character)
    else if (expected === 'name' || expected === 'first name') this.#readName(character)
    else if (expected === 'comma') this.#readComma(character)
    else if (expected === 'colon' && character === ':') {
      this.#at++
      this.#expected = 'value'
    } else throw this.#unexpected()
  }

  #readValue(character: string | undefined): void {
    if (character === '"') this.#beginText(false)
    else if (character === '{' || character === '[') this.#openContainer(character)
    else {
      const literal = this.#take(LITERAL)
      if (literal === '') throw this.#unexpected()
      this.#add(JSON.parse(literal))
    }
  }

  #openContainer(bracket: '{' | '['): void {
    const { depth } = this.#limits
    if (this.#open.length === depth) throw new SyntaxError(`it is nested more than ${depth} deep`)
    this.#at++
    this.#open.push({ container: bracket === '{' ? Object.create(null) : [], name: '' })
    this.#expected = bracket === '{' ? 'first name' : 'first element'
  }

  #readName(character: string | undefined): void {
    if (character !== '"') throw this.#unexpected()
    if (++this.#names > this.#limits.names) {
      throw new SyntaxError(`it has more than ${this.#limits.names} names`)
    }
    this.#beginText(true)
  }

  #readComma(character: string | undefined): void {
    const isArray = Array.isArray(this.#open.at(-1)!.container)
    if (character === (isArray ? ']' : '}')) this.#close()
    else if (character === ',') {
      this.#at++
      this.#expected = isArray ? 'value' : 'name'
    } else throw this.#unexpected()
  }

  #beginText(isName: boolean): void {
    this.#at++
    this.#isName = isName
    this.#slices = []
    this.#expected = 'rest of text'
  }

  /** A run of plain characters and what follows: an escape, or the end of the string. */
  #readText(): void {
    const plain = this.#take(PLAIN)
    const next = this.#text[this.#at]
    if (plain !== '') this.#pieces.push(plain)
    if (next === '"') {
      this.#at++
      const text = [...this.#slices, ...this.#pieces.splice(0)].join('')
      if (this.#isName) this.#nameNext(text)
      else this.#add(text)
    } else if (next === '\\') {
      const escaped = this.#take(ESCAPE)
      if (escaped === '') throw this.#unexpected()
      this.#pieces.push(JSON.parse(`"${escaped}"`) as string)
    } else if (plain === '') {
      throw this.#unexpected()
    }
  }

  #nameNext(text: string): void {
    const place = this.#open.at(-1)!
    if (text === '__proto__') throw new SyntaxError('a name is __proto__')
    if (Object.hasOwn(place.container, text)) throw new SyntaxError('a name stands twice in one object')
    place.name = text
    this.#expected = 'colon'
  }

  #close(): void {
    this.#at++
    this.#add(this.#open.pop()!.container)
  }

  /** Adds a value to its object or array. */
  #add(value: unknown): void {
    const place = this.#open.at(-1)
    this.#expected = place === undefined ? 'end' : 'comma'
    if (place === undefined) this.value = value
    else if (Array.isArray(place.container)) place.container.push(value)
    else place.container[place.name] = value
  }

  /** The match of the pattern at this place, perhaps empty. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const [found = ''] = pattern.exec(this.#text) ?? []
    this.#at += found.length
    return found
  }

  #unexpected(): SyntaxError {
    const character = this.#text[this.#at]
    return new SyntaxError(
      character === undefined
        ? `it ends after ${this.#at} characters`
        : `unexpected ${JSON.stringify(character)} at character ${this.#at}`,
    )
  }
}
