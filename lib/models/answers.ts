import { argumentError, checkInteger } from '../base/check.js'
import { allocateUnset, type FloatArray, type PlainFloat64Array, type Precision } from '../base/precision.js'
import type { StorageType } from '../base/storage-type.js'
import { absolutePath } from '../data/dataset/row-file.js'
import { writeAnswer } from '../data/dataset/write-answer.js'
import type { Dataset } from '../data/dataset.js'
import { Matrix } from '../data/matrix.js'
import type { MatrixData } from '../data/matrix-data.js'
import { checkPath } from '../data/read-file.js'
import type { Rows } from '../data/rows.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import { type ForwardTask, forward, forwardErrors } from './forward.js'
import { forwardParts, type Part } from './forward-parts.js'
import { type LargestErrors, largestOf } from './largest.js'
import { checkOut, type Out } from './out.js'

/** Options of a call whose answer is written to files, part by part: for rows longer than memory. */
export interface FolderOptions extends RunOptions {
  /**
   * A folder for the answer, which becomes a dataset with a row for each row of `x`: a path (string or file: URL), new, empty, or of a dataset,
   * which is replaced when all rows are written. Refused if `x` lies in it. Default: the answer is in memory.
   */
  readonly to: string | URL
}

/** Options of a call that keeps some of the errors only. */
export interface LargestOptions extends RunOptions {
  /** How many rows, at least 1: those with the largest errors. Default: the errors of all rows. */
  readonly largest: number
}

/** Where an answer goes. */
export type Folder = string | undefined

/** The option `to`, or another that names a folder, as an absolute path. */
export function checkTo(value: unknown, name = 'to'): Folder {
  if (value === undefined) return undefined
  checkPath(name, value)
  return absolutePath(value as string | URL)
}

/** Options of a call whose answer is in memory or goes to a folder. */
export function checkFolderOptions(options: unknown): { run: RunOptions; to: Folder } {
  const run = checkRunOptions(options, ['to'])
  return { run, to: checkTo(run.to) }
}

/** Options of a call that answers an error a row. */
export function checkErrorOptions(options: unknown): {
  run: RunOptions
  to: Folder
  largest: number | undefined
} {
  const run = checkRunOptions(options, ['to', 'largest'])
  const largest = run.largest === undefined ? undefined : checkInteger('largest', run.largest)
  const to = checkTo(run.to)
  if (to !== undefined && largest !== undefined)
    throw argumentError('largest', "nothing beside 'to': the largest errors are kept in memory", largest)
  return { run, to, largest }
}

/** The caller's array for an answer, and the folder for it: one of them, or none. */
export function checkPlace<P extends Precision>(
  run: Readonly<Record<string, unknown>>,
  precision: P,
  x: unknown,
): { to: Folder; out: Out<P> | undefined } {
  const to = checkTo(run.to)
  if (to !== undefined && run.out !== undefined)
    throw argumentError('out', "nothing beside 'to', which says where the answer goes", run.out)
  return { to, out: checkOut(run.out, precision, x) }
}

/** The outputs for all rows in memory, or as a dataset. */
export async function answerRows<P extends Precision>(
  task: ForwardTask<P>,
  x: Rows,
  run: RunOptions,
  { to, out }: { readonly to: Folder; readonly out?: Out<P> | undefined },
  result: 'outputs' | 'squares' = 'outputs',
): Promise<Matrix<FloatArray<P>> | Dataset> {
  if (to === undefined) return forward(task, x, run, out, result)
  const parts = forwardParts(task, x, run, result)
  return writeParts(to, x, parts, task.precision, task.outputs, run)
}

/** An error a row: in memory, as a dataset, or the largest. */
export async function answerErrors(
  task: ForwardTask,
  x: Rows,
  asked: ReturnType<typeof checkErrorOptions>,
): Promise<PlainFloat64Array | Dataset | LargestErrors> {
  const { run, to, largest } = asked
  if (to === undefined && largest === undefined) return forwardErrors(task, x, run)
  return collectErrors(forwardParts(task, x, run, 'errors'), x, asked)
}

/** The same of errors that come part by part, of at least one row. */
export async function collectErrors(
  parts: AsyncIterable<Part<PlainFloat64Array>>,
  x: Rows,
  { run, to, largest }: ReturnType<typeof checkErrorOptions>,
): Promise<PlainFloat64Array | Dataset | LargestErrors> {
  if (to !== undefined) return writeParts(to, x, parts, 'float64', 1, run)
  if (largest !== undefined) return largestOf(parts, largest)
  let all: PlainFloat64Array | undefined
  for await (const { from, whole, answers } of parts) {
    all ??= allocateUnset('float64', whole, 'errors')
    all.set(answers, from)
  }
  return all!
}

/**
 * Writes parts to a folder, as {@link writeAnswer}.
 *
 * @param name - the option that names the folder, for messages
 */
export function writeParts(
  to: string | URL,
  x: Rows | undefined,
  parts: AsyncIterable<Part<MatrixData>>,
  type: StorageType,
  cols: number,
  { signal }: RunOptions,
  name = 'to',
): Promise<Dataset> {
  return writeAnswer(to, x, matricesOf(parts, cols), { type, cols, signal }, name)
}

async function* matricesOf(
  parts: AsyncIterable<Part<MatrixData>>,
  cols: number,
): AsyncGenerator<Matrix, void> {
  for await (const { rows, answers } of parts) yield Matrix.from(answers, rows, cols)
}
