import { argumentError } from '../../base/check.js'
import { LayerwiseError } from '../../base/errors.js'
import { shorten, show } from '../../base/show.js'
import type { ColumnType } from '../table-batch.js'
import { valueOfType } from '../value-column.js'
import { type Cell, type CellKind, infiniteError } from './cells.js'
import { tableValue } from './encoded-column.js'
import { type EncoderState, typeToRead } from './encoder-state.js'
import type { OnSurprise } from './transform-options.js'

/**
 * Encodes a row that is an object.
 *
 * @param out - zeros
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for a value of another type, naming the column; `ERR_RANGE` for infinite numbers and lost digits
 */
export function encodeRow(
  { columns, places }: EncoderState,
  row: Readonly<Record<string, unknown>>,
  out: Float64Array,
  tell: OnSurprise | undefined,
): void {
  for (let i = 0; i < columns.length; i++) {
    const { type, plan } = columns[i]!
    if (plan.columns.length === 0 && tell === undefined) continue
    const value = Object.hasOwn(row, plan.name) ? row[plan.name] : null
    const cell = cellOf(plan.name, plan.cells, typeToRead(columns[i]!), value)
    const kind = plan.encode(cell, out, places[i]!)
    if (kind !== undefined) tell?.({ row: 0, column: plan.name, kind, value: tableValue(cell, type) })
  }
}

/** @throws {@link LayerwiseError} `ERR_ARGUMENT` for what is no row of a table */
export function checkTableRow(row: unknown): void {
  if (row === null || typeof row !== 'object' || Array.isArray(row) || ArrayBuffer.isView(row))
    throw argumentError('row', 'an object with a value for each column', row)
}

function cellOf(name: string, cells: CellKind, type: ColumnType, value: unknown): Cell {
  const read = valueOfType(type, value)
  if (read === undefined) {
    const problem = `expected a value of type ${type}, received ${show(value)}`
    const details = { argument: 'row', expected: type, received: value, name: shorten(name, 200) }
    throw new LayerwiseError('ERR_ARGUMENT', `row[${show(name)}]: ${problem}`, details)
  }
  if (cells === 'text') return read === null ? null : String(read)
  if (read === null) return Number.NaN
  const number = Number(read)
  if (!Number.isFinite(number)) throw infiniteError(name, number, 0)
  return number
}
