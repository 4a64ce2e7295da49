import { expect, test } from 'vitest'
import { nearest, recall, unitRows } from '../examples/words/neighbours.js'
import { Matrix } from '../lib/index.js'

/** Directions at these angles, of different length. */
const angles = [0, 10, 25, 45, 70, 100].map((degrees) => (degrees * Math.PI) / 180)
const rows = Matrix.from(
  Float32Array.from(angles.flatMap((angle, i) => [(i + 1) * Math.cos(angle), (i + 1) * Math.sin(angle)])),
  angles.length,
  2,
)

test('nearest names the rows of the largest cosine in falling order, without the row itself', () => {
  expect(nearest(rows, [0, 3], 3)).toEqual([
    [1, 2, 3],
    [2, 4, 1],
  ])
  expect(nearest(rows, [5], 9)).toEqual([[4, 3, 2, 1, 0]])
})

test('unitRows have length 1 and the same directions', () => {
  const unit = unitRows(rows)
  for (const [i, angle] of angles.entries()) {
    expect(unit.at(i, 0)).toBeCloseTo(Math.cos(angle), 6)
    expect(unit.at(i, 1)).toBeCloseTo(Math.sin(angle), 6)
  }
})

test('recall is the share of wanted neighbours that were found', () => {
  const wanted = [
    [1, 2],
    [3, 4],
  ]
  expect(
    recall(wanted, [
      [2, 1],
      [5, 3],
    ]),
  ).toBe(0.75)
})
