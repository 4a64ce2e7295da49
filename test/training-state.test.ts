import { describe, expect, test } from 'vitest'
import type {
  Floats,
  JobRequest,
  NativeTrainingState,
  SpanPart,
  TrainingHandle,
} from '../lib/native/binding.js'
import { NativeWork } from '../lib/native/call.js'
import { binding } from '../lib/native/load.js'
import { Spans } from '../lib/training/spans.js'
import { sampleRows } from './sample.js'
import { openJob } from './training-job.js'

const inputs = 300
const hidden = 60
const rows = 40
const epochs = 3
const data = Float32Array.from(sampleRows(rows, inputs).data)

const optimizers: readonly JobRequest['optimizer'][] = [
  { kind: 'gradientDescent' },
  { kind: 'momentum', momentum: 0.9 },
  { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { kind: 'lbfgs', history: 2, tolerance: 0 },
]
const adam = optimizers[2]!

/** Of a sparse autoencoder; vectors of the parameters' length are longer than what is copied for JavaScript. */
function open(
  optimizer: JobRequest['optimizer'],
  state?: NativeTrainingState,
  parameters = start('float32'),
) {
  const lbfgs = optimizer.kind === 'lbfgs'
  const job = openJob({
    layers: [
      { inputs, outputs: hidden, activation: 'sigmoid' },
      { inputs: hidden, outputs: inputs, activation: 'sigmoid' },
    ],
    objective: {
      loss: 'squared',
      weightDecay: [1e-4, 1e-4],
      penalties: [{ layer: 0, kind: 'kl', target: 0.1, weight: 0.1, average: lbfgs ? 'exact' : 'moving' }],
    },
    parameters,
    rows: { data, type: 'float32', rows, cols: inputs, scale: 1 },
    batchSize: lbfgs ? 0 : 16,
    shuffle: lbfgs ? 'none' : 'rows',
    optimizer,
    seed: 3,
    ...(state && { state }),
  })
  return { job, parameters: parameters.slice() }
}

function start(precision: 'float32' | 'float64'): Floats {
  const parameters = new (precision === 'float32' ? Float32Array : Float64Array)(
    2 * inputs * hidden + hidden + inputs,
  )
  binding().uniform(parameters, -0.1, 0.1, 1, 0, 0)
  return parameters
}

/** Goes on step by step, each with the state after it where that is asked for. `parameters` receives those of the last epoch done. */
async function goOn(
  { job, parameters }: { job: TrainingHandle; parameters: Floats },
  { threads = 2, most = Infinity, state = false } = {},
): Promise<SpanPart[]> {
  const learningRates = new Float64Array(epochs).fill(0.01)
  const parts: SpanPart[] = []
  while (parts.length < most) {
    const run = { threads, flags: new Int32Array(2), epoch: 0, learningRates, budgetMs: 0, parameters }
    const done = await binding().trainSpan(job, { ...run, ...(state && { state }) })
    if (done.length === 0) break
    parts.push(...done)
  }
  return parts
}

/** What an epoch came to. */
const outcome = ({ loss, weightDecay, sparsity, epoch }: SpanPart) => ({ loss, weightDecay, sparsity, epoch })

describe('the state of a training job, put into another after any step, goes on with the same bits:', () => {
  for (const precision of ['float32', 'float64'] as const) {
    test.each(optimizers)(`$kind, ${precision}`, async (optimizer) => {
      const whole = open(optimizer, undefined, start(precision))
      const parts = await goOn(whole, { state: true })
      expect(parts.length).toBeGreaterThan(2)
      for (const [step, { state }] of parts.slice(0, -1).entries()) {
        // The parameters that the job is opened with are of no account.
        const resumed = open(optimizer, state, start(precision).fill(0))
        const rest = await goOn(resumed, { threads: 1 + (step % 3) })
        expect(rest.map(outcome).at(-1)).toEqual(parts.map(outcome).at(-1))
        expect(resumed.parameters).toEqual(whole.parameters)
        binding().closeTraining(resumed.job)
      }
      binding().closeTraining(whole.job)
    })
  }
})

test('a state outlives its job and is not written when that goes on', async () => {
  const first = open(adam)
  const [part] = await goOn(first, { most: 1, state: true })
  const copy = structuredClone(part!.state)
  await goOn(first)
  binding().closeTraining(first.job)
  expect(part!.state).toEqual(copy)
})

test('a span without learning rates takes no step, and says the state', async () => {
  const job = open(adam)
  const span = { threads: 1, flags: new Int32Array(2), epoch: 0, budgetMs: 0, parameters: job.parameters }
  const [part] = await goOn(job, { most: 1, state: true })
  const asked = { ...span, learningRates: new Float64Array(0), state: true }
  for (let again = 0; again < 2; again++) {
    const parts = await binding().trainSpan(job.job, asked)
    expect(parts).toHaveLength(1)
    expect(parts[0]).toMatchObject({ steps: 0, cancelled: false, diverged: false, epoch: undefined })
    expect(parts[0]!.state).toEqual(part!.state)
  }
  binding().closeTraining(job.job)
})

test('a state that is always wanted comes in every epoch, also where a waiting span had nothing left to do', async () => {
  const { job, parameters } = open(adam)
  const nativeRows = { data, type: 'float32', rows, cols: inputs, scale: 1 } as const
  const work = new NativeWork({ threads: 1 })
  const spans = new Spans(
    job,
    nativeRows,
    work,
    () => parameters.slice(),
    () => true,
  )
  const states: number[] = []
  for (let epoch = 1; epoch <= 5; epoch++) {
    const next = { epoch, learningRate: 0.01, last: epoch, rate: () => 0.01, constraint: undefined }
    for (let ended = false; !ended; ) {
      const part = await spans.next(next)
      if (part.state) states.push(epoch)
      ended = part.epoch !== undefined
    }
  }
  await spans.settle()
  binding().closeTraining(job)
  expect(new Set(states)).toEqual(new Set([1, 2, 3, 4, 5]))
})

test('a span that is not asked for a state says none', async () => {
  const job = open(adam)
  for (const { state } of await goOn(job)) expect(state).toBeUndefined()
  binding().closeTraining(job.job)
})

describe('a state is refused', () => {
  const stateOf = async (optimizer: JobRequest['optimizer']) => {
    const job = open(optimizer)
    const [part] = await goOn(job, { most: 1, state: true })
    binding().closeTraining(job.job)
    return part!.state!
  }

  test('by a job with another optimizer', async () => {
    const resumed = open(optimizers[1]!, await stateOf(adam))
    await expect(goOn(resumed)).rejects.toMatchObject({ code: 'ERR_STATE' })
  })

  test('by a job in another precision', async () => {
    const resumed = open(adam, await stateOf(adam), start('float64'))
    await expect(goOn(resumed)).rejects.toMatchObject({ code: 'ERR_STATE' })
  })

  test('without one of its entries, and by every span of that job', async () => {
    const { 'epoch.loss': _, ...rest } = await stateOf(adam)
    const resumed = open(adam, rest)
    for (let span = 0; span < 2; span++) {
      await expect(goOn(resumed)).rejects.toMatchObject({
        code: 'ERR_STATE',
        message: expect.stringContaining('epoch.loss'),
      })
    }
  })

  test.each([
    ['a fraction', 1.5],
    ['other integers', new Int32Array(1)],
    ['a word', 'no'],
  ])('where an entry is %s', async (_, value) => {
    const state = { ...(await stateOf(adam)), 'epoch.step': value } as NativeTrainingState
    expect(() => open(adam, state)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }))
  })
})
