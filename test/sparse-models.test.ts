import { describe, expect, test } from 'vitest'
import {
  type FitOptions,
  LinearAutoencoder,
  MinMaxScaler,
  SoftmaxClassifier,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
  SparseMatrix,
  StackedAutoencoder,
  StackedClassifier,
} from '../lib/index.js'
import { evaluate } from './oracle/network.js'
import { numericGradient, relativeError } from './oracle/numeric-gradient.js'
import { pointAwayFromKinks } from './oracle/points.js'
import { relativeDistance } from './sample.js'
import { sparseOf, sparseSample } from './sparse-sample.js'
import { tolerances } from './tolerances.js'

const ROWS = 300
const INPUTS = 70
const HIDDEN = 19
const kl = { kind: 'kl', target: 0.2, weight: 0.6 } as const
const options = {
  inputs: INPUTS,
  hidden: HIDDEN,
  sparsity: kl,
  weightDecay: 0.01,
  precision: 'float64',
} as const
const DENSITIES = [0, 0.01, 0.1, 0.5, 1]

function expectSame(a: ArrayLike<number>, b: ArrayLike<number>, name = ''): void {
  expect(relativeDistance(a, b), name).toBeLessThan(tolerances.float64VsOracleGradient.value)
}

describe('the cost of sparse rows', () => {
  test('and its gradient are those of the same dense rows, at every density and for every loss', async () => {
    for (const density of DENSITIES) {
      const { sparse, dense } = sparseSample(ROWS, INPUTS, density)
      for (const loss of ['squared', 'euclidean', 'absolute', 'crossEntropy'] as const) {
        const model = new SparseAutoencoder({ ...options, loss })
        const expected = await model.cost(dense, { gradient: true })
        const got = await model.cost(sparse, { gradient: true })
        for (const part of ['loss', 'weightDecay', 'sparsity', 'total'] as const) {
          const distance = Math.abs(got[part] - expected[part]) / Math.abs(expected.total)
          expect(distance, `${loss} ${part} at ${density}`).toBeLessThan(tolerances.float64VsOracleCost.value)
        }
        expectSame(got.gradient!, expected.gradient!, `${loss} at ${density}`)
      }
    }
  })

  test('agree in float32 with the oracle', async () => {
    const { sparse, dense } = sparseSample(ROWS, INPUTS, 0.05)
    const model = new SparseAutoencoder({ ...options, precision: 'float32' })
    const layers = [
      { inputs: INPUTS, outputs: HIDDEN, activation: 'sigmoid' as const },
      { inputs: HIDDEN, outputs: INPUTS, activation: 'sigmoid' as const },
    ]
    const objective = {
      loss: 'squared' as const,
      weightDecay: [0.01, 0.01],
      penalties: [{ layer: 0, ...kl }],
    }
    const oracle = evaluate(layers, objective, Float64Array.from(model.parameters()), {
      x: dense.data,
      m: ROWS,
    })
    const got = await model.cost(sparse, { gradient: true })
    expect(Math.abs(got.total / oracle.total - 1)).toBeLessThan(tolerances.float32VsFloat64Cost.value)
    expect(relativeError(got.gradient!, oracle.gradient)).toBeLessThan(
      tolerances.float32VsFloat64Gradient.value,
    )
  })

  test('has a gradient that agrees with central differences and the oracle, for all activations and losses', async () => {
    for (const activation of ['sigmoid', 'tanh', 'relu', 'satlin', 'identity'] as const) {
      for (const loss of ['squared', 'euclidean', 'absolute', 'crossEntropy'] as const) {
        if (loss === 'crossEntropy' && activation !== 'sigmoid') continue
        const layers = [
          { inputs: 5, outputs: 3, activation },
          { inputs: 3, outputs: 5, activation },
        ]
        const sparsity = { kind: 'l2', target: 0.2, weight: 0.6 } as const
        const objective = { loss, weightDecay: [0.02, 0.02], penalties: [{ layer: 0, ...sparsity }] }
        const { theta, x, m } = pointAwayFromKinks(layers, objective, { m: 6, seed: 11 })
        const zeroed = x.map((value, k) => (k % 3 === 0 ? 0 : value))
        const oracle = evaluate(layers, objective, theta, { x: zeroed, m })
        const { dense } = sparseSample(m, 5, 0)
        dense.data.set(zeroed)
        const rows = sparseOf(dense)
        const model = new SparseAutoencoder({
          ...{ inputs: 5, hidden: 3, activation, loss, sparsity, weightDecay: 0.02, precision: 'float64' },
        })
        const { total, gradient } = await model.cost(rows, { parameters: theta, gradient: true })
        expect(Math.abs(total / oracle.total - 1)).toBeLessThan(tolerances.float64VsOracleCost.value)
        expect(relativeError(gradient!, oracle.gradient), `${activation} ${loss}`).toBeLessThan(
          tolerances.float64VsOracleGradient.value,
        )
        if (activation !== 'sigmoid' && activation !== 'tanh') continue
        const points: Float64Array[] = []
        numericGradient((at) => points.push(at.slice()), theta)
        const costs = await Promise.all(points.map((parameters) => model.cost(rows, { parameters })))
        const numeric = numericGradient(() => costs.shift()!.total, theta)
        expect(relativeError(gradient!, numeric), `${activation} ${loss}`).toBeLessThan(
          tolerances.gradientCheckFloat64.value,
        )
      }
    }
  })

  test('is the same of values in float32 and of the float64 numbers they hold', async () => {
    const { sparse } = sparseSample(ROWS, INPUTS, 0.1)
    const values = Float32Array.from(sparse.values)
    const single = SparseMatrix.from({ ...parts(sparse), values })
    const double = SparseMatrix.from({ ...parts(sparse), values: Float64Array.from(values) })
    const model = new SparseAutoencoder(options)
    expect(await model.cost(single)).toEqual(await model.cost(double))
  })
})

describe('sparse rows are encoded', () => {
  test('like the same dense rows, together, in parts and one by one', async () => {
    for (const density of DENSITIES) {
      const { sparse, dense } = sparseSample(600, INPUTS, density)
      const model = new SparseAutoencoder(options)
      const codes = await model.encode(sparse)
      expectSame(codes.data, (await model.encode(dense)).data)
      expect((await model.encode(sparse.slice(0, 512))).data).toEqual(codes.data.subarray(0, 512 * HIDDEN))
      for (const row of [0, 599]) {
        expectSame(model.encodeSync(sparse.slice(row, row + 1)), codes.row(row).data)
      }
    }
  })

  test('and reconstructed, with their errors', async () => {
    for (const density of DENSITIES) {
      const { sparse, dense } = sparseSample(600, INPUTS, density)
      const model = new SparseAutoencoder(options)
      expectSame((await model.reconstruct(sparse)).data, (await model.reconstruct(dense)).data)
      const errors = await model.reconstructionError(sparse)
      expectSame(errors, await model.reconstructionError(dense))
      expectSame(
        (await model.reconstructionErrorPerFeature(sparse)).data,
        (await model.reconstructionErrorPerFeature(dense)).data,
      )
      expectSame([model.reconstructionErrorSync(sparse.slice(7, 8))], [errors[7]!])
    }
  })

  test('into the memory of their own values', () => {
    const { sparse } = sparseSample(1, INPUTS, 0.9)
    const memory = new Float64Array(200)
    const values = memory.subarray(0, sparse.stored)
    values.set(sparse.values)
    const model = new SparseAutoencoder(options)
    const expected = model.encodeSync(sparse)
    const row = SparseMatrix.from({ ...parts(sparse), values })
    expect(model.encodeSync(row, memory.subarray(0, HIDDEN))).toEqual(expected)
  })

  test('with a scaler that keeps zeros', async () => {
    const { sparse, dense } = sparseSample(ROWS, INPUTS, 0.1)
    const scaling = await new MinMaxScaler().fit(dense)
    const model = new SparseAutoencoder({ ...options, scaling })
    expectSame((await model.encode(sparse)).data, (await model.encode(dense)).data)
    expectSame(model.encodeSync(sparse.slice(3, 4)), model.encodeSync(dense.row(3)))
    const [a, b] = [await model.cost(sparse, { gradient: true }), await model.cost(dense, { gradient: true })]
    expectSame(a.gradient!, b.gradient!)
  })

  test('beyond the range of float32 sums', async () => {
    const { sparse } = sparseSample(20, INPUTS, 0.3)
    const large = Float32Array.from(sparse.values, (value) => value * 3e38)
    const model = new SparseAutoencoder({ ...options, precision: 'float32', outputActivation: 'identity' })
    const theta = model.parameters().map((value) => value * 100)
    model.setParameters(theta)
    const rows = SparseMatrix.from({ ...parts(sparse), values: large })
    const whole = rows.toMatrix()
    const expected = (await model.encode(whole)).data
    expect(relativeDistance((await model.encode(rows)).data, expected)).toBeLessThan(
      tolerances.float32VsFloat64Gradient.value,
    )
    expect(model.encodeSync(rows.slice(2, 3))).toEqual(model.encodeSync(whole.row(2)))
  })
})

/** The parameters after the same training of sparse and of dense rows. */
async function trained(
  fit: FitOptions,
  more: Partial<SparseAutoencoderOptions<'float64'>> = {},
  density = 0.1,
): Promise<[Float64Array, Float64Array]> {
  const { sparse, dense } = sparseSample(ROWS, INPUTS, density)
  const results = []
  for (const rows of [sparse, dense]) {
    const model = new SparseAutoencoder<'float64'>({ ...options, ...more })
    await model.fit(rows, fit)
    results.push(model.parameters())
  }
  return results as [Float64Array, Float64Array]
}

describe('training on sparse rows gives the parameters of the same dense rows', () => {
  const optimizer = { kind: 'momentum', momentum: 0.9 } as const
  const steps = { epochs: 4, batchSize: 64, learningRate: 0.1, optimizer } as const
  const close = ([a, b]: [Float64Array, Float64Array]) =>
    expect(relativeDistance(a, b)).toBeLessThan(tolerances.sparseTrained.value)

  test('by minibatches, at every density', async () => {
    for (const density of DENSITIES) close(await trained(steps, {}, density))
  })
  test('by Adam', async () => close(await trained({ epochs: 3, batchSize: 50, learningRate: 0.01 })))
  test('by full batches', async () => close(await trained({ ...steps, batchSize: 'all' })))
  test('by L-BFGS', async () => close(await trained({ optimizer: { kind: 'lbfgs', maxIterations: 5 } })))
  test('under masking noise', async () =>
    close(await trained(steps, { corruption: { kind: 'masking', amount: 0.3 } })))
  test('with gradients that are clipped', async () => close(await trained({ ...steps, clipNorm: 0.1 })))
  test('with a hard sparsity constraint', async () =>
    close(await trained({ ...steps, batchSize: 'all' }, { sparsity: { kind: 'constraint', target: 0.2 } })))

  test('with row weights, also under l1', async () => {
    const { sparse, dense } = sparseSample(ROWS, INPUTS, 0.1)
    const rowWeights = Float64Array.from({ length: ROWS }, (_, i) => i % 3)
    for (const sparsity of [kl, { kind: 'l1', weight: 0.1 } as const]) {
      const results = []
      for (const rows of [sparse, dense]) {
        const model = new SparseAutoencoder({ ...options, sparsity })
        await model.fit(rows, { ...steps, rowWeights })
        const { gradient } = await model.cost(rows, { gradient: true, rowWeights })
        results.push([model.parameters(), gradient!])
      }
      for (const k of [0, 1]) close([results[0]![k]!, results[1]![k]!])
    }
  })

  test('with rows held out, and with rows to validate', async () => {
    const { sparse, dense } = sparseSample(ROWS, INPUTS, 0.1)
    const other = sparseSample(90, INPUTS, 0.1, 2)
    for (const [a, b] of [
      [0.2, 0.2],
      [other.sparse, other.dense],
    ] as const) {
      const [first, second] = [new SparseAutoencoder(options), new SparseAutoencoder(options)]
      const [one, two] = [
        await first.fit(sparse, { ...steps, validation: a }),
        await second.fit(dense, { ...steps, validation: b }),
      ]
      close([first.parameters(), second.parameters()])
      const costs = [one, two].map(({ epochs }) => epochs.map(({ validation }) => validation!.total))
      expectSame(costs[0]!, costs[1]!)
    }
  })

  test('of a tied linear autoencoder', async () => {
    const { sparse, dense } = sparseSample(ROWS, INPUTS, 0.1)
    const results = []
    for (const rows of [sparse, dense]) {
      const model = new LinearAutoencoder({ inputs: INPUTS, hidden: 6, precision: 'float64' })
      await model.fit(rows, { epochs: 3, batchSize: 64, learningRate: 0.01 })
      results.push(model.parameters())
    }
    close(results as [Float64Array, Float64Array])
  })

  test('of a stack, with codes that are stored and with codes that are computed again, and its fine-tuning', async () => {
    const { sparse, dense } = sparseSample(ROWS, INPUTS, 0.1)
    for (const recompute of [false, true]) {
      const results = []
      for (const rows of [sparse, dense]) {
        const model = new StackedAutoencoder({
          inputs: INPUTS,
          layers: [{ hidden: 20 }, { hidden: 9, corruption: { kind: 'gaussian', amount: 0.1 } }],
          precision: 'float64',
        })
        await model.fit(rows, { ...steps, recompute })
        await model.fineTune(rows, steps)
        results.push(model.parameters())
      }
      close(results as [Float64Array, Float64Array])
    }
  })

  test('of classifiers, which predict and score the same', async () => {
    const { sparse, dense } = sparseSample(ROWS, INPUTS, 0.1)
    const labels = Array.from({ length: ROWS }, (_, i) => (dense.data[i * INPUTS]! > 0 ? 2 : i % 2))
    const make = [
      () => new SoftmaxClassifier({ inputs: INPUTS, classes: 3, precision: 'float64' }),
      () =>
        new StackedClassifier({ inputs: INPUTS, layers: [{ hidden: 9 }], classes: 3, precision: 'float64' }),
    ]
    for (const create of make) {
      const [a, b] = [create(), create()]
      await a.fit(sparse, labels, steps)
      await b.fit(dense, labels, steps)
      close([a.parameters(), b.parameters()])
      expect(await a.predict(sparse)).toEqual(await a.predict(dense))
      expect(a.predictSync(sparse.slice(4, 5))).toBe((await a.predict(dense))[4])
      expectSame((await a.predictProbabilities(sparse)).data, (await a.predictProbabilities(dense)).data)
      expect((await a.score(sparse, labels)).accuracy).toBe((await a.score(dense, labels)).accuracy)
      const costs = [
        await a.cost(sparse, labels, { gradient: true }),
        await a.cost(dense, labels, { gradient: true }),
      ]
      expectSame(costs[0]!.gradient!, costs[1]!.gradient!)
    }
  })
})

test('training on sparse rows gives the same bits at 1, 2, 3 and 7 threads, in both precisions', async () => {
  const { sparse } = sparseSample(600, 301, 0.05)
  for (const precision of ['float32', 'float64'] as const) {
    const results = []
    for (const threads of [1, 2, 3, 7]) {
      const model = new SparseAutoencoder({ inputs: 301, hidden: 90, sparsity: kl, precision })
      await model.fit(sparse, { epochs: 1, batchSize: 301, threads })
      const { gradient } = await model.cost(sparse, { gradient: true, threads })
      const codes = await model.encode(sparse, { threads })
      const errors = await model.reconstructionError(sparse, { threads })
      results.push([model.parameters(), gradient, codes.data, errors])
    }
    for (const other of results.slice(1)) expect(other).toEqual(results[0])
  }
})

test('a bag of words of 100,000 columns trains in memory of the order of its weights', async () => {
  const [rows, cols, hidden] = [64, 100_000, 8]
  const indptr = Array.from({ length: rows + 1 }, (_, i) => i * 50)
  const indices = Uint32Array.from({ length: rows * 50 }, (_, k) => (k % 50) * 2000 + Math.floor(k / 50))
  const x = SparseMatrix.from({ indptr, indices, values: new Float32Array(rows * 50).fill(1), rows, cols })
  const model = new SparseAutoencoder({ inputs: cols, hidden, weightDecay: 0 })
  const before = await model.cost(x)
  await model.fit(x, { epochs: 2, batchSize: 32, learningRate: 0.01 })
  expect((await model.cost(x)).loss).toBeLessThan(before.loss * tolerances.clearlyLower.value)
})

function parts({ indptr, indices, values, rows, cols }: SparseMatrix) {
  return { indptr, indices, values, rows, cols }
}
