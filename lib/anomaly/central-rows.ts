import { allocate, type PlainFloat64Array, type PlainUint32Array } from '../base/precision.js'
import { anySlices } from '../data/dataset-slices.js'
import type { StandardScaler } from '../data/scaling/standard-scaler.js'
import { rowSlices } from '../data/slices.js'
import { Pca } from '../models/pca.js'
import type { RunOptions } from '../native/run-options.js'
import type { LearningRows } from './learning-rows.js'
import { sorted } from './sorted.js'
import { notAbove } from './threshold.js'

/** More columns than this have so many components only. */
const MOST_COMPONENTS = 500

/**
 * The rows nearest to the centre of all: those of which an autoencoder learns what is normal, where some rows may be anomalies. Some 40 bytes for
 * each row are in memory.
 *
 * Rows are ordered by two squared distances, the plain one in spreads of the columns and the Mahalanobis distance, each divided by its median:
 * ln(1 + a) + ln(1 + b).
 *
 * @param kept - the fraction to keep, above 0 and at most 1
 * @returns their numbers, rising; rows as far away as the last of them are kept too
 */
export async function centralRows(
  rows: LearningRows,
  scaling: StandardScaler,
  kept: number,
  run: RunOptions,
): Promise<PlainUint32Array> {
  const few = rows.cols > MOST_COMPONENTS && { components: MOST_COMPONENTS }
  const pca = await new Pca({ scaling, ...few }).fit(rows, run)
  const along = await pca.mahalanobis(rows, run)
  const plain = await squaredDistances(rows, scaling, run)
  // The median of squares is the square of the median.
  const [plainUnit, alongUnit] = [(await medianOf(plain)) || 1, (await medianOf(along)) ** 2 || 1]
  const order = plain
  for await (const [from, to] of rowSlices(rows.rows, 8)) {
    for (let i = from; i < to; i++)
      order[i] = Math.log1p(plain[i]! / plainUnit) + Math.log1p(along[i]! ** 2 / alongUnit)
  }
  along.set(order)
  const rising = await sorted(along)
  const last = rising[Math.max(1, Math.round(kept * rows.rows)) - 1]!
  const chosen = allocate('uint32', notAbove(rising, last), 'rows')
  let count = 0
  for await (const [from, to] of rowSlices(rows.rows, 1)) {
    for (let i = from; i < to; i++) if (order[i]! <= last) chosen[count++] = i
  }
  return chosen
}

async function squaredDistances(
  rows: LearningRows,
  { shift, factor }: StandardScaler,
  { signal }: RunOptions,
): Promise<PlainFloat64Array> {
  const sums = allocate('float64', rows.rows, 'distances')
  for await (const { row, toRow, column, toColumn, values } of anySlices('x', rows)) {
    signal?.throwIfAborted()
    for (let i = row, k = 0; i < toRow; i++) {
      for (let j = column; j < toColumn; j++) sums[i]! += ((values[k++]! - shift[j]!) * factor[j]!) ** 2
    }
  }
  return sums
}

async function medianOf(values: PlainFloat64Array): Promise<number> {
  return (await sorted(values.slice()))[values.length >> 1]!
}
