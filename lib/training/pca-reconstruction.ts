import { argumentError, ownCopy } from '../base/check.js'
import { allocate } from '../base/precision.js'
import { usedRows } from '../data/used-rows.js'
import type { NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import type { PcaReconstruction } from './diagnosis-record.js'
import type { TrainableLayers, TrainingRequest } from './request.js'

/** Up to this many columns the full covariance is decomposed. */
const MOST_WHOLE_COLUMNS = 2000

/**
 * Refuses a comparison of costs that have nothing to do with squared errors.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`
 */
export function checkComparison({ settings, objective }: TrainingRequest): void {
  const { loss } = objective.training
  if (!settings.comparesPca || loss === 'squared') return
  throw argumentError(
    'comparePca',
    `nothing beside the loss ${loss}: principal components are best by the squared error`,
    true,
  )
}

/**
 * Principal components of rows in which not all columns are constant, after scaling, whatever weights they have; undefined if the leading ones
 * cannot be separated from the rest.
 */
export async function pcaReconstruction(
  { layers }: TrainableLayers,
  { weights: _, labels: __, ...rows }: NativeRows,
  work: NativeWork,
): Promise<PcaReconstruction | undefined> {
  const components = Math.min(...layers.map(({ outputs }) => outputs))
  // So many reconstruct these rows without an error.
  if (components >= Math.min(rows.cols, usedRows(rows) - 1)) return { components, rSquared: 1 }
  const explained =
    rows.cols > MOST_WHOLE_COLUMNS && components <= rows.cols / 4 ? leadingVariances : allVariances
  const found = await explained(ownCopy(rows), components, work)
  if (found === undefined) return undefined
  const { variances, total } = found
  return { components, rSquared: variances.reduce((sum, variance) => sum + variance, 0) / total }
}

/** The largest variances along directions, and the sum of all, but for a common factor. */
interface Variances {
  readonly variances: Float64Array
  readonly total: number
}

async function allVariances(rows: NativeRows, components: number, work: NativeWork): Promise<Variances> {
  const { cols: n } = rows
  const mean = allocate('float64', n, 'mean')
  const matrix = allocate('float64', n * n, 'covariance')
  const values = allocate('float64', n, 'variances')
  const vectors = allocate('float64', n * n, 'components')
  await work.read('x', rows, (run) => binding().covariance({ ...run, rows, mean, covariance: matrix }))
  let total = 0
  for (let j = 0; j < n; j++) total += matrix[j * n + j]!
  await work.call('x', (run) => binding().eigen({ ...run, matrix, n, values, vectors }))
  return { variances: values.subarray(0, components), total }
}

async function leadingVariances(
  rows: NativeRows,
  components: number,
  work: NativeWork,
): Promise<Variances | undefined> {
  const { cols } = rows
  const mean = allocate('float64', cols, 'mean')
  const variances = allocate('float64', components, 'variances')
  const vectors = allocate('float64', components * cols, 'components')
  const request = { rows, count: components, mean, values: variances, vectors }
  const found = await work.read('x', rows, (run) => binding().leadingDirections({ ...run, ...request }))
  return found === null ? undefined : { variances, total: found.total }
}
