import { describe, expect, test } from 'vitest'
import { withOutliers } from '../examples/norms/outliers.js'
import { type Loss, Matrix, SparseAutoencoder } from '../lib/index.js'
import { tolerances } from './tolerances.js'

describe('outliers', () => {
  const x = Matrix.from(new Uint8Array(20_000).fill(51), 100, 200, { scale: 1 / 255 })

  test('replace the given share of values, black and white equally often, and keep the others', () => {
    const { data } = withOutliers(x, 0.1, 1)
    const count = (value: number) => data.filter((one) => one === value).length
    expect(count(Math.fround(0.2))).toBe(20_000 - count(0) - count(1))
    const error = Math.sqrt(20_000 * 0.05 * 0.95)
    for (const value of [0, 1]) {
      expect(Math.abs(count(value) - 1000)).toBeLessThan(tolerances.standardErrors.value * error)
    }
  })

  test('are the same for the same seed, and different for another', () => {
    expect(withOutliers(x, 0.1, 1)).toEqual(withOutliers(x, 0.1, 1))
    expect(withOutliers(x, 0.1, 1)).not.toEqual(withOutliers(x, 0.1, 2))
  })
})

describe('the best reconstruction of a value that is independent of the code', () => {
  // The hidden unit is dead: what is left to learn is one number for all rows, of which a fifth are outliers.
  const m = 100
  const column = Matrix.from(
    Float64Array.from({ length: m }, (_, i) => (i % 5 === 0 ? 0.9 : 0.3)),
    m,
    1,
  )
  const network = (loss: Loss) =>
    new SparseAutoencoder({
      inputs: 1,
      hidden: 1,
      activation: 'relu',
      outputActivation: 'sigmoid',
      loss,
      precision: 'float64',
    })

  async function settled(loss: Loss): Promise<SparseAutoencoder<'float64'>> {
    const model = network(loss)
    model.setParameters(Float64Array.of(0, -1, 0, 0))
    await model.fit(column, {
      optimizer: { kind: 'gradientDescent' },
      batchSize: 'all',
      epochs: 400,
      learningRate: { kind: 'cosine', rate: 1 },
    })
    return model
  }

  test.each<[Loss, string, number]>([
    ['squared', 'mean', 0.42],
    ['crossEntropy', 'mean', 0.42],
    ['absolute', 'median', 0.3],
    // In one dimension the euclidean norm is the absolute value.
    ['euclidean', 'median', 0.3],
  ])('under %s it is the %s', async (loss, _, expected) => {
    const { data } = await (await settled(loss)).reconstruct(column)
    for (const value of data) expect(Math.abs(value - expected)).toBeLessThan(tolerances.settledValue.value)
  })

  test('is best in its own measure', async () => {
    const losses = ['squared', 'absolute'] as const
    const models = await Promise.all(losses.map(settled))
    for (const [i, loss] of losses.entries()) {
      const measure = network(loss)
      const measured = []
      for (const model of models) {
        measured.push((await measure.cost(column, { parameters: model.parameters() })).loss)
      }
      expect(measured[i]).toBe(Math.min(...measured))
    }
  })
})
