import { LayerwiseError } from '../../base/errors.js'
import type { FloatArray } from '../../base/precision.js'
import { shorten, show } from '../../base/show.js'
import { Pace, turn } from '../../data/slices.js'
import type { ColumnType, TableBatch, TableColumn } from '../table-batch.js'
import { type Cell, type CellAt, type CellKind, isAllMissing, numbersOf, textsOf } from './cells.js'
import { columnsByName } from './checked-batches.js'
import { tableValue } from './encoded-column.js'
import { type EncoderState, isDropped, NUMERIC } from './encoder-state.js'
import type { OnSurprise } from './transform-options.js'

/**
 * Encodes a batch, column by column.
 *
 * @param firstRow - the number of its first row
 * @param data - row-major, zeros
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` naming a column that is absent or of another type; `ERR_RANGE` for infinite numbers and lost digits
 */
export async function encodeBatch(
  state: EncoderState,
  batch: TableBatch,
  firstRow: number,
  data: FloatArray,
  tell: OnSurprise | undefined,
): Promise<void> {
  const { columns, places, encoded } = state
  const found = columnsByName(batch)
  const width = encoded.length
  const pace = new Pace()
  for (const [i, fitted] of columns.entries()) {
    if (isDropped(state, fitted)) continue
    const { type, plan } = fitted
    const column = checkColumn(plan.name, type, found.get(plan.name))
    if (plan.columns.length === 0 && tell === undefined) continue
    const cellAt: CellAt<Cell> = cellsOf(column, plan.cells, type, firstRow)
    for (let row = 0; row < batch.rows; row++) {
      const cell = cellAt(row)
      const kind = plan.encode(cell, data, row * width + places[i]!)
      if (kind !== undefined)
        tell?.({ row: firstRow + row, column: plan.name, kind, value: tableValue(cell, type) })
      if (pace.isDue(plan.columns.length + 1)) await turn()
    }
  }
}

function checkColumn(name: string, type: ColumnType, column: TableColumn | undefined): TableColumn {
  if (column === undefined)
    throw columnError(name, `expected a column ${show(name)}, as in the fitted table`, undefined)
  const fits = column.type === type || (NUMERIC.has(column.type) && NUMERIC.has(type)) || isAllMissing(column)
  if (fits) return column
  throw columnError(
    name,
    `expected column ${show(name)} of type ${type}, received ${column.type}; readTable(source, { types: encoder.types }) reads it as in the fitted table`,
    column.type,
  )
}

function columnError(name: string, problem: string, received: unknown): LayerwiseError {
  return new LayerwiseError('ERR_ARGUMENT', `table: ${problem}`, {
    argument: 'table',
    name: shorten(name, 200),
    received,
  })
}

function cellsOf(column: TableColumn, cells: CellKind, type: ColumnType, firstRow: number): CellAt<Cell> {
  // Of another type only where all values are missing, which every type can say.
  if (column.type !== type && !NUMERIC.has(column.type)) return () => (cells === 'number' ? Number.NaN : null)
  return cells === 'number' ? numbersOf(column, firstRow) : textsOf(column)
}
