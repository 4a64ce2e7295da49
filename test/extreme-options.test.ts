import { describe, expect, test } from 'vitest'
import {
  LayerwiseError,
  LinearAutoencoder,
  type Precision,
  SoftmaxClassifier,
  SparseAutoencoder,
} from '../lib/index.js'
import { sampleRows } from './sample.js'

const inputs = 5
const m = 20
const x = sampleRows(m, inputs)
const precisions = ['float32', 'float64'] as const
/** Numbers at the ends of both precisions: those that vanish in them, the smallest and largest normal ones, and those beyond. */
const sizes = [5e-324, 2e-308, 2.3e-308, 1e-50, 1e-45, 1.2e-38, 3.4e38, 1e39, 1e300, 1.7e308]

type Model = SparseAutoencoder<Precision> | LinearAutoencoder<Precision>
const make = (options: object, precision: Precision) =>
  new SparseAutoencoder<Precision>({ inputs, hidden: 3, precision, ...options })

const options: Record<string, (size: number, precision: Precision) => Model> = {
  weightDecay: (weightDecay, precision) => make({ weightDecay }, precision),
  'kl weight': (weight, precision) => make({ sparsity: { kind: 'kl', target: 0.1, weight } }, precision),
  'kl target': (target, precision) => make({ sparsity: { kind: 'kl', target, weight: 3 } }, precision),
  'kl target of tanh units': (target, precision) =>
    make({ activation: 'tanh', sparsity: { kind: 'kl', target, weight: 3 } }, precision),
  'kl target near 1': (size, precision) =>
    make({ sparsity: { kind: 'kl', target: 1 - Math.max(size, 2 ** -53), weight: 3 } }, precision),
  'l2 target': (target, precision) => make({ sparsity: { kind: 'l2', target, weight: 3 } }, precision),
  'l2 target of relu units': (target, precision) =>
    make({ activation: 'relu', sparsity: { kind: 'l2', target, weight: 3 } }, precision),
  'l2 weight': (weight, precision) => make({ sparsity: { kind: 'l2', target: 0.1, weight } }, precision),
  'l1 weight': (weight, precision) => make({ sparsity: { kind: 'l1', weight } }, precision),
  'constraint target': (target, precision) => make({ sparsity: { kind: 'constraint', target } }, precision),
  'linear l2 target': (target, precision) =>
    new LinearAutoencoder<Precision>({
      ...{ inputs, hidden: 2, precision },
      sparsity: { kind: 'l2', target, weight: 1 },
    }),
}

describe.each(Object.entries(options))('%s', (_, modelOf) => {
  test.each(precisions.flatMap((precision) => sizes.map((size) => ({ precision, size }))))(
    'of size $size in $precision is refused, or gives finite costs, gradients and parameters',
    async ({ precision, size }) => {
      try {
        const model = modelOf(size, precision)
        const { total, gradient } = await model.cost(x, { gradient: true })
        expect(total).toSatisfy(Number.isFinite)
        for (const slope of gradient!) expect(slope).toSatisfy(Number.isFinite)
        const { epochs } = await model.fit(x, { epochs: 2, batchSize: 10 })
        for (const { cost } of epochs) expect(cost.total).toSatisfy(Number.isFinite)
        for (const value of model.parameters()) expect(value).toSatisfy(Number.isFinite)
      } catch (error) {
        if (!(error instanceof LayerwiseError)) throw error
        expect(error.code).toMatch(/^ERR_(ARGUMENT|RANGE|DIVERGED)$/)
      }
    },
  )
})

describe.each(precisions)('in %s', (precision) => {
  test('a target that underflows costs as much as the smallest one that does not', async () => {
    const costOf = async (target: number) =>
      (await make({ sparsity: { kind: 'kl', target, weight: 3 } }, precision).cost(x)).total
    expect(await costOf(5e-324)).toBe(await costOf(1e-300))
  })

  test.each(sizes)('class weights of %d give finite costs, or are refused', async (size) => {
    const labels = Array.from({ length: m }, (_, i) => i % 2)
    try {
      const model = new SoftmaxClassifier<Precision>({
        inputs,
        classes: 2,
        classWeights: [1, size],
        precision,
      })
      const { total, gradient } = await model.cost(x, labels, { gradient: true })
      expect(total).toSatisfy(Number.isFinite)
      for (const slope of gradient!) expect(slope).toSatisfy(Number.isFinite)
    } catch (error) {
      if (!(error instanceof LayerwiseError)) throw error
      expect(error.code).toMatch(/^ERR_(ARGUMENT|RANGE)$/)
    }
  })

  test.each(sizes)('rates of %d leave finite parameters, or are refused', async (learningRate) => {
    for (const kind of ['gradientDescent', 'momentum', 'adam'] as const) {
      const model = make({}, precision)
      try {
        await model.fit(x, { optimizer: { kind }, learningRate, epochs: 2, batchSize: 10 })
      } catch (error) {
        if (!(error instanceof LayerwiseError)) throw error
        expect(error.code).toMatch(/^ERR_(ARGUMENT|DIVERGED)$/)
      }
      for (const value of model.parameters()) expect(value).toSatisfy(Number.isFinite)
    }
  })
})
