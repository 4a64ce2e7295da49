import type { ColumnType } from './table-batch.js'

/**
 * The types of columns of texts and objects are found in the first rows: this many, or as many as have so many bytes.
 */
export const PREFIX_ROWS = 10_000
export const PREFIX_BYTES = 4 * 1024 * 1024

/** Whether texts can be of a type. */
export function isTextType(type: ColumnType): type is Exclude<ColumnType, 'decimal' | 'list'> {
  return type !== 'decimal' && type !== 'list'
}
