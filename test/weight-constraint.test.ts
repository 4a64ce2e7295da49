import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type FitOptions, type Precision, SparseAutoencoder, type WeightConstraint } from '../lib/index.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'
import { tolerances } from './tolerances.js'

const inputs = 14
const x = sampleRows(200, inputs)
const options = { inputs, hidden: 9, seed: 1 } as const
const constraints: WeightConstraint[] = [
  { kind: 'frobenius', max: 3 },
  { kind: 'unit', max: 0.2 },
]
const folder = temporaryFolder()
const { value: slack } = tolerances.projectedNorm

const square = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((sum, w) => sum + w ** 2, 0)

/** Sums of squares that the constraint bounds. */
function bounded(model: SparseAutoencoder<Precision>, kind: WeightConstraint['kind']): number[] {
  const matrices = model.layers.map(({ weights }) => weights)
  if (kind === 'frobenius') return [matrices.reduce((sum, { data }) => sum + square(data), 0)]
  return matrices.flatMap((weights) =>
    Array.from({ length: weights.rows }, (_, i) => square(weights.row(i).data)),
  )
}

describe.each(constraints)('a $kind constraint', (weightConstraint) => {
  const { kind, max } = weightConstraint

  test.each<[string, FitOptions]>([
    ['minibatches of Adam', { epochs: 4, batchSize: 32 }],
    ['minibatches of momentum', { epochs: 4, batchSize: 32, optimizer: { kind: 'momentum' } }],
    [
      'gradient descent over all rows',
      { epochs: 4, batchSize: 'all', optimizer: { kind: 'gradientDescent' } },
    ],
    ['Adam over all rows', { epochs: 4, batchSize: 'all' }],
  ])('holds after each epoch: %s', async (_, how) => {
    for (const precision of ['float32', 'float64'] as const) {
      const model = new SparseAutoencoder({ ...options, precision, weightConstraint })
      expect(Math.max(...bounded(model, kind))).toBeGreaterThan(max)
      const reached: number[] = []
      await model.fit(x, { ...how, onEpoch: () => void reached.push(Math.max(...bounded(model, kind))) })
      expect(reached).toHaveLength(4)
      for (const norm of reached) expect(norm).toBeLessThanOrEqual(max * (1 + slack))
      expect(reached.at(-1)).toBeGreaterThan(max * (1 - slack))
    }
  })

  test('does not change the bits if it is not active', async () => {
    const free = new SparseAutoencoder(options)
    const wide = new SparseAutoencoder({ ...options, weightConstraint: { kind, max: 1e6 } })
    await free.fit(x, { epochs: 2, batchSize: 32 })
    await wide.fit(x, { epochs: 2, batchSize: 32 })
    expect(wide.parameters()).toEqual(free.parameters())
  })

  test('does not bound biases', async () => {
    const model = new SparseAutoencoder({ ...options, weightConstraint: { kind, max: 1e-6 } })
    await model.fit(x, { epochs: 20, batchSize: 'all', learningRate: 0.5 })
    for (const { biases } of model.layers) expect(square(biases)).toBeGreaterThan(1e-3)
  })

  test('gives the same bits at any number of threads', async () => {
    const trained = async (threads: number) => {
      const model = new SparseAutoencoder({ ...options, weightConstraint })
      await model.fit(x, { epochs: 2, batchSize: 64, threads })
      return model.parameters()
    }
    const one = await trained(1)
    for (const threads of [2, 3, 7]) expect(await trained(threads)).toEqual(one)
  })

  test('is refused by a fit with L-BFGS, which does not change the model', async () => {
    const model = new SparseAutoencoder({ ...options, weightConstraint })
    const before = model.parameters()
    expect(await rejection(model.fit(x, { optimizer: { kind: 'lbfgs' } }))).toMatchObject({
      code: 'ERR_ARGUMENT',
      details: { argument: 'optimizer.kind' },
      message: expect.stringContaining('weightConstraint'),
    })
    expect(model.parameters()).toEqual(before)
  })

  test('is saved with the model', async () => {
    const model = new SparseAutoencoder({ ...options, weightConstraint })
    const path = join(folder, 'constrained.safetensors')
    await model.save(path)
    const loaded = await SparseAutoencoder.load(path)
    await loaded.fit(x, { epochs: 1, batchSize: 32 })
    expect(Math.max(...bounded(loaded, kind))).toBeLessThanOrEqual(max * (1 + slack))
  })
})

describe('a weight constraint is refused', () => {
  test.each<[string, unknown, string]>([
    ['of an unknown kind', { kind: 'spectral', max: 1 }, 'weightConstraint.kind'],
    ['without a bound', { kind: 'unit' }, 'weightConstraint.max'],
    ['with a bound of 0', { kind: 'unit', max: 0 }, 'weightConstraint.max'],
    ['with a bound that is infinite', { kind: 'frobenius', max: Infinity }, 'weightConstraint.max'],
    ['with an unknown option', { kind: 'unit', max: 1, layer: 0 }, 'weightConstraint.layer'],
    ['as a number', 1, 'weightConstraint'],
  ])('%s', (_, weightConstraint, argument) => {
    expect(() => new SparseAutoencoder({ ...options, weightConstraint: weightConstraint as never })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', details: expect.objectContaining({ argument }) }),
    )
  })
})
