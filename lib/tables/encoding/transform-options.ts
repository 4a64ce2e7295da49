import type { Precision } from '../../base/precision.js'
import type { Surprise, TableValue } from './encoded-column.js'

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

/** Is told of each surprise. */
export type OnSurprise = (surprise: SurpriseEvent) => void

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
