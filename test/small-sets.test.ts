import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Matrix, SparseAutoencoder, StackedAutoencoder } from '../lib/index.js'
import { stepsFor } from '../lib/training/small-sets.js'
import { sampleRows } from './sample.js'

describe('where neither epochs nor batchSize is given', () => {
  test('any number of rows gives at least 3,000 steps of 32 to 256 rows, in at least 20 epochs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e8 }), (rows) => {
        const { epochs, batchSize } = stepsFor(rows)
        expect(epochs * Math.ceil(rows / batchSize)).toBeGreaterThanOrEqual(3000)
        expect([32, 64, 128, 256]).toContain(batchSize)
        expect(epochs).toBeGreaterThanOrEqual(20)
        // No more steps than an epoch too many.
        if (epochs > 20) expect((epochs - 1) * Math.ceil(rows / batchSize)).toBeLessThan(3000)
      }),
    )
  })

  test('large sets are trained for 20 epochs of 256 rows', () => {
    expect(stepsFor(60_000)).toEqual({ epochs: 20, batchSize: 256 })
    expect(stepsFor(38_400)).toEqual({ epochs: 20, batchSize: 256 })
    expect(stepsFor(38_399)).toEqual({ epochs: 20, batchSize: 128 })
  })

  test('a small table is reconstructed better than by its column means', async () => {
    const x = sampleRows(200, 6)
    const model = new SparseAutoencoder({ inputs: 6, hidden: 4 })
    await model.fit(x)
    expect(unexplained(x, await model.reconstructionError(x))).toBeLessThan(0.7)
  })

  test('steps are counted without the rows that are held out', async () => {
    const x = sampleRows(100, 4)
    const { epochs } = await new SparseAutoencoder({ inputs: 4, hidden: 2 }).fit(x, { validation: 0.4 })
    expect(epochs).toHaveLength(stepsFor(60).epochs)
  })
})

test('epochs or batchSize alone keep the default of the other', async () => {
  const x = sampleRows(40, 4)
  const model = () => new SparseAutoencoder({ inputs: 4, hidden: 2 })
  expect((await model().fit(x, { batchSize: 10 })).epochs).toHaveLength(20)
  const [alone, both] = [model(), model()]
  await alone.fit(x, { epochs: 3 })
  await both.fit(x, { epochs: 3, batchSize: 256 })
  expect(alone.parameters()).toEqual(both.parameters())
  const stack = new StackedAutoencoder({ inputs: 4, layers: [{ hidden: 3 }, { hidden: 2 }] })
  const histories = await stack.fit(x, { epochs: 2, layers: [{ batchSize: 8 }] })
  expect(histories.map(({ epochs }) => epochs.length)).toEqual([2, 2])
})

/** Squared errors as a part of the squared distances from the column means. */
function unexplained(x: Matrix, errors: Float64Array): number {
  let total = 0
  for (let j = 0; j < x.cols; j++) {
    const column = Array.from({ length: x.rows }, (_, i) => x.at(i, j))
    const mean = column.reduce((sum, value) => sum + value, 0) / x.rows
    total += column.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  }
  return errors.reduce((sum, error) => sum + error, 0) / total
}
