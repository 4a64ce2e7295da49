import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { averagePrecision, rocAuc } from '../lib/index.js'
import { expectError, thrown } from './refusal.js'
import { tolerances } from './tolerances.js'

const forty = [
  [0.1, -1.2, 0.3, -0.1, -0.9, -0.1, 0.1, 0, -0.5, 1.6, 0.9, 0.3, -0.8, 0.7, -0.5, 0.9, -0.1, 0.9, 1, -0.2],
  [-0.3, 1.1, 0.3, -1, -1.1, 0.2, -0.5, 1.2, 1.8, -1.6, 0.3, 2.2, -0.3, -0.8, 0.8, 0.3, 1.9, -0.3, -1.5, 0.9],
].flat()
const fortySought = [2, 9, 16, 18, 19, 21, 27, 28, 31, 36, 39]

/** Answers of scikit-learn 1.9.1, roc_auc_score and average_precision_score. */
test.each<[string, number[], number[], auc: number, precision: number]>([
  ['no ties', [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75, 0.8333333333333333],
  ['ties across', [3, 1, 2, 2, 5, 4, 2], [1, 0, 1, 0, 1, 0, 0], 0.75, 0.7222222222222222],
  ['nothing but a tie', [7, 7, 7], [1, 0, 0], 0.5, 0.3333333333333333],
  ['a perfect order', [1, 2, 3, 4], [0, 0, 1, 1], 1, 1],
  ['the reverse', [1, 2, 3, 4], [1, 1, 0, 0], 0, 0.41666666666666663],
  [
    'forty rows with ties',
    forty,
    forty.map((_, row) => (fortySought.includes(row) ? 1 : 0)),
    0.8824451410658308,
    0.8227590591226955,
  ],
])('rocAuc and averagePrecision agree with scikit-learn: %s', (_, scores, labels, auc, precision) => {
  const near = tolerances.handComputed.value
  for (const given of [labels, labels.map((label) => label === 1), Uint8Array.from(labels)]) {
    expect(Math.abs(rocAuc(scores, given) - auc)).toBeLessThan(near)
    expect(Math.abs(averagePrecision(Float64Array.from(scores), given) - precision)).toBeLessThan(near)
  }
})

describe('rank measures of any scores and labels:', () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.boolean()), {
    minLength: 2,
    maxLength: 40,
  })
  const near = tolerances.handComputed.value

  test('rocAuc is the share of pairs in which the positive row scores higher, ties counting half', () => {
    fc.assert(
      fc.property(rows, (pairs) => {
        const [scores, labels] = [pairs.map(([score]) => score), pairs.map(([, sought]) => sought)]
        fc.pre(labels.includes(true) && labels.includes(false))
        let [won, all] = [0, 0]
        for (const [a, isSought] of pairs) {
          for (const [b, isOther] of pairs) {
            if (!isSought || isOther) continue
            all++
            won += a > b ? 1 : a === b ? 0.5 : 0
          }
        }
        expect(Math.abs(rocAuc(scores, labels) - won / all)).toBeLessThan(near)
      }),
    )
  })

  test('averagePrecision is the sum over thresholds of precision times the gain of recall', () => {
    fc.assert(
      fc.property(rows, (pairs) => {
        const [scores, labels] = [pairs.map(([score]) => score), pairs.map(([, sought]) => sought)]
        fc.pre(labels.includes(true))
        const total = labels.filter(Boolean).length
        let [sum, recall] = [0, 0]
        for (const threshold of [...new Set(scores)].sort((a, b) => b - a)) {
          const above = pairs.filter(([score]) => score >= threshold)
          const found = above.filter(([, sought]) => sought).length
          sum += (found / total - recall) * (found / above.length)
          recall = found / total
        }
        expect(Math.abs(averagePrecision(scores, labels) - sum)).toBeLessThan(near)
      }),
    )
  })

  test('the order of rows has no effect, and 0 equals −0', () => {
    const [scores, labels] = [
      [0, -0, 2, -1, 2],
      [1, 0, 1, 0, 0],
    ]
    for (const rank of [rocAuc, averagePrecision]) {
      expect(rank(scores.toReversed(), labels.toReversed())).toBe(rank(scores, labels))
    }
    expect(rocAuc([0, -0], [1, 0])).toBe(0.5)
  })
})

test('rocAuc and averagePrecision rank a million rows', () => {
  const scores = Float64Array.from({ length: 1_000_000 }, (_, i) => Math.sin(i))
  const labels = Uint8Array.from(scores, (score) => (score > 0.5 ? 1 : 0))
  expect([rocAuc(scores, labels), averagePrecision(scores, labels)]).toEqual([1, 1])
})

test.each<[string, unknown, unknown, string, string]>([
  ['no scores', [], [], 'ERR_SHAPE', 'scores'],
  ['fewer labels than scores', [1, 2], [1], 'ERR_SHAPE', 'labels: expected 2'],
  ['scores that are no array', 7, [1], 'ERR_ARGUMENT', 'scores'],
  ['labels that are no array', [1], null, 'ERR_ARGUMENT', 'labels'],
  ['a text for a score', [1, '2'], [0, 1], 'ERR_ARGUMENT', 'scores[1]'],
  ['BigInts for scores', BigInt64Array.of(1n, 2n), [0, 1], 'ERR_ARGUMENT', 'scores[0]'],
  ['NaN among the scores', [1, Number.NaN], [0, 1], 'ERR_RANGE', 'row 1'],
  ['Infinity among the scores', [Infinity, 1], [0, 1], 'ERR_RANGE', 'row 0'],
  ['a label of 2', [1, 2, 3], [0, 1, 2], 'ERR_RANGE', 'row 2'],
  ['a label of −1', [1, 2], [-1, 1], 'ERR_RANGE', 'row 0'],
  ['labels by name', [1, 2], ['no', 'yes'], 'ERR_RANGE', 'row 0'],
  ['a hole among the labels', [1, 2], new Array(2), 'ERR_RANGE', 'row 0'],
  ['nothing sought', [1, 2], [0, 0], 'ERR_RANGE', '1 (true)'],
])('rocAuc and averagePrecision refuse %s', (_, scores, labels, code, message) => {
  for (const rank of [rocAuc, averagePrecision]) {
    expectError(
      thrown(() => rank(scores as never, labels as never)),
      code,
      message,
    )
  }
})

test('only rocAuc needs negative rows', () => {
  expectError(
    thrown(() => rocAuc([1, 2], [1, 1])),
    'ERR_RANGE',
    'labels: expected both 1 (true) and 0 (false) among them, received 1 in 2 of 2 rows',
  )
  expect(averagePrecision([1, 2], [1, 1])).toBe(1)
})
