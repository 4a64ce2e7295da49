import { describe, expect, test } from 'vitest'
import {
  Pca,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StandardScaler,
} from '../lib/index.js'
import { expectError } from './refusal.js'
import { rejection } from './sample.js'
import { CLASSES, counts, INPUTS, labels, x } from './weighted-sample.js'

const softmax = { inputs: INPUTS, classes: CLASSES }
const stack = { inputs: INPUTS, layers: [{ hidden: 3 }] }

describe('bad rowWeights are refused', () => {
  const { POSITIVE_INFINITY: infinite } = Number
  const without = (row: number, value: unknown) => counts.map((count, k) => (k === row ? value : count))
  const table: [string, unknown, string, string][] = [
    ['too few', [1, 2], 'ERR_SHAPE', 'expected 12 weights, one a row, received 2 weights'],
    ['none at all', [], 'ERR_SHAPE', 'expected 12 weights, one a row, received 0 weights'],
    ['no array', 1, 'ERR_ARGUMENT', 'expected an array of numbers, one a row'],
    ['null', null, 'ERR_ARGUMENT', 'expected an array of numbers, one a row'],
    ['a Matrix', x, 'ERR_ARGUMENT', 'expected an array of numbers, one a row'],
    ['big integers', new BigInt64Array(12), 'ERR_ARGUMENT', 'expected an array of numbers, one a row'],
    ['a text', without(3, '2'), 'ERR_ARGUMENT', 'expected a finite number of at least 0'],
    ['a hole', without(3, undefined), 'ERR_ARGUMENT', 'in row 3'],
    ['a negative number', without(3, -1), 'ERR_RANGE', 'expected a finite number of at least 0'],
    ['NaN', without(3, NaN), 'ERR_RANGE', 'in row 3'],
    ['Infinity', without(3, infinite), 'ERR_RANGE', 'in row 3'],
    ['zeros', new Float32Array(12), 'ERR_RANGE', 'expected a weight above 0, received 0 in all 12 rows'],
    ['too large a sum', without(3, 1e300), 'ERR_RANGE', 'whose sum is from 1e-200 to 1e+200'],
  ]
  const uses: Record<string, (rowWeights: never) => Promise<unknown>> = {
    fit: (rowWeights) => new SparseAutoencoder({ inputs: INPUTS, hidden: 2 }).fit(x, { rowWeights }),
    fineTune: (rowWeights) => new StackedAutoencoder(stack).fineTune(x, { rowWeights }),
    cost: (rowWeights) => new SoftmaxClassifier(softmax).cost(x, labels, { rowWeights }),
    score: (rowWeights) => new SoftmaxClassifier(softmax).score(x, labels, { rowWeights }),
    'a scaler': (rowWeights) => new StandardScaler().fit(x, { rowWeights }),
    'a Pca': (rowWeights) => new Pca().fit(x, { rowWeights }),
  }
  describe.each(Object.entries(uses))('by %s', (_, use) => {
    test.each(table)('%s', async (_, rowWeights, code, message) => {
      const error = await rejection(use(rowWeights as never))
      expectError(error, code, message)
      expect((error as Error).message).toMatch(/^rowWeights: /)
    })
  })

  test('of validation by their own name', async () => {
    const model = new SparseAutoencoder({ inputs: INPUTS, hidden: 2 })
    const error = await rejection(model.fit(x, { validation: { x, rowWeights: [1] } }))
    expectError(error, 'ERR_SHAPE', 'validation.rowWeights: expected 12 weights')
    const other = await rejection(model.fit(x, { validation: { x, labels } as never }))
    expectError(other, 'ERR_ARGUMENT', 'labels')
  })
})
