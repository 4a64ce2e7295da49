import { describe, expect, test } from 'vitest'
import {
  LinearAutoencoder,
  type LinearAutoencoderOptions,
  linearOptimum,
  Matrix,
  Pca,
  principalAngles,
  principalAxes,
  SparseAutoencoder,
} from '../lib/index.js'
import { correlatedRows, orthogonal, product } from './correlated-rows.js'
import { expectError, thrown } from './refusal.js'
import { rejection } from './sample.js'
import { tolerances } from './tolerances.js'

const { angleOfFloat64, subspaceAngle, errorGap, squaredSingularValue, handComputed } = tolerances

/** Trained in float64 on centred rows until nothing is left to gain. */
async function trained(
  x: Matrix,
  options: Partial<LinearAutoencoderOptions<'float64'>> & { hidden: number },
): Promise<LinearAutoencoder<'float64'>> {
  const model = new LinearAutoencoder({ inputs: x.cols, center: true, precision: 'float64', ...options })
  await model.fit(x, { optimizer: { kind: 'lbfgs', maxIterations: 2000, tolerance: 0 } })
  return model
}

const components = async (x: Matrix) => new Pca({ precision: 'float64' }).fit(x)

/** The largest angle between what the model's decoder spans and the leading components. */
async function angleTo(
  model: LinearAutoencoder<'float64'>,
  pca: Pca<'float64'>,
  count: number,
): Promise<number> {
  const { vectors } = await principalAxes(model)
  const angles = await principalAngles(vectors.slice(0, count), pca.components.slice(0, count))
  return angles.at(-1)!
}

describe('principal angles', () => {
  const [e1, e2, e3] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]

  test('are 0 between equal subspaces, for any rows that span them', async () => {
    const [a, b] = [e1!, e2!]
    const angles = await principalAngles(
      [a, b],
      [a.map((value, j) => 3 * value - b[j]!), b.map((value) => -1e-5 * value)],
    )
    expect(angles).toHaveLength(2)
    for (const angle of angles) expect(angle).toBeLessThan(angleOfFloat64.value)
  })

  test('are right angles between orthogonal subspaces', async () => {
    expect([...(await principalAngles([e1!], [e2!, e3!]))]).toEqual([Math.PI / 2])
  })

  test.each([1e-12, 1e-8, 1e-3, 0.5, Math.PI / 4, 1, Math.PI / 2 - 1e-8])(
    'are accurate to the last digits, small or large: %d',
    async (angle) => {
      const turned = [Math.cos(angle), Math.sin(angle), 0]
      const [zero, found] = await principalAngles([e3!, e1!], [turned, e3!])
      expect(zero).toBeLessThan(angleOfFloat64.value)
      expect(Math.abs(found! - angle)).toBeLessThan(angleOfFloat64.value)
    },
  )

  test('of random subspaces do not change under a rotation of the space, in either order', async () => {
    const [a, b, q] = [
      correlatedRows(2, 7).toArray(),
      correlatedRows(4, 7, { seed: 2 }).toArray(),
      orthogonal(7),
    ]
    const angles = await principalAngles(a, b)
    expect(angles).toHaveLength(2)
    expect(angles[0]).toBeLessThan(angles[1]!)
    for (const same of [await principalAngles(product(a, q), product(b, q)), await principalAngles(b, a)]) {
      same.forEach((angle, i) => {
        expect(Math.abs(angle - angles[i]!)).toBeLessThan(angleOfFloat64.value)
      })
    }
  })

  test('are as many as the smaller subspace has dimensions: dependent rows add nothing', async () => {
    expect(await principalAngles([e1!, e1!, e2!], [e1!, e2!, e3!])).toHaveLength(2)
    expect(await principalAngles([[0, 0, 0]], [e1!])).toHaveLength(0)
  })

  test('do not depend on the length of rows, however large or small', async () => {
    const a = [1, 1, 0]
    for (const length of [1e-200, 1, 1e200]) {
      const [angle] = await principalAngles([a.map((value) => value * length)], [e1!])
      expect(Math.abs(angle! - Math.PI / 4)).toBeLessThan(angleOfFloat64.value)
    }
  })

  test('are computed in slices, between which other events are served', async () => {
    let [turns, done] = [0, false]
    const turn = () => {
      turns++
      if (!done) setImmediate(turn)
    }
    setImmediate(turn)
    await principalAngles(correlatedRows(20, 60), correlatedRows(20, 60, { seed: 2 }))
    done = true
    // A sweep over one of the bases takes two slices, and one over both some sweeps.
    expect(turns).toBeGreaterThan(4)
  })

  test('refuse rows of different widths, no rows, flat arrays, and NaN', async () => {
    expectError(
      await rejection(
        principalAngles(
          [[1, 2]],
          [
            [1, 2],
            [3, Number.NaN],
          ],
        ),
      ),
      'ERR_RANGE',
      'row 1, column 1',
    )
    expectError(await rejection(principalAngles([[1, 2]], [[1, 2, 3]])), 'ERR_SHAPE', 'b: expected 2 columns')
    expectError(await rejection(principalAngles([], [[1]])), 'ERR_SHAPE', 'a')
    expectError(await rejection(principalAngles(new Float64Array(3) as never, [[1]])), 'ERR_ARGUMENT', 'a')
  })
})

describe('the optimum of a linear autoencoder', () => {
  const w = [4, 2, 0.5, 0.1]

  test('without decay costs half of the variance not kept', () => {
    const { total, loss, weightDecay, singularValues } = linearOptimum(w, { hidden: 2 })
    expect([total, loss, weightDecay, ...singularValues]).toEqual([0.3, 0.3, 0, 1, 1])
  })

  test('with decay shrinks each direction, and drops those of small variance', () => {
    const tied = linearOptimum(w, { hidden: 4, weightDecay: 0.4 })
    expect([...tied.singularValues.map((s) => s ** 2)].map((square) => +square.toFixed(12))).toEqual([
      0.95, 0.9, 0.6, 0,
    ])
    const untied = linearOptimum(w, { hidden: 4, weightDecay: 0.4, tied: false })
    expect([...untied.singularValues.map((s) => s ** 2)].map((square) => +square.toFixed(12))).toEqual([
      0.9, 0.8, 0.2, 0,
    ])
    // ½ Σ w (1 − s²)² + λ/2 Σ s² for each matrix, at s² = 0.9, 0.8, 0.2, 0
    expect(untied.loss).toBeCloseTo((4 * 0.01 + 2 * 0.04 + 0.5 * 0.64 + 0.1) / 2, 12)
    expect(untied.weightDecay).toBeCloseTo(0.4 * 1.9, 12)
    expect(untied.total).toBeCloseTo(untied.loss + untied.weightDecay, 12)
  })

  test('has singular values 0 for hidden units beyond the number of directions', () => {
    expect([...linearOptimum([1, 0], { hidden: 3 }).singularValues]).toEqual([1, 0, 0])
  })

  test('refuses variances that rise or are negative, and bad options', () => {
    expectError(
      thrown(() => linearOptimum([1, 2], { hidden: 1 })),
      'ERR_ARGUMENT',
      'variances[1]',
    )
    expectError(
      thrown(() => linearOptimum([-1], { hidden: 1 })),
      'ERR_ARGUMENT',
      'variances[0]',
    )
    for (const none of [null, 3, 'w', {}]) {
      expectError(
        thrown(() => linearOptimum(none as never, { hidden: 1 })),
        'ERR_ARGUMENT',
        'variances: expected an array of numbers',
      )
    }
    expectError(
      thrown(() => linearOptimum(BigInt64Array.of(1n) as never, { hidden: 1 })),
      'ERR_ARGUMENT',
      'variances[0]',
    )
    expectError(
      thrown(() => linearOptimum([1], { hidden: 0 })),
      'ERR_ARGUMENT',
      'hidden',
    )
    expectError(
      thrown(() => linearOptimum([1], { hidden: 1, beta: 1 } as never)),
      'ERR_ARGUMENT',
      "'beta'",
    )
  })
})

describe('principal axes', () => {
  test.each([1e250, 1e-250])('do not depend on the size of the weights: %d', async (size) => {
    const model = new LinearAutoencoder({ inputs: 4, hidden: 2, precision: 'float64' })
    const plain = await principalAxes(model)
    model.setParameters(model.parameters().map((weight) => weight * size))
    const { values, vectors } = await principalAxes(model)
    expect(await principalAngles(vectors, plain.vectors)).toSatisfy((angles: Float64Array) =>
      angles.every((angle) => angle < angleOfFloat64.value),
    )
    values.forEach((value, i) => {
      expect(value / size).toBeCloseTo(plain.values[i]!, 12)
    })
  })

  test('are refused for a value that is no model, or has nonlinear layers', async () => {
    const sigmoid = new SparseAutoencoder({ inputs: 3, hidden: 2 })
    for (const model of [null, {}, { layers: [] }, { layers: [{ activation: 'identity' }] }, sigmoid]) {
      expectError(await rejection(principalAxes(model as never)), 'ERR_ARGUMENT', 'model')
    }
  })
})

describe('trained without decay', () => {
  test.each([
    ['tied', true, 100, 8, 3],
    ['untied', false, 100, 8, 3],
    ['tied, wider', true, 200, 20, 6],
    ['untied, of one hidden unit', false, 60, 12, 1],
    ['tied, fewer rows than columns', true, 9, 14, 4],
    ['untied, fewer rows than columns', false, 9, 14, 4],
  ])(
    'a model spans the leading components and loses the other variance: %s',
    async (_, tied, m, n, hidden) => {
      const x = correlatedRows(m, n)
      const [pca, model] = [await components(x), await trained(x, { hidden, tied })]
      expect(await angleTo(model, pca, hidden)).toBeLessThan(subspaceAngle.value)
      const { total } = linearOptimum(pca.explainedVariance, { hidden })
      expect(Math.abs((await model.cost(x)).total - total) / total).toBeLessThan(errorGap.value)
    },
  )

  test('a model does not find the axes, and no row of W is one', async () => {
    const x = correlatedRows(100, 8)
    const [pca, model] = [await components(x), await trained(x, { hidden: 3 })]
    for (const row of model.layers[0]!.weights.toArray()) {
      const [angle] = await principalAngles([row], pca.components.slice(0, 1))
      expect(angle).toBeGreaterThan(0.05)
    }
    for (const value of (await principalAxes(model)).values) expect(value).toBeCloseTo(1, 6)
  })

  test('a rotation of W by an orthogonal matrix changes neither cost nor reconstruction', async () => {
    const x = correlatedRows(30, 6)
    const model = new LinearAutoencoder({ inputs: 6, hidden: 4, precision: 'float64', weightDecay: 0.1 })
    const [cost, y] = [await model.cost(x), await model.reconstruct(x)]
    const turned = product(orthogonal(4), model.layers[0]!.weights.toArray())
    model.setParameters(Float64Array.from(turned.flat()))
    expect(Math.abs((await model.cost(x)).total - cost.total)).toBeLessThan(handComputed.value * cost.total)
    const again = await model.reconstruct(x)
    again.data.forEach((value, i) => {
      expect(Math.abs(value - y.data[i]!)).toBeLessThan(handComputed.value)
    })
  })
})

describe('trained with decay', () => {
  test.each([
    ['tied', true, 100, 8, 5, 0.01],
    ['untied', false, 100, 8, 5, 0.01],
    ['tied, fewer rows than columns', true, 6, 12, 8, 1e-3],
    ['untied, more hidden units than columns', false, 80, 5, 9, 0.005],
    ['tied, of one column', true, 40, 1, 1, 0.01],
    ['untied, of one column', false, 40, 1, 2, 0.01],
  ])('a model finds each axis, shrunk as computed: %s', async (_, tied, m, n, hidden, weightDecay) => {
    const x = correlatedRows(m, n)
    const [pca, model] = [await components(x), await trained(x, { hidden, tied, weightDecay })]
    const optimum = linearOptimum(pca.explainedVariance, { hidden, weightDecay, tied })
    const { values, vectors } = await principalAxes(model)
    const kept = optimum.singularValues.filter((s) => s > 0).length
    expect(kept).toBeGreaterThan(0)
    for (const [i, s] of optimum.singularValues.entries()) {
      expect(Math.abs((values[i] ?? 0) ** 2 - s ** 2)).toBeLessThan(squaredSingularValue.value)
      if (s === 0) continue
      const [angle] = await principalAngles(vectors.row(i), pca.components.row(i))
      expect(angle).toBeLessThan(subspaceAngle.value)
    }
    const { total } = await model.cost(x)
    expect(Math.abs(total - optimum.total) / optimum.total).toBeLessThan(errorGap.value)
  })

  test('directions with w ≤ λ vanish untied, with w ≤ λ/2 tied', async () => {
    const x = correlatedRows(100, 8)
    const pca = await components(x)
    const weightDecay = 1.5 * pca.explainedVariance[2]!
    expect(weightDecay).toBeLessThan(2 * pca.explainedVariance[2]!)
    const dimensions = async (tied: boolean) =>
      (await principalAxes(await trained(x, { hidden: 6, tied, weightDecay }))).values.filter((s) => s > 1e-3)
        .length
    const above = (least: number) => pca.explainedVariance.filter((w) => w > least).length
    expect(await dimensions(false)).toBe(above(weightDecay))
    expect(await dimensions(true)).toBe(above(weightDecay / 2))
    expect(above(weightDecay / 2)).toBeGreaterThan(above(weightDecay))
  })

  test('all directions vanish if λ is too large: W becomes 0', async () => {
    const x = correlatedRows(50, 4)
    const model = await trained(x, { hidden: 2, weightDecay: 10 })
    const { loss } = await model.cost(x)
    expect(loss).toBeCloseTo((await components(x)).totalVariance / 2, 10)
  })
})

describe('data without variance in some directions', () => {
  /** Ten columns of rank 3, one of them constant. */
  function deficient(): Matrix<Float64Array> {
    const rows = correlatedRows(40, 3).toArray()
    const mix = correlatedRows(3, 9, { seed: 5, falloff: 1, offset: 0 }).toArray()
    return Matrix.from(Float64Array.from(product(rows, mix).flatMap((row) => [...row, 7])), 40, 10)
  }

  test.each([
    ['as many hidden units as dimensions', 3],
    ['more hidden units than dimensions', 5],
    ['as many hidden units as columns', 10],
    ['more hidden units than columns', 13],
  ])('is reconstructed without loss, and undetermined parts of W do not change: %s', async (_, hidden) => {
    const x = deficient()
    const pca = await components(x)
    expect(pca.explainedVariance.filter((w) => w > 0)).toHaveLength(3)
    for (const tied of [true, false]) {
      const model = await trained(x, { hidden, tied })
      expect((await model.cost(x)).loss).toBeLessThan(errorGap.value * pca.totalVariance)
      // The span of the data is contained in that of the decoder.
      const angles = await principalAngles((await principalAxes(model)).vectors, pca.components.slice(0, 3))
      expect(angles.at(-1)).toBeLessThan(subspaceAngle.value)
    }
  })

  test('leaves only its own directions if weights decay', async () => {
    const x = deficient()
    const pca = await components(x)
    const weightDecay = pca.explainedVariance[2]! / 10
    const model = await trained(x, { hidden: 10, weightDecay })
    const { values } = await principalAxes(model)
    const optimum = linearOptimum(pca.explainedVariance, { hidden: 10, weightDecay })
    expect(optimum.singularValues.filter((s) => s > 0)).toHaveLength(3)
    values.forEach((s, i) => {
      expect(Math.abs(s ** 2 - optimum.singularValues[i]! ** 2)).toBeLessThan(squaredSingularValue.value)
    })
  })
})

test('principalAxes refuses a model that is not linear', async () => {
  const model = new SparseAutoencoder({ inputs: 3, hidden: 2 })
  expectError(
    await rejection(principalAxes(model)),
    'ERR_ARGUMENT',
    "model: expected linear layers, received 'sigmoid'",
  )
})
