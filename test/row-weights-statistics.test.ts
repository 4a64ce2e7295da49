import { describe, expect, test } from 'vitest'
import { Matrix, MinMaxScaler, Pca, StandardScaler } from '../lib/index.js'
import { sampleRows } from './sample.js'
import { close, counts, INPUTS, often, ROWS, repeated, rowsOf, x } from './weighted-sample.js'

const precision = 'float64'

describe('whole-number weights give what repeated rows give', () => {
  test('a StandardScaler', async () => {
    const weighted = await new StandardScaler().fit(x, { rowWeights: counts })
    const expected = await new StandardScaler().fit(often)
    close(weighted.shift, expected.shift)
    close(weighted.factor, expected.factor)
  })

  test('a MinMaxScaler', async () => {
    const outlier = Matrix.from(
      x.data.map((value, k) => (k < 2 * INPUTS && k >= INPUTS ? 100 : value)),
      ROWS,
      INPUTS,
    )
    const weighted = await new MinMaxScaler().fit(outlier, { rowWeights: counts })
    const expected = await new MinMaxScaler().fit(often)
    expect([...weighted.shift, ...weighted.factor]).toEqual([...expected.shift, ...expected.factor])
  })

  test('a Pca from the whole covariance', async () => {
    const weighted = await new Pca({ precision }).fit(x, { rowWeights: counts })
    const expected = await new Pca({ precision }).fit(often)
    close(weighted.explainedVariance, expected.explainedVariance)
    close(weighted.components.data, expected.components.data)
    close(weighted.mean, expected.mean)
  })

  test('a Pca of many columns, by subspace iteration', async () => {
    const wide = sampleRows(ROWS, 2100)
    const weighted = await new Pca({ components: 2, precision }).fit(wide, { rowWeights: counts })
    const expected = await new Pca({ components: 2, precision }).fit(rowsOf(wide, repeated))
    close(weighted.explainedVariance, expected.explainedVariance)
    close(weighted.explainedVarianceRatio, expected.explainedVarianceRatio)
    close(weighted.components.data, expected.components.data)
  })

  test('a Pca of data with an offset far larger than its spread', async () => {
    const far = (rows: Matrix) =>
      Matrix.from(
        Float64Array.from(rows.data, (value) => 1e8 + Math.round(value * 1024) / 1024),
        rows.rows,
        INPUTS,
      )
    const weighted = await new Pca({ precision }).fit(far(x), { rowWeights: counts })
    const expected = await new Pca({ precision }).fit(far(often))
    close(weighted.explainedVariance, expected.explainedVariance)
  })
})
