import { ownCopy } from '../base/check.js'
import {
  allocateUnset,
  type FloatArray,
  type PlainFloat64Array,
  type PlainUint32Array,
  type Precision,
} from '../base/precision.js'
import { STORAGE_TYPES } from '../base/storage-type.js'
import { type Rows, toRows } from '../data/rows.js'
import { viewOf } from '../data/storage.js'
import type { ForwardRequest, NativeData, NativeRows } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import type { RunOptions } from '../native/run-options.js'
import { type ForwardTask, requestOf } from './forward.js'

/** About what the rows of a part, or its answers, take at most. */
const PART_BYTES = 2 ** 25

/** A part begins at a multiple of so many rows: products are cut into blocks there, so that parts have the bits of the whole. */
const PART_ROWS = 512

/** Parts whose answers are being computed, or wait to be taken. */
const AT_ONCE = 2

/** What is answered for each row. */
type Result = ForwardRequest['result']

/** The answers themselves. */
export type Answers<P extends Precision, R extends Result> = R extends 'errors'
  ? PlainFloat64Array
  : R extends 'classes'
    ? PlainUint32Array
    : FloatArray<P>

/** The answers for consecutive rows. */
export interface Part<A> {
  /** The number of the first row. */
  readonly from: number
  /** How many rows. */
  readonly rows: number
  /** How many there are in all parts. */
  readonly whole: number
  readonly answers: A
}

/**
 * The answers of a task, part by part, in the order of the rows: as many bits as in one call, in the memory of some parts. The next part is
 * computed while the caller works on the last.
 *
 * @throws {@link LayerwiseError} as a call for all rows; after a failure no more parts come
 */
export async function* forwardParts<P extends Precision, R extends Result>(
  task: ForwardTask<P>,
  x: Rows,
  options: RunOptions,
  result: R,
): AsyncGenerator<Part<Answers<P, R>>, void> {
  const rows = await toRows(task.argument, x, task.form, () => options.signal?.throwIfAborted())
  yield* partsOfRows(task, rows, options, result)
}

/** The same of rows that are already read. */
export async function* partsOfRows<P extends Precision, R extends Result>(
  task: ForwardTask<P>,
  rows: NativeRows,
  options: RunOptions,
  result: R,
): AsyncGenerator<Part<Answers<P, R>>, void> {
  const { argument } = task
  const work = new NativeWork(options)
  const queue: Promise<Part<Answers<P, R>>>[] = []
  try {
    const compute = async (from: number, to: number) => {
      const answers = roomFor(task, result, to - from) as Answers<P, R>
      const part = rowsBetween(rows, from, to)
      const request = requestOf(task.dense, part, result, answers as FloatArray, task.unscale)
      await work.read(argument, rows, (run) => binding().forward({ ...run, ...request }), from)
      return { from, rows: to - from, whole: rows.rows, answers }
    }
    for (const [from, to] of cuts(rows.rows, partRows(rows, task, result))) {
      const part = compute(from, to)
      // What it fails with is told when its turn comes.
      part.catch(() => {})
      queue.push(part)
      if (queue.length === AT_ONCE) yield await queue.shift()!
    }
    while (queue.length > 0) yield await queue.shift()!
  } finally {
    if (queue.length > 0) work.stop()
    await Promise.allSettled(queue)
    work.release()
  }
}

/** Rows of a part: a multiple of {@link PART_ROWS}. */
function partRows({ cols, type, sparse }: NativeRows, task: ForwardTask, result: Result): number {
  const read = sparse ? 0 : cols * STORAGE_TYPES[type].bytes
  const written = result === 'outputs' || result === 'squares' ? task.outputs * 8 : 8
  return PART_ROWS * Math.max(1, Math.floor(PART_BYTES / Math.max(read, written) / PART_ROWS))
}

/** Ranges [from, to) of `step` rows. Fewer than {@link PART_ROWS} at the end belong to the last, since a short call may multiply otherwise. */
function* cuts(rows: number, step: number): Generator<readonly [number, number]> {
  for (let from = 0; from < rows; ) {
    const to = rows - from < step + PART_ROWS ? rows : from + step
    yield [from, to]
    from = to
  }
}

function roomFor(task: ForwardTask, result: Result, rows: number): ForwardRequest['out'] {
  if (result === 'errors') return allocateUnset('float64', rows, result)
  if (result === 'classes') return allocateUnset('uint32', rows, result)
  return allocateUnset(task.precision, rows * task.outputs, result)
}

/** Some of the rows, without a copy. */
function rowsBetween(rows: NativeRows, from: number, to: number): NativeRows {
  const { data, cols, sparse, files } = rows
  if (files !== undefined)
    return ownCopy({ ...rows, files: ownCopy({ ...files, ranges: Float64Array.of(from, to) }) })
  if (sparse !== undefined) {
    const indptr = sparse.indptr.subarray(from, to + 1)
    return ownCopy({ ...rows, rows: to - from, sparse: ownCopy({ ...sparse, indptr }) })
  }
  return ownCopy({ ...rows, rows: to - from, data: viewOf(data, from * cols, to * cols) as NativeData })
}
