import type { ColumnType } from '../table-batch.js'
import type { Cell } from './cells.js'

/** A column of the encoded rows. */
export interface EncodedColumn {
  /** Unique among them: `price`, `price (missing)`, `color = red`, `color (other)`, `sold (day, sine)`. */
  readonly name: string
  /** The name of the column of the table. */
  readonly column: string
  /** What it holds: the number, one part of a date's cycles, a truth value, a category, all other categories, a bucket, or whether the value is missing. */
  readonly kind: 'number' | 'cycle' | 'boolean' | 'category' | 'other' | 'bucket' | 'missing'
  /** Which category, where it is one. */
  readonly category?: string
}

/** What is unusual about a value, beyond what its encoding can say. */
export type Surprise = 'unseen' | 'moved' | 'missing'

/** A value in the terms of the table: a number, a text, a truth value, a date, null for a missing one. */
export type TableValue = number | string | boolean | Date | null

/** A cell of a column of this type, in the terms of the table. */
export function tableValue(cell: Cell, type: ColumnType): TableValue {
  if (cell === null || (typeof cell === 'number' && Number.isNaN(cell))) return null
  if (type === 'date') return new Date(cell as number)
  return type === 'boolean' ? cell === 1 || cell === 'true' : cell
}

/** How a column of a table is encoded, once it is fitted. */
export interface ColumnPlan {
  readonly name: string
  /** Whether it takes numbers or texts. */
  readonly cells: 'number' | 'text'
  /** The encoded columns, perhaps none. */
  readonly columns: readonly EncodedColumn[]
  /** Why it has none, if it has none. */
  readonly reason?: string | undefined
  /** Writes the encoded columns of a value; they are 0 before. */
  encode(cell: Cell, out: { [index: number]: number }, at: number): Surprise | undefined
  /** The value that encoded columns, as a model gives them back, stand for. */
  decode(codes: ArrayLike<number>, at: number): TableValue
  /** Everything that {@link planFromJSON} needs. */
  toJSON(): object
}

/** The most encoded columns of a table: each takes some memory, and a short description may ask for any number of buckets. */
export const MOST_ENCODED = 2 ** 18

/** Encoded numbers lie within ± this many spreads: what is further away is encoded as if it were there, so that squares stay finite. */
const MOST = 1e9

export function limited(value: number): number {
  return Math.max(-MOST, Math.min(MOST, value))
}
