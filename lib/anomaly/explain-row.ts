import { checkInteger, checkOptions } from '../base/check.js'
import { Matrix, type Row } from '../data/matrix.js'
import type { SingleRow } from '../data/rows.js'
import type { TableRow } from '../tables/table-row.js'
import { type ColumnNames, namedColumns } from './columns.js'
import { type ExplainedColumn, type ExplainOptions, explanationOf, saidAsNumbers } from './explanation.js'
import type { DetectorState } from './member.js'
import { encodedRow, saidAsTable, withSurprises } from './table-rows.js'

/**
 * Why a row has its score, in the terms in which it was given: numbers, or values of a table.
 *
 * @param row - checked
 * @param names - of columns of numbers
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for bad options
 */
export function explainRow(
  { members, encoder }: DetectorState,
  names: ColumnNames,
  row: SingleRow | TableRow,
  options: ExplainOptions | undefined,
): ExplainedColumn[] {
  const { most = 32 } = checkOptions('options', options, ['most'])
  const count = checkInteger('most', most)
  const encoded = encodedRow(encoder, row)
  const codes = encoded?.codes ?? Matrix.fromRows([row as Row]).data
  const given =
    encoder === undefined
      ? names
      : { columns: encoder.columns.map(({ name }) => name), groups: encoder.groups }
  const named = namedColumns(given, codes.length)
  if (encoded === undefined || encoder === undefined)
    return explanationOf(codes, members, named, saidAsNumbers(codes, given), count)
  const explained = explanationOf(codes, members, named, saidAsTable(encoder, row as TableRow), count)
  return withSurprises(explained, encoded, encoder)
}
