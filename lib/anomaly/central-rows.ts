import { allocate, type PlainFloat64Array } from '../base/precision.js'
import type { Matrix } from '../data/matrix.js'
import type { StandardScaler } from '../data/scaling/standard-scaler.js'
import { rowSlices, valueSlices } from '../data/slices.js'
import { Pca } from '../models/pca.js'
import type { RunOptions } from '../native/run-options.js'
import { notAbove } from './threshold.js'

/** More columns than this have so many components only. */
const MOST_COMPONENTS = 500

/**
 * The rows nearest to the centre of all: those of which an autoencoder learns what is normal, where some rows may be anomalies.
 *
 * Rows are ordered by two squared distances, the plain one in spreads of the columns and the Mahalanobis distance, each divided by its median:
 * ln(1 + a) + ln(1 + b).
 *
 * @param kept - the fraction to keep, above 0 and at most 1
 * @returns their numbers, rising; rows as far away as the last of them are kept too
 */
export async function centralRows(
  rows: Matrix,
  scaling: StandardScaler,
  kept: number,
  run: RunOptions,
): Promise<Uint32Array> {
  const few = rows.cols > MOST_COMPONENTS && { components: MOST_COMPONENTS }
  const pca = await new Pca({ scaling, ...few }).fit(rows, run)
  const along = await pca.mahalanobis(rows, run)
  const plain = await squaredDistances(rows, scaling)
  const [plainUnit, alongUnit] = [medianOf(plain), medianOf(along.map((distance) => distance ** 2))]
  const order = allocate('float64', rows.rows, 'distances')
  for await (const [from, to] of rowSlices(rows.rows, 8)) {
    for (let i = from; i < to; i++)
      order[i] = Math.log1p(plain[i]! / plainUnit) + Math.log1p(along[i]! ** 2 / alongUnit)
  }
  const sorted = order.slice().sort()
  const last = sorted[Math.max(1, Math.round(kept * rows.rows)) - 1]!
  const chosen = allocate('uint32', notAbove(sorted, last), 'rows')
  for (let i = 0, k = 0; i < rows.rows; i++) if (order[i]! <= last) chosen[k++] = i
  return chosen
}

async function squaredDistances(rows: Matrix, { shift, factor }: StandardScaler): Promise<PlainFloat64Array> {
  const sums = allocate('float64', rows.rows, 'distances')
  for await (const { row, toRow, column, toColumn, values } of valueSlices('x', rows)) {
    for (let i = row, k = 0; i < toRow; i++) {
      for (let j = column; j < toColumn; j++) sums[i]! += ((values[k++]! - shift[j]!) * factor[j]!) ** 2
    }
  }
  return sums
}

/** The median, or 1 where it is 0. */
function medianOf(values: Float64Array): number {
  return values.slice().sort()[values.length >> 1]! || 1
}
