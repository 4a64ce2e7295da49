import { LayerwiseError } from '../base/errors.js'

/** Refuses a matrix with a number that cannot be shown. */
export function checkFinite(argument: string, value: number, row: number, column: number): number {
  if (Number.isFinite(value)) return value
  throw new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected finite numbers, found ${value} at row ${row}, column ${column}`,
    { argument, expected: 'finite numbers', received: value, row, column },
  )
}
