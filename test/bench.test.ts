import { describe, expect, test } from 'vitest'
import { caseNames, trainingCases } from '../bench/cases/cases.js'
import { trainingFlopsPerRow } from '../bench/measuring/flops.js'
import { medianInterval, quantile, ratios, summary } from '../bench/measuring/statistics.js'

describe('the summary of several rounds', () => {
  test('has the median, the range, and every value in its order', () => {
    expect(summary([3, 1, 2])).toEqual({ best: 3, median: 2, range: [1, 3], values: [3, 1, 2] })
  })

  test('takes the mean of the middle two if the number of rounds is even', () => {
    expect(summary([4, 1, 2, 3]).median).toBe(2.5)
  })

  test('takes the least as best if less is better', () => {
    expect(summary([3, 1, 2], 'less').best).toBe(1)
  })

  test('orders numbers by size, not as text', () => {
    expect(summary([10, 9, 100]).range).toEqual([9, 100])
  })

  test('keeps a copy of the values', () => {
    const values = [1, 2]
    const { values: kept } = summary(values)
    values[0] = 5
    expect(kept).toEqual([1, 2])
  })

  test('is refused without rounds, and for a round without a measurement', () => {
    expect(() => summary([])).toThrow(RangeError)
    expect(() => summary([1, Number.NaN])).toThrow(RangeError)
    expect(() => summary([1, Infinity])).toThrow(RangeError)
  })
})

describe('the interval of a median', () => {
  test('excludes the most values at each end that leave at most 2.5% probability there', () => {
    const values = (count: number) => Array.from({ length: count }, (_, i) => (7 * i) % count)
    // P(B ≤ 3) = 0.018 and P(B ≤ 4) = 0.059 of 15 throws of a coin; 0.0156 and 0.109 of 6.
    expect(medianInterval(values(15))).toEqual([3, 11])
    expect(medianInterval(values(6))).toEqual([0, 5])
  })

  test('reaches from the least to the greatest of few values', () => {
    expect(medianInterval([2, 1, 3])).toEqual([1, 3])
    expect(medianInterval([1])).toEqual([1, 1])
  })
})

describe('ratios', () => {
  test('are taken round by round, so that a common drift cancels', () => {
    const drift = [1, 0.5, 0.25, 2]
    const a = drift.map((clock) => 60 * clock)
    const b = drift.map((clock) => 80 * clock)
    expect(ratios(a, b)).toEqual([0.75, 0.75, 0.75, 0.75])
  })

  test('of series with different numbers of rounds are refused', () => {
    expect(() => ratios([1, 2], [1])).toThrow(RangeError)
  })
})

describe('a quantile', () => {
  test('is the least at 0, the greatest at 1, and interpolated between neighbours', () => {
    const values = [40, 10, 30, 20]
    expect([0, 0.25, 0.5, 1].map((p) => quantile(values, p))).toEqual([10, 17.5, 25, 40])
  })

  test('of one value is that value', () => {
    expect(quantile(Float64Array.of(7), 0.99)).toBe(7)
  })

  test('is refused outside 0 to 1', () => {
    expect(() => quantile([1], 1.1)).toThrow(RangeError)
    expect(() => quantile([1], Number.NaN)).toThrow(RangeError)
  })
})

describe('the flops of a row in training', () => {
  test('are those of five products: ten for one input and one unit', () => {
    expect(trainingFlopsPerRow(1, 1)).toBe(10)
  })

  test('of 784-196-784 are 1,536,640', () => {
    expect(trainingFlopsPerRow(784, 196)).toBe(1_536_640)
  })
})

test('the cases are the seven documented ones', () => {
  expect(caseNames).toEqual(['digits', 'digits1k', 'patches', 'small', 'encode', 'pca', 'server'])
  expect(
    trainingCases.map(({ inputs, hidden, batchSize }) => `${inputs}-${hidden} batch ${batchSize}`),
  ).toEqual(['784-196 batch 256', '784-1000 batch 1000', '64-25 batch 10000', '64-25 batch 32'])
})
