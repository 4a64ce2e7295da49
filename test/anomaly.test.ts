import { describe, expect, test } from 'vitest'
import { LinearAutoencoder, Matrix, Pca, rocAuc, SparseAutoencoder } from '../lib/index.js'
import { seeded } from './oracle/points.js'
import { tolerances } from './tolerances.js'

describe('reconstruction errors', () => {
  const columns = 8
  const random = seeded(1)
  const patterns = [0, 1].map(() => Array.from({ length: columns }, () => 0.2 + 0.6 * random()))

  /** Mixtures of two patterns; an anomaly has one column that does not belong. */
  function rows(m: number, oddColumn?: number): Matrix<Float64Array> {
    const data = new Float64Array(m * columns)
    for (let i = 0; i < m; i++) {
      const share = random()
      for (let j = 0; j < columns; j++) {
        data[i * columns + j] = share * patterns[0]![j]! + (1 - share) * patterns[1]![j]! + 0.01 * random()
      }
      if (oddColumn !== undefined) data[i * columns + oddColumn]! += 0.4
    }
    return Matrix.from(data, m, columns)
  }

  const normal = rows(300)
  const lbfgs = { optimizer: { kind: 'lbfgs', maxIterations: 200 } } as const

  test.each([
    ['Pca', async () => new Pca({ components: 1 }).fit(normal)],
    [
      'LinearAutoencoder',
      async () => {
        const model = new LinearAutoencoder({ inputs: columns, hidden: 1, center: true })
        await model.fit(normal, lbfgs)
        return model
      },
    ],
    [
      'SparseAutoencoder',
      async () => {
        const model = new SparseAutoencoder({ inputs: columns, hidden: 2 })
        await model.fit(normal, lbfgs)
        return model
      },
    ],
  ])('of a %s are largest for anomalous rows, and in their anomalous column', async (_, make) => {
    const model = await make()
    const [ordinary, odd] = [rows(50), rows(50, 3)]
    const scores = [...(await model.reconstructionError(ordinary)), ...(await model.reconstructionError(odd))]
    const isAnomaly = scores.map((_, i) => i >= 50)
    expect(rocAuc(scores, isAnomaly)).toBe(1)
    const squares = await model.reconstructionErrorPerFeature(odd)
    for (const row of squares.toArray()) expect(row.indexOf(Math.max(...row))).toBe(3)
    squares.toArray().forEach((row, i) => {
      const sum = row.reduce((total, square) => total + square)
      expect(Math.abs(sum - scores[50 + i]!)).toBeLessThan(tolerances.float32Activation.value)
    })
  })
})
