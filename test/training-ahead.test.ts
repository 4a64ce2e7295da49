import { describe, expect, test } from 'vitest'
import { type FitOptions, SparseAutoencoder } from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { rejection, sampleRows } from './sample.js'

const inputs = 16
const x = sampleRows(60, inputs)
const options = { inputs, hidden: 6, sparsity: { kind: 'kl', target: 0.2, weight: 0.1 }, seed: 5 } as const
const oneStepAnEpoch = { batchSize: 'all', learningRate: 0.01 } as const

async function parametersAfter(epochs: number): Promise<Float32Array> {
  const model = new SparseAutoencoder(options)
  await model.fit(x, { ...oneStepAnEpoch, epochs })
  return model.parameters()
}

describe('epochs begin before JavaScript has read how the last one ended, which', () => {
  test.each<[string, FitOptions]>([
    ['minibatches', { batchSize: 8, epochs: 12 }],
    ['all rows', { batchSize: 'all', epochs: 12 }],
    ['lbfgs', { optimizer: { kind: 'lbfgs', maxIterations: 12 } }],
    ['lbfgs that stops by itself', { optimizer: { kind: 'lbfgs', tolerance: 0.05 } }],
  ])('gives the history and the bits of waiting for an onEpoch: %s', async (_, how) => {
    const [ahead, waiting] = [new SparseAutoencoder(options), new SparseAutoencoder(options)]
    const timeless = ({ epochs, stopped }: Awaited<ReturnType<typeof ahead.fit>>) => [
      stopped,
      epochs.map(({ seconds, samplesPerSecond, ...rest }) => rest),
    ]
    const history = await ahead.fit(x, how)
    expect(timeless(history)).toEqual(timeless(await waiting.fit(x, { ...how, onEpoch: async () => {} })))
    expect(ahead.parameters()).toEqual(waiting.parameters())
    expect(history.epochs.every(({ seconds }) => seconds > 0)).toBe(true)
  })

  test('shows in onProgress the parameters of the last epoch that was reported', async () => {
    const model = new SparseAutoencoder(options)
    const seen: Float32Array[] = []
    await model.fit(x, { ...oneStepAnEpoch, epochs: 6, onProgress: () => void seen.push(model.parameters()) })
    for (const [i, parameters] of seen.entries()) expect(parameters).toEqual(await parametersAfter(i + 1))
    expect(seen).toHaveLength(6)
  })

  test('leaves the last complete step after an abort, and trains no further', async () => {
    const model = new SparseAutoencoder(options)
    const controller = new AbortController()
    let read = 0
    const onProgress = () => {
      if (++read < 4) return
      // The fifth epoch is over by then, and nobody has read that.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
      controller.abort()
    }
    await rejection(model.fit(x, { ...oneStepAnEpoch, epochs: 1e6, signal: controller.signal, onProgress }))
    expect(read).toBe(4)
    expect(model.parameters()).toEqual(await parametersAfter(5))
    const history = await model.fit(x, { ...oneStepAnEpoch, epochs: 2 })
    expect(history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2])
  })

  test('leaves the epoch that was reported last if onProgress throws', async () => {
    const model = new SparseAutoencoder(options)
    const error = new Error('enough')
    let read = 0
    const onProgress = () => {
      if (++read === 3) throw error
    }
    expect(await rejection(model.fit(x, { ...oneStepAnEpoch, epochs: 1e6, onProgress }))).toBe(error)
    expect(model.parameters()).toEqual(await parametersAfter(3))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(model.parameters()).toEqual(await parametersAfter(3))
    expect((await model.fit(x, { epochs: 1 })).stopped).toBe('completed')
  })

  test('leaves the last finite epoch if training diverges', async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 6, activation: 'identity', seed: 2 })
    const finite: Float32Array[] = []
    const error = await rejection(
      model.fit(x, {
        optimizer: { kind: 'gradientDescent' },
        batchSize: 'all',
        epochs: 500,
        learningRate: 1e3,
        onProgress: () => void finite.push(model.parameters()),
      }),
    )
    expect(error).toMatchObject({ code: 'ERR_DIVERGED', details: { epoch: finite.length + 1 } })
    expect(model.parameters()).toEqual(finite.at(-1))
    expect(finite.at(-1)!.every(Number.isFinite)).toBe(true)
  })

  test('does not hold for a learning rate that is asked for, which is asked when its epoch begins', async () => {
    const log: string[] = []
    const learningRate = (epoch: number) => {
      log.push(`rate ${epoch}`)
      return 0.01
    }
    const onProgress = ({ epoch }: { epoch: number }) => void log.push(`end ${epoch}`)
    await new SparseAutoencoder(options).fit(x, { batchSize: 'all', epochs: 3, learningRate, onProgress })
    expect(log).toEqual(['rate 1', 'end 1', 'rate 2', 'end 2', 'rate 3', 'end 3'])
  })
})

test('a training job takes a second span while one runs, and no third', async () => {
  const parameters = new Float32Array(inputs * 2 + 2 + 2 * inputs + inputs)
  const job = binding().openTraining({
    layers: [
      { inputs, outputs: 2, activation: 'sigmoid' },
      { inputs: 2, outputs: inputs, activation: 'sigmoid' },
    ],
    objective: { loss: 'squared', weightDecay: [0, 0], penalties: [] },
    parameters,
    rows: { data: Float64Array.from(x.data), rows: x.rows, cols: inputs, scale: 1 },
    batchSize: 0,
    shuffle: false,
    optimizer: { kind: 'gradientDescent' },
    seed: 0,
    fit: 0,
    form: 'fused',
  })
  const span = { epoch: 0, learningRate: 0.1, budgetMs: 50, threads: 1, cancel: new Int32Array(1) }
  const first = { ...span, parameters: parameters.slice() }
  const next = { learningRate: 0.2, parameters: parameters.slice() }
  const both = [binding().trainSpan(job, first), binding().trainSpan(job, { ...first, next })]
  const refusal = expect.objectContaining({ code: 'ERR_STATE' })
  expect(() => binding().trainSpan(job, first)).toThrow(refusal)
  expect(() => binding().closeTraining(job)).toThrow(refusal)
  expect(await Promise.all(both)).toMatchObject([
    { ofNext: false, epoch: {} },
    { ofNext: true, epoch: {} },
  ])
  expect(next.parameters).not.toEqual(first.parameters)
  const short = { learningRate: 0.1, parameters: new Float32Array(1) }
  expect(() => binding().trainSpan(job, { ...first, next: short })).toThrow(
    expect.objectContaining({ code: 'ERR_SHAPE' }),
  )
  binding().closeTraining(job)
})
