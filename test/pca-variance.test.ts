import { describe, expect, test } from 'vitest'
import { Matrix, modelFromBytes, Pca, type Precision, StandardScaler } from '../lib/index.js'
import { expectError, thrown } from './refusal.js'
import { rejection, sampleRows } from './sample.js'
import { tolerances } from './tolerances.js'

const x = [
  [-0.89, 0.64, 0.25],
  [-3.26, -1.68, 0.2],
  [1.36, -0.44, -0.13],
  [0.89, 0.6, 0.53],
  [0.51, -0.02, -0.15],
  [2.11, -1.93, -0.52],
  [0.07, -1.42, -0.12],
  [-1.3, 0.67, 0.11],
]
/** Answers of scikit-learn 1.9.1: PCA, and EmpiricalCovariance.mahalanobis, which is the square. */
const ratios = [0.6991741450812285, 0.2918158261377218, 0.009010028781049546]
const squares = [
  ...[1.4030315019133672, 5.990953903844073, 0.8145395951213366, 6.245794180007811],
  ...[1.4260769458478602, 4.029552046563601, 0.9604380274478335, 3.129613799254152],
]
const near = tolerances.eigenJacobi.value
const precisions: readonly Precision[] = ['float32', 'float64']

describe('explainedVarianceRatio', () => {
  test('is each component’s share of all variance', async () => {
    const pca = await new Pca({ components: 2 }).fit(x)
    expect(pca.explainedVarianceRatio).toHaveLength(2)
    pca.explainedVarianceRatio.forEach((ratio, k) => {
      expect(Math.abs(ratio - ratios[k]!)).toBeLessThan(near)
      expect(ratio).toBe(pca.explainedVariance[k]! / pca.totalVariance)
    })
  })

  test('is 0 if all rows are equal', async () => {
    const pca = await new Pca().fit([
      [1, 2],
      [1, 2],
      [1, 2],
    ])
    expect([...pca.explainedVarianceRatio]).toEqual([0, 0])
  })
})

describe('a fraction for components', () => {
  test.each([
    [0.5, 1],
    [0.69, 1],
    [0.7, 2],
    [0.99, 2],
    [0.991, 3],
    [0.999, 3],
    [1 - 2 ** -53, 3],
    [Number.MIN_VALUE, 1],
  ])('of %d keeps the fewest that explain this part of the variance: %d', async (components, count) => {
    const pca = await new Pca({ components }).fit(x)
    expect(pca.components.rows).toBe(count)
    const whole = await new Pca({ components: count }).fit(x)
    expect(pca.components).toEqual(whole.components)
    expect(await pca.transform(x)).toEqual(await whole.transform(x))
  })

  test('is reached by an equal sum of variances', async () => {
    const cross = [
      [1, 0, 0, 0],
      [-1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, -1, 0, 0],
    ]
    expect((await new Pca({ components: 0.5 }).fit(cross)).components.rows).toBe(1)
    expect((await new Pca({ components: 0.51 }).fit(cross)).components.rows).toBe(2)
  })

  test('leaves out components whose variance is rounding, and keeps one if there is no variance', async () => {
    const line = Array.from({ length: 20 }, (_, i) => [i / 3, (2 * i) / 3, 1])
    expect((await new Pca({ components: 1 - 2 ** -53 }).fit(line)).components.rows).toBe(1)
    expect(
      (
        await new Pca({ components: 0.9 }).fit([
          [1, 2],
          [1, 2],
        ])
      ).components.rows,
    ).toBe(1)
  })

  test.each(precisions)('is kept as given in options and file, in %s', async (precision) => {
    for (const whiten of [false, 'pca', 'zca'] as const) {
      const scaling = await new StandardScaler().fit(x)
      const pca = await new Pca({ components: 0.95, whiten, scaling, precision }).fit(x)
      const again = (await modelFromBytes(await pca.toBytes())) as Pca
      expect(again.options).toEqual(pca.options)
      expect(again.options.components).toBe(0.95)
      expect(again.components).toEqual(pca.components)
      expect(await again.transform(x)).toEqual(await pca.transform(x))
      await again.fit(x)
      expect(again.components).toEqual(pca.components)
    }
  })

  test('is refused for more than 2,000 columns, whose variances are not all found', async () => {
    const wide = sampleRows(3, 2001)
    expectError(await rejection(new Pca({ components: 0.9 }).fit(wide)), 'ERR_ARGUMENT', 'components')
  })

  test.each([0, -0.5, 1.5, Number.NaN, Infinity, '0.9', 2 ** 31])('cannot be %s', (components) => {
    expectError(
      thrown(() => new Pca({ components: components as number })),
      'ERR_ARGUMENT',
      'components: expected a whole number of at least 1, or a fraction',
    )
  })
})

describe('mahalanobis', () => {
  const expectNear = (found: Float64Array, expected: readonly number[]) => {
    expect(found).toHaveLength(expected.length)
    found.forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(near)
    })
  }

  test.each(precisions)(
    'is the distance under the covariance of the fitted rows, in %s',
    async (precision) => {
      const standard = await new StandardScaler().fit(x)
      for (const whiten of [false, 'pca', 'zca'] as const) {
        for (const scaling of [undefined, standard]) {
          const pca = await new Pca({ whiten, scaling, precision }).fit(x)
          expectNear(await pca.mahalanobis(x), squares.map(Math.sqrt))
          const again = (await modelFromBytes(await pca.toBytes())) as Pca
          expect(await again.mahalanobis(x)).toEqual(await pca.mahalanobis(x))
        }
      }
    },
  )

  test('is the distance within the kept components', async () => {
    const pca = await new Pca({ components: 2 }).fit(x)
    const codes = await new Pca({ components: 2, precision: 'float64' }).fit(x).then((p) => p.transform(x))
    const expected = x.map((_, i) =>
      Math.hypot(...[0, 1].map((k) => codes.at(i, k) / Math.sqrt(pca.explainedVariance[k]!))),
    )
    expectNear(await pca.mahalanobis(x), expected)
  })

  test('ignores directions without variance', async () => {
    const flat = x.map(([a, b, c]) => [a!, b!, c!, 5])
    const pca = await new Pca().fit(flat)
    expectNear(await pca.mahalanobis(flat), squares.map(Math.sqrt))
    const away = x.map(([a, b, c]) => [a!, b!, c!, 7])
    expectNear(await pca.mahalanobis(away), squares.map(Math.sqrt))
  })

  test('is exact far from 0 in a model of float32', async () => {
    const far = x.map((row) => row.map((value) => value + 2 ** 30))
    const rounded = await new Pca({ precision: 'float32' }).fit(far)
    const distances = await rounded.mahalanobis(far)
    distances.forEach((distance, i) => {
      expect(Math.abs(distance - Math.sqrt(squares[i]!))).toBeLessThan(tolerances.besideAnOffset.value)
    })
  })

  test('is refused before fit, for other rows, and if it overflows', async () => {
    expectError(await rejection(new Pca().mahalanobis(x)), 'ERR_STATE', 'not fitted')
    const pca = await new Pca().fit(x)
    expectError(await rejection(pca.mahalanobis([[1, 2]])), 'ERR_SHAPE', 'x')
    expectError(await rejection(pca.mahalanobis([[1, 2, Number.NaN]])), 'ERR_RANGE', 'row 0, column 2')
    expectError(
      await rejection(
        pca.mahalanobis([
          [1, 2, 3],
          [1e300, 2, 3],
        ]),
      ),
      'ERR_RANGE',
      'row 1',
    )
    const reason = new Error('no')
    expect(await rejection(pca.mahalanobis(x, { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })

  test('accepts any kind of rows', async () => {
    const pca = await new Pca().fit(x)
    expect(await pca.mahalanobis(Matrix.fromRows(x))).toEqual(await pca.mahalanobis(x))
    expect(await pca.mahalanobis(Float64Array.from(x.flat()))).toEqual(await pca.mahalanobis(x))
  })
})
