import { expect, test } from 'vitest'
import { atLength1, meanRows, meanSquares, shareMostExcited } from '../examples/stack/measures.js'
import { Matrix } from '../lib/index.js'

const bytes = Matrix.from(Uint8Array.of(3, 4, 0, 0, 0, 9), 3, 2, { scale: 0.5 })

test('rows are normalised to length 1, and rows of zeros do not change', () => {
  const { data, rows, cols } = atLength1(bytes)
  expect([rows, cols]).toEqual([3, 2])
  expect([...data]).toEqual([0.6, 0.8, 0, 0, 0, 1].map(Math.fround))
})

test('the error of the mean row is the variance, including the scale of bytes', () => {
  expect(meanRows(bytes).toArray()).toEqual(Array.from({ length: 3 }, () => [0.5, 6.5 / 3]))
  const variance = (1 + 0.25 + 0.25 + (2 - 6.5 / 3) ** 2 + (6.5 / 3) ** 2 + (4.5 - 6.5 / 3) ** 2) / 3
  expect(meanSquares(bytes, meanRows(bytes))).toBeCloseTo(variance, 12)
  expect(meanSquares(bytes, bytes)).toBe(0)
})

test('a unit counts as most excited by its own input if no other row excites it more', () => {
  const own = Matrix.from(Float32Array.of(5, 0, 0, 2), 2, 2)
  const others = Matrix.from(Float32Array.of(4, 3, 5, 1), 2, 2)
  expect(shareMostExcited(own, others)).toBe(0.5)
})
