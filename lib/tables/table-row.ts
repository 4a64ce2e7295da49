import { types } from 'node:util'

/**
 * A row of a table: an object, also one of an interface or a class, with a value for each column by its name. What is absent is missing, but one column at
 * least must be there.
 */
export type TableRow =
  | Readonly<Record<string, unknown>>
  | (object & {
      /** A promise of a row is none. */
      readonly then?: never
      /** An array is none. */
      readonly [Symbol.iterator]?: never
    })

/** Whether a value can be a row of a table: an object whose members are values of columns. */
export function isTableRow(value: unknown): value is Record<string, unknown> {
  return (
    value !== null &&
    typeof value === 'object' &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !types.isDate(value) &&
    !types.isMap(value) &&
    !types.isPromise(value)
  )
}
