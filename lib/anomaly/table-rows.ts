import { shapeError } from '../base/check.js'
import type { PlainFloat64Array } from '../base/precision.js'
import { show } from '../base/show.js'
import { asMatrix } from '../data/matrix.js'
import type { SingleRow } from '../data/rows.js'
import { asSparseMatrix } from '../data/sparse-matrix.js'
import type { TableValue } from '../tables/encoding/encoded-column.js'
import type { TableEncoder } from '../tables/encoding/table-encoder.js'
import type { SurpriseEvent } from '../tables/encoding/transform-options.js'
import type { TableRow } from '../tables/table-row.js'
import type { ExplainedColumn, Said } from './explanation.js'
import { LEAST_TYPICAL } from './member.js'

/**
 * What its encoding cannot show of a value counts as a column that is so many typical errors off: as a constant column that moves by a tenth of its
 * size.
 */
export const SURPRISE = 1000

/** Values in the terms of the table. */
export function saidAsTable(encoder: TableEncoder, row: TableRow): Said {
  const values = row as Readonly<Record<string, TableValue | undefined>>
  return {
    value: ({ name }) => (Object.hasOwn(row, name) ? (values[name] ?? null) : null),
    expected: ({ name }, numbers) => decoded(encoder, name, numbers),
  }
}

function decoded(encoder: TableEncoder, name: string, numbers: (column: number) => number): TableValue {
  const codes = Float64Array.from({ length: encoder.width }, (_, j) => numbers(j))
  return encoder.inverseTransformSync(codes).find(({ column }) => column === name)?.value ?? null
}

/** Adds what the numbers of a row cannot show: to the column that is concerned, or as a column of its own. */
export function withSurprises(
  explained: readonly ExplainedColumn[],
  { codes, surprises }: EncodedRow,
  encoder: TableEncoder,
): ExplainedColumn[] {
  const effect = SURPRISE / encoder.width
  const all = [...explained]
  for (const { column, value } of surprises) {
    const known = all.findIndex((one) => one.column === column)
    if (known >= 0) all[known] = { ...all[known]!, effect: all[known]!.effect + effect }
    else {
      const expected = decoded(encoder, column, (j) => codes[j]!)
      all.push({
        column,
        value,
        expected,
        effect,
        error: SURPRISE * LEAST_TYPICAL,
        typicalError: LEAST_TYPICAL,
      })
    }
  }
  return all.sort((a, b) => b.effect - a.effect)
}

/** A row of numbers, and what they cannot show. */
export interface EncodedRow {
  readonly codes: PlainFloat64Array
  readonly surprises: readonly SurpriseEvent[]
}

/**
 * `row` as numbers if it is a row of a table.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE` for an array that is neither a row of numbers as the encoder makes them nor one of a table
 */
export function encodedRow(
  encoder: TableEncoder | undefined,
  row: SingleRow | TableRow,
): EncodedRow | undefined {
  if (Array.isArray(row) || ArrayBuffer.isView(row)) {
    if (encoder === undefined || (row as ArrayLike<unknown>).length === encoder.width) return undefined
    const expected = `an object with a value for each column, or its ${encoder.width} encoded numbers`
    throw shapeError('row', expected, show(row))
  }
  if (encoder === undefined || asMatrix('row', row) !== undefined || asSparseMatrix('row', row) !== undefined)
    return undefined
  const surprises: SurpriseEvent[] = []
  const codes = encoder.transformSync(row as TableRow, { onSurprise: (event) => surprises.push(event) })
  return { codes, surprises }
}
