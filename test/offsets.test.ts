import { describe, expect, test } from 'vitest'
import {
  LinearAutoencoder,
  Matrix,
  MinMaxScaler,
  Pca,
  type Precision,
  type Rows,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StandardScaler,
} from '../lib/index.js'
import { seeded } from './oracle/points.js'
import { tolerances } from './tolerances.js'

const inputs = 4
const rows = 40
const labels = Uint8Array.from({ length: rows }, (_, i) => i % 2)
const small = { optimizer: { kind: 'gradientDescent' }, epochs: 3, batchSize: 'all' } as const

/** Rows about `offset`, as float64 holds them: four columns of about the same spread, whose axes have variances well apart. */
function rowsAbout(offset: number, spread: number): Matrix<Float64Array> {
  const random = seeded(5)
  const data = new Float64Array(rows * inputs)
  for (let i = 0; i < rows; i++) {
    const z = [2.4, 1.2, 0.6, 0.3].map((size) => size * (random() - 0.5))
    for (let j = 0; j < inputs; j++) {
      const sign = (k: number) => (((j >> k) & 1) === 0 ? 1 : -1)
      const value = z[0]! + sign(0) * z[1]! + sign(1) * z[2]! + sign(0) * sign(1) * z[3]!
      data[i * inputs + j] = offset + spread * value
    }
  }
  return Matrix.from(data, rows, inputs)
}

/** The same numbers less the offset, which float64 subtracts exactly. */
function less(offset: number, { data }: Matrix): Matrix<Float64Array> {
  return Matrix.from(
    Float64Array.from(data, (value) => value - offset),
    rows,
    inputs,
  )
}

/** The results of a model, by name, each with the size for its relative comparison. */
type Answers = Record<string, { values: ArrayLike<number>; size?: number }>
interface Data {
  /** To fit scalers on, which take no flat arrays. */
  readonly matrix: Matrix
  readonly x: Rows
  readonly spread: number
}
type Ask = (data: Data, precision: Precision) => Promise<Answers>

/** A row as an array of numbers, of which nothing is lost. */
const rowOf = ({ data, scale }: Matrix) =>
  Array.from(data.subarray(inputs, 2 * inputs), (value) => value * scale)

async function autoencoderAnswers(
  model: SparseAutoencoder<Precision> | StackedAutoencoder<Precision> | LinearAutoencoder<Precision>,
  { x, matrix }: Data,
): Promise<Answers> {
  const { total, gradient } = await model.cost(x, { gradient: true })
  const row = rowOf(matrix)
  return {
    parameters: { values: model.parameters() },
    encode: { values: (await model.encode(x)).data },
    encodeSync: { values: model.encodeSync(row) },
    errorSync: { values: [model.reconstructionErrorSync(row)] },
    errors: { values: await model.reconstructionError(x) },
    errorsPerFeature: { values: (await model.reconstructionErrorPerFeature(x)).data },
    cost: { values: [total] },
    gradient: { values: gradient! },
  }
}

const validated = (x: Rows) => ({ ...small, validation: x })

const models: Record<string, Ask> = {
  'SparseAutoencoder behind a StandardScaler': async (data, precision) => {
    const scaling = await new StandardScaler().fit(data.matrix)
    const options = { inputs, hidden: 3, outputActivation: 'identity', scaling, precision } as const
    const model = new SparseAutoencoder<Precision>(options)
    const history = await model.fit(data.x, validated(data.x))
    const measured = history.epochs.flatMap(({ cost, validation }) => [cost.total, validation!.total])
    return { ...(await autoencoderAnswers(model, data)), history: { values: measured } }
  },
  'SparseAutoencoder behind a MinMaxScaler': async (data, precision) => {
    const scaling = await new MinMaxScaler({ range: [0.1, 0.9] }).fit(data.matrix)
    const model = new SparseAutoencoder<Precision>({ inputs, hidden: 3, scaling, precision })
    await model.fit(data.x, { ...small, batchSize: 8 })
    return autoencoderAnswers(model, data)
  },
  StackedAutoencoder: async (data, precision) => {
    const scaling = await new StandardScaler().fit(data.matrix)
    const layers = [{ hidden: 3, outputActivation: 'identity' }, { hidden: 2 }] as const
    const model = new StackedAutoencoder<Precision>({ inputs, layers, scaling, precision })
    await model.fit(data.x, { ...small, recompute: true })
    await model.fineTune(data.x, small)
    return autoencoderAnswers(model, data)
  },
  StackedClassifier: async (data, precision) => {
    const scaling = await new StandardScaler().fit(data.matrix)
    const layers = [{ hidden: 3, outputActivation: 'identity' }] as const
    const stack = new StackedAutoencoder<Precision>({ inputs, layers, scaling, precision })
    const model = stack.toClassifier({ classes: 2 })
    await model.fineTune(data.x, labels, small)
    return {
      probabilities: { values: (await model.predictProbabilities(data.x)).data },
      probabilitiesSync: { values: model.predictProbabilitiesSync(rowOf(data.matrix)) },
    }
  },
  SoftmaxClassifier: async (data, precision) => {
    const scaling = await new StandardScaler().fit(data.matrix)
    const model = new SoftmaxClassifier<Precision>({ inputs, classes: 2, scaling, precision })
    await model.fit(data.x, labels, { ...small, validation: { x: data.x, labels } })
    const { total } = await model.cost(data.x, labels)
    return {
      parameters: { values: model.parameters() },
      probabilities: { values: (await model.predictProbabilities(data.x)).data },
      cost: { values: [total] },
    }
  },
  'centred LinearAutoencoder': async (data, precision) => {
    const model = new LinearAutoencoder<Precision>({ inputs, hidden: 2, center: true, precision })
    await model.fit(data.x, { ...small, learningRate: 1e-3, validation: 0.25 })
    return autoencoderAnswers(model, data)
  },
  Pca: async ({ matrix, x, spread }, precision) => {
    const pca = await new Pca<Precision>({ components: 2, precision }).fit(matrix)
    return {
      components: { values: pca.components.data },
      variances: { values: pca.explainedVariance },
      transform: { values: (await pca.transform(x)).data },
      transformSync: { values: pca.transformSync(rowOf(matrix)) },
      errors: { values: await pca.reconstructionError(x), size: spread ** 2 },
      errorSync: { values: [pca.reconstructionErrorSync(rowOf(matrix))], size: spread ** 2 },
      errorsPerFeature: { values: (await pca.reconstructionErrorPerFeature(x)).data, size: spread ** 2 },
    }
  },
  'Pca behind a StandardScaler': async ({ matrix, x }, precision) => {
    const scaling = await new StandardScaler().fit(matrix)
    const pca = await new Pca<Precision>({ components: 2, scaling, precision }).fit(matrix)
    return {
      components: { values: pca.components.data },
      variances: { values: pca.explainedVariance },
      transform: { values: (await pca.transform(x)).data },
      errors: { values: await pca.reconstructionError(x) },
    }
  },
  'whitened Pca': async ({ matrix, x }, precision) => {
    const pca = await new Pca<Precision>({ components: 2, whiten: 'pca', precision }).fit(matrix)
    return { transform: { values: (await pca.transform(x)).data } }
  },
  'ZCA-whitened Pca': async ({ matrix, x }, precision) => {
    const pca = await new Pca<Precision>({ components: 2, whiten: 'zca', precision }).fit(matrix)
    return { transform: { values: (await pca.transform(x)).data } }
  },
}

/** The ways to pass the same rows. */
const hosts: Record<string, (matrix: Matrix<Float64Array>) => Rows> = {
  'a float64 Matrix': (matrix) => matrix,
  'a flat Float64Array': (matrix) => matrix.data,
  'an array of rows': (matrix) => matrix.toArray(),
}

function expectSame(got: Answers, wanted: Answers, near: number): void {
  expect(Object.keys(got)).toEqual(Object.keys(wanted))
  for (const [name, { values, size }] of Object.entries(wanted)) {
    const found = got[name]!.values
    const largest = size ?? Math.max(...Array.from(values, Math.abs))
    expect(found.length, name).toBe(values.length)
    for (let k = 0; k < values.length; k++) {
      expect(Math.abs(found[k]! - values[k]!), `${name} ${k}`).toBeLessThanOrEqual(near * largest)
    }
  }
}

/** The distance from `x` to the next number of float64. */
const ulp = (x: number) => 2 ** (Math.floor(Math.log2(Math.abs(x) || 1)) - 52)

const offsets = [0, 1e4, 1e9, 1e12]
const spreads = [1, 1e-3]
const places = offsets.flatMap((offset) => spreads.map((spread) => ({ offset, spread })))
const roundings = { float32: tolerances.besideAnOffset, float64: tolerances.besideAnOffsetFloat64 }

describe.each(Object.entries(models))('%s', (_, ask) => {
  describe.each(Object.entries(roundings))('in %s gives', (precision, { value }) => {
    test.each(places)(
      'for rows near $offset, spread $spread, the results without the offset',
      async (place) => {
        const { offset, spread } = place
        const near = value + (2 * ulp(offset)) / spread
        const data = rowsAbout(offset, spread)
        const moved = less(offset, data)
        const wanted = await ask({ matrix: moved, x: moved, spread }, 'float64')
        for (const host of Object.values(hosts)) {
          const got = await ask({ matrix: data, x: host(data), spread }, precision as Precision)
          expectSame(got, wanted, near)
        }
      },
    )

    test('for rows stored as float32 and as bytes the results of float64', async () => {
      const floats = Float32Array.from(rowsAbout(1e4, 1).data)
      const bytes = Uint8Array.from(rowsAbout(128, 40).data)
      const stored = [
        { matrix: Matrix.from(floats, rows, inputs), offset: 1e4, spread: 1 },
        { matrix: Matrix.from(bytes, rows, inputs, { scale: 0.25 }), offset: 32, spread: 10 },
      ]
      for (const { matrix, offset, spread } of stored) {
        const moved = Matrix.from(
          Float64Array.from(matrix.data, (stored) => stored * matrix.scale - offset),
          rows,
          inputs,
        )
        const wanted = await ask({ matrix: moved, x: moved, spread }, 'float64')
        expectSame(await ask({ matrix, x: matrix, spread }, precision as Precision), wanted, value)
      }
    })
  })
})

describe('a scaler inside a model agrees with its transform outside', () => {
  const scalers = { StandardScaler, MinMaxScaler }
  test.each(Object.keys(scalers).flatMap((kind) => places.map((place) => ({ ...place, kind }))))(
    '$kind on rows near $offset, spread $spread',
    async ({ kind, offset, spread }) => {
      const x = rowsAbout(offset, spread)
      const scaling = await new scalers[kind as keyof typeof scalers]().fit(x)
      const outside = await scaling.transform(x)
      for (const precision of ['float32', 'float64'] as const) {
        const options = { inputs, hidden: 3, outputActivation: 'identity', precision } as const
        const [scaled, plain] = [
          new SparseAutoencoder<Precision>({ ...options, scaling }),
          new SparseAutoencoder<Precision>(options),
        ]
        await scaled.fit(x, validated(x))
        await plain.fit(outside, validated(outside))
        const inner = await autoencoderAnswers(scaled, { matrix: x, x, spread })
        const outer = await autoencoderAnswers(plain, { matrix: outside, x: outside, spread })
        expectSame(inner, outer, tolerances.scaledInside.value)

        const [inside, apart] = [
          await new Pca<Precision>({ precision, scaling }).fit(x),
          await new Pca<Precision>({ precision }).fit(outside),
        ]
        const pair = [await inside.transform(x), await apart.transform(outside)]
        expectSame(
          { pca: { values: pair[0]!.data } },
          { pca: { values: pair[1]!.data } },
          tolerances.scaledInside.value,
        )
        const errors = [await inside.reconstructionError(x), await apart.reconstructionError(outside)]
        expectSame(
          { errors: { values: errors[0]! } },
          { errors: { values: errors[1]!, size: 1 } },
          tolerances.scaledInside.value,
        )
      }
    },
  )
})

describe('reconstructions keep the offset', () => {
  test.each(places)('of rows near $offset, spread $spread', async ({ offset, spread }) => {
    const x = rowsAbout(offset, spread)
    const pca = await new Pca({ precision: 'float64' }).fit(x)
    const back = await pca.inverseTransform(await pca.transform(x))
    const scaling = await new StandardScaler().fit(x)
    const returned = await scaling.inverseTransform(await scaling.transform(x))
    for (const { data } of [back, returned]) {
      data.forEach((value, k) => {
        expect(Math.abs(value - x.data[k]!)).toBeLessThanOrEqual(4 * ulp(offset + spread))
      })
    }
  })
})
