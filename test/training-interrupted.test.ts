import { describe, expect, test } from 'vitest'
import { COPIED_BYTES } from '../lib/data/rows.js'
import { snapshot } from '../lib/data/snapshot.js'
import { LayerwiseError, Matrix, SoftmaxClassifier, SparseAutoencoder } from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { giveAway } from './give-away.js'
import { rejection, sampleRows } from './sample.js'
import { openSmallJob } from './training-job.js'

const inputs = 64
const options = { inputs, hidden: 100, sparsity: { kind: 'kl', target: 0.1, weight: 1 }, seed: 1 } as const
const few = sampleRows(50, inputs)
/** So many that an epoch is not over before the next turn of the event loop. */
const many = sampleRows(20_000, inputs)

/** A model that failed must do everything a fresh one can. */
async function expectUsable(model: SparseAutoencoder): Promise<void> {
  expect(model.parameters().every(Number.isFinite)).toBe(true)
  model.setParameters(model.parameters())
  expect((await model.encode(few)).rows).toBe(few.rows)
  expect((await model.fit(few, { epochs: 1 })).stopped).toBe('completed')
}

describe('an abort', () => {
  const reason = new Error('enough')

  test('before fit rejects with the reason and changes nothing', async () => {
    const model = new SparseAutoencoder(options)
    const before = model.parameters()
    expect(await rejection(model.fit(few, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(model.parameters()).toEqual(before)
    await expectUsable(model)
  })

  test.each([
    ['minibatches', { batchSize: 32, epochs: 1000 }],
    ['all rows', { batchSize: 'all', epochs: 1000 }],
    ['lbfgs', { optimizer: { kind: 'lbfgs', maxIterations: 1000, tolerance: 0 } }],
  ] as const)('during %s rejects with the reason and leaves the last complete step', async (_, how) => {
    const model = new SparseAutoencoder(options)
    const before = model.parameters()
    const controller = new AbortController()
    let epochs = 0
    const onEpoch = () => {
      epochs++
      if (epochs === 1) setTimeout(() => controller.abort(reason), 30)
    }
    expect(await rejection(model.fit(many, { ...how, signal: controller.signal, onEpoch }))).toBe(reason)
    expect(epochs).toBeLessThan(1000)
    const after = model.parameters()
    expect(after).not.toEqual(before)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(model.parameters()).toEqual(after)
    await expectUsable(model)
  })

  test('within an epoch keeps the completed steps', async () => {
    const model = new SparseAutoencoder(options)
    const before = model.parameters()
    const controller = new AbortController()
    let epochs = 0
    const fit = model.fit(many, {
      batchSize: 1,
      signal: controller.signal,
      onEpoch: () => void epochs++,
      onProgress: () => controller.abort(reason),
    })
    expect(await rejection(fit)).toBe(reason)
    expect(epochs).toBe(0)
    expect(model.parameters()).not.toEqual(before)
    await expectUsable(model)
  })

  test('in onEpoch takes effect before the next epoch', async () => {
    const model = new SparseAutoencoder(options)
    const controller = new AbortController()
    let epochs = 0
    const onEpoch = () => {
      epochs++
      controller.abort(reason)
    }
    expect(await rejection(model.fit(few, { signal: controller.signal, onEpoch }))).toBe(reason)
    expect(epochs).toBe(1)
    await expectUsable(model)
  })

  test('does not wait for an onEpoch that never ends', async () => {
    const model = new SparseAutoencoder(options)
    const controller = new AbortController()
    const onEpoch = () => {
      setTimeout(() => controller.abort(reason), 5)
      return new Promise<void>(() => {})
    }
    expect(await rejection(model.fit(few, { signal: controller.signal, onEpoch }))).toBe(reason)
    await expectUsable(model)
  })

  test('after fit has no effect', async () => {
    const model = new SparseAutoencoder(options)
    const controller = new AbortController()
    await model.fit(few, { epochs: 1, signal: controller.signal })
    controller.abort(reason)
    await expectUsable(model)
  })

  test('with a reason that is no error rejects with that value', async () => {
    const model = new SparseAutoencoder(options)
    expect(await rejection(model.fit(few, { signal: AbortSignal.abort('stop') }))).toBe('stop')
  })
})

describe('a callback that throws', () => {
  test.each(['onEpoch', 'onProgress'] as const)('%s rejects fit with its error', async (callback) => {
    const model = new SparseAutoencoder(options)
    const error = new Error('from the callback')
    const fail = () => {
      throw error
    }
    expect(await rejection(model.fit(few, { [callback]: fail }))).toBe(error)
    await expectUsable(model)
  })

  test('onEpoch leaves the parameters of the epoch it was called for', async () => {
    const model = new SparseAutoencoder(options)
    let atEpoch: Float32Array | undefined
    const onEpoch = async ({ epoch }: { epoch: number }) => {
      atEpoch = model.parameters()
      if (epoch === 2) throw new Error('enough')
    }
    await rejection(model.fit(few, { onEpoch }))
    expect(model.parameters()).toEqual(atEpoch)
  })

  test('onEpoch is awaited', async () => {
    const model = new SparseAutoencoder(options)
    let running = 0
    const onEpoch = async () => {
      expect(++running).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running--
    }
    await model.fit(few, { epochs: 3, onEpoch })
    expect(running).toBe(0)
  })
})

describe('while a model trains', () => {
  test('a second fit and setParameters are refused, and the first continues', async () => {
    const model = new SparseAutoencoder(options)
    const first = model.fit(few, { epochs: 3 })
    const refused = await rejection(model.fit(few))
    expect(refused).toBeInstanceOf(LayerwiseError)
    expect(refused).toMatchObject({ code: 'ERR_BUSY' })
    expect(() => model.setParameters(model.parameters())).toThrow(
      expect.objectContaining({ code: 'ERR_BUSY' }),
    )
    expect((await first).epochs).toHaveLength(3)
    const undisturbed = new SparseAutoencoder(options)
    await undisturbed.fit(few, { epochs: 3 })
    expect(model.parameters()).toEqual(undisturbed.parameters())
  })

  test('a fit from its own onEpoch is refused', async () => {
    const model = new SparseAutoencoder(options)
    const error = await rejection(model.fit(few, { onEpoch: async () => void (await model.fit(few)) }))
    expect(error).toMatchObject({ code: 'ERR_BUSY' })
    await expectUsable(model)
  })

  test('other calls see the last finished epoch', async () => {
    const model = new SparseAutoencoder(options)
    const initial = model.parameters()
    const controller = new AbortController()
    const fit = model.fit(many, { batchSize: 16, epochs: 1000, signal: controller.signal })
    expect((await model.encode(few)).data).toEqual((await new SparseAutoencoder(options).encode(few)).data)
    expect(model.parameters()).toEqual(initial)
    controller.abort()
    await rejection(fit)
  })

  test('another model can train with the same bits as alone', async () => {
    const [one, other, alone] = [1, 2, 3].map(() => new SparseAutoencoder(options))
    await Promise.all([one!.fit(few, { epochs: 5 }), other!.fit(few, { epochs: 5 })])
    await alone!.fit(few, { epochs: 5 })
    expect(one!.parameters()).toEqual(alone!.parameters())
    expect(other!.parameters()).toEqual(alone!.parameters())
  })
})

describe('diverging training', () => {
  test('rejects with the epoch and leaves the parameters of the last finite one', async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 8, activation: 'identity' })
    const finite: Float32Array[] = []
    const error = await rejection(
      model.fit(few, {
        optimizer: { kind: 'gradientDescent' },
        batchSize: 'all',
        epochs: 500,
        learningRate: (epoch) => (epoch <= 2 ? 1e-3 : 1e3),
        onEpoch: () => void finite.push(model.parameters()),
      }),
    )
    expect(error).toMatchObject({ code: 'ERR_DIVERGED', details: { epoch: finite.length + 1 } })
    expect((error as Error).message).toContain(`epoch ${finite.length + 1}`)
    expect(finite.length).toBeGreaterThanOrEqual(2)
    expect(model.parameters()).toEqual(finite.at(-1))
    expect(model.parameters().every(Number.isFinite)).toBe(true)
  })
})

describe('an options object', () => {
  test('may be changed after the call has begun', async () => {
    const given: Record<string, unknown> = { threads: 1 }
    const model = new SoftmaxClassifier({ inputs: 1, classes: 2 })
    const score = model.score(new Float32Array(40_000), new Uint8Array(40_000), given)
    Object.assign(given, { threads: -1, signal: 'stop' })
    expect((await score).recall[1]).toBeNaN()
  })
})

describe('a buffer that is transferred during a call', () => {
  const detach = (rows: Matrix) => giveAway(rows.data)
  const copy = () => Matrix.from(Float64Array.from(many.data), many.rows, many.cols)

  test('or written has no effect on fit, even if its new owner frees it at once', async () => {
    const plain = new SparseAutoencoder(options)
    await plain.fit(many, { epochs: 2 })
    const model = new SparseAutoencoder(options)
    const rows = copy()
    const spoil = () => {
      rows.data.fill(Number.NaN)
      detach(rows)
    }
    const fit = model.fit(rows, { epochs: 2, onEpoch: ({ epoch }) => void (epoch === 1 && spoil()) })
    await fit
    expect(model.parameters()).toEqual(plain.parameters())
  })

  test('with validation rows has no effect on fit', async () => {
    const model = new SparseAutoencoder(options)
    const validation = Matrix.from(Float64Array.from(few.data), few.rows, few.cols)
    const history = await model.fit(few, {
      epochs: 3,
      validation,
      onEpoch: ({ epoch }) => void (epoch === 1 && detach(validation)),
    })
    expect(history.epochs.every((epoch) => Number.isFinite(epoch.validation?.total))).toBe(true)
  })

  test('while fit copies it, gives ERR_STATE', async () => {
    const model = new SparseAutoencoder(options)
    const rows = copy()
    const fit = rejection(model.fit(rows))
    detach(rows)
    expect(await fit).toMatchObject({ code: 'ERR_STATE', details: { argument: 'x' } })
    await expectUsable(model)
  })

  test('while labels are checked, before it is copied, gives ERR_STATE', async () => {
    // More than is copied at the call.
    const labels = new Uint8Array(COPIED_BYTES / 4 + 1).fill(1, 1)
    const x = Matrix.from(new Float32Array(labels.length), labels.length, 1)
    const fit = rejection(new SoftmaxClassifier({ inputs: 1, classes: 2 }).fit(x, labels))
    detach(x)
    expect(await fit).toMatchObject({ code: 'ERR_STATE', details: { argument: 'x' } })
  })

  test('and is too large to be copied, is noticed by the next span of training', async () => {
    const data = Float32Array.from(few.data)
    const rows = { data, type: 'float32', rows: few.rows, cols: inputs, scale: 1 } as const
    expect(await snapshot('x', rows, () => {}, data.byteLength - 1)).toBe(rows)
    const { job, parameters } = openSmallJob(rows, { batchSize: 10, shuffle: 'rows' })
    const span = {
      epoch: 0,
      learningRates: Float64Array.of(0.1),
      budgetMs: 50,
      threads: 1,
      flags: new Int32Array(2),
      parameters: parameters.slice(),
    }
    expect(await binding().trainSpan(job, span)).toMatchObject([{ steps: 5 }])
    giveAway(data)
    expect(() => binding().trainSpan(job, { ...span, epoch: 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_STATE' }),
    )
    binding().closeTraining(job)
  })

  test('in encode does not crash the process', async () => {
    const model = new SparseAutoencoder(options)
    const rows = copy()
    const codes = model.encode(rows)
    detach(rows)
    await codes.catch((error: unknown) => expect(error).toMatchObject({ code: 'ERR_STATE' }))
    await expectUsable(model)
  })
})
