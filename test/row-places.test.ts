import { describe, expect, test } from 'vitest'
import type { NativeLayer, NativeObjective, NativeRows } from '../lib/native/binding.js'
import { NativeWork } from '../lib/native/call.js'
import { binding } from '../lib/native/load.js'
import { rejection } from './sample.js'
import { openJob } from './training-job.js'

const data = new Float32Array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
const rows = (more: Partial<NativeRows>): NativeRows => ({
  data,
  type: 'float32',
  rows: 3,
  cols: 2,
  scale: 1,
  ...more,
})
const layers: NativeLayer[] = [{ inputs: 2, outputs: 2, activation: 'softmax' }]
const identity: NativeLayer[] = [{ inputs: 2, outputs: 2, activation: 'identity' }]
const objective: NativeObjective = { loss: 'logLoss', weightDecay: [0], penalties: [] }
const labels = Uint32Array.of(0, 1, 0)
const parameters = () => new Float32Array(6)
const doubles = (length: number) => new Float64Array(length)

async function trained(given: NativeRows): Promise<unknown> {
  const job = openJob({ layers, objective, parameters: parameters(), rows: given })
  const learningRates = Float64Array.of(0.1)
  try {
    return await new NativeWork({}).call('x', (run) =>
      binding().trainSpan(job, { ...run, epoch: 0, learningRates, budgetMs: 10, parameters: parameters() }),
    )
  } finally {
    binding().closeTraining(job)
  }
}

/** Every call that reads rows and checks their order on the computing threads. */
const CALLS: Readonly<Record<string, (given: NativeRows) => Promise<unknown>>> = {
  forward: (given) =>
    new NativeWork({}).call('x', (run) => {
      const request = { layers: identity, parameters: parameters(), rows: given, result: 'outputs' as const }
      return binding().forward({ ...run, ...request, out: new Float32Array(2 * given.order!.length) })
    }),
  evaluate: (given) =>
    new NativeWork({}).call('x', (run) =>
      binding().evaluate({ ...run, layers, objective, parameters: parameters(), rows: { labels, ...given } }),
    ),
  train: (given) => trained({ labels, ...given }),
  scan: (given) =>
    new NativeWork({}).call('x', (run) => binding().scan({ ...run, rows: given, low: 0, high: 1 })),
  covariance: (given) =>
    new NativeWork({}).call('x', (run) =>
      binding().covariance({ ...run, rows: given, mean: doubles(2), covariance: doubles(4) }),
    ),
  leadingDirections: (given) =>
    new NativeWork({}).call('x', (run) =>
      binding().leadingDirections({
        ...{ ...run, rows: given, count: 1, mean: doubles(2), values: doubles(1), vectors: doubles(2) },
      }),
    ),
}

describe.each(Object.keys(CALLS))('%s', (name) => {
  test('refuses an order with a row number out of range', async () => {
    const error = await rejection(CALLS[name]!(rows({ order: Uint32Array.of(0, 3, 1) })))
    expect(error).toMatchObject({ code: 'ERR_STATE', message: expect.stringContaining('no such row') })
  })

  test('accepts rows in any order', async () => {
    await CALLS[name]!(rows({ order: Uint32Array.of(2, 0, 1) }))
  })
})

test.each(['evaluate', 'train'])('%s refuses a label of no class', async (name) => {
  const order = Uint32Array.of(2, 1)
  const error = await rejection(CALLS[name]!(rows({ order, labels: Uint32Array.of(0, 2, 1) })))
  expect(error).toMatchObject({ code: 'ERR_STATE', message: expect.stringContaining('no such class') })
  await CALLS[name]!(rows({ order, labels: Uint32Array.of(7, 1, 1) }))
})
