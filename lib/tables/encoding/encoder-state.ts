import type { ColumnType } from '../table-batch.js'
import type { EncodedColumn } from './encoded-column.js'
import type { FittedEncoder } from './encoder-json.js'
import type { FittedColumn } from './fit-columns.js'

/** What a fitted encoder uses. */
export interface EncoderState extends FittedEncoder {
  readonly encoded: readonly EncodedColumn[]
  /** Of each column of the table its first encoded column. */
  readonly places: readonly number[]
}

/** Lays the encoded columns out, and makes their names different. */
export function stateOf(fitted: FittedEncoder): EncoderState {
  const places: number[] = []
  const encoded: EncodedColumn[] = []
  const names = new Set<string>()
  /** Of a name that is in use the next number to try: thousands of long categories may begin alike. */
  const next = new Map<string, number>()
  for (const { plan } of fitted.columns) {
    places.push(encoded.length)
    for (const column of plan.columns) {
      let { name } = column
      let k = next.get(name) ?? 2
      for (; names.has(name); k++) name = `${column.name} (${k})`
      if (name !== column.name) next.set(column.name, k)
      names.add(name)
      encoded.push(name === column.name ? column : { ...column, name })
    }
  }
  return { ...fitted, places, encoded }
}

/** Whether the options drop a column: it need not be there later, nor have the same type. */
export function isDropped({ settings }: EncoderState, { plan }: FittedColumn): boolean {
  return settings.columns.get(plan.name) === 'drop'
}

/** Types of columns that are encoded by their numbers. */
export const NUMERIC: ReadonlySet<ColumnType> = new Set(['number', 'bigint', 'decimal'] as const)

/** The type that a column of a later table must have. */
export function typeToRead({ type, plan }: FittedColumn): ColumnType {
  return plan.cells === 'number' && NUMERIC.has(type) ? 'number' : type
}
