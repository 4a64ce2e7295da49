import { argumentError, checkFunction, checkOptions, shapeError } from '../../base/check.js'
import { LayerwiseError } from '../../base/errors.js'
import {
  allocate,
  checkPrecision,
  elementType,
  type FloatArray,
  type PlainFloat64Array,
  type Precision,
} from '../../base/precision.js'
import { shorten, show } from '../../base/show.js'
import { Matrix } from '../../data/matrix.js'
import { turn } from '../../data/slices.js'
import type { ColumnType, TableBatch, TableColumn } from '../table-batch.js'
import { valueOfType } from '../value-column.js'
import { type Cell, type CellAt, infiniteError, isAllMissing, numbersOf, textsOf } from './cells.js'
import { checkedBatches, columnsByName, type TableBatches } from './checked-batches.js'
import type { EncodedColumn, Surprise, TableValue } from './encoded-column.js'
import { encoderFromJSON, encoderToJSON, type FittedEncoder, type TableEncoderJSON } from './encoder-json.js'
import { checkEncoderOptions, type EncoderSettings, type TableEncoderOptions } from './encoder-options.js'
import { type FittedColumn, fitColumns } from './fit-columns.js'

/** Which encoded columns a column of the table has. */
export interface ColumnGroup {
  /** Its name. */
  readonly column: string
  /** Its first encoded column. */
  readonly from: number
  /** The first encoded column after it. */
  readonly to: number
}

/** A column of the table that has no encoded columns. */
export interface DroppedColumn {
  /** Its name. */
  readonly column: string
  /** Why: `constant: 3`, `all values are missing`, and the like. */
  readonly reason: string
}

/** A value that is unusual in a way that its encoding cannot show. */
export interface SurpriseEvent {
  /** Row, counted from the first of the call. */
  readonly row: number
  /** The column of the table. */
  readonly column: string
  /**
   * `'unseen'`: a category where all categories of the fitted rows have columns of their own, and this is none of them; `'moved'`: another value in a column that
   * was constant; `'missing'`: nothing where no value was missing.
   */
  readonly kind: Surprise
  /** What is there. */
  readonly value: TableValue
}

/** A column of the table and a value of it. */
export interface ColumnValue {
  /** Its name. */
  readonly column: string
  /** What is there; null where it is missing. */
  readonly value: TableValue
}

/** Options of {@link TableEncoder.transform}. */
export interface TransformOptions<P extends Precision = Precision> {
  /** Number type of the result. Default `'float32'`. */
  readonly precision?: P | undefined
  /** Called with each value that is unusual in a way that its encoding cannot show. Default: nobody is told. */
  readonly onSurprise?: ((surprise: SurpriseEvent) => void) | undefined
}

/** Options of {@link TableEncoder.transformSync}. */
export interface TransformSyncOptions {
  /** Where the encoded row is written. Default a new array. */
  readonly out?: Float64Array | undefined
  /** Called with each value that is unusual in a way that its encoding cannot show; `row` is 0. Default: nobody is told. */
  readonly onSurprise?: ((surprise: SurpriseEvent) => void) | undefined
}

/** What a fitted encoder uses. */
interface State extends FittedEncoder {
  readonly encoded: readonly EncodedColumn[]
  /** Of each column of the table its first encoded column. */
  readonly places: readonly number[]
}

/** Encoded numbers between two turns of the event loop. */
const SLICE = 16_384

/**
 * Makes rows of numbers of a table, whatever its columns hold, in the same way for the rows of training and all later ones:
 *
 * - numbers are scaled; a missing one becomes the mean (or median), and 1 in a column of its own;
 * - categories become columns of zeros with a 1 in the column of the category, in `other`, or in `missing`;
 * - dates become the time since 1970, scaled, and sine and cosine of their place in day, week and year, in UTC;
 * - truth values become 0 and 1;
 * - columns that are constant, also but for rounding, and parts of dates that are, are left out: see {@link TableEncoder.dropped}.
 *
 * The rules are in docs/tables.md.
 *
 *     const encoder = await new TableEncoder().fit(readTable('orders.csv'))
 *     const rows = await encoder.transform(readTable('orders.csv', { types: encoder.types }))
 */
export class TableEncoder {
  #settings: EncoderSettings
  #state: State | undefined

  /**
   * An encoder that is not yet fitted.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for wrong options
   */
  constructor(options?: TableEncoderOptions) {
    this.#settings = checkEncoderOptions(options)
  }

  /**
   * Finds in one pass, in memory that does not depend on the number of rows, what the encoding of each column needs. A second `fit` starts again; one that
   * rejects changes nothing.
   *
   * @throws (rejects) {@link LayerwiseError} `ERR_RANGE` for infinite numbers, for integers and decimals whose digits float64 would lose, for too many
   *   categories and a spread beyond float64, naming the column and what can be chosen instead, and for a table in which nothing varies
   * @throws (rejects) {@link LayerwiseError} `ERR_ARGUMENT` for columns of lists, for an encoding that does not suit a column, and for batches whose columns
   *   change; `ERR_SHAPE` for no rows
   */
  async fit(batches: TableBatches): Promise<this> {
    const settings = this.#settings
    this.#state = stateOf({ settings, ...(await fitColumns(batches, settings)) })
    return this
  }

  /** The encoded columns, in their order. */
  get columns(): readonly EncodedColumn[] {
    return this.#fitted().encoded
  }

  /** How many encoded columns there are: the `inputs` of a model. */
  get width(): number {
    return this.#fitted().encoded.length
  }

  /** How many rows it was fitted on. */
  get rows(): number {
    return this.#fitted().rows
  }

  /** Which encoded columns belong to which column of the table, where it has any: an explanation sums over them. */
  get groups(): readonly ColumnGroup[] {
    const { columns, places } = this.#fitted()
    return columns.flatMap(({ plan }, i) => {
      const from = places[i]!
      return plan.columns.length === 0 ? [] : [{ column: plan.name, from, to: from + plan.columns.length }]
    })
  }

  /** The columns of the table that have no encoded columns, and why. */
  get dropped(): readonly DroppedColumn[] {
    return this.#fitted().columns.flatMap(({ plan }) =>
      plan.columns.length > 0 ? [] : [{ column: plan.name, reason: plan.reason ?? '' }],
    )
  }

  /**
   * The type of each column that later tables must have: the option `types` of {@link readTable}. `number` for all that are encoded by their numbers.
   */
  get types(): Readonly<Record<string, ColumnType>> {
    const needed = this.#needed()
    return Object.fromEntries(needed.map((column) => [column.plan.name, typeToRead(column)]))
  }

  /**
   * The encoded rows. Columns are found by their names, in any order; others are not used. Off the event loop in slices of some milliseconds.
   *
   * @throws (rejects) {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_ARGUMENT` naming a column that is absent or of another type; `ERR_RANGE` for infinite
   *   numbers and lost digits; `ERR_MEMORY` if there is no room
   */
  async transform<P extends Precision = 'float32'>(
    batches: TableBatches,
    options?: TransformOptions<P>,
  ): Promise<Matrix<FloatArray<P>>> {
    const parts: Matrix<FloatArray<P>>[] = []
    let rows = 0
    for await (const part of this.transformBatches(batches, options)) {
      parts.push(part)
      rows += part.rows
    }
    const [only] = parts
    if (parts.length === 1 && only !== undefined) return only
    const width = this.width
    const { precision = 'float32' } = (options ?? {}) as TransformOptions
    const data = allocate(precision, rows * width, 'encoded rows') as FloatArray<P>
    let at = 0
    for (const part of parts.splice(0)) {
      data.set(part.data, at)
      at += part.data.length
      await turn()
    }
    return Matrix.from(data, rows, width)
  }

  /**
   * The encoded rows, batch by batch: `writeDataset` takes them. Batches without rows are left out.
   *
   * @throws (rejects) {@link LayerwiseError} as {@link TableEncoder.transform}
   */
  async *transformBatches<P extends Precision = 'float32'>(
    batches: TableBatches,
    options?: TransformOptions<P>,
  ): AsyncGenerator<Matrix<FloatArray<P>>, void, undefined> {
    const { precision: said = 'float32', onSurprise } = checkOptions('options', options, [
      'precision',
      'onSurprise',
    ])
    const precision = checkPrecision('precision', said) as P
    const tell = checkFunction('onSurprise', onSurprise as TransformOptions['onSurprise'])
    const state = this.#fitted()
    let row = 0
    for await (const batch of checkedBatches(batches)) {
      if (batch.rows === 0) continue
      const width = state.encoded.length
      const data = allocate(precision, batch.rows * width, 'encoded rows')
      await encodeBatch(state, batch, row, data, tell)
      row += batch.rows
      yield Matrix.from(data, batch.rows, width)
    }
  }

  /**
   * One encoded row, of an object with a value for each column: numbers, texts, truth values, dates, as text or Date; null, `undefined` and nothing at all are
   * missing. Some microseconds, on the calling thread.
   *
   * @throws {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_ARGUMENT` for a value of another type, naming the column; `ERR_RANGE` for infinite numbers and
   *   lost digits; `ERR_SHAPE` for an `out` of another length
   */
  transformSync(row: Readonly<Record<string, unknown>>, options?: TransformSyncOptions): PlainFloat64Array {
    const { columns, places, encoded } = this.#fitted()
    if (row === null || typeof row !== 'object' || Array.isArray(row) || ArrayBuffer.isView(row))
      throw argumentError('row', 'an object with a value for each column', row)
    const { out: given, onSurprise } = options ?? {}
    const out = (given ?? new Float64Array(encoded.length)) as PlainFloat64Array
    if (given !== undefined) {
      if (elementType(given) !== 'float64') throw argumentError('out', 'a Float64Array', given)
      if (given.length !== encoded.length) throw shapeError('out', `${encoded.length} numbers`, given.length)
      out.fill(0)
    }
    for (let i = 0; i < columns.length; i++) {
      const { type, plan } = columns[i]!
      if (plan.columns.length === 0 && onSurprise === undefined) continue
      const value = Object.hasOwn(row, plan.name) ? row[plan.name] : null
      const cell = cellOf(plan.name, plan.cells, typeToRead(columns[i]!), value)
      const kind = plan.encode(cell, out, places[i]!)
      if (kind !== undefined) onSurprise?.({ row: 0, column: plan.name, kind, value: tableValue(cell, type) })
    }
    return out
  }

  /**
   * The values that an encoded row stands for, perhaps one that a model has reconstructed: the number, the category with the greatest code, and so on. Columns that
   * {@link TableEncoderOptions.columns} drops are left out.
   *
   * @throws {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_SHAPE` for another length than {@link TableEncoder.width}
   */
  inverseTransformSync(codes: ArrayLike<number>): ColumnValue[] {
    const { places, encoded, columns } = this.#fitted()
    if (codes.length !== encoded.length) throw shapeError('codes', `${encoded.length} numbers`, codes.length)
    return columns.flatMap(({ plan }, i) =>
      this.#settings.columns.get(plan.name) === 'drop'
        ? []
        : [{ column: plan.name, value: plan.decode(codes, places[i]!) }],
    )
  }

  /** Everything that {@link TableEncoder.fromJSON} needs. @throws {@link LayerwiseError} `ERR_STATE` before `fit` */
  toJSON(): TableEncoderJSON {
    return encoderToJSON(this.#fitted())
  }

  /** The inverse of {@link TableEncoder.toJSON}. @throws {@link LayerwiseError} `ERR_FORMAT` for anything else */
  static fromJSON(value: unknown): TableEncoder {
    const encoder = new TableEncoder()
    encoder.#state = stateOf(encoderFromJSON(value))
    encoder.#settings = encoder.#state.settings
    return encoder
  }

  /** The columns that a table must have. */
  #needed(): readonly FittedColumn[] {
    const { columns } = this.#fitted()
    return columns.filter(({ plan }) => this.#settings.columns.get(plan.name) !== 'drop')
  }

  #fitted(): State {
    if (this.#state === undefined)
      throw new LayerwiseError('ERR_STATE', 'this TableEncoder is not fitted: await encoder.fit(table) first')
    return this.#state
  }
}

function stateOf(fitted: FittedEncoder): State {
  const places: number[] = []
  const encoded: EncodedColumn[] = []
  const names = new Set<string>()
  for (const { plan } of fitted.columns) {
    places.push(encoded.length)
    for (const column of plan.columns) {
      let { name } = column
      for (let k = 2; names.has(name); k++) name = `${column.name} (${k})`
      names.add(name)
      encoded.push({ ...column, name })
    }
  }
  return { ...fitted, places, encoded }
}

async function encodeBatch(
  { settings, columns, places, encoded }: State,
  batch: TableBatch,
  firstRow: number,
  data: FloatArray,
  tell: TransformOptions['onSurprise'],
): Promise<void> {
  const found = columnsByName(batch)
  const width = encoded.length
  let work = 0
  for (const [i, { type, plan }] of columns.entries()) {
    if (settings.columns.get(plan.name) === 'drop') continue
    const column = checkColumn(plan.name, type, found.get(plan.name))
    if (plan.columns.length === 0 && tell === undefined) continue
    const cellAt: CellAt<Cell> = cellsOf(column, plan.cells, type, firstRow)
    for (let row = 0; row < batch.rows; row++) {
      const cell = cellAt(row)
      const kind = plan.encode(cell, data, row * width + places[i]!)
      if (kind !== undefined)
        tell?.({ row: firstRow + row, column: plan.name, kind, value: tableValue(cell, type) })
      work += plan.columns.length + 1
      if (work < SLICE) continue
      work = 0
      await turn()
    }
  }
}

const NUMERIC: ReadonlySet<ColumnType> = new Set(['number', 'bigint', 'decimal'] as const)

function typeToRead({ type, plan }: FittedColumn): ColumnType {
  return plan.cells === 'number' && NUMERIC.has(type) ? 'number' : type
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
  return new LayerwiseError('ERR_ARGUMENT', `batches: ${problem}`, {
    argument: 'batches',
    name: shorten(name, 200),
    received,
  })
}

function cellsOf(
  column: TableColumn,
  cells: 'number' | 'text',
  type: ColumnType,
  firstRow: number,
): CellAt<Cell> {
  // Of another type only where all values are missing, which every type can say.
  if (column.type !== type && !NUMERIC.has(column.type)) return () => (cells === 'number' ? Number.NaN : null)
  return cells === 'number' ? numbersOf(column, firstRow) : textsOf(column)
}

/** A value of a row that is an object. */
function cellOf(name: string, cells: 'number' | 'text', type: ColumnType, value: unknown): Cell {
  const read = valueOfType(type, value)
  if (read === undefined) {
    throw new LayerwiseError(
      'ERR_ARGUMENT',
      `row[${show(name)}]: expected a value of type ${type}, received ${show(value)}`,
      {
        argument: 'row',
        expected: type,
        received: value,
        name: shorten(name, 200),
      },
    )
  }
  if (cells === 'text') return read === null ? null : String(read)
  if (read === null) return Number.NaN
  const number = Number(read)
  if (!Number.isFinite(number)) throw infiniteError(name, number, 0)
  return number
}

function tableValue(cell: Cell, type: ColumnType): TableValue {
  if (cell === null || (typeof cell === 'number' && Number.isNaN(cell))) return null
  if (type === 'date') return new Date(cell as number)
  return type === 'boolean' ? cell === 1 || cell === 'true' : cell
}
