import { describe, expect, test } from 'vitest'
import { SparseAutoencoder, type Sparsity } from '../lib/index.js'
import { AugmentedLagrangian } from '../lib/training/augmented-lagrangian.js'
import { rejection, sampleRows } from './sample.js'
import { tolerances } from './tolerances.js'

const INPUTS = 12
const rows = sampleRows(300, INPUTS)
const CONSTRAINT = { kind: 'constraint', target: 0.2 } as const

const model = (
  sparsity: Sparsity = CONSTRAINT,
  options: { precision?: 'float64'; activation?: 'tanh'; outputActivation?: 'sigmoid'; seed?: number } = {},
) => new SparseAutoencoder({ inputs: INPUTS, hidden: 5, sparsity, weightDecay: 1e-3, ...options })

describe('with a hard sparsity constraint', () => {
  test.each([
    ['minibatches', { epochs: 200, batchSize: 50 }, tolerances.constraintByMinibatches],
    [
      'steps over all rows',
      { epochs: 1500, batchSize: 'all', learningRate: 0.01 },
      tolerances.constraintKept,
    ],
    ['L-BFGS', { optimizer: { kind: 'lbfgs', maxIterations: 800 } }, tolerances.constraintKept],
  ] as const)('%s bring every mean activation to the target', async (_, options, tolerance) => {
    const trained = model()
    const { epochs } = await trained.fit(rows, options)
    expect(epochs[0]!.constraintViolation).toBeGreaterThan(tolerances.constraintFar.value)
    expect(epochs.at(-1)!.constraintViolation).toBeLessThan(tolerance.value)
    const codes = await trained.encode(rows)
    for (let j = 0; j < 5; j++) {
      let sum = 0
      for (let i = 0; i < rows.rows; i++) sum += codes.data[i * 5 + j]!
      expect(Math.abs(sum / rows.rows - 0.2)).toBeLessThan(tolerance.value)
    }
  })

  test('tanh units reach the target as (mean + 1)/2', async () => {
    const trained = model(CONSTRAINT, { activation: 'tanh', outputActivation: 'sigmoid' })
    const { epochs } = await trained.fit(rows, { optimizer: { kind: 'lbfgs', maxIterations: 800 } })
    const { meanActivation, constraintViolation } = epochs.at(-1)!
    expect(constraintViolation).toBeLessThan(tolerances.constraintKept.value)
    expect((meanActivation.mean + 1) / 2).toBeCloseTo(0.2, 3)
  })

  test('the violation is the largest distance of a mean from the target', async () => {
    const { epochs } = await model().fit(rows, { epochs: 3 })
    for (const { constraintViolation, meanActivation } of epochs) {
      const { min, max } = meanActivation
      expect(constraintViolation).toBe(Math.max(Math.abs(min - 0.2), Math.abs(max - 0.2)))
    }
  })

  test('the cost outside a fit is that of a model without the constraint', async () => {
    const cost = await model().cost(rows, { gradient: true })
    expect(cost.sparsity).toBe(0)
    expect(cost).toEqual(await model({ kind: 'none' }).cost(rows, { gradient: true }))
  })

  test('the validation cost is that without the constraint', async () => {
    const { epochs } = await model().fit(rows, { epochs: 2, validation: rows })
    expect(epochs[0]!.validation!.sparsity).toBe(0)
    expect(epochs[0]!.cost.sparsity).not.toBe(0)
  })

  test.each([
    ['minibatches', { epochs: 40, batchSize: 64 }],
    ['L-BFGS', { optimizer: { kind: 'lbfgs', maxIterations: 90 } }],
  ] as const)(
    '%s give the same bits at any number of threads, through several rounds',
    async (_, options) => {
      const at = async (threads: number) => {
        const trained = model()
        await trained.fit(rows, { ...options, threads })
        return trained.parameters()
      }
      const one = await at(1)
      for (const threads of [2, 3, 7]) expect(await at(threads)).toEqual(one)
    },
  )

  test('a second fit continues from the first, with new multipliers', async () => {
    const trained = model()
    await trained.fit(rows, { epochs: 5 })
    const { epochs } = await trained.fit(rows, { optimizer: { kind: 'lbfgs', maxIterations: 800 } })
    expect(epochs.at(-1)!.constraintViolation).toBeLessThan(tolerances.constraintKept.value)
  })

  test.each([
    [{ kind: 'constraint' }, 'sparsity.target'],
    [{ kind: 'constraint', target: 1 }, 'sparsity.target'],
    [{ kind: 'constraint', target: 0.1, weight: 3 }, "unknown option 'weight'"],
    [{ kind: 'constraint', target: 0.1, average: 'batch' }, "unknown option 'average'"],
  ])('%o is refused', (sparsity, message) => {
    expect(() => model(sparsity as Sparsity)).toThrow(message)
  })

  test('early stopping is refused, since the cost does not include the constraint', async () => {
    expect(await rejection(model().fit(rows, { earlyStopping: { patience: 2 } }))).toMatchObject({
      code: 'ERR_ARGUMENT',
      details: { argument: 'earlyStopping' },
    })
  })
})

describe('the method of multipliers', () => {
  const penalty = { layer: 0, kind: 'constraint', target: 0.1, weight: 0, average: 'exact' } as const

  test('adds c times the distance to each multiplier at the end of a round, not before', () => {
    const method = new AugmentedLagrangian(penalty, 2, 'sigmoid', 'minibatches')
    const { round, weight } = method.current
    expect(method.observe(Float64Array.of(0.3, 0.1), 39, false)).toBeCloseTo(0.2, 12)
    expect(method.current.round).toBe(round)
    method.observe(Float64Array.of(0.2, 0.05), 1, false)
    expect(method.current.round).toBe(round + 1)
    expect(method.current.multipliers[0]).toBeCloseTo(weight * 0.1, 12)
    expect(method.current.multipliers[1]).toBeCloseTo(-weight * 0.05, 12)
  })

  test('multiplies c by four if the violation did not fall to a quarter, up to a bound', () => {
    const method = new AugmentedLagrangian(penalty, 1, 'sigmoid', 'minibatches')
    const { weight } = method.current
    const weights = [0.5, 0.4, 0.09, 0.08, 0.07].map((distance) => {
      method.observe(Float64Array.of(0.1 + distance), 40, false)
      return method.current.weight
    })
    expect(weights).toEqual([weight, 4 * weight, 4 * weight, 100, 100])
  })

  test('ends a round early if the optimizer has converged', () => {
    const method = new AugmentedLagrangian(penalty, 1, 'sigmoid', 'lbfgs')
    method.observe(Float64Array.of(0.2), 1, true)
    expect(method.current.round).toBe(2)
  })
})
