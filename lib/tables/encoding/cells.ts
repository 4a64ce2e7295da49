import { LayerwiseError } from '../../base/errors.js'
import { shorten, show } from '../../base/show.js'
import { isMissing, type TableColumn } from '../table-batch.js'

/** A value of a table as it is encoded: a number, NaN where it is missing; or a text, null where it is missing. */
export type Cell = number | string | null

/** Whether a column is encoded by its numbers or by its texts. */
export type CellKind = 'number' | 'text'

/** Reads a value of a column; errors name its row, counted from the first of all batches. */
export type CellAt<T extends Cell> = (row: number) => T

const MOST_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Numbers of a column: dates are milliseconds, truth values 0 and 1. */
export function numbersOf(column: TableColumn, firstRow: number): CellAt<number> {
  switch (column.type) {
    case 'number':
    case 'date': {
      const { values, name } = column
      return (row) => {
        const value = values[row]!
        if (value === Infinity || value === -Infinity) throw infiniteError(name, value, firstRow + row)
        return value
      }
    }
    case 'boolean': {
      const { values } = column
      return (row) => (values[row]! > 1 ? Number.NaN : values[row]!)
    }
    case 'bigint': {
      const { values, name } = column
      return (row) => integer(name, values[row], firstRow + row)
    }
    case 'decimal': {
      const { values, name, scale } = column
      return (row) => {
        const value = integer(name, values[row], firstRow + row)
        return scale <= 22 ? value / 10 ** scale : Number(`${value}e-${scale}`)
      }
    }
    default:
      return () => Number.NaN
  }
}

function integer(name: string, value: bigint | null | undefined, row: number): number {
  if (value === null || value === undefined) return Number.NaN
  if (value < -MOST_SAFE || value > MOST_SAFE) throw digitsError(name, value, row)
  return Number(value)
}

/** Texts of a column: numbers and truth values as JavaScript writes them. */
export function textsOf(column: TableColumn): CellAt<string | null> {
  switch (column.type) {
    case 'string': {
      const { values } = column
      // The empty text is missing, as in tables that are read.
      return (row) => values[row] || null
    }
    case 'number': {
      const { values } = column
      return (row) => (Number.isNaN(values[row]!) ? null : String(values[row]!))
    }
    case 'boolean': {
      const { values } = column
      return (row) => (values[row]! > 1 ? null : values[row] === 1 ? 'true' : 'false')
    }
    case 'bigint': {
      const { values } = column
      return (row) => (isMissing(column, row) ? null : String(values[row]))
    }
    default:
      return () => null
  }
}

/** Whether all values of a part of a column are missing: then its type says nothing. */
export function isAllMissing(column: TableColumn): boolean {
  for (let row = 0; row < column.values.length; row++) if (!isMissing(column, row)) return false
  return true
}

export function infiniteError(name: string, value: number, row: number): LayerwiseError {
  return cellError(name, row, `expected finite numbers, received ${value}`, value)
}

function digitsError(name: string, value: bigint, row: number): LayerwiseError {
  const choices = `the encoder's columns: { ${JSON.stringify(name)}: 'category' }, { kind: 'hash', buckets } or 'drop'`
  return cellError(
    name,
    row,
    `expected numbers whose digits float64 holds, received ${show(value)}; ${choices} encodes it otherwise`,
    value,
  )
}

function cellError(name: string, row: number, problem: string, received: unknown): LayerwiseError {
  return new LayerwiseError('ERR_RANGE', `column ${show(name)}, row ${row}: ${problem}`, {
    argument: 'table',
    row,
    name: shorten(name, 200),
    received,
  })
}
