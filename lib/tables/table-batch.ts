/** What the values of a table column are. */
export type ColumnType = TableColumn['type']

/** The types of columns, in the order in which messages list them. */
export const COLUMN_TYPES: readonly ColumnType[] = [
  'number',
  'boolean',
  'date',
  'string',
  'bigint',
  'decimal',
  'list',
]

/** A part of a column of a table: its name, its type and as many values as the batch has rows. */
export type TableColumn =
  | NumberColumn
  | BooleanColumn
  | DateColumn
  | StringColumn
  | BigIntColumn
  | DecimalColumn
  | ListColumn

/** Numbers: all that float64 holds exactly. */
export interface NumberColumn {
  /** Unique in the table; any string. */
  readonly name: string
  /** Identifies the kind of values. */
  readonly type: 'number'
  /** NaN where the value is missing. */
  readonly values: Float64Array
}

/** Truth values. */
export interface BooleanColumn {
  /** Unique in the table; any string. */
  readonly name: string
  /** Identifies the kind of values. */
  readonly type: 'boolean'
  /** 0 false, 1 true, 2 where the value is missing. */
  readonly values: Uint8Array
}

/** Days and times. */
export interface DateColumn {
  /** Unique in the table; any string. */
  readonly name: string
  /** Identifies the kind of values. */
  readonly type: 'date'
  /** Milliseconds since 1970-01-01 in UTC, NaN where the value is missing. A time without a zone is taken as UTC. */
  readonly values: Float64Array
}

/** Texts: categories. */
export interface StringColumn {
  /** Unique in the table; any string. */
  readonly name: string
  /** Identifies the kind of values. */
  readonly type: 'string'
  /** Null where the value is missing. */
  readonly values: readonly (string | null)[]
}

/** Integers of which at least one is beyond ±(2⁵³ − 1), or whose source has 64 bits for them. */
export interface BigIntColumn {
  /** Unique in the table; any string. */
  readonly name: string
  /** Identifies the kind of values. */
  readonly type: 'bigint'
  /** Null where the value is missing. */
  readonly values: readonly (bigint | null)[]
}

/** Decimal numbers with a fixed number of decimals. */
export interface DecimalColumn {
  /** Unique in the table; any string. */
  readonly name: string
  /** Identifies the kind of values. */
  readonly type: 'decimal'
  /** A value is `values[i] / 10 ** scale`. */
  readonly scale: number
  /** Null where the value is missing. */
  readonly values: readonly (bigint | null)[]
}

/** Lists, structures and bytes, as the source gives them. They can be dropped, and nothing else. */
export interface ListColumn {
  /** Unique in the table; any string. */
  readonly name: string
  /** Identifies the kind of values. */
  readonly type: 'list'
  /** Null where the value is missing. */
  readonly values: readonly unknown[]
}

/** Consecutive rows of a table, column by column. */
export interface TableBatch {
  /** How many rows, at least 0. */
  readonly rows: number
  /** The columns, in the order of the table. */
  readonly columns: readonly TableColumn[]
}

/** The numbers of a batch hold about this many values: some milliseconds of work. */
const BATCH_VALUES = 32_768
const MOST_BATCH_ROWS = 4096

/** How many rows a batch of a table with so many columns has. Depends on nothing else, so a source always gives the same batches. */
export function batchRows(columns: number): number {
  return Math.max(1, Math.min(MOST_BATCH_ROWS, Math.floor(BATCH_VALUES / Math.max(1, columns))))
}

/** The first `rows` rows of a batch. */
export function firstRows(batch: TableBatch, rows: number): TableBatch {
  if (rows >= batch.rows) return batch
  const columns = batch.columns.map(
    (column) => ({ ...column, values: column.values.slice(0, rows) }) as TableColumn,
  )
  return { rows, columns }
}

/** Whether the value of a row is missing. */
export function isMissing(column: TableColumn, row: number): boolean {
  switch (column.type) {
    case 'number':
    case 'date':
      return Number.isNaN(column.values[row])
    case 'boolean':
      return column.values[row] === MISSING_BOOLEAN
    default:
      return column.values[row] === null || column.values[row] === undefined
  }
}

/** What stands for a missing value in a {@link BooleanColumn}. */
export const MISSING_BOOLEAN = 2
