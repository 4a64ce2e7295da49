import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  LinearAutoencoder,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
} from '../lib/index.js'
import { rejection, sampleRows } from './sample.js'

const inputs = 6
const x = sampleRows(40, inputs)
const labels = Uint8Array.from({ length: x.rows }, (_, row) => row % 2)
const layers = [{ hidden: 4 }, { hidden: 3 }]

type Options = { epochs: number; signal?: AbortSignal } & Record<string, unknown>

/** Every method that trains. */
const TRAININGS: readonly [string, (options: Options) => Promise<unknown>][] = [
  ['SparseAutoencoder.fit', (options) => new SparseAutoencoder({ inputs, hidden: 3 }).fit(x, options)],
  ['LinearAutoencoder.fit', (options) => new LinearAutoencoder({ inputs, hidden: 3 }).fit(x, options)],
  [
    'LinearAutoencoder.fit with center',
    (options) => new LinearAutoencoder({ inputs, hidden: 3, center: true }).fit(x, options),
  ],
  ['StackedAutoencoder.fit', (options) => new StackedAutoencoder({ inputs, layers }).fit(x, options)],
  [
    'StackedAutoencoder.fineTune',
    (options) => new StackedAutoencoder({ inputs, layers }).fineTune(x, options),
  ],
  [
    'SoftmaxClassifier.fit',
    (options) => new SoftmaxClassifier({ inputs, classes: 2 }).fit(x, labels, options),
  ],
  [
    'StackedClassifier.fit',
    (options) => new StackedClassifier({ inputs, layers, classes: 2 }).fit(x, labels, options),
  ],
  [
    'StackedClassifier.fineTune',
    (options) => new StackedClassifier({ inputs, layers, classes: 2 }).fineTune(x, labels, options),
  ],
]

const error = new Error('from the callback')
const FAILURES: readonly [string, () => unknown][] = [
  [
    'throws',
    () => {
      throw error
    },
  ],
  ['is async and rejects', () => Promise.reject(error)],
  ['rejects later, when training could be over', () => setTimeout(20).then(() => Promise.reject(error))],
  [
    'answers a thenable that throws',
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: what a hostile caller may return
      then() {
        throw error
      },
    }),
  ],
]

let lost: unknown[]
const note = (reason: unknown) => void lost.push(reason)
beforeEach(() => {
  lost = []
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  await setTimeout(30)
  process.off('unhandledRejection', note)
  expect(lost).toEqual([])
})

describe.each(TRAININGS)('%s', (_, train) => {
  describe.each(['onEpoch', 'onProgress'])('rejects with the error of an %s that', (callback) => {
    test.each(FAILURES)('%s', async (_, fail) => {
      expect(await rejection(train({ epochs: 1, [callback]: fail }))).toBe(error)
    })
  })

  test.each(['onEpoch', 'onProgress'])('awaits %s', async (callback) => {
    let running = 0
    await train({
      epochs: 2,
      [callback]: async () => {
        expect(++running).toBe(1)
        await setTimeout(5)
        running--
      },
    })
    expect(running).toBe(0)
  })

  test.each(['onEpoch', 'onProgress'])(
    'rejects with the reason of an abort during an %s, whose own rejection is ignored',
    async (callback) => {
      const controller = new AbortController()
      const reason = new Error('enough')
      const failing = async () => {
        controller.abort(reason)
        await setTimeout(5)
        throw error
      }
      expect(await rejection(train({ epochs: 2, signal: controller.signal, [callback]: failing }))).toBe(
        reason,
      )
    },
  )

  test('refuses a learning rate that is a promise, whose rejection is ignored', async () => {
    const learningRate = () => Promise.reject(error)
    expect(await rejection(train({ epochs: 2, learningRate }))).toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/learningRate\(1\).*Promise/),
    })
  })
})
