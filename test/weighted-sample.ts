import { expect } from 'vitest'
import { Matrix } from '../lib/index.js'
import { labeledRows } from './labeled-sample.js'
import { relativeDistance } from './sample.js'
import { tolerances } from './tolerances.js'

export const INPUTS = 6
export const CLASSES = 3
export const ROWS = 12
export const { x, labels } = labeledRows(ROWS, INPUTS, CLASSES)
/** Whole numbers, some of them 0. */
export const counts = [1, 0, 3, 2, 1, 1, 0, 4, 1, 2, 1, 2]
/** Each row as often as its count says. */
export const repeated = counts.flatMap((count, row) => Array<number>(count).fill(row))

export const rowsOf = (from: Matrix, which: readonly number[]) =>
  Matrix.from(
    Float64Array.from(which.flatMap((row) => [...from.data.slice(row * from.cols, (row + 1) * from.cols)])),
    which.length,
    from.cols,
  )
export const often = rowsOf(x, repeated)
export const oftenLabels = repeated.map((row) => labels[row]!)

/** As weighted and repeated rows agree. */
export const close = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  expect(relativeDistance(a, b)).toBeLessThan(tolerances.repeatedRows.value)
