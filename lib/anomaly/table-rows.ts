import type { PlainFloat64Array } from '../base/precision.js'
import { asMatrix } from '../data/matrix.js'
import type { SingleRow } from '../data/rows.js'
import { asSparseMatrix } from '../data/sparse-matrix.js'
import type { TableValue } from '../tables/encoding/encoded-column.js'
import type { TableEncoder } from '../tables/encoding/table-encoder.js'
import type { SurpriseEvent } from '../tables/encoding/transform-options.js'
import type { ExplainedColumn, Said } from './explanation.js'
import { LEAST_TYPICAL } from './member.js'

/** A row of a table: a value for each column, by name; what is absent is missing. */
export type TableRow = Readonly<Record<string, unknown>>

/**
 * What its encoding cannot show of a value counts as a column that is so many typical errors off: as a constant column that moves by a tenth of its
 * size.
 */
export const SURPRISE = 1000

/** Values in the terms of the table. */
export function saidAsTable(encoder: TableEncoder, row: TableRow): Said {
  return {
    value: ({ name }) => (Object.hasOwn(row, name) ? ((row[name] ?? null) as TableValue) : null),
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

/** `row` as numbers if it is a row of a table. */
export function encodedRow(
  encoder: TableEncoder | undefined,
  row: SingleRow | TableRow,
): EncodedRow | undefined {
  if (Array.isArray(row) || ArrayBuffer.isView(row)) return undefined
  if (encoder === undefined || asMatrix('row', row) !== undefined || asSparseMatrix('row', row) !== undefined)
    return undefined
  const surprises: SurpriseEvent[] = []
  const codes = encoder.transformSync(row as TableRow, { onSurprise: (event) => surprises.push(event) })
  return { codes, surprises }
}
