import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  type EpochEvent,
  type FitOptions,
  type FitProgress,
  type Layer,
  MinMaxScaler,
  type Precision,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
  StackedAutoencoder,
  type StackedAutoencoderOptions,
  type StackedFitOptions,
  type StackedLayerOptions,
  type TrainingHistory,
} from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { rejection, relativeDistance, sampleRows } from './sample.js'
import { tolerances } from './tolerances.js'

// It makes forward passes of its own, which would be counted with those of the codes.
vi.mock('../lib/training/diagnosis.js', () => ({
  diagnosed: async () => ({ costShares: { loss: 1, weightDecay: 0, sparsity: 0 }, warnings: [] }),
  diagnosisOf: () => ({}),
}))

const inputs = 12
/** More rows than a block of a forward pass has, and no multiple of one. */
const x = sampleRows(1100, inputs)
const few = sampleRows(60, inputs, 2)
const kl = { kind: 'kl', target: 0.2, weight: 0.1 } as const
const layers = [
  { hidden: 9, sparsity: kl },
  { hidden: 7, activation: 'tanh', seed: 4, corruption: { kind: 'gaussian', amount: 0.1 } },
  { hidden: 4, activation: 'relu', outputActivation: 'identity', weightDecay: 0.01 },
] as const
const options = { inputs, layers, weightDecay: 1e-3, seed: 2 } as const
const lbfgs = { optimizer: { kind: 'lbfgs', maxIterations: 6 } } as const
const minibatches = { epochs: 2, batchSize: 64 } as const

/** Layer `k` (from 0) of the stack above, as the model that it is alone. */
function alone<P extends Precision>(k: number, precision: P): SparseAutoencoder<P> {
  const { seed = 2, weightDecay = 1e-3, ...layer }: Partial<SparseAutoencoderOptions> = layers[k]!
  const width = k === 0 ? inputs : layers[k - 1]!.hidden
  return new SparseAutoencoder({
    ...layer,
    hidden: layers[k]!.hidden,
    inputs: width,
    weightDecay,
    seed,
    precision,
  })
}

/** Encoder and decoder of layer `k`. */
const pair = <P extends Precision>(stack: StackedAutoencoder<P>, k: number): Layer<P>[] => [
  stack.layers[k]!,
  stack.layers.at(-1 - k)!,
]

describe('each layer that a stack trains equals, bit for bit, the SparseAutoencoder trained alone on the codes below it', () => {
  test.each<[string, FitOptions]>([
    ['minibatches', minibatches],
    ['all rows', { batchSize: 'all', epochs: 3 }],
    ['L-BFGS', lbfgs],
    [
      'a fraction held out, and early stopping',
      { ...minibatches, validation: 0.2, earlyStopping: { patience: 1 } },
    ],
    ['rows for validation', { ...minibatches, validation: few }],
  ])('with %s', async (_, how) => {
    for (const precision of ['float32', 'float64'] as const) {
      const stack = new StackedAutoencoder({ ...options, precision })
      const histories = await stack.fit(x, how)
      for (const k of [0, 1, 2]) {
        const codes = (of: typeof x) => (k === 0 ? of : stack.encode(of, { layer: k }))
        const model = alone(k, precision)
        const given = how.validation === few ? { ...how, validation: await codes(few) } : how
        const history = await model.fit(await codes(x), given)
        expect(model.layers).toEqual(pair(stack, k))
        expect(costs(histories[k]!)).toEqual(costs(history))
      }
    }
  })

  test('also when fitted again, since each layer counts its own fits', async () => {
    const stack = new StackedAutoencoder(options)
    const first = alone(0, 'float32')
    for (const _ of ['once', 'again']) {
      await stack.fit(x, minibatches)
      await first.fit(x, minibatches)
    }
    expect(first.layers).toEqual(pair(stack, 0))
  })

  test('under a hard sparsity constraint, which ends with its fit', async () => {
    const sparsity = { kind: 'constraint', target: 0.2 } as const
    const stack = new StackedAutoencoder({ inputs, layers: [{ hidden: 6 }, { hidden: 5, sparsity }] })
    await stack.fit(x, minibatches)
    const model = new SparseAutoencoder({ inputs: 6, hidden: 5, sparsity })
    await model.fit(await stack.encode(x, { layer: 1 }), minibatches)
    expect(model.layers).toEqual(pair(stack, 1))
    expect((await stack.fineTune(x, minibatches)).epochs[0]!.cost.sparsity).toBe(0)
  })

  test('at any number of threads', async () => {
    const trained = async (threads: number) => {
      const stack = new StackedAutoencoder(options)
      await stack.fit(x, { ...minibatches, threads })
      await stack.fineTune(x, { ...minibatches, threads })
      return stack.parameters()
    }
    const one = await trained(1)
    for (const threads of [2, 3, 7]) expect(await trained(threads)).toEqual(one)
  })
})

test('a stack of one layer equals a SparseAutoencoder, with its scaler', async () => {
  const scaling = await new MinMaxScaler({ range: [0.2, 0.8] }).fit(x)
  const layer = { hidden: 5, sparsity: kl, corruption: { kind: 'masking', amount: 0.2 } } as const
  const stack = new StackedAutoencoder({ inputs, layers: [layer], weightDecay: 1e-3, scaling, seed: 6 })
  const model = new SparseAutoencoder({ inputs, ...layer, weightDecay: 1e-3, scaling, seed: 6 })
  expect(stack.parameters()).toEqual(model.parameters())
  await stack.fit(x, minibatches)
  await model.fit(x, minibatches)
  expect(stack.parameters()).toEqual(model.parameters())
  expect(await stack.reconstruct(x)).toEqual(await model.reconstruct(x))
})

describe('every option of a stack has an effect', () => {
  const plain = { hidden: 5, activation: 'sigmoid', outputActivation: 'sigmoid', sparsity: kl } as const
  const base = { inputs, layers: [plain, plain] }
  const withLayer = (own: Partial<StackedLayerOptions>) => ({
    ...base,
    layers: [plain, { ...plain, ...own }],
  })
  const outcome = async (given: StackedAutoencoderOptions) => {
    const stack = new StackedAutoencoder(given)
    const [, { epochs }] = (await stack.fit(few, { epochs: 1 })) as [unknown, TrainingHistory]
    const tuned = await stack.fineTune(few, { epochs: 1 })
    return [stack.parameters(), epochs[0]!.cost, tuned.epochs[0]!.cost]
  }
  const scaling = new MinMaxScaler({ range: [0.2, 0.8] }).fit(few)

  test.each<[string, () => StackedAutoencoderOptions | Promise<StackedAutoencoderOptions>]>([
    ['loss', () => ({ ...base, loss: 'crossEntropy' })],
    ['weightDecay', () => ({ ...base, weightDecay: 0.01 })],
    ['sparseFineTuning', () => ({ ...base, sparseFineTuning: true })],
    ['precision', () => ({ ...base, precision: 'float64' })],
    ['seed', () => ({ ...base, seed: 1 })],
    ['scaling', async () => ({ ...base, scaling: await scaling })],
    ['hidden', () => withLayer({ hidden: 6 })],
    ['activation', () => withLayer({ activation: 'tanh' })],
    ['outputActivation', () => withLayer({ outputActivation: 'tanh' })],
    ['sparsity', () => withLayer({ sparsity: { ...kl, weight: 0.2 } })],
    ['weightDecay of a layer', () => withLayer({ weightDecay: 0.01 })],
    ['corruption', () => withLayer({ corruption: { kind: 'masking', amount: 0.2 } })],
    ['seed of a layer', () => withLayer({ seed: 1 })],
  ])('%s', async (_, changed) => {
    expect(await outcome(await changed())).not.toEqual(await outcome(base))
  })
})

test('layers that are not trained keep their bits', async () => {
  const stack = new StackedAutoencoder(options)
  let before = stack.layers
  const onEpoch = ({ layer }: EpochEvent) => {
    const now = stack.layers
    now.forEach((one, index) => {
      const isTrained = index === layer! - 1 || index === 6 - layer!
      if (isTrained) expect(one).not.toEqual(before[index])
      else expect(one).toEqual(before[index])
    })
    before = now
  }
  await stack.fit(x, { epochs: 3, batchSize: 128, onEpoch })
})

describe('options of single layers', () => {
  test('override those of all layers', async () => {
    const stack = new StackedAutoencoder(options)
    const how = { epochs: 2, batchSize: 64, layers: [{}, { epochs: 3 }, { batchSize: 'all' }] } as const
    const histories = await stack.fit(x, how)
    expect(histories.map(({ epochs }) => epochs.length)).toEqual([2, 3, 2])
    expect(histories.map(({ epochs }) => epochs[0]!.evaluations)).toEqual([18, 18, 1])
  })

  test('of another optimizer inherit no option of an optimizer', async () => {
    const stack = new StackedAutoencoder(options)
    const histories = await stack.fit(few, {
      epochs: 2,
      batchSize: 16,
      learningRate: 0.01,
      layers: [lbfgs, { optimizer: { kind: 'momentum' } }],
    })
    expect(histories.map(({ epochs }) => epochs.length)).toEqual([6, 1500, 2])
    expect(histories[0]!.epochs[0]).not.toHaveProperty('learningRate')
    const back = await stack.fit(few, { ...lbfgs, layers: [{ optimizer: { kind: 'adam' }, epochs: 1 }] })
    expect(back.slice(0, 2).map(({ epochs }) => epochs.length)).toEqual([1, 6])
  })

  test('of the same optimizer change only the given values', async () => {
    const stack = new StackedAutoencoder(options)
    const histories = await stack.fit(few, {
      epochs: 2,
      layers: [{ optimizer: { kind: 'adam', beta1: 0.5 } }],
    })
    expect(histories[0]!.epochs).toHaveLength(2)
  })

  test('can have early stopping', async () => {
    const stack = new StackedAutoencoder(options)
    const histories = await stack.fit(few, {
      epochs: 2,
      layers: [{}, { earlyStopping: { patience: 1 } }],
    })
    expect(histories.map(({ bestEpoch }) => bestEpoch === undefined)).toEqual([true, false, true])
  })

  test.each<[string, unknown, string, string]>([
    ['too many entries', [{}, {}, {}, {}], 'ERR_SHAPE', 'layers'],
    ['no list', {}, 'ERR_ARGUMENT', 'layers'],
    ['an entry that is none', [3], 'ERR_ARGUMENT', 'layers[0]'],
    ['a shared option', [{}, { threads: 1 }], 'ERR_ARGUMENT', 'layers[1].threads'],
    ['rows for validation', [{ validation: 0.1 }], 'ERR_ARGUMENT', 'layers[0].validation'],
    ['a bad number', [{}, {}, { epochs: 0 }], 'ERR_ARGUMENT', 'layers[2].epochs'],
    ['a pair that does not go together', [{ ...lbfgs, epochs: 3 }], 'ERR_ARGUMENT', 'layers[0].epochs'],
  ])('are refused before training begins: %s', async (_, own, code, argument) => {
    const stack = new StackedAutoencoder(options)
    const before = stack.parameters()
    const error = await rejection(stack.fit(x, { epochs: 1, layers: own } as StackedFitOptions))
    expect(error).toMatchObject({ code, details: { argument } })
    expect(stack.parameters()).toEqual(before)
  })

  test('are checked against the penalty of their layer', async () => {
    const penalised = { hidden: 3, sparsity: { ...kl, average: 'moving' } } as const
    const stack = new StackedAutoencoder({ inputs, layers: [{ hidden: 4 }, penalised] })
    const error = await rejection(stack.fit(x, { layers: [{}, { batchSize: 'all' }] }))
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', details: { argument: 'layers[1].sparsity.average' } })
    expect(stack.trainedLayers).toBe(0)
  })

  test('refuse a recompute that is neither true nor false', async () => {
    const error = await rejection(new StackedAutoencoder(options).fit(x, { recompute: 'yes' as never }))
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', details: { argument: 'recompute' } })
  })
})

describe('codes', () => {
  afterEach(() => void vi.restoreAllMocks())

  test('are computed by one forward pass for each layer but the first, and for validation', async () => {
    const passes = vi.spyOn(binding(), 'forward')
    await new StackedAutoencoder(options).fit(x, { epochs: 1 })
    expect(passes.mock.calls.map(([{ layers, rows }]) => [layers.length, rows.rows])).toEqual([
      [1, 1100],
      [2, 1100],
    ])
    passes.mockClear()
    await new StackedAutoencoder(options).fit(x, { epochs: 1, validation: few })
    expect(passes).toHaveBeenCalledTimes(4)
  })

  test('of all layers are written to the same memory, sized for the widest', async () => {
    const forward = vi.spyOn(binding(), 'forward')
    const shape = { inputs, layers: [{ hidden: 5 }, { hidden: 8 }, { hidden: 6 }, { hidden: 3 }] }
    await new StackedAutoencoder(shape).fit(few, minibatches)
    const outs = forward.mock.calls.map(([{ out }]) => out)
    expect(outs.map(({ length }) => length)).toEqual([60 * 5, 60 * 8, 60 * 6])
    expect(new Set(outs.map(({ buffer }) => buffer)).size).toBe(1)
    expect(outs[0]!.buffer.byteLength).toBe(60 * 8 * Float32Array.BYTES_PER_ELEMENT)
  })

  test('are never stored with recompute, which agrees up to rounding', async () => {
    for (const precision of ['float32', 'float64'] as const) {
      const how = {
        epochs: 2,
        batchSize: 70,
        optimizer: { kind: 'gradientDescent' },
        validation: few,
      } as const
      const kept = new StackedAutoencoder({ ...options, precision })
      const histories = await kept.fit(x, how)
      const passes = vi.spyOn(binding(), 'forward')
      const recomputed = new StackedAutoencoder({ ...options, precision })
      const others = await recomputed.fit(x, { ...how, recompute: true })
      expect(passes).not.toHaveBeenCalled()
      passes.mockRestore()
      const { float32VsFloat64Gradient, float64VsOracleGradient } = tolerances
      const tolerance = precision === 'float32' ? float32VsFloat64Gradient : float64VsOracleGradient
      expect(relativeDistance(recomputed.parameters(), kept.parameters())).toBeLessThan(tolerance.value)
      const measured = [others, histories].map((all) => all.map(({ epochs }) => epochs[1]!.validation!.total))
      expect(relativeDistance(measured[0]!, measured[1]!)).toBeLessThan(tolerance.value)
    }
  })
})

describe('fineTune', () => {
  test('trains all layers at once and lowers the cost of the whole', async () => {
    const stack = new StackedAutoencoder(options)
    await stack.fit(x, minibatches)
    const before = { layers: stack.layers, cost: (await stack.cost(x)).total }
    const history = await stack.fineTune(x, lbfgs)
    const { total } = await stack.cost(x)
    expect(total).toBeLessThan(tolerances.clearlyLower.value * before.cost)
    expect(relativeDistance([history.epochs.at(-1)!.cost.total], [total])).toBeLessThan(
      tolerances.float32VsFloat64Cost.value,
    )
    stack.layers.forEach((layer, index) => {
      expect(layer.weights.data).not.toEqual(before.layers[index]!.weights.data)
    })
    expect(stack.trainedLayers).toBe(3)
  })

  test('has no sparsity penalty by default, and that of each encoder with sparseFineTuning', async () => {
    for (const sparseFineTuning of [false, true]) {
      const stack = new StackedAutoencoder({ ...options, sparseFineTuning })
      const { epochs } = await stack.fineTune(x, minibatches)
      expect(epochs.every(({ cost }) => cost.sparsity > 0)).toBe(sparseFineTuning)
    }
  })

  test('of one layer equals the fit of a SparseAutoencoder without penalty and noise', async () => {
    const stack = new StackedAutoencoder({
      inputs,
      layers: [{ hidden: 5, sparsity: kl, corruption: { kind: 'masking', amount: 0.5 }, weightDecay: 0.1 }],
      weightDecay: 1e-3,
    })
    const plain = new SparseAutoencoder({ inputs, hidden: 5, weightDecay: 1e-3 })
    await stack.fineTune(x, minibatches)
    await plain.fit(x, minibatches)
    expect(stack.parameters()).toEqual(plain.parameters())
  })

  test('has early stopping, validation and errors like fit', async () => {
    const stack = new StackedAutoencoder(options)
    const history = await stack.fineTune(x, {
      ...minibatches,
      validation: 0.2,
      earlyStopping: { patience: 1 },
    })
    expect(history.bestEpoch).toBeDefined()
    expect(history.epochs[0]!.validation).toBeDefined()
    const beyond = sampleRows(3, inputs)
    beyond.data[7] = 2
    expect(await rejection(stack.fineTune(beyond))).toMatchObject({ code: 'ERR_RANGE' })
    expect(await rejection(stack.fineTune(x, { layers: [] } as FitOptions))).toMatchObject({
      code: 'ERR_ARGUMENT',
    })
  })
})

describe('events', () => {
  test('name the layer in training, or fine-tuning', async () => {
    const stack = new StackedAutoencoder(options)
    const epochs: unknown[] = []
    const progress = new Set<string>()
    const callbacks = {
      onEpoch: ({ phase, layer, epoch }: EpochEvent) => void epochs.push([phase, layer, epoch]),
      onProgress: ({ phase, layer }: FitProgress) => void progress.add(`${phase} ${layer}`),
    }
    const histories = await stack.fit(few, { epochs: 2, ...callbacks })
    await stack.fineTune(few, { epochs: 1, ...callbacks })
    expect(epochs).toEqual([
      ...[1, 2, 3].flatMap((layer) => [
        ['layer', layer, 1],
        ['layer', layer, 2],
      ]),
      ['fineTune', undefined, 1],
    ])
    expect([...progress]).toEqual(['layer 1', 'layer 2', 'layer 3', 'fineTune undefined'])
    expect(histories[0]!.epochs[0]).not.toHaveProperty('phase')
  })

  test('of a SparseAutoencoder have neither phase nor layer', async () => {
    const onEpoch = (event: EpochEvent) => {
      expect(event).not.toHaveProperty('phase')
      expect(event).not.toHaveProperty('layer')
    }
    await alone(0, 'float32').fit(few, { epochs: 1, onEpoch })
  })

  test('come when encode already uses the epoch’s parameters', async () => {
    const stack = new StackedAutoencoder(options)
    const codes: Float32Array[] = []
    await stack.fit(few, {
      epochs: 2,
      onEpoch: async () => void codes.push((await stack.encode(few, { layer: 1 })).data),
    })
    expect(codes[1]).not.toEqual(codes[0])
    for (const later of codes.slice(2)) expect(later).toEqual(codes[1])
  })
})

describe('a stack whose training is interrupted', () => {
  const reason = new Error('enough')

  test('in layer 2 keeps the trained layer 1, and counts it', async () => {
    const stack = new StackedAutoencoder(options)
    const untouched = new StackedAutoencoder(options)
    const controller = new AbortController()
    const onEpoch = ({ layer, epoch }: EpochEvent) => {
      if (layer === 2 && epoch === 2) controller.abort(reason)
    }
    const fit = stack.fit(x, { ...minibatches, onEpoch, signal: controller.signal })
    expect(await rejection(fit)).toBe(reason)
    expect(stack.trainedLayers).toBe(1)
    const first = alone(0, 'float32')
    await first.fit(x, minibatches)
    expect(pair(stack, 0)).toEqual(first.layers)
    expect(pair(stack, 2)).toEqual(pair(untouched, 2))
    expect(pair(stack, 1)).not.toEqual(pair(untouched, 1))
    await stack.fit(x, minibatches)
    expect(stack.trainedLayers).toBe(3)
  })

  test('before it begins changes nothing', async () => {
    const stack = new StackedAutoencoder(options)
    await stack.fit(few, { epochs: 1 })
    const before = stack.parameters()
    expect(await rejection(stack.fit(x, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    const bad = sampleRows(9, inputs)
    bad.data[5] = Number.NaN
    expect(await rejection(stack.fit(bad))).toMatchObject({
      code: 'ERR_RANGE',
      details: { row: 0, column: 5 },
    })
    expect(await rejection(stack.fit(few, { validation: bad }))).toMatchObject({
      code: 'ERR_RANGE',
      details: { argument: 'validation' },
    })
    expect(stack.parameters()).toEqual(before)
    expect(stack.trainedLayers).toBe(3)
  })

  test('by a callback that throws rejects with its error', async () => {
    const stack = new StackedAutoencoder(options)
    const onEpoch = ({ layer }: EpochEvent) => {
      if (layer === 3) throw reason
    }
    expect(await rejection(stack.fit(few, { epochs: 1, onEpoch }))).toBe(reason)
    expect(stack.trainedLayers).toBe(2)
  })

  test('by a second training continues, and the second is refused', async () => {
    const stack = new StackedAutoencoder(options)
    const fit = stack.fit(few, { epochs: 2 })
    for (const method of ['fit', 'fineTune'] as const) {
      const error = await rejection(stack[method](few))
      expect(error).toMatchObject({ code: 'ERR_BUSY', message: expect.stringMatching(`^${method}:`) })
    }
    expect(() => stack.setParameters(stack.parameters())).toThrow(
      expect.objectContaining({ code: 'ERR_BUSY' }),
    )
    expect(await fit).toHaveLength(3)
  })
})

function costs({ epochs, stopped, bestEpoch }: Awaited<ReturnType<SparseAutoencoder['fit']>>) {
  const measured = epochs.map(({ cost, validation, meanActivation, gradientNorm }) => ({
    cost,
    validation,
    meanActivation,
    gradientNorm,
  }))
  return { measured, stopped, bestEpoch }
}
