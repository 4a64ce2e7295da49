import { getEventListeners } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Matrix, Pca, SparseAutoencoder } from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { rejection, sampleRows } from './sample.js'
import { openSmallJob } from './training-job.js'

const inputs = 64
const few = sampleRows(50, inputs)
const many = Matrix.from(new Uint8Array(200_000 * inputs).fill(1), 200_000, inputs)
const model = () => new SparseAutoencoder({ inputs, hidden: 200, seed: 1 })

/** A call that occupies its lane until it is stopped. */
interface Occupant {
  readonly over: () => boolean
  readonly end: () => Promise<unknown>
}

function occupant(call: Promise<unknown>, stop: () => void): Occupant {
  let over = false
  const settled = call
    .catch(() => {})
    .finally(() => {
      over = true
    })
  return {
    over: () => over,
    end: () => {
      stop()
      return settled
    },
  }
}

/** A span of training without end. */
function occupyTraining(): Occupant {
  const { job, parameters } = openSmallJob({ ...many, scale: 1 / 255 })
  const learningRates = new Float64Array(100_000)
  const flags = new Int32Array(2)
  const span = { epoch: 0, learningRates, budgetMs: 1e9, parameters, threads: 1, flags }
  const call = binding().trainSpan(job, span)
  return occupant(call, () => Atomics.store(flags, 0, 1))
}

/** A decomposition is one task of any length. */
function occupyDecomposition(): Occupant {
  const n = 2500
  const matrix = Float64Array.from({ length: n * n }, (_, i) => Math.sin(i))
  const [values, vectors] = [new Float64Array(n), new Float64Array(n * n)]
  const flags = new Int32Array(2)
  const call = binding().eigen({ n, matrix, values, vectors, threads: 1, flags })
  return occupant(call, () => Atomics.store(flags, 0, 1))
}

/** An answer over very many rows. */
function occupyBulk(): Occupant {
  const controller = new AbortController()
  const wide = new SparseAutoencoder({ inputs, hidden: 4000 })
  const call = wide.reconstructionError(many, { threads: 1, signal: controller.signal })
  return occupant(call, () => controller.abort())
}

type Calls = Record<string, (signal: AbortSignal) => Promise<unknown>>

const trainings: Calls = {
  fit: (signal) => model().fit(few, { epochs: 2, signal }),
  'fit by L-BFGS': (signal) => model().fit(few, { optimizer: { kind: 'lbfgs', maxIterations: 3 }, signal }),
}
const decompositions: Calls = {
  'Pca.fit': (signal) => new Pca().fit(few, { signal }),
}
const answersOfFew: Calls = {
  cost: (signal) => model().cost(few, { signal }),
  encode: (signal) => model().encode(few, { signal }),
  reconstructionError: (signal) => model().reconstructionError(few, { signal }),
}
const answersOfMany: Calls = {
  cost: (signal) => model().cost(many, { signal }),
  encode: (signal) => model().encode(many, { signal }),
  reconstruct: (signal) => model().reconstruct(many, { signal }),
  reconstructionError: (signal) => model().reconstructionError(many, { signal }),
}

describe.each([
  ['training', occupyTraining, trainings, { ...answersOfFew, ...answersOfMany, ...decompositions }],
  ['an eigen-decomposition', occupyDecomposition, decompositions, { ...answersOfFew, ...trainings }],
  [
    'an answer over many rows',
    occupyBulk,
    answersOfMany,
    { ...answersOfFew, ...trainings, ...decompositions },
  ],
] as const)('while %s computes', (_, occupy, queued, free) => {
  let busy: Occupant
  beforeAll(() => {
    busy = occupy()
  })
  afterAll(() => busy.end())

  test.each(Object.entries(queued))('a queued %s that is aborted rejects at once', async (_, call) => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const outcome = rejection(call(controller.signal))
    setTimeout(() => controller.abort(reason), 20)
    expect(await outcome).toBe(reason)
    expect(busy.over()).toBe(false)
  })

  test.each(Object.entries(free))('%s does not wait for it', async (_, call) => {
    await call(new AbortController().signal)
    expect(busy.over()).toBe(false)
  })
})

describe('a signal', () => {
  test('given to many calls has one listener of ours, and none after they end', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => void warnings.push(warning)
    process.on('warning', onWarning)
    const { signal } = new AbortController()
    const listeners = () => getEventListeners(signal, 'abort').length
    const every = Object.values({ ...trainings, ...decompositions, ...answersOfFew })
    const calls = Array.from({ length: 30 }, (_, i) => every[i % every.length]!)
    const all = calls.map((call) => call(signal))
    expect(listeners()).toBe(1)
    await Promise.all(all)
    expect(listeners()).toBe(0)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  test('stops every call that it was given to', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const { signal } = controller
    const endless = () => model().fit(few, { epochs: 1_000_000, signal })
    const all = [endless(), endless(), model().cost(few, { signal }), endless()].map(rejection)
    controller.abort(reason)
    expect(await Promise.all(all)).toEqual(new Array(4).fill(reason))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

test('a model whose queued fit was aborted has its old parameters and can be trained', async () => {
  const busy = occupyTraining()
  const subject = model()
  const before = subject.parameters()
  const controller = new AbortController()
  const fit = rejection(subject.fit(few, { epochs: 2, signal: controller.signal }))
  setTimeout(() => controller.abort(), 20)
  await fit
  expect(busy.over()).toBe(false)
  expect(subject.parameters()).toEqual(before)
  const again = subject.fit(few, { epochs: 2 })
  await busy.end()
  expect((await again).epochs).toHaveLength(2)
})

test('a fit that is aborted while its next steps are queued keeps the completed steps', async () => {
  const subject = model()
  const before = subject.parameters()
  const controller = new AbortController()
  let busy: Occupant | undefined
  const onProgress = () => {
    // It runs after the span that is queued already, and before all others.
    if (busy === undefined) busy = occupyTraining()
    else controller.abort()
  }
  await rejection(subject.fit(many, { batchSize: 1, signal: controller.signal, onProgress }))
  expect(busy!.over()).toBe(false)
  expect(subject.parameters()).not.toEqual(before)
  await busy!.end()
})

test('training continues beside endless loops of encoding, and both can be aborted', async () => {
  const reason = new Error('enough')
  const controller = new AbortController()
  const { signal } = controller
  const rows = Matrix.from(many.data.subarray(0, 5000 * inputs), 5000, inputs)
  const encoding = Array.from({ length: 3 }, async () => {
    const encoder = model()
    for (;;) await encoder.encode(rows, { threads: 2, signal })
  })
  let epochs = 0
  const onEpoch = () => {
    if (++epochs === 5) controller.abort(reason)
  }
  const fit = model().fit(rows, { epochs: 1_000_000, batchSize: 500, threads: 2, signal, onEpoch })
  const outcomes = await Promise.all([fit, ...encoding].map(rejection))
  expect(outcomes).toEqual(new Array(4).fill(reason))
  expect(epochs).toBe(5)
})
