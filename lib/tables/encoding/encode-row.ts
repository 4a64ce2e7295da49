import { argumentError } from '../../base/check.js'
import { LayerwiseError } from '../../base/errors.js'
import { shorten, show, showSome } from '../../base/show.js'
import type { ColumnType } from '../table-batch.js'
import { isTableRow, type TableRow } from '../table-row.js'
import { valueOfType } from '../value-column.js'
import { type Cell, type CellKind, infiniteError } from './cells.js'
import { tableValue } from './encoded-column.js'
import { type EncoderState, isDropped, typeToRead } from './encoder-state.js'
import type { OnSurprise } from './transform-options.js'

/**
 * Encodes a row that is an object.
 *
 * @param out - zeros
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for a value of another type, naming the column; `ERR_RANGE` for infinite numbers and lost digits
 */
export function encodeRow(
  state: EncoderState,
  row: TableRow,
  out: Float64Array,
  tell: OnSurprise | undefined,
): void {
  const { columns, places } = state
  const values = row as Readonly<Record<string, unknown>>
  for (let i = 0; i < columns.length; i++) {
    const { type, plan } = columns[i]!
    if (isDropped(state, columns[i]!) || (plan.columns.length === 0 && tell === undefined)) continue
    const value = Object.hasOwn(row, plan.name) ? values[plan.name] : null
    const cell = cellOf(plan.name, plan.cells, typeToRead(columns[i]!), value)
    const kind = plan.encode(cell, out, places[i]!)
    if (kind !== undefined) tell?.({ row: 0, column: plan.name, kind, value: tableValue(cell, type) })
  }
}

/**
 * An object with none of the columns is a mistake, a response around the row or an object with getters, rather than a row in which everything is missing.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for what is no row of the table
 */
export function checkTableRow(row: unknown, state: EncoderState): void {
  if (!isTableRow(row)) throw argumentError('row', 'an object with a value for each column', row)
  if (state.columns.some((column) => !isDropped(state, column) && Object.hasOwn(row, column.plan.name)))
    return
  const columns = state.columns.filter((column) => !isDropped(state, column))
  const some = showSome(columns.map(({ plan }) => plan.name))
  throw argumentError('row', `an object with members of its own for the columns ${some}`, row)
}

/** Where the name of a type does not say what to write. */
const FORMS: Partial<Record<ColumnType, string>> = {
  date: " (a Date, or a text such as '2024-03-01T12:30Z')",
}

function cellOf(name: string, cells: CellKind, type: ColumnType, value: unknown): Cell {
  const read = valueOfType(type, value)
  if (read === undefined) {
    const problem = `expected a value of type ${type}${FORMS[type] ?? ''}, received ${show(value)}`
    const details = { argument: 'row', expected: type, received: value, name: shorten(name, 200) }
    throw new LayerwiseError('ERR_ARGUMENT', `row[${show(name)}]: ${problem}`, details)
  }
  if (cells === 'text') return read === null ? null : String(read)
  if (read === null) return Number.NaN
  const number = Number(read)
  if (!Number.isFinite(number)) throw infiniteError(name, number, 0)
  return number
}
