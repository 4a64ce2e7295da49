import { LayerwiseError } from './errors.js'
import { shorten, show, showReceived } from './show.js'

/** The error for a wrong argument, in one sentence: name, what is expected, value and type received. */
export function argumentError(argument: string, expected: string, received: unknown): LayerwiseError {
  const message = `${argument}: expected ${expected}, received ${showReceived(received)}`
  return new LayerwiseError('ERR_ARGUMENT', message, { argument, expected, received })
}

/** Freezes a plain object or array and all nested values. */
export function freezeDeep<T>(value: T): T {
  if (value !== null && typeof value === 'object') Object.values(Object.freeze(value)).forEach(freezeDeep)
  return value
}

/** Like {@link argumentError}, for wrong widths and lengths: `received` is a number, or a description in words. */
export function shapeError(argument: string, expected: string, received: number | string): LayerwiseError {
  return new LayerwiseError('ERR_SHAPE', `${argument}: expected ${expected}, received ${received}`, {
    argument,
    expected,
    received,
  })
}

/** A copy with own members only and no prototype: a missing member is not looked up in Object.prototype. */
export function ownCopy<T extends object>(object: T): T {
  return Object.assign(Object.create(null), object)
}

/**
 * An array's elements, each read once, so that its getters cannot change the result. Reading ends at the first undefined element, which is
 * never valid here: an array of billions of holes is cheap to create.
 */
export function readArray<T>(array: ArrayLike<T>): T[] {
  const { length } = array
  const elements: T[] = []
  for (let i = 0; i < length; i++) {
    const element = array[i]!
    elements.push(element)
    if (element === undefined) break
  }
  return elements
}

/** Options with their defaults: every member is there, and none is `undefined`. */
export type Complete<T> = { [K in keyof T]-?: Exclude<T[K], undefined> }

/**
 * A copy of the own members of an options object, without a prototype. `undefined`, as the object or as an option's value, means not given.
 * Unknown keys are refused, and so are objects that are not plain options, such as an AbortSignal, a promise or a Map.
 */
export function checkOptions(
  argument: string,
  value: unknown,
  known: readonly string[],
): Record<string, unknown> {
  const given: Record<string, unknown> = Object.create(null)
  if (value === undefined) return given
  if (
    value === null ||
    typeof value !== 'object' ||
    Object.prototype.toString.call(value) !== '[object Object]'
  ) {
    throw argumentError(argument, `an object of options (${known.join(', ')})`, value)
  }
  for (const [key, said] of Object.entries(value)) {
    if (said === undefined) continue
    if (!known.includes(key)) {
      throw new LayerwiseError(
        'ERR_ARGUMENT',
        `${argument}: unknown option ${show(key)}; known are ${known.join(', ')}`,
        {
          argument: `${argument}.${shorten(key)}`,
          expected: `one of ${known.join(', ')}`,
          received: key,
        },
      )
    }
    given[key] = said
  }
  return given
}

/** Runs checks on nested options: errors name the full path, such as `layers[1].epochs`. Their `options` are what stands at the place. */
export function checkWithin<T>(place: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof LayerwiseError) || error.details.argument === undefined) throw error
    const placed = (text: string) => `${place}.${text}`.replace(`${place}.options`, () => place)
    const details = { ...error.details, argument: placed(error.details.argument) }
    throw new LayerwiseError(error.code, placed(error.message), details, error.cause)
  }
}

/** A finite number in an interval; `open` excludes ends. */
export function checkNumber(
  argument: string,
  value: unknown,
  bounds: { min?: number; max?: number; open?: boolean } = {},
): number {
  const { min = -Infinity, max = Infinity, open = false } = ownCopy(bounds)
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (open ? value > min && value < max : value >= min && value <= max)
  if (!fits) throw argumentError(argument, `a finite number${interval(min, max, open)}`, value)
  return value
}

/** A whole number from `min` to `max`, both included. */
export function checkInteger(argument: string, value: unknown, min = 1, max = 2 ** 31 - 1): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw argumentError(argument, `a whole number${interval(min, max, false)}`, value)
  }
  return value
}

/** One of a few strings. */
export function checkChoice<C extends string>(argument: string, value: unknown, choices: readonly C[]): C {
  if (!(choices as readonly unknown[]).includes(value)) {
    throw argumentError(argument, choices.map((choice) => `'${choice}'`).join(' | '), value)
  }
  return value as C
}

/** The own `kind` of options, on which the other options depend. */
export function checkKind<C extends string>(argument: string, value: object, kinds: readonly C[]): C {
  const kind = Object.hasOwn(value, 'kind') ? (value as { kind: unknown }).kind : undefined
  return checkChoice(`${argument}.kind`, kind, kinds)
}

/** Any string. */
export function checkText(argument: string, value: unknown): string {
  if (typeof value !== 'string') throw argumentError(argument, 'a string', value)
  return value
}

/** `true` or `false`, no other truthy or falsy value. */
export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw argumentError(argument, 'true or false', value)
  return value
}

/** A function, or nothing. */
export function checkFunction<F>(argument: string, value: F | undefined): F | undefined {
  if (value !== undefined && typeof value !== 'function') throw argumentError(argument, 'a function', value)
  return value
}

function interval(min: number, max: number, open: boolean): string {
  const brackets = open ? 'strictly between' : 'between'
  if (min > -Infinity && max < Infinity) return ` ${brackets} ${min} and ${max}`
  if (min > -Infinity) return open ? ` above ${min}` : ` of at least ${min}`
  if (max < Infinity) return open ? ` below ${max}` : ` of at most ${max}`
  return ''
}
