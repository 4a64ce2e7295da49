import { show } from '../base/show.js'

/** Called with each member of an object. */
export type Member = (name: string, value: unknown) => void

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const INTEGER_DIGITS = 15
const QUOTE = 0x22

/**
 * Reads one object of JSON, as JSON.parse does, but for three things: integers beyond ±(2⁵³ − 1) are BigInts, no digit is lost; a name that
 * stands twice is the caller's to see, since each member is reported; `__proto__` is a name like others.
 *
 * @throws {@link SyntaxError} saying what is wrong
 */
export function readJsonObject(text: string, member: Member): void {
  new ObjectReader(text).read(member)
}

class ObjectReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(member: Member): void {
    this.#expect('{')
    if (this.#next() === '}') this.#at++
    else {
      for (;;) {
        if (this.#next() !== '"') throw this.#unexpected()
        const name = this.#string()
        this.#expect(':')
        member(name, this.#value())
        const mark = this.#next()
        this.#at++
        if (mark === '}') break
        if (mark !== ',') {
          this.#at--
          throw this.#unexpected()
        }
      }
    }
    if (this.#next() !== undefined) throw this.#unexpected()
  }

  /** The next character that is no space. */
  #next(): string | undefined {
    const text = this.#text
    for (;;) {
      const code = text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return text[this.#at]
      this.#at++
    }
  }

  #expect(mark: string): void {
    if (this.#next() !== mark) throw this.#unexpected()
    this.#at++
  }

  #value(): unknown {
    const mark = this.#next()
    switch (mark) {
      case '"':
        return this.#string()
      case '{':
      case '[':
        return this.#nested()
      case 't':
        return this.#literal('true', true)
      case 'f':
        return this.#literal('false', false)
      case 'n':
        return this.#literal('null', null)
      default:
        return this.#number()
    }
  }

  #literal<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected()
    this.#at += word.length
    return value
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at
    const found = NUMBER.exec(this.#text)
    if (found === null) throw this.#unexpected()
    const [digits, fraction, exponent] = found
    this.#at += digits.length
    const value = Number(digits)
    const isInteger = fraction === undefined && exponent === undefined
    return isInteger && digits.length > INTEGER_DIGITS && !Number.isSafeInteger(value)
      ? BigInt(digits)
      : value
  }

  #string(): string {
    const text = this.#text
    const begin = this.#at
    const end = this.#endOfString()
    this.#at = end + 1
    const inner = text.slice(begin + 1, end)
    for (let i = 0; i < inner.length; i++) {
      const code = inner.charCodeAt(i)
      // Escapes, and control characters, which JSON.parse refuses.
      if (code === 0x5c || code < 0x20) return JSON.parse(text.slice(begin, end + 1)) as string
    }
    return inner
  }

  /** The place of the quotation mark that ends the string which begins here. */
  #endOfString(): number {
    const text = this.#text
    let end = text.indexOf('"', this.#at + 1)
    for (;;) {
      if (end < 0) throw new SyntaxError('a string has no end')
      let escapes = 0
      while (text.charCodeAt(end - 1 - escapes) === 0x5c) escapes++
      if (escapes % 2 === 0) return end
      end = text.indexOf('"', end + 1)
    }
  }

  #nested(): unknown {
    const text = this.#text
    const begin = this.#at
    let depth = 0
    for (let at = begin; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) {
        this.#at = at
        at = this.#endOfString()
      } else if (code === 0x5b || code === 0x7b) depth++
      else if ((code === 0x5d || code === 0x7d) && --depth === 0) {
        this.#at = at + 1
        return JSON.parse(text.slice(begin, at + 1))
      }
    }
    throw new SyntaxError('a list or an object has no end')
  }

  #unexpected(): SyntaxError {
    const mark = this.#text[this.#at]
    return new SyntaxError(
      mark === undefined ? 'it ends too early' : `unexpected ${show(mark)} at character ${this.#at}`,
    )
  }
}
