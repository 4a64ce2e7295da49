import { argumentError, shapeError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { allocate, type PlainFloat64Array } from '../base/precision.js'
import { rowSlices, SCANNED } from '../data/slices.js'
import type { NativeRows } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import type { RunOptions } from '../native/run-options.js'
import { checkFinite } from '../objective/row-check.js'
import { isFraction } from './pca-options.js'

/** Smaller numbers lose digits and finally underflow. */
const SMALLEST_NORMAL = 2 ** -1022

/** Up to this many columns the full covariance is decomposed. */
export const MOST_WHOLE_COLUMNS = 2000

/** The directions of greatest variance of some rows, in float64. */
export interface PrincipalComponents {
  /** [n]. */
  readonly mean: PlainFloat64Array
  /** Unit vectors, one a row, [k, n], the entry of largest absolute value in each positive. */
  readonly directions: PlainFloat64Array
  /** wᵢ of XᵀX/m about the mean, [k], falling; 0 where it is not above rounding. */
  readonly variances: PlainFloat64Array
  /** The sum of all n variances. */
  readonly totalVariance: number
}

/** The same, for rows multiplied by a power of two so that their squares neither overflow nor underflow. */
interface Found extends PrincipalComponents {
  readonly scale: number
}

/**
 * The first `wanted` principal components, or all of them, or as many as explain a fraction of the variance: from the full covariance if
 * that is of moderate size or most components are requested, else by block subspace iteration, which never forms it.
 */
export async function principalComponents(
  argument: string,
  rows: NativeRows,
  wanted: number | undefined,
  options: RunOptions,
): Promise<PrincipalComponents> {
  const { cols } = rows
  const counted = wanted !== undefined && !isFraction(wanted)
  if (!counted && cols > MOST_WHOLE_COLUMNS) {
    throw argumentError(
      'components',
      `how many are wanted, a whole number, of rows of more than ${MOST_WHOLE_COLUMNS} columns`,
      wanted,
    )
  }
  const count = counted ? wanted : cols
  if (count > cols) throw shapeError(argument, `at least ${count} columns, for so many components`, cols)
  const work = new NativeWork(options)
  try {
    await checkFinite(argument, rows, 'float64', work)
    const leading = cols > MOST_WHOLE_COLUMNS && count <= cols / 4
    const found = await (leading ? leadingDirections : wholeDecomposition)(argument, rows, count, work)
    const whole = inUnits(argument, found, withoutRounding(found, Math.max(rows.rows, cols)))
    return isFraction(wanted) ? explaining(wanted, whole) : whole
  } finally {
    work.release()
  }
}

async function wholeDecomposition(
  argument: string,
  rows: NativeRows,
  count: number,
  work: NativeWork,
): Promise<Found> {
  const n = rows.cols
  const mean = allocate('float64', n, 'mean')
  const covariance = allocate('float64', n * n, 'covariance')
  const values = allocate('float64', n, 'variances')
  const vectors = allocate('float64', n * n, 'components')
  const scale = await work.read(argument, rows, (run) =>
    binding().covariance({ ...run, rows, mean, covariance }),
  )
  let totalVariance = 0
  for (let j = 0; j < n; j++) totalVariance += covariance[j * n + j]!
  if (!Number.isFinite(totalVariance)) throw tooLarge(argument)
  await work.call(argument, (run) => binding().eigen({ ...run, matrix: covariance, n, values, vectors }))
  if (count === n) return { mean, directions: vectors, variances: values, totalVariance, scale }
  const directions = allocate('float64', count * n, 'components')
  for await (const [from, to] of rowSlices(directions.length, 1, SCANNED)) {
    work.throwIfAborted()
    directions.set(vectors.subarray(from, to), from)
  }
  return { mean, directions, variances: values.slice(0, count), totalVariance, scale }
}

async function leadingDirections(
  argument: string,
  rows: NativeRows,
  count: number,
  work: NativeWork,
): Promise<Found> {
  const n = rows.cols
  const mean = allocate('float64', n, 'mean')
  const variances = allocate('float64', count, 'variances')
  const directions = allocate('float64', count * n, 'components')
  const found = await work.read(argument, rows, (run) =>
    binding().leadingDirections({ ...run, rows, count, mean, values: variances, vectors: directions }),
  )
  if (found !== null) return { mean, directions, variances, totalVariance: found.total, scale: found.scale }
  throw new LayerwiseError(
    'ERR_DIVERGED',
    `${argument}: the variances about component ${count} lie too close together to tell ${count} leading ones from the rest; ` +
      'ask for fewer components, or for more',
    { argument },
  )
}

/**
 * The fewest components that explain a fraction of the variance, at least one; all components with a variance if rounding prevents reaching
 * it.
 */
function explaining(fraction: number, found: PrincipalComponents): PrincipalComponents {
  const { directions, variances, mean, totalVariance } = found
  let count = 0
  for (let sum = 0; count === 0 || (sum < fraction * totalVariance && variances[count]! > 0); count++) {
    sum += variances[count]!
  }
  const kept = { directions: directions.slice(0, count * mean.length), variances: variances.slice(0, count) }
  return { ...found, ...kept }
}

/**
 * The accuracy of a variance: about the rounding of the largest one, for each row or column, and the rounding of the numbers in the rows.
 */
function withoutRounding({ variances, mean, scale }: Found, terms: number): PlainFloat64Array {
  let largestMean = 0
  for (const value of mean) largestMean = Math.max(largestMean, Math.abs(value))
  const rounding = (largestMean * scale * Number.EPSILON) / 2
  const least = Math.max(variances[0]! * terms * Number.EPSILON, rounding ** 2)
  return variances.map((variance) => (variance > least ? variance : 0))
}

/** Variances of the original rows. */
function inUnits(argument: string, found: Found, scaled: PlainFloat64Array): PrincipalComponents {
  const { mean, directions, scale } = found
  const ofRows = (variance: number) => variance / scale / scale
  const variances = scaled.map(ofRows)
  const totalVariance = ofRows(found.totalVariance)
  if (!Number.isFinite(totalVariance)) throw tooLarge(argument)
  if (scaled[0]! > 0 && variances[0]! < SMALLEST_NORMAL) {
    const expected = 'values whose squares float64 can hold'
    throw new LayerwiseError(
      'ERR_RANGE',
      `${argument}: expected ${expected}, but they vary so little that their squares underflow; scale the data`,
      { argument, expected },
    )
  }
  return { mean, directions, variances, totalVariance }
}

function tooLarge(argument: string): LayerwiseError {
  return new LayerwiseError('ERR_RANGE', `${argument}: values are so large that their squares overflow`, {
    argument,
    expected: 'values whose squares are finite',
  })
}
