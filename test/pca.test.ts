import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSafetensors, type Tensor, writeSafetensors } from '../lib/data/safetensors.js'
import { LayerwiseError, loadModel, Matrix, Pca, type PcaOptions, StandardScaler } from '../lib/index.js'
import { correlatedRows as rows } from './correlated-rows.js'
import { jacobiEigen } from './oracle/eigen.js'
import { seeded } from './oracle/points.js'
import { expectError, thrown } from './refusal.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'
import { tolerances } from './tolerances.js'

const { eigenJacobi, whitenedCovariance, float32Activation, subspaceResidual } = tolerances

/** Mean and covariance by their definitions, and Jacobi's eigenvectors. */
function oracle(x: number[][]): { mean: number[]; values: Float64Array; vectors: Float64Array } {
  const [m, n] = [x.length, x[0]!.length]
  const mean = Array.from({ length: n }, (_, j) => x.reduce((sum, row) => sum + row[j]! / m, 0))
  const values = jacobiEigen(covarianceOf(x), n)
  return { mean, ...values }
}

function covarianceOf(x: number[][]): Float64Array {
  const [m, n] = [x.length, x[0]!.length]
  const mean = Array.from({ length: n }, (_, j) => x.reduce((sum, row) => sum + row[j]! / m, 0))
  const covariance = new Float64Array(n * n)
  for (const row of x) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) covariance[j * n + k]! += ((row[j]! - mean[j]!) * (row[k]! - mean[k]!)) / m
    }
  }
  return covariance
}

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, within: number): void {
  expect(actual.length).toBe(expected.length)
  let worst = 0
  for (let i = 0; i < actual.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!))
  expect(worst).toBeLessThanOrEqual(within)
}

async function fitted(x: Matrix | number[][], options: PcaOptions<'float64'> = {}): Promise<Pca<'float64'>> {
  return new Pca({ precision: 'float64', ...options }).fit(x)
}

describe('components, variances and mean', () => {
  test.each([
    ['more rows than columns', 200, 9],
    ['fewer rows than columns', 5, 9],
    ['one column', 40, 1],
    ['one row', 1, 4],
  ])('are those of an independent decomposition: %s', async (_, m, n) => {
    const x = rows(m, n)
    const pca = await fitted(x)
    const expected = oracle(x.toArray())
    const scale = expected.values[0]!
    expectNear(pca.mean, expected.mean, eigenJacobi.value)
    expectNear(pca.explainedVariance, expected.values, eigenJacobi.value * scale)
    expect(pca.totalVariance).toBeCloseTo(
      expected.values.reduce((sum, value) => sum + value),
      12,
    )
    const { rows: k, cols } = pca.components
    expect([k, cols]).toEqual([n, n])
    const rank = Math.min(m - 1, n)
    for (let i = 0; i < rank; i++) {
      expectNear(
        pca.components.row(i).data,
        expected.vectors.subarray(i * n, (i + 1) * n),
        1e3 * eigenJacobi.value,
      )
    }
    expect([...pca.explainedVariance.subarray(rank)]).toEqual(Array(n - rank).fill(0))
  })

  test('are the first ones of all if fewer are requested', async () => {
    const x = rows(100, 8)
    const [all, three] = [await fitted(x), await fitted(x, { components: 3 })]
    expect(three.components).toEqual(Matrix.from(all.components.data.slice(0, 3 * 8), 3, 8))
    expect(three.explainedVariance).toEqual(all.explainedVariance.slice(0, 3))
    expect(three.totalVariance).toBe(all.totalVariance)
  })

  test('have their entry of largest absolute value positive', async () => {
    const { components } = await fitted(rows(60, 12))
    for (const vector of components.toArray()) {
      expect(Math.max(...vector)).toBe(Math.max(...vector.map(Math.abs)))
    }
  })

  test('are the same of bytes with a scale, of floats, and of an array of rows', async () => {
    const random = seeded(1)
    const bytes = Matrix.from(
      Uint8Array.from({ length: 50 * 6 }, () => 256 * random()),
      50,
      6,
      { scale: 1 / 256 },
    )
    const floats = Matrix.from(
      Float32Array.from(bytes.data, (byte) => byte / 256),
      50,
      6,
    )
    const [a, b, c] = [await fitted(bytes), await fitted(floats), await fitted(bytes.toArray())]
    expect(b.components).toEqual(a.components)
    expect(c.components).toEqual(a.components)
    expect(c.explainedVariance).toEqual(a.explainedVariance)
  })

  test('are without variance in constant columns', async () => {
    const x = rows(40, 3)
      .toArray()
      .map(([a, b, c]) => [a!, 7, b!, c!, -0.1])
    const pca = await fitted(x)
    expect([...pca.explainedVariance.subarray(3)]).toEqual([0, 0])
    const constant = await fitted([
      [1, 2],
      [1, 2],
    ])
    expect([...constant.explainedVariance]).toEqual([0, 0])
    expect((await constant.transform([[1, 2]])).toArray()).toEqual([[0, 0]])
  })

  test('of scaled data are those of the data after scaling', async () => {
    const x = rows(80, 5)
    const scaling = await new StandardScaler().fit(x)
    const [inside, outside] = [await fitted(x, { scaling }), await fitted(await scaling.transform(x))]
    expectNear(inside.explainedVariance, outside.explainedVariance, eigenJacobi.value)
    expectNear(
      (await inside.transform(x)).data,
      (await outside.transform(await scaling.transform(x))).data,
      eigenJacobi.value,
    )
    expectNear((await inside.inverseTransform(await inside.transform(x))).data, x.data, eigenJacobi.value)
  })

  test('do not depend on the number of threads', async () => {
    const x = rows(700, 150, { falloff: 0.99 })
    const one = await new Pca().fit(x, { threads: 1 })
    const three = await new Pca().fit(x, { threads: 3 })
    expect(three.components).toEqual(one.components)
    expect(three.explainedVariance).toEqual(one.explainedVariance)
  })
})

describe('transform', () => {
  test('gives the coordinates along the components, and inverseTransform the rows again', async () => {
    const x = rows(50, 7)
    const pca = await fitted(x)
    const codes = await pca.transform(x)
    const [row] = x.toArray()
    const expected = pca.components
      .toArray()
      .map((v) => v.reduce((sum, e, j) => sum + e * (row![j]! - pca.mean[j]!), 0))
    expectNear(codes.row(0).data, expected, eigenJacobi.value)
    expectNear((await pca.inverseTransform(codes)).data, x.data, eigenJacobi.value)
  })

  test('computes in the precision of the model', async () => {
    const x = rows(50, 7)
    const [single, double] = [await new Pca({ components: 3 }).fit(x), await fitted(x, { components: 3 })]
    const codes = await single.transform(x)
    expect(codes.data).toBeInstanceOf(Float32Array)
    expectNear(codes.data, (await double.transform(x)).data, float32Activation.value)
  })

  test('accepts rows it was not fitted on, also flat ones', async () => {
    const pca = await fitted(rows(50, 7), { components: 2 })
    const other = rows(3, 7, { seed: 2 })
    expect(await pca.transform(other.data)).toEqual(await pca.transform(other))
  })

  test('loses exactly the variances of the omitted components', async () => {
    const x = rows(90, 8)
    const pca = await fitted(x, { components: 3 })
    const left = pca.totalVariance - pca.explainedVariance.reduce((sum, value) => sum + value)
    const errors = await pca.reconstructionError(x)
    expect(errors.reduce((sum, error) => sum + error) / x.rows).toBeCloseTo(left, 12)
    const squares = await pca.reconstructionErrorPerFeature(x)
    expectNear(
      squares.toArray().map((row) => row.reduce((sum, square) => sum + square)),
      errors,
      eigenJacobi.value,
    )
    const back = await pca.inverseTransform(await pca.transform(x))
    expectNear(
      squares.data,
      back.data.map((y, i) => (y - x.data[i]!) ** 2),
      eigenJacobi.value,
    )
  })
})

describe('whitening', () => {
  test('is refused if float32 cannot hold the inverse of a root, and works in float64', async () => {
    const constant = [[3], [3]]
    const whitening = { whiten: 'pca', epsilon: 1e-300 } as const
    expectError(await rejection(new Pca(whitening).fit(constant)), 'ERR_RANGE', "precision 'float64'")
    const pca = await new Pca({ ...whitening, precision: 'float64' }).fit(constant)
    expect((await pca.transform([[4]])).data[0]).toBeCloseTo(1e150, -140)
  })

  const epsilon = 1e-3

  test('gives the covariance diag(w / (w + ε)) along the components', async () => {
    const x = rows(120, 6)
    const pca = await fitted(x, { whiten: 'pca', epsilon })
    const codes = await pca.transform(x)
    const expected = new Float64Array(36)
    pca.explainedVariance.forEach((w, i) => {
      expected[i * 7] = w / (w + epsilon)
    })
    expectNear(covarianceOf(codes.toArray()), expected, whitenedCovariance.value)
    expectNear((await pca.inverseTransform(codes)).data, x.data, whitenedCovariance.value)
  })

  test('as ZCA gives V diag(w / (w + ε)) Vᵀ, in the columns of the data', async () => {
    const x = rows(120, 6)
    const pca = await fitted(x, { whiten: 'zca', epsilon, components: 4 })
    const codes = await pca.transform(x)
    expect(codes.cols).toBe(6)
    const expected = new Float64Array(36)
    pca.components.toArray().forEach((v, i) => {
      const share = pca.explainedVariance[i]! / (pca.explainedVariance[i]! + epsilon)
      for (let j = 0; j < 6; j++) for (let k = 0; k < 6; k++) expected[j * 6 + k]! += share * v[j]! * v[k]!
    })
    expectNear(covarianceOf(codes.toArray()), expected, whitenedCovariance.value)
    const plain = await fitted(x, { components: 4 })
    expectNear(
      (await pca.inverseTransform(codes)).data,
      (await plain.inverseTransform(await plain.transform(x))).data,
      whitenedCovariance.value,
    )
    expectNear(await pca.reconstructionError(x), await plain.reconstructionError(x), whitenedCovariance.value)
  })

  test.each(['pca', 'zca'] as const)(
    'as %s gives the identity if ε is 0 and the rank is full',
    async (whiten) => {
      const x = rows(120, 6)
      const codes = await (await fitted(x, { whiten })).transform(x)
      const identity = Float64Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 1 : 0))
      expectNear(covarianceOf(codes.toArray()), identity, whitenedCovariance.value)
    },
  )

  test.each(['pca', 'zca'] as const)(
    'as %s with ε 0 maps directions without variance to 0',
    async (whiten) => {
      const x = rows(60, 3)
        .toArray()
        .map(([a, b, c]) => [a!, b!, c!, a! + b!, 5])
      const pca = await fitted(x, { whiten })
      expect([...pca.explainedVariance.subarray(3)]).toEqual([0, 0])
      const moved = x.map((row) => [...row.slice(0, 4), row[4]! + 1])
      const codes = await pca.transform(moved)
      expectNear(codes.data, (await pca.transform(x)).data, whitenedCovariance.value)
      if (whiten === 'pca') expect(codes.toArray().every((row) => row[3] === 0 && row[4] === 0)).toBe(true)
      expectNear((await pca.inverseTransform(codes)).data, x.flat(), whitenedCovariance.value)
      const errors = await pca.reconstructionError(moved)
      expectNear(errors, Array(60).fill(1), whitenedCovariance.value)
    },
  )
})

describe('more than 2,000 columns', () => {
  const wide = rows(20, 2001, { falloff: 0.998, offset: 1 })

  test('give the leading directions of the full decomposition', async () => {
    // XXᵀ/m has the eigenvalues of XᵀX/m that are not 0, and is small.
    const pca = await fitted(wide, { components: 6 })
    const m = wide.rows
    const centred = wide.toArray().map((row) => row.map((value, j) => value - pca.mean[j]!))
    const gram = new Float64Array(m * m)
    for (let i = 0; i < m; i++) {
      for (let k = 0; k < m; k++)
        gram[i * m + k] = centred[i]!.reduce((sum, value, j) => sum + value * centred[k]![j]!, 0) / m
    }
    const { values, vectors } = jacobiEigen(gram, m)
    expectNear(pca.explainedVariance, values.subarray(0, 6), subspaceResidual.value * values[0]!)
    expect(pca.totalVariance).toBeCloseTo(
      values.reduce((sum, value) => sum + value),
      10,
    )
    // XXᵀu = mwu, so that Xᵀu / √(mw) is a principal direction.
    pca.components.toArray().forEach((direction, i) => {
      const u = vectors.subarray(i * m, (i + 1) * m)
      const along = direction.reduce(
        (sum, value, j) => sum + value * u.reduce((inner, weight, r) => inner + weight * centred[r]![j]!, 0),
        0,
      )
      expect(Math.abs(along) / Math.sqrt(m * values[i]!)).toBeCloseTo(1, 12)
      expect(Math.max(...direction)).toBe(Math.max(...direction.map(Math.abs)))
    })
  })

  test('do not depend on the number of threads', async () => {
    const one = await new Pca({ components: 2 }).fit(wide, { threads: 1 })
    const three = await new Pca({ components: 2 }).fit(wide, { threads: 3 })
    expect(three.components).toEqual(one.components)
  })

  test('need a number of components', async () => {
    const error = await rejection(new Pca().fit(wide))
    expectError(
      error,
      'ERR_ARGUMENT',
      'components: expected how many are wanted, a whole number, of rows of more than 2000 columns',
    )
  })

  test('can be aborted', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const fit = new Pca({ components: 3 }).fit(wide, { signal: controller.signal })
    controller.abort(reason)
    expect(await rejection(fit)).toBe(reason)
  })
})

describe('a file', () => {
  const folder = temporaryFolder()

  test.each([
    ['plain', {}],
    ['whitened', { components: 3, whiten: 'pca', epsilon: 0.1 }],
    ['zca in float64', { whiten: 'zca', precision: 'float64' }],
  ] as const)('restores the same model: %s', async (_, options) => {
    const x = rows(40, 5)
    const scaling = await new StandardScaler().fit(x)
    const pca = await new Pca({ ...options, scaling }).fit(x)
    const path = join(folder, 'pca.safetensors')
    await pca.save(path)
    const loaded = await Pca.load(path)
    expect(await loaded.transform(x)).toEqual(await pca.transform(x))
    expect(await loaded.reconstructionError(x)).toEqual(await pca.reconstructionError(x))
    expect(loaded.components).toEqual(pca.components)
    expect(loaded.totalVariance).toBe(pca.totalVariance)
    expect(await loadModel(path)).toBeInstanceOf(Pca)
  })

  test.each<[string, (file: { tensors: Tensor[]; entry: Record<string, unknown> }) => void, string]>([
    ['a tensor too few', ({ tensors }) => tensors.splice(0, 1), "it has no tensor 'mean'"],
    [
      'another number of components',
      ({ entry }) => Object.assign(entry, { options: { components: 2 } }),
      'has 3 components',
    ],
    [
      'an unknown option',
      ({ entry }) => Object.assign(entry, { options: { inputs: 5 } }),
      "unknown option 'inputs'",
    ],
    [
      'a variance that is no number',
      ({ tensors }) => tensors[2]!.data.fill(Number.NaN),
      "'explainedVariance' has NaN",
    ],
    [
      'variances that float32 cannot hold',
      ({ tensors }) => tensors[2]!.data.fill(1e-200),
      'explainedVariance: expected variances',
    ],
    ['a negative variance', ({ tensors }) => tensors[2]!.data.fill(-1), 'a variance is negative'],
    [
      'a scaler of another width',
      ({ entry }) => {
        entry.scaler = { kind: 'standard', shift: [0], factor: [1] }
      },
      'scaling',
    ],
  ])('is refused with %s', async (_, damage, message) => {
    const path = join(folder, 'damaged.safetensors')
    await (await new Pca({ components: 3 }).fit(rows(20, 5))).save(path)
    const { tensors, metadata } = await readSafetensors(path)
    const ordered = ['mean', 'components', 'explainedVariance', 'totalVariance'].map(
      (name) => tensors.get(name)!,
    )
    const file = { tensors: ordered, entry: JSON.parse(metadata.layerwise!) }
    damage(file)
    await writeSafetensors(path, file.tensors, { layerwise: JSON.stringify(file.entry) })
    expectError(await rejection(Pca.load(path)), 'ERR_FORMAT', message)
  })
})

describe('Pca refuses', () => {
  test.each([
    [{ components: 0 }, 'components: expected a whole number'],
    [{ components: 1.5 }, 'components: expected a whole number'],
    [{ whiten: true }, "whiten: expected false, 'pca' or 'zca'"],
    [{ epsilon: 0.1 }, 'epsilon: expected nothing, since whiten is false'],
    [{ whiten: 'pca', epsilon: -1 }, 'epsilon: expected a finite number of at least 0'],
    [{ precision: 'float16' }, 'precision'],
    [{ scaling: {} }, 'scaling: expected a fitted MinMaxScaler or StandardScaler'],
    [{ inputs: 3 }, "unknown option 'inputs'"],
  ])('%o', (options, message) => {
    expectError(
      thrown(() => new Pca(options as PcaOptions)),
      'ERR_ARGUMENT',
      message,
    )
  })

  test('every method but fit and load before fit', async () => {
    const pca = new Pca()
    for (const read of [
      () => pca.components,
      () => pca.mean,
      () => pca.explainedVariance,
      () => pca.totalVariance,
    ]) {
      expectError(thrown(read), 'ERR_STATE', 'not fitted')
    }
    const calls = [
      pca.transform([[1]]),
      pca.inverseTransform([[1]]),
      pca.reconstructionError([[1]]),
      pca.save('never'),
    ]
    for (const call of calls) expectError(await rejection(call), 'ERR_STATE', 'not fitted')
  })

  test('more components than columns, and rows of another width', async () => {
    expectError(
      await rejection(new Pca({ components: 4 }).fit(rows(9, 3))),
      'ERR_SHAPE',
      'x: expected at least 4 columns, for so many components, received 3',
    )
    const pca = await new Pca({ components: 2 }).fit(rows(9, 3))
    expectError(await rejection(pca.transform(rows(2, 4))), 'ERR_SHAPE', 'x: expected 3 columns')
    expectError(await rejection(pca.inverseTransform(rows(2, 3))), 'ERR_SHAPE', 'codes: expected 2 columns')
    const scaling = await new StandardScaler().fit(rows(9, 4))
    expectError(await rejection(new Pca({ scaling }).fit(rows(9, 3))), 'ERR_SHAPE', 'scaling')
  })

  test('values whose deviations are so small that squares underflow or float32 loses digits', async () => {
    const tiny = (size: number) => {
      const { data } = rows(30, 3)
      return Matrix.from(
        data.map((value) => value * size),
        30,
        3,
      )
    }
    for (const size of [1e-156, 1e-200, 1e-300]) {
      expectError(
        await rejection(new Pca({ precision: 'float64' }).fit(tiny(size))),
        'ERR_RANGE',
        'squares underflow',
      )
    }
    for (const size of [1e-33, 1e-60, 1e150]) {
      expectError(await rejection(new Pca().fit(tiny(size))), 'ERR_RANGE', 'float32')
    }
  })

  test.each([1e-153, 1e-120, 1e140, 1e153])('no values of size %d, in float64', async (size) => {
    const given = rows(30, 3)
    const x = Matrix.from(
      given.data.map((value) => value * size),
      30,
      3,
    )
    const wanted = await new Pca({ precision: 'float64' }).fit(given)
    const got = await new Pca({ precision: 'float64' }).fit(x)
    for (const [k, value] of wanted.components.data.entries()) {
      expect(Math.abs(got.components.data[k]! - value)).toBeLessThan(tolerances.besideAnOffsetFloat64.value)
    }
    for (const [k, variance] of wanted.explainedVariance.entries()) {
      const near = tolerances.besideAnOffsetFloat64.value * wanted.explainedVariance[0]!
      expect(Math.abs(got.explainedVariance[k]! / size / size - variance)).toBeLessThan(near)
    }
  })

  test('NaN, infinities, values whose squares overflow, no rows, and flat data', async () => {
    expectError(
      await rejection(
        new Pca().fit([
          [1, 2],
          [Number.NaN, 1],
        ]),
      ),
      'ERR_RANGE',
      'row 1, column 0',
    )
    expectError(
      await rejection(
        new Pca().fit([
          [1, 2],
          [1e200, 1],
        ]),
      ),
      'ERR_RANGE',
      'squares overflow',
    )
    expectError(await rejection(new Pca().fit([])), 'ERR_SHAPE', 'x')
    expectError(await rejection(new Pca().fit(new Float64Array(4) as never)), 'ERR_ARGUMENT', 'Matrix.from')
  })

  test('rows of a second fit without changing the model', async () => {
    const pca = await fitted(rows(9, 3))
    const before = pca.components
    await rejection(pca.fit([[Infinity, 0, 0]]))
    expect(pca.components).toEqual(before)
    expect(() => pca.mean).not.toThrow(LayerwiseError)
  })
})
