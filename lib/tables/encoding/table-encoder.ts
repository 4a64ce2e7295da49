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
import { joinedRows } from '../../data/joined-rows.js'
import { Matrix } from '../../data/matrix.js'
import type { ColumnType } from '../table-batch.js'
import type { TableRow } from '../table-row.js'
import { checkedBatches, type TableBatches } from './checked-batches.js'
import { encodeBatch } from './encode-batch.js'
import { checkTableRow, encodeRow } from './encode-row.js'
import type { EncodedColumn, TableValue } from './encoded-column.js'
import { encoderFromJSON, encoderToJSON, type TableEncoderJSON } from './encoder-json.js'
import { checkEncoderOptions, type EncoderSettings, type TableEncoderOptions } from './encoder-options.js'
import { type EncoderState, isDropped, stateOf, typeToRead } from './encoder-state.js'
import { type FittedColumn, fitColumns } from './fit-columns.js'
import type { OnSurprise, TransformOptions, TransformSyncOptions } from './transform-options.js'

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

/** A column of the table and a value of it. */
export interface ColumnValue {
  /** Its name. */
  readonly column: string
  /** What is there; null where it is missing. */
  readonly value: TableValue
}

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
  #state: EncoderState | undefined

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
   *   categories or encoded columns and a spread beyond float64, naming the column and what can be chosen instead, and for a table in which nothing varies
   * @throws (rejects) {@link LayerwiseError} `ERR_ARGUMENT` for columns of lists, for an encoding that does not suit a column, and for batches whose columns
   *   change; `ERR_SHAPE` for no rows
   */
  async fit(table: TableBatches): Promise<this> {
    const settings = this.#settings
    this.#state = stateOf({ settings, ...(await fitColumns(table, settings)) })
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
    table: TableBatches,
    options?: TransformOptions<P>,
  ): Promise<Matrix<FloatArray<P>>> {
    const parts: Matrix<FloatArray<P>>[] = []
    for await (const part of this.transformBatches(table, options)) parts.push(part)
    const { precision = 'float32' } = (options ?? {}) as TransformOptions
    return joinedRows(parts, precision as P, this.width, 'encoded rows')
  }

  /**
   * The encoded rows, batch by batch: `writeDataset` takes them. Batches without rows are left out.
   *
   * @throws (rejects) {@link LayerwiseError} as {@link TableEncoder.transform}
   */
  async *transformBatches<P extends Precision = 'float32'>(
    table: TableBatches,
    options?: TransformOptions<P>,
  ): AsyncGenerator<Matrix<FloatArray<P>>, void, undefined> {
    const { precision: said = 'float32', onSurprise } = checkOptions('options', options, [
      'precision',
      'onSurprise',
    ])
    const precision = checkPrecision('precision', said) as P
    const tell = checkFunction('onSurprise', onSurprise as OnSurprise | undefined)
    const state = this.#fitted()
    let row = 0
    for await (const batch of checkedBatches(table)) {
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
   * missing. Only members of its own count, no getters of its class. Some microseconds, on the calling thread.
   *
   * @throws {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_ARGUMENT` for a value of another type, naming the column, and for an object that has none of the
   *   columns; `ERR_RANGE` for infinite numbers and lost digits; `ERR_SHAPE` for an `out` of another length
   */
  transformSync(row: TableRow, options?: TransformSyncOptions): PlainFloat64Array {
    const state = this.#fitted()
    checkTableRow(row, state)
    const { length } = state.encoded
    const { out: given, onSurprise } = options ?? {}
    const out = (given ?? new Float64Array(length)) as PlainFloat64Array
    if (given !== undefined) {
      if (elementType(given) !== 'float64') throw argumentError('out', 'a Float64Array', given)
      if (given.length !== length) throw shapeError('out', `${length} numbers`, given.length)
      out.fill(0)
    }
    encodeRow(state, row, out, onSurprise)
    return out
  }

  /**
   * The values that an encoded row stands for, perhaps one that a model has reconstructed: the number, the category with the greatest code, and so on. Columns that
   * {@link TableEncoderOptions.columns} drops are left out.
   *
   * @throws {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_SHAPE` for another length than {@link TableEncoder.width}
   */
  inverseTransformSync(codes: ArrayLike<number>): ColumnValue[] {
    const state = this.#fitted()
    const { places, encoded, columns } = state
    if (codes.length !== encoded.length) throw shapeError('codes', `${encoded.length} numbers`, codes.length)
    return columns.flatMap((column, i) =>
      isDropped(state, column)
        ? []
        : [{ column: column.plan.name, value: column.plan.decode(codes, places[i]!) }],
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
    const state = this.#fitted()
    return state.columns.filter((column) => !isDropped(state, column))
  }

  #fitted(): EncoderState {
    if (this.#state === undefined)
      throw new LayerwiseError('ERR_STATE', 'this TableEncoder is not fitted: await encoder.fit(table) first')
    return this.#state
  }
}
