import { expect, test } from 'vitest'
import { correlatedRows, gaussians, independentRows } from '../examples/compression/gaussian.js'
import { tolerances } from './tolerances.js'

const ROWS = 20_000
/** 1/√m is the standard error of a mean and of a correlation, √(2/m) that of a variance. */
const OF_MEAN = tolerances.standardErrors.value / Math.sqrt(ROWS)
const OF_VARIANCE = tolerances.standardErrors.value * Math.sqrt(2 / ROWS)

test('the normal numbers of the compression example have mean 0 and variance 1, and are the same for the same seed', () => {
  const next = gaussians(7)
  const values = Array.from({ length: ROWS }, next)
  const again = gaussians(7)
  expect(values.slice(0, 10)).toEqual(Array.from({ length: 10 }, again))
  const mean = values.reduce((sum, value) => sum + value, 0) / ROWS
  const variance = values.reduce((sum, value) => sum + value * value, 0) / ROWS
  expect(Math.abs(mean)).toBeLessThan(OF_MEAN)
  expect(Math.abs(variance - 1)).toBeLessThan(OF_VARIANCE)
})

test('in the compression example independent columns are uncorrelated, those with few causes are not, and all have variance 1', () => {
  const options = { causes: 2, noise: 0.1, seed: 3 }
  const strongest = (x: number[][]) =>
    Math.max(correlation(x, 0, 1), correlation(x, 0, 2), correlation(x, 1, 2))
  expect(strongest(independentRows(ROWS, 3, 3).toArray())).toBeLessThan(OF_MEAN)
  const correlated = correlatedRows(ROWS, 3, options).toArray()
  // Of three unit vectors in a plane, two are at most 60° apart or more than 120°.
  expect(strongest(correlated)).toBeGreaterThan(0.5 * (1 - 0.1 ** 2) - OF_MEAN)
  for (const column of [0, 1, 2]) {
    const variance = correlated.reduce((sum, row) => sum + row[column]! ** 2, 0) / ROWS
    expect(Math.abs(variance - 1)).toBeLessThan(OF_VARIANCE)
  }
})

function correlation(x: number[][], a: number, b: number): number {
  const sum = (term: (row: number[]) => number) => x.reduce((total, row) => total + term(row), 0)
  return (
    Math.abs(sum((row) => row[a]! * row[b]!)) /
    Math.sqrt(sum((row) => row[a]! ** 2) * sum((row) => row[b]! ** 2))
  )
}
