import { checkOptions, shapeError } from '../../base/check.js'
import { tooLargeError } from '../../base/data-errors.js'
import { allocate, allocateUnset, type FloatArray, type Precision } from '../../base/precision.js'
import { STORAGE_TYPES } from '../../base/storage-type.js'
import { checkSignal } from '../../native/run-options.js'
import { absolutePath } from '../dataset/row-file.js'
import { writeAnswer } from '../dataset/write-answer.js'
import { asDataset, Dataset } from '../dataset.js'
import { anySlices } from '../dataset-slices.js'
import { Matrix } from '../matrix.js'
import { checkPath } from '../read-file.js'
import { type DenseRows, emptyError, toMatrix } from '../rows.js'
import type { Slice } from '../slices.js'

/** Options of `transform` and `inverseTransform` of a scaler. */
export interface ScaledOptions {
  /** Stops the call when it is aborted: it rejects with `signal.reason` itself. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined
}

/** The same, of an answer that is written to files, part by part: for rows longer than memory. */
export interface ScaledFolderOptions extends ScaledOptions {
  /**
   * A folder for the answer, which becomes a dataset with a row for each row of `x`: a path (string or file: URL), new, empty, or of a dataset,
   * which is replaced when all rows are written. Refused if `x` lies in it. Default: the answer is in memory.
   */
  readonly to: string | URL
}

/** A new number for a number of a column. */
export type ColumnMap = (value: number, column: number) => number

const WHAT = 'scaled rows'

/**
 * The numbers of `x`, each changed by `map`, in float64 and rounded once: as a new Matrix, or as a dataset.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE` for another width or no rows; `ERR_RANGE` for NaN and infinities, in `x` or in the answer; those of
 *   writeDataset, about the option `to`
 */
export async function mappedRows(
  x: DenseRows | Dataset,
  width: number,
  map: ColumnMap,
  options: unknown,
): Promise<Matrix<FloatArray> | Dataset> {
  const given = checkOptions('options', options, ['to', 'signal'])
  const signal = checkSignal('signal', given.signal)
  if (given.to !== undefined) checkPath('to', given.to)
  const to = given.to === undefined ? undefined : absolutePath(given.to as string | URL)
  signal?.throwIfAborted()
  const rows = asDataset('x', x) ?? (await toMatrix('x', x as DenseRows, width, 'float64'))
  if (rows.cols !== width) throw shapeError('x', `${width} columns`, rows.cols)
  if (rows.rows === 0) throw emptyError('x')
  const type = STORAGE_TYPES[rows.type].precision
  const slices = mappedSlices(rows, type, map, signal)
  if (to !== undefined) {
    const columns = rows instanceof Dataset ? rows.columns : undefined
    const parts = wholeRows(slices, type, width)
    return writeAnswer(to, x, parts, { type, cols: width, columns, signal })
  }
  const out = allocateUnset<Precision>(type, rows.rows * width, WHAT)
  for await (const { from, values } of slices) out.set(values, from)
  return Matrix.from(out, rows.rows, width)
}

/** The new numbers, in float64, slice by slice. */
async function* mappedSlices(
  x: Matrix | Dataset,
  type: Precision,
  map: ColumnMap,
  signal: AbortSignal | undefined,
): AsyncGenerator<Slice, void> {
  const rounded = type === 'float64' ? (value: number) => value : Math.fround
  for await (const slice of anySlices('x', x)) {
    signal?.throwIfAborted()
    const { row, toRow, column, toColumn, values } = slice
    for (let i = row, k = 0; i < toRow; i++) {
      for (let j = column; j < toColumn; j++, k++) {
        values[k] = map(values[k]!, j)
        if (!Number.isFinite(rounded(values[k]!))) throw tooLargeError('x', i, values[k], j)
      }
    }
    yield slice
  }
}

/** Slices as whole rows: each is some of them, or a part of one that is longer. */
async function* wholeRows(
  slices: AsyncIterable<Slice>,
  type: Precision,
  cols: number,
): AsyncGenerator<Matrix<FloatArray>, void> {
  let rows = allocate<Precision>(type, 0, WHAT)
  for await (const { row, toRow, column, toColumn, values } of slices) {
    if (column === 0) rows = allocate<Precision>(type, (toRow - row) * cols, WHAT)
    rows.set(values, column)
    if (toColumn === cols) yield Matrix.from(rows, toRow - row, cols)
  }
}
