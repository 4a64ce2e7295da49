import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type FitOptions, type FitProgress, Matrix, SparseAutoencoder } from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { rejection, sampleRows } from './sample.js'
import { openSmallJob } from './training-job.js'

const inputs = 16
const x = sampleRows(60, inputs)
const options = { inputs, hidden: 6, sparsity: { kind: 'kl', target: 0.2, weight: 0.1 }, seed: 5 } as const
const oneStepAnEpoch = { batchSize: 'all', learningRate: 0.01 } as const

/** At index i after i epochs. */
async function parametersByEpoch(epochs: number): Promise<Float32Array[]> {
  const model = new SparseAutoencoder(options)
  const after = [model.parameters()]
  await model.fit(x, { ...oneStepAnEpoch, epochs, onEpoch: () => void after.push(model.parameters()) })
  return after
}

describe('queueing epochs before JavaScript has read the results of earlier ones', () => {
  test.each<[string, FitOptions]>([
    ['minibatches', { batchSize: 8, epochs: 12 }],
    ['all rows', { batchSize: 'all', epochs: 150 }],
    ['lbfgs', { optimizer: { kind: 'lbfgs', maxIterations: 12 } }],
    ['lbfgs that stops by itself', { optimizer: { kind: 'lbfgs', tolerance: 0.05 } }],
  ])('gives the history and bits of waiting for onEpoch: %s', async (_, how) => {
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

  test('gives onProgress the parameters of the reported epoch', async () => {
    const model = new SparseAutoencoder(options)
    const seen: [epoch: number, Float32Array][] = []
    const onProgress = ({ epoch }: FitProgress) => void seen.push([epoch, model.parameters()])
    await model.fit(x, { ...oneStepAnEpoch, epochs: 200, onProgress })
    const after = await parametersByEpoch(200)
    for (const [epoch, parameters] of seen) expect(parameters).toEqual(after[epoch])
    expect(seen.at(-1)![0]).toBe(200)
    expect(seen.length).toBeLessThan(200)
  })

  test('leaves the last complete step after an abort, and stops', async () => {
    const model = new SparseAutoencoder(options)
    const controller = new AbortController()
    let reported = 0
    const onProgress = ({ epoch }: FitProgress) => {
      reported = epoch
      // The queued span is finished by then, but its result has not been read.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
      controller.abort()
    }
    await rejection(model.fit(x, { ...oneStepAnEpoch, epochs: 1e6, signal: controller.signal, onProgress }))
    const after = await parametersByEpoch(2 * reported)
    expect(
      after.findIndex((parameters) => isDeepStrictEqual(parameters, model.parameters())),
    ).toBeGreaterThan(reported)
    const history = await model.fit(x, { ...oneStepAnEpoch, epochs: 2 })
    expect(history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2])
  })

  test('leaves the last reported epoch if onProgress throws', async () => {
    const model = new SparseAutoencoder(options)
    const error = new Error('enough')
    let reported = 0
    const onProgress = ({ epoch }: FitProgress) => {
      reported = epoch
      throw error
    }
    expect(await rejection(model.fit(x, { ...oneStepAnEpoch, epochs: 1e6, onProgress }))).toBe(error)
    const expected = (await parametersByEpoch(reported))[reported]
    expect(model.parameters()).toEqual(expected)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(model.parameters()).toEqual(expected)
    expect((await model.fit(x, { epochs: 1 })).stopped).toBe('completed')
  })

  test('leaves the last finite epoch if training diverges', async () => {
    const steep = { optimizer: { kind: 'gradientDescent' }, batchSize: 'all', epochs: 500 } as const
    const diverge = async (onEpoch?: () => void) => {
      const model = new SparseAutoencoder({ inputs, hidden: 6, activation: 'identity', seed: 2 })
      const error = await rejection(model.fit(x, { ...steep, learningRate: 20, ...(onEpoch && { onEpoch }) }))
      return { error, parameters: model.parameters() }
    }
    let epochs = 0
    const [ahead, waiting] = [await diverge(), await diverge(() => void epochs++)]
    expect(epochs).toBeGreaterThan(1)
    expect(ahead.error).toMatchObject({ code: 'ERR_DIVERGED', details: { epoch: epochs + 1 } })
    expect(ahead.error).toMatchObject({ message: (waiting.error as Error).message })
    expect(ahead.parameters).toEqual(waiting.parameters)
    expect(ahead.parameters.every(Number.isFinite)).toBe(true)
  })

  test('is off for a learning-rate function, which is called when its epoch begins', async () => {
    const log: string[] = []
    const learningRate = (epoch: number) => {
      log.push(`rate ${epoch}`)
      return 0.01
    }
    const onProgress = ({ epoch }: FitProgress) => void log.push(`end ${epoch}`)
    await new SparseAutoencoder(options).fit(x, { batchSize: 'all', epochs: 3, learningRate, onProgress })
    expect(log).toEqual(['rate 1', 'end 1', 'rate 2', 'end 2', 'rate 3', 'end 3'])
  })
})

test('a training job accepts a second span while one runs, and no third', async () => {
  const rows = Matrix.from(Float64Array.from(x.data), x.rows, inputs)
  const { job, parameters } = openSmallJob(rows)
  const span = { epoch: 0, budgetMs: 1e9, threads: 1, flags: new Int32Array(2) }
  const three = { ...span, learningRates: Float64Array.of(0.1, 0.2, 0.3), parameters: parameters.slice() }
  const five = { ...span, learningRates: new Float64Array(5).fill(0.1), parameters: parameters.slice() }
  const both = [binding().trainSpan(job, three), binding().trainSpan(job, five)]
  const refused = (code: string) => expect.objectContaining({ code })
  expect(() => binding().trainSpan(job, five)).toThrow(refused('ERR_STATE'))
  const [first, second] = await Promise.all(both)
  // Five epochs may have begun by the end of the second: three are over before it.
  expect(first).toMatchObject(new Array(3).fill({ steps: 1, diverged: false, epoch: {} }))
  expect(second).toMatchObject(new Array(2).fill({ steps: 1, diverged: false, epoch: {} }))
  expect(five.parameters).not.toEqual(three.parameters)
  expect(await binding().trainSpan(job, three)).toEqual([])
  expect(() => binding().trainSpan(job, { ...three, parameters: new Float32Array(1) })).toThrow(
    refused('ERR_SHAPE'),
  )
  const wrong = { ...three, learningRates: new Float32Array(1) as never }
  expect(() => binding().trainSpan(job, wrong)).toThrow(refused('ERR_ARGUMENT'))
  binding().closeTraining(job)
})

test('a closed training job returns the parameters of its last step, if there was one', async () => {
  const rows = Matrix.from(Float64Array.from(x.data), x.rows, inputs)
  const taken = new Float32Array(inputs * 2 + 2 + 2 * inputs + inputs)
  expect(binding().closeTraining(openSmallJob(rows).job, taken)).toBe(false)
  const { job, parameters } = openSmallJob(rows)
  const how = { epoch: 0, budgetMs: 1e9, threads: 1, learningRates: Float64Array.of(0.1) }
  await binding().trainSpan(job, { ...how, flags: new Int32Array(2), parameters })
  expect(() => binding().closeTraining(job, new Float32Array(1))).toThrow(
    expect.objectContaining({ code: 'ERR_SHAPE' }),
  )
  expect(binding().closeTraining(job, taken)).toBe(true)
  expect(taken).toEqual(parameters)
})

test('a closed training job finishes its spans, and accepts no more', async () => {
  const rows = Matrix.from(Float64Array.from(x.data), x.rows, inputs)
  const { job, parameters } = openSmallJob(rows)
  const how = { epoch: 0, budgetMs: 1e9, threads: 1, learningRates: Float64Array.of(0.1) }
  const span = { ...how, flags: new Int32Array(2), parameters: parameters.slice() }
  const never = { ...how, flags: Int32Array.of(1, 0), parameters: parameters.slice() }
  const both = [binding().trainSpan(job, span), binding().trainSpan(job, never)]
  expect(binding().closeTraining(job)).toBe(false)
  expect(() => binding().trainSpan(job, span)).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
  expect(await Promise.all(both)).toMatchObject([[{ steps: 1, epoch: {} }], []])
  expect(span.parameters).not.toEqual(parameters)
  expect(never.parameters).toEqual(parameters)
})
