import type { Floats, NativeTrainingState } from '../native/binding.js'

/** A vector of a state, of `length` numbers. */
export function vector(entries: NativeTrainingState, name: string, length?: number): Floats {
  const value = entries[name]
  if (typeof value !== 'object' || (length !== undefined && value.length !== length)) {
    throw new TypeError(`its state has no such '${name}'`)
  }
  return value
}

/** A number of a state. */
export function oneNumber(entries: NativeTrainingState, name: string): number {
  return vector(entries, name, 1)[0]!
}

/** A whole number of a state. */
export function wholeNumber(entries: NativeTrainingState, name: string): number {
  const value = entries[name]
  if (typeof value !== 'number' || value < 0) throw new TypeError(`its state has no such '${name}'`)
  return value
}
