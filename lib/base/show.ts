import { types } from 'node:util'

/** Most characters of a name or number in a message, and of a text in an error's details. */
const SHOWN = 40
const KEPT = 200
/** Most characters of an object's description. */
const MOST = 120

/** Most entries of an array, and keys of an object, that are shown. */
const MOST_ENTRIES = 3

/** A short rendering of any value for a message: never throws, never more than 120 characters. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${shorten(value)}'`
  if (typeof value === 'bigint') return shorten(`${value}n`)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (value === null || typeof value !== 'object') return String(value)
  try {
    return shorten(showObject(value), MOST)
  } catch {
    // A getter or proxy of the caller threw.
    return 'an object'
  }
}

/** The first of some names: `'a', 'b', 'c', …`. */
export function showSome(names: readonly string[], most = MOST_ENTRIES): string {
  return `${names.slice(0, most).map(show).join(', ')}${names.length > most ? ', …' : ''}`
}

/**
 * The same for a refused value: with its place in the data, or else its type, and with advice if it is often passed by mistake.
 */
export function showReceived(value: unknown, place?: string): string {
  const surprising = value !== null && value !== undefined && typeof value !== 'object'
  return show(value) + (place ?? (surprising ? ` (${typeof value})` : '')) + remedy(value)
}

/**
 * A defined value for an error's details: primitive values themselves, for anything else a text of bounded length with a few entries.
 */
export function keep(value: unknown): string | number | boolean | null {
  if (typeof value === 'string') return shorten(value, KEPT)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  return shorten(show(value) + excerpt(value), KEPT)
}

function showObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`
  const name: unknown = value.constructor?.name
  if (typeof name !== 'string' || name === 'Object' || name === '') return `an object${keysOf(value)}`
  const named = `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${shorten(name)}`
  if (ArrayBuffer.isView(value)) return `${named} of ${(value as Uint8Array).length ?? value.byteLength}`
  const { rows, cols } = value as { rows?: unknown; cols?: unknown }
  return typeof rows === 'number' && typeof cols === 'number' ? `${named} of ${rows} × ${cols}` : named
}

function keysOf(value: object): string {
  const keys = Object.keys(value)
  const shown = keys.slice(0, MOST_ENTRIES).map((key) => shorten(key, SHOWN / 2))
  return shown.length === 0 ? '' : ` { ${shown.join(', ')}${keys.length > MOST_ENTRIES ? ', …' : ''} }`
}

/** The first entries of an array, without running code of the caller. */
function excerpt(value: unknown): string {
  if (types.isProxy(value) || !(Array.isArray(value) || types.isTypedArray(value))) return ''
  if (value.length === 0) return ''
  const entries: string[] = []
  for (let i = 0; i < Math.min(value.length, MOST_ENTRIES); i++) {
    const entry: unknown = Object.getOwnPropertyDescriptor(value, i)?.value
    entries.push(entry !== null && typeof entry === 'object' ? '…' : show(entry))
  }
  return `: ${entries.join(', ')}${value.length > MOST_ENTRIES ? ', …' : ''}`
}

function remedy(value: unknown): string {
  if (types.isPromise(value)) return ', to be awaited first'
  const bigints = types.isBigInt64Array(value) || types.isBigUint64Array(value)
  if (bigints) return '; BigInts are not read, Float64Array.from(values, Number) converts them'
  return typeof value === 'bigint' ? '; BigInts are not read, Number(value) converts one' : ''
}

/** A text of at most `most` characters. */
export function shorten(text: string, most = SHOWN): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
