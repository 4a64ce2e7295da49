import { allocateUnset, type PlainFloat32Array, type PlainFloat64Array } from '../base/precision.js'
import { rowsOfBatch } from '../data/dataset/batch-numbers.js'
import { batchesOf } from '../data/dataset/source-batches.js'
import { isEmpty } from '../data/dataset/write-dataset.js'
import { joinedRows } from '../data/joined-rows.js'
import type { Matrix } from '../data/matrix.js'
import { emptyError, type Rows, type SingleRow } from '../data/rows.js'
import { rowSlices, turn } from '../data/slices.js'
import type { ErrorsBatch } from '../models/batches.js'
import type { RunOptions } from '../native/run-options.js'
import type { TableEncoder } from '../tables/encoding/table-encoder.js'
import type { SurpriseEvent } from '../tables/encoding/transform-options.js'
import type { Table } from '../tables/table.js'
import type { TableRow } from '../tables/table-row.js'
import type { ScoresBatch } from './answers.js'
import type { Given } from './given-rows.js'
import type { DetectorState, Member } from './member.js'
import { encodedRow, SURPRISE } from './table-rows.js'

/** Encoded rows of a table are scored in parts that begin at multiples of so many rows, which have the bits of the whole. */
const PART_ROWS = 512

/** About what the encoded rows of a part take at least, if there are so many. 8 MiB. */
const PART_BYTES = 2 ** 23

/**
 * The scores of all rows.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE` if there are none, also where a source has batches without rows
 */
export async function scoresOfAll(
  state: DetectorState,
  given: Given,
  run: RunOptions,
): Promise<PlainFloat64Array> {
  if (given.kind === 'rows') return scoresOf(state.members, given.rows, run)
  const parts: PlainFloat64Array[] = []
  for await (const { scores } of scoreParts(state, given, run)) parts.push(scores)
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  if (length === 0) throw emptyError('x')
  const all = allocateUnset('float64', length, 'scores')
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
    await turn()
  }
  return all
}

/** The scores of all rows, part by part. */
export function scoreParts(
  { members, encoder }: DetectorState,
  given: Given,
  run: RunOptions,
): AsyncGenerator<ScoresBatch, void> {
  switch (given.kind) {
    case 'rows':
      return partsOfRows(members, given.rows, run)
    case 'batches':
      return partsOfBatches(members, given.batches, run)
    case 'table':
      return partsOfTable(members, encoder!, given.table, run)
  }
}

/** The score of one row: of numbers, or of a table. */
export function scoreOfRow({ members, encoder }: DetectorState, row: SingleRow | TableRow): number {
  const encoded = encodedRow(encoder, row)
  const numbers = encoded?.codes ?? (row as SingleRow)
  let sum = 0
  for (const { scoring } of members) sum += scoring.reconstructionErrorSync(numbers)
  const score = sum / members.length
  return encoded === undefined ? score : score + (encoded.surprises.length * SURPRISE) / encoded.codes.length
}

/** The mean over the members, of each row. */
export async function scoresOf(
  members: readonly Member[],
  x: Rows,
  run: RunOptions,
): Promise<PlainFloat64Array> {
  const [first, ...others] = members
  const scores = await first!.scoring.reconstructionError(x, run)
  for (const { scoring } of others) await add(scores, await scoring.reconstructionError(x, run))
  return divided(scores, members.length)
}

async function add(sums: Float64Array, scores: Float64Array): Promise<void> {
  for await (const [from, to] of rowSlices(sums.length, 1))
    for (let i = from; i < to; i++) sums[i]! += scores[i]!
}

async function divided(sums: PlainFloat64Array, count: number): Promise<PlainFloat64Array> {
  if (count === 1) return sums
  for await (const [from, to] of rowSlices(sums.length, 1)) for (let i = from; i < to; i++) sums[i]! /= count
  return sums
}

/** All members cut the rows at the same places. */
async function* partsOfRows(
  members: readonly Member[],
  x: Rows,
  run: RunOptions,
): AsyncGenerator<ScoresBatch, void> {
  const [first, ...others] = members.map(({ scoring }) => scoring.reconstructionErrorBatches(x, run))
  try {
    for await (const { from, errors: scores } of first!) {
      for (const other of others) {
        const { value } = await other.next()
        await add(scores, (value as ErrorsBatch).errors)
      }
      yield { from, scores: await divided(scores, members.length) }
    }
  } finally {
    for (const other of others) await other.return()
  }
}

/** Each batch as a call with it alone. */
async function* partsOfBatches(
  members: readonly Member[],
  batches: unknown,
  run: RunOptions,
): AsyncGenerator<ScoresBatch, void> {
  let from = 0
  for await (const batch of batchesOf(batches, run.signal)) {
    const rows = rowsOfBatch(batch)
    if (isEmpty(rows)) continue
    const scores = await scoresOf(members, rows as Rows, run)
    yield { from, scores }
    from += scores.length
  }
}

/** What the encoding of a value cannot show counts too. */
async function* partsOfTable(
  members: readonly Member[],
  encoder: TableEncoder,
  table: Table,
  run: RunOptions,
): AsyncGenerator<ScoresBatch, void> {
  let from = 0
  const surprises = new Map<number, number>()
  const onSurprise = ({ row }: SurpriseEvent) => surprises.set(row, (surprises.get(row) ?? 0) + 1)
  for await (const rows of joinedParts(encoder.transformBatches(table, { onSurprise }), encoder.width)) {
    const scores = await scoresOf(members, rows, run)
    for (const [row, count] of surprises) {
      // Batches are encoded before their rows are scored.
      if (row >= from + rows.rows) continue
      scores[row - from]! += (count * SURPRISE) / encoder.width
      surprises.delete(row)
    }
    yield { from, scores }
    from += rows.rows
  }
}

/** Batches joined to parts that begin at multiples of {@link PART_ROWS}. Fewer rows than that at the end belong to the last, as in a whole. */
async function* joinedParts(
  batches: AsyncIterable<Matrix<PlainFloat32Array>>,
  width: number,
): AsyncGenerator<Matrix<PlainFloat32Array>, void> {
  const least = PART_ROWS * (1 + Math.ceil(PART_BYTES / (PART_ROWS * width * 4)))
  let waiting: Matrix<PlainFloat32Array>[] = []
  let rows = 0
  for await (const batch of batches) {
    waiting.push(batch)
    rows += batch.rows
    if (rows < least) continue
    const joined = await joinedRows(waiting, 'float32', width, 'encoded rows')
    const end = PART_ROWS * (Math.floor(rows / PART_ROWS) - 1)
    yield joined.slice(0, end)
    waiting = [joined.slice(end)]
    rows -= end
  }
  if (rows > 0) yield await joinedRows(waiting, 'float32', width, 'encoded rows')
}
