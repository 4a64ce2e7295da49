import { argumentError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { shorten } from '../base/show.js'
import { parseStrictJson } from '../data/strict-json.js'

/** A value that JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

/**
 * A user's own data in a model's file: a plain object of JSON values, at most 64 KiB as JSON in UTF-8 and nested at most 32 deep. It is
 * stored completely or refused: undefined, NaN, Infinity, functions, Dates and instances of other classes are not allowed.
 */
export type ModelMetadata = { readonly [name: string]: JsonValue }

/** Options of every model's constructor. */
export interface MetadataOption {
  /** JSON of your own, saved with the model; see {@link ModelMetadata}. Default: none. */
  readonly metadata?: ModelMetadata | undefined
}

const MOST_BYTES = 65_536
const MOST_DEPTH = 32

/**
 * A frozen copy of the caller's metadata, or undefined.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for values that JSON cannot represent, naming the place, and for more than 64 KiB
 */
export function checkMetadata(value: unknown): ModelMetadata | undefined {
  if (value === undefined) return undefined
  if (!isPlain(value)) throw argumentError('metadata', 'a plain object of JSON values', value)
  const copy = new Copy().of('metadata', value, 1) as ModelMetadata
  const bytes = Buffer.byteLength(JSON.stringify(copy))
  if (bytes > MOST_BYTES) throw tooLarge(`${bytes} bytes`)
  return copy
}

/** Metadata from a file, which {@link checkMetadata} accepted earlier. */
export async function metadataFromText(text: string): Promise<ModelMetadata | undefined> {
  if (Buffer.byteLength(text) > MOST_BYTES) throw tooLarge(`${Buffer.byteLength(text)} bytes`)
  return checkMetadata(await parseStrictJson(text, { depth: MOST_DEPTH, names: MOST_BYTES }))
}

/** One copy of nested values. Stops soon after the size limit is exceeded. */
class Copy {
  #size = 0

  of(place: string, value: unknown, depth: number): JsonValue {
    this.#count(typeof value === 'string' ? value.length : 1)
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
    if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value
    const array = Array.isArray(value)
    if (!array && !isPlain(value)) throw argumentError(place, 'a value that JSON can hold', value)
    if (depth > MOST_DEPTH) throw argumentError(place, `values nested at most ${MOST_DEPTH} deep`, value)
    if (array && value.length > MOST_BYTES) throw tooLarge(`more than ${MOST_BYTES} bytes`)
    if (!isWhole(value)) throw argumentError(place, 'no members that JSON would leave out', value)
    if (array) {
      return Object.freeze(Array.from(value, (item, i) => this.of(`${place}[${i}]`, item, depth + 1)))
    }
    const copy: Record<string, JsonValue> = {}
    for (const [name, item] of Object.entries(value)) {
      this.#count(name.length)
      if (name === '__proto__') throw argumentError(place, 'names other than __proto__', name)
      copy[name] = this.of(`${place}.${shorten(name)}`, item, depth + 1)
    }
    return Object.freeze(copy)
  }

  /** A value takes at least one byte, a string at least one for each character. */
  #count(bytes: number): void {
    this.#size += bytes
    if (this.#size > MOST_BYTES) throw tooLarge(`more than ${MOST_BYTES} bytes`)
  }
}

/** An object literal or one from Object.create(null), of this realm or another. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Whether JSON keeps all members: symbol keys, non-enumerable members and named members of an array would be lost. */
function isWhole(value: object): boolean {
  const hidden = Array.isArray(value) ? 1 : 0
  const names = Object.keys(value).length
  return (
    Reflect.ownKeys(value).length === names + hidden && (hidden === 0 || names <= (value as unknown[]).length)
  )
}

function tooLarge(received: string): LayerwiseError {
  const expected = `at most ${MOST_BYTES} bytes as JSON`
  return new LayerwiseError('ERR_ARGUMENT', `metadata: expected ${expected}, received ${received}`, {
    argument: 'metadata',
    expected,
    received,
  })
}
