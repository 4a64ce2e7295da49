import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type FitOptions,
  type LayerFitOptions,
  resumeTraining,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
} from '../lib/index.js'
import { labeledRows } from './labeled-sample.js'
import { expectError } from './refusal.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const inputs = 8
const x = sampleRows(60, inputs)
const other = sampleRows(33, inputs, 5)
const create = () =>
  new SparseAutoencoder({ inputs, hidden: 5, seed: 2, sparsity: { kind: 'kl', target: 0.2, weight: 0.5 } })
/** Without shuffles, which depend on the number of the fit. */
const plain = { batchSize: 16, shuffle: false, learningRate: 0.02 } as const

const ways: Record<string, FitOptions & LayerFitOptions> = {
  adam: plain,
  momentum: { ...plain, optimizer: { kind: 'momentum' } },
  'gradient descent': { ...plain, optimizer: { kind: 'gradientDescent' } },
  'a schedule of steps': { ...plain, learningRate: { kind: 'step', rate: 0.02, every: 2, factor: 0.5 } },
  'a function as schedule': { ...plain, learningRate: (epoch) => 0.05 / epoch },
}

describe("with optimizerState 'keep', two trainings are one longer training:", () => {
  test.each(Object.entries(ways))('%s', async (_, options) => {
    const [once, twice] = [create(), create()]
    await once.fit(x, { ...options, epochs: 7 } as FitOptions)
    await twice.fit(x, { ...options, epochs: 3 } as FitOptions)
    const { epochs } = await twice.fit(x, { ...options, epochs: 4, optimizerState: 'keep' } as FitOptions)
    expect(twice.parameters()).toEqual(once.parameters())
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4])
  })
})

test("optimizerState 'fresh' is the default, and differs", async () => {
  const models = [undefined, 'fresh', 'keep'].map(() => create())
  const states = [undefined, 'fresh', 'keep'] as const
  for (const [k, model] of models.entries()) {
    await model.fit(x, { ...plain, epochs: 3 })
    await model.fit(x, { ...plain, epochs: 3, optimizerState: states[k] })
  }
  expect(models[0]!.parameters()).toEqual(models[1]!.parameters())
  expect(models[0]!.parameters()).not.toEqual(models[2]!.parameters())
})

test('the default schedule of adam spans the epochs of each training', async () => {
  const model = create()
  const rates = async () =>
    (await model.fit(x, { epochs: 4, optimizerState: 'keep' })).epochs.map((e) => e.learningRate)
  expect(await rates()).toEqual(await rates())
})

test('moments are kept for other rows, and after an abort that writes a checkpoint', async ({
  onTestFinished,
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'layerwise-moments-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const checkpoint = { path: join(folder, 'run.checkpoint') }
  const [one, two] = [create(), create()]
  const controller = new AbortController()
  const onEpoch = ({ epoch }: { epoch: number }) => void (epoch === 2 && controller.abort())
  await rejection(one.fit(x, { ...plain, epochs: 9, signal: controller.signal, onEpoch, checkpoint }))
  await two.fit(x, { ...plain, epochs: 2 })
  for (const model of [one, two]) await model.fit(other, { ...plain, epochs: 2, optimizerState: 'keep' })
  expect(one.parameters()).toEqual(two.parameters())
})

test('a model that was not trained since it was made or loaded begins with new moments', async () => {
  const [first, kept] = [create(), create()]
  await first.fit(x, { ...plain, epochs: 2 })
  await kept.fit(x, { ...plain, epochs: 2, optimizerState: 'keep' })
  expect(kept.parameters()).toEqual(first.parameters())
  const loaded = await SparseAutoencoder.fromBytes(await first.toBytes())
  const again = await SparseAutoencoder.fromBytes(await first.toBytes())
  await loaded.fit(x, { ...plain, epochs: 2 })
  await again.fit(x, { ...plain, epochs: 2, optimizerState: 'keep' })
  expect(again.parameters()).toEqual(loaded.parameters())
})

test('each layer of a stack and fine-tuning have moments of their own', async () => {
  const make = () => new StackedAutoencoder({ inputs, layers: [{ hidden: 5 }, { hidden: 3 }], seed: 1 })
  const [once, twice] = [make(), make()]
  await once.fineTune(x, { ...plain, epochs: 5 })
  await twice.fineTune(x, { ...plain, epochs: 3 })
  await twice.fineTune(x, { ...plain, epochs: 2, optimizerState: 'keep' })
  expect(twice.parameters()).toEqual(once.parameters())
  const classifier = () => new StackedClassifier({ inputs, layers: [{ hidden: 4 }], classes: 3, seed: 1 })
  const { x: rows, labels } = labeledRows(40, inputs, 3)
  const [longer, shorter] = [classifier(), classifier()]
  await longer.fit(rows, labels, { ...plain, epochs: 5 })
  await shorter.fit(rows, labels, { ...plain, epochs: 3 })
  await shorter.fit(rows, labels, { ...plain, epochs: 2, optimizerState: 'keep' })
  expect(shorter.parameters()).toEqual(longer.parameters())
})

test('a training with kept moments can be interrupted', async () => {
  const path = join(folder, 'kept.checkpoint')
  const options = {
    ...plain,
    epochs: 6,
    learningRate: { kind: 'step', rate: 0.02, every: 2, factor: 0.5 },
  } as const
  const [whole, interrupted] = [create(), create()]
  for (const model of [whole, interrupted]) await model.fit(x, options)
  await whole.fit(other, { ...options, optimizerState: 'keep' })
  const controller = new AbortController()
  const onEpoch = ({ epoch }: { epoch: number }) => void (epoch === 3 && controller.abort())
  const more = { optimizerState: 'keep', checkpoint: { path }, signal: controller.signal, onEpoch } as const
  await rejection(interrupted.fit(other, { ...options, ...more }))
  const { model } = await resumeTraining(path, other, { signal: null, onEpoch: null })
  expect(model.parameters()).toEqual(whole.parameters())
})

describe('optimizerState is refused', () => {
  test('with lbfgs', async () => {
    const options = { optimizer: { kind: 'lbfgs' }, optimizerState: 'keep' } as unknown as FitOptions
    expectError(await rejection(create().fit(x, options)), 'ERR_ARGUMENT', 'optimizerState: expected nothing')
  })

  test('after a training by another optimizer', async () => {
    const model = create()
    await model.fit(x, { ...plain, epochs: 1 })
    const options = { ...plain, optimizer: { kind: 'momentum' }, optimizerState: 'keep' } as const
    const message = "optimizerState: expected 'fresh', since the training before was by adam"
    expectError(await rejection(model.fit(x, options)), 'ERR_ARGUMENT', message)
  })

  test('as another word', async () => {
    const options = { optimizerState: 'new' } as unknown as FitOptions
    expectError(
      await rejection(create().fit(x, options)),
      'ERR_ARGUMENT',
      "optimizerState: expected 'fresh' | 'keep'",
    )
  })
})
