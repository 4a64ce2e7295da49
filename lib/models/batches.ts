import { ownCopy } from '../base/check.js'
import type { FloatArray, PlainFloat64Array, PlainUint32Array, Precision } from '../base/precision.js'
import { rowsOfBatch } from '../data/dataset/batch-numbers.js'
import { batchesOf, type RowBatches } from '../data/dataset/source-batches.js'
import { isEmpty } from '../data/dataset/write-dataset.js'
import { asDataset } from '../data/dataset.js'
import { asMatrix, Matrix } from '../data/matrix.js'
import type { Rows } from '../data/rows.js'
import { asSparseMatrix } from '../data/sparse-matrix.js'
import type { RunOptions } from '../native/run-options.js'
import { type ForwardTask, forward, forwardClasses, forwardErrors } from './forward.js'
import { forwardParts } from './forward-parts.js'

/**
 * Rows, of which batches are made; or any other iterable or async iterable, whose batches are rows each: a Matrix, a flat typed array, an array
 * of rows, or `{ from, rows }` as `batches` of a Dataset gives it. An array is rows.
 */
export type RowsOrBatches = Rows | RowBatches

/** The codes of consecutive rows. */
export interface CodesBatch<P extends Precision = Precision> {
  /** The number of the first row, counted from 0 through all batches. */
  readonly from: number
  /** A row for each row. */
  readonly codes: Matrix<FloatArray<P>>
}

/** The errors of consecutive rows. */
export interface ErrorsBatch {
  /** The number of the first row, counted from 0 through all batches. */
  readonly from: number
  /** One a row. */
  readonly errors: PlainFloat64Array
}

/** The class numbers of consecutive rows. */
export interface IndicesBatch {
  readonly from: number
  readonly indices: PlainUint32Array
}

/** What is computed of these rows: of sparse ones it may be other layers. */
export type TaskOf<P extends Precision = Precision> = (
  rows: unknown,
) => ForwardTask<P> | Promise<ForwardTask<P>>

/** Codes, batch by batch. */
export async function* codeBatches<P extends Precision>(
  taskOf: TaskOf<P>,
  x: RowsOrBatches,
  run: RunOptions,
): AsyncGenerator<CodesBatch<P>, void> {
  if (isRows(x)) {
    const task = await taskOf(x)
    for await (const { from, rows, answers } of forwardParts(task, x, run, 'outputs')) {
      yield { from, codes: Matrix.from(answers as FloatArray<P>, rows, task.outputs) }
    }
    return
  }
  for await (const [from, rows, own] of taken(taskOf, x, run)) {
    const codes = await forward(own, rows, run)
    yield { from: from(codes.rows), codes }
  }
}

/** Errors, batch by batch. */
export async function* errorBatches(
  taskOf: TaskOf,
  x: RowsOrBatches,
  run: RunOptions,
): AsyncGenerator<ErrorsBatch, void> {
  if (isRows(x)) {
    for await (const { from, answers } of forwardParts(await taskOf(x), x, run, 'errors')) {
      yield { from, errors: answers }
    }
    return
  }
  for await (const [from, rows, own] of taken(taskOf, x, run)) {
    const errors = await forwardErrors(own, rows, run)
    yield { from: from(errors.length), errors }
  }
}

/** Class numbers, batch by batch. */
export async function* classBatches(
  taskOf: TaskOf,
  x: RowsOrBatches,
  run: RunOptions,
): AsyncGenerator<IndicesBatch, void> {
  if (isRows(x)) {
    for await (const { from, answers } of forwardParts(await taskOf(x), x, run, 'classes')) {
      yield { from, indices: answers }
    }
    return
  }
  for await (const [from, rows, own] of taken(taskOf, x, run)) {
    const indices = await forwardClasses(own, rows, run)
    yield { from: from(indices.length), indices }
  }
}

/** Whether these are rows, which know how many they are, not batches that come one after another. */
function isRows(x: RowsOrBatches): x is Rows {
  return (
    Array.isArray(x) ||
    ArrayBuffer.isView(x) ||
    x === null ||
    typeof x !== 'object' ||
    [asMatrix, asDataset, asSparseMatrix].some((as) => as('x', x) !== undefined) ||
    !(Symbol.asyncIterator in x || Symbol.iterator in x)
  )
}

/**
 * The batches of a source that are not empty, each with its task, whose errors name the batch. The next is asked for when the caller is done
 * with the last. The function takes how many rows it had, and says which the first was.
 */
async function* taken<P extends Precision>(
  taskOf: TaskOf<P>,
  batches: RowBatches,
  { signal }: RunOptions,
): AsyncGenerator<readonly [from: (rows: number) => number, rows: Rows, task: ForwardTask<P>], void> {
  let count = 0
  let done = 0
  for await (const batch of batchesOf(batches, signal)) {
    const argument = `batches[${count++}]`
    const rows = rowsOfBatch(batch)
    if (isEmpty(rows)) continue
    const from = (taken: number) => {
      done += taken
      return done - taken
    }
    yield [from, rows as Rows, ownCopy({ ...(await taskOf(rows)), argument })]
  }
}
