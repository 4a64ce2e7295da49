import { describe, expect, test } from 'vitest'
import { SparseAutoencoder, StackedAutoencoder } from '../lib/index.js'
import { evaluate } from './oracle/network.js'
import { adam, gradientDescent, momentum } from './oracle/optimizers.js'
import { rejection, relativeDistance, sampleRows } from './sample.js'
import { tolerances } from './tolerances.js'

const inputs = 6
const hidden = 4
const rows = 15
const x = sampleRows(rows, inputs)
const decay = 0.5
const learningRate = 0.2
const epochs = 6

const layers = [
  { inputs, outputs: hidden, activation: 'sigmoid' },
  { inputs: hidden, outputs: inputs, activation: 'sigmoid' },
] as const
const penalty = { kind: 'l2', target: 0.2, weight: 3 } as const
// The decay is a large part of the gradient, so that leaving it out of the norm would show.
const objective = {
  loss: 'squared',
  weightDecay: [decay, decay],
  penalties: [{ layer: 0, ...penalty }],
} as const

const model = () =>
  new SparseAutoencoder({ inputs, hidden, sparsity: penalty, weightDecay: decay, precision: 'float64' })

const optimizers = [
  { optimizer: { kind: 'gradientDescent' }, oracle: gradientDescent() },
  { optimizer: { kind: 'momentum' }, oracle: momentum(0.9) },
  { optimizer: { kind: 'adam' }, oracle: adam() },
] as const

describe('clipNorm scales the gradient of the whole cost to the norm, if it is longer, before the step of', () => {
  test.each(optimizers)('$optimizer.kind', async ({ optimizer, oracle }) => {
    const trained = model()
    const theta = Float64Array.from(trained.parameters())
    const gradientNow = () => evaluate(layers, objective, theta, { x: x.data, m: rows }).gradient
    // The first gradients are longer than that, the last ones shorter.
    const clipNorm = 0.7 * Math.hypot(...gradientNow())
    const history = await trained.fit(x, { optimizer, epochs, batchSize: 'all', learningRate, clipNorm })
    let clipped = 0
    for (const { gradientNorm } of history.epochs) {
      const gradient = gradientNow()
      const norm = Math.hypot(...gradient)
      expect(Math.abs(gradientNorm - norm) / norm).toBeLessThan(tolerances.float64VsOracleGradient.value)
      if (norm > clipNorm) clipped++
      const factor = Math.min(1, clipNorm / norm)
      oracle(
        theta,
        gradient.map((g) => factor * g),
        learningRate,
      )
    }
    expect(clipped).toBeGreaterThan(0)
    expect(clipped).toBeLessThan(epochs)
    expect(relativeDistance(trained.parameters(), theta)).toBeLessThan(
      tolerances.float64VsOracleGradient.value,
    )
  })
})

test('a clipNorm that no gradient reaches changes no bit of the parameters', async () => {
  const [free, bounded] = [model(), model()]
  await free.fit(x, { epochs: 3, batchSize: 4 })
  await bounded.fit(x, { epochs: 3, batchSize: 4, clipNorm: 1e9 })
  expect(bounded.parameters()).toEqual(free.parameters())
})

test('clipNorm gives the same bits at any number of threads', async () => {
  const wide = sampleRows(64, 300)
  const trained = await Promise.all(
    [1, 3].map(async (threads) => {
      const one = new SparseAutoencoder({ inputs: 300, hidden: 200 })
      await one.fit(wide, { epochs: 2, batchSize: 32, clipNorm: 0.1, threads })
      return one.parameters()
    }),
  )
  expect(trained[1]).toEqual(trained[0])
})

test('clipNorm goes with fineTune and with single layers of a stack', async () => {
  const stack = () => new StackedAutoencoder({ inputs, layers: [{ hidden: 4 }, { hidden: 3 }] })
  const [free, bounded] = [stack(), stack()]
  const how = { epochs: 2, batchSize: 'all', optimizer: { kind: 'gradientDescent' } } as const
  await free.fit(x, how)
  await bounded.fit(x, { ...how, layers: [{}, { clipNorm: 1e-3 }] })
  expect(bounded.parameters()).not.toEqual(free.parameters())
  const [long, short] = [stack(), stack()]
  await long.fineTune(x, how)
  await short.fineTune(x, { ...how, clipNorm: 1e-3 })
  expect(short.parameters()).not.toEqual(long.parameters())
})

test.each([0, -1, Number.NaN, Infinity, '1', null])('clipNorm %s is refused', async (clipNorm) => {
  expect(await rejection(model().fit(x, { clipNorm } as never))).toMatchObject({
    code: 'ERR_ARGUMENT',
    details: { argument: 'clipNorm' },
  })
})
