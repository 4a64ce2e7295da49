import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../lib/data/safetensors.js'
import {
  loadModel,
  MinMaxScaler,
  SparseAutoencoder,
  StackedAutoencoder,
  type StackedAutoencoderOptions,
} from '../lib/index.js'
import { forward } from './oracle/layers.js'
import { evaluate } from './oracle/network.js'
import { rejection, relativeDistance, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'
import { tolerances } from './tolerances.js'

const m = 43
const inputs = 11
const x = sampleRows(m, inputs)
const sizes = [8, 6, 4]
const kl = { kind: 'kl', target: 0.2, weight: 0.7 } as const
const l2 = { kind: 'l2', target: 0.3, weight: 0.4 } as const
const options = {
  inputs,
  layers: [
    { hidden: 8, activation: 'tanh', outputActivation: 'sigmoid', sparsity: kl },
    { hidden: 6, activation: 'sigmoid', outputActivation: 'tanh' },
    { hidden: 4, activation: 'satlin', outputActivation: 'sigmoid', sparsity: l2, seed: 9 },
  ],
  weightDecay: 0.03,
  precision: 'float64',
  seed: 5,
} as const satisfies StackedAutoencoderOptions
/** The unrolled network: encoders 1, 2, 3, then decoders 3, 2, 1. */
const unrolled = [
  { inputs: 11, outputs: 8, activation: 'tanh' as const },
  { inputs: 8, outputs: 6, activation: 'sigmoid' as const },
  { inputs: 6, outputs: 4, activation: 'satlin' as const },
  { inputs: 4, outputs: 6, activation: 'sigmoid' as const },
  { inputs: 6, outputs: 8, activation: 'tanh' as const },
  { inputs: 8, outputs: 11, activation: 'sigmoid' as const },
]

describe('a stack', () => {
  const stack = new StackedAutoencoder(options)
  const outputs = forward(unrolled, stack.parameters(), x.data, m).map(({ a }) => a)

  test('is the unrolled network: encoders 1 … L, then decoders L … 1', () => {
    expect(
      stack.layers.map((layer) => ({
        inputs: layer.inputs,
        outputs: layer.outputs,
        activation: layer.activation,
      })),
    ).toEqual(unrolled)
    const parts = stack.layers.flatMap(({ weights, biases }) => [...weights.data, ...biases])
    expect(Float64Array.from(parts)).toEqual(stack.parameters())
  })

  test('has in each layer the initial weights of a SparseAutoencoder of its sizes and seed', () => {
    const widths = [inputs, ...sizes]
    sizes.forEach((hidden, k) => {
      const seed = k === 2 ? 9 : 5
      const alone = new SparseAutoencoder({ inputs: widths[k]!, hidden, precision: 'float64', seed })
      const [encoder, decoder] = alone.layers
      expect(stack.layers[k]!.weights).toEqual(encoder!.weights)
      expect(stack.layers[5 - k]!.weights).toEqual(decoder!.weights)
    })
  })

  test('encodes to any of its layers, by default to the last', async () => {
    for (const layer of [1, 2, 3]) {
      const codes = await stack.encode(x, { layer })
      expect([codes.rows, codes.cols]).toEqual([m, sizes[layer - 1]])
      expect(relativeDistance(codes.data, outputs[layer - 1]!)).toBeLessThan(
        tolerances.float64VsOracleCost.value,
      )
    }
    expect(await stack.encode(x)).toEqual(await stack.encode(x, { layer: 3 }))
  })

  test('encodes a single row', () => {
    expect(relativeDistance(stack.encodeSync(x.row(3)), outputs[2]!.subarray(12, 16))).toBeLessThan(
      tolerances.float64VsOracleCost.value,
    )
  })

  test('decodes and reconstructs through all its decoders', async () => {
    const tolerance = tolerances.float64VsOracleCost.value
    const answer = outputs[5]!
    expect(relativeDistance((await stack.reconstruct(x)).data, answer)).toBeLessThan(tolerance)
    expect(relativeDistance((await stack.decode(await stack.encode(x))).data, answer)).toBeLessThan(tolerance)
    const squares = answer.map((y, i) => (y - x.data[i]!) ** 2)
    expect(relativeDistance((await stack.reconstructionErrorPerFeature(x)).data, squares)).toBeLessThan(
      tolerances.float64VsOracleGradient.value,
    )
    const sums = Array.from({ length: m }, (_, i) =>
      squares.subarray(i * inputs, (i + 1) * inputs).reduce((sum, square) => sum + square),
    )
    expect(relativeDistance(await stack.reconstructionError(x), sums)).toBeLessThan(
      tolerances.float64VsOracleGradient.value,
    )
  })

  test.each([
    ['no penalty', false, []],
    [
      'each encoder’s own penalty with sparseFineTuning',
      true,
      [
        { ...kl, layer: 0 },
        { ...l2, layer: 2 },
      ],
    ],
  ])(
    'has the cost of the whole network, the stack’s weight decay, and %s',
    async (_, sparseFineTuning, penalties) => {
      const model = new StackedAutoencoder({ ...options, sparseFineTuning })
      const cost = await model.cost(x, { gradient: true })
      const objective = { loss: 'squared' as const, weightDecay: unrolled.map(() => 0.03), penalties }
      const expected = evaluate(unrolled, objective, model.parameters(), { x: x.data, m })
      for (const part of ['total', 'loss', 'weightDecay', 'sparsity'] as const) {
        expect(relativeDistance([cost[part]], [expected[part]])).toBeLessThan(
          tolerances.float64VsOracleCost.value,
        )
      }
      expect(relativeDistance(cost.gradient!, expected.gradient)).toBeLessThan(
        tolerances.float64VsOracleGradient.value,
      )
    },
  )

  test('accepts parameters, and returns copies', async () => {
    const model = new StackedAutoencoder(options)
    const theta = model.parameters().map((value) => value / 2)
    model.setParameters(theta)
    expect(model.parameters()).toEqual(theta)
    model.parameters().fill(9)
    expect(model.parameters()).toEqual(theta)
  })

  test('with scaling agrees with one without it on scaled rows, and reconstructs in the units of x', async () => {
    const raw = sampleRows(m, inputs, 2)
    raw.data.forEach((value, i) => {
      raw.data[i] = 40 * value - 7
    })
    const scaling = await new MinMaxScaler({ range: [0.1, 0.9] }).fit(raw)
    const scaled = new StackedAutoencoder({ ...options, scaling })
    const plain = new StackedAutoencoder(options)
    const inside = await scaling.transform(raw)
    const tolerance = tolerances.float64VsOracleCost.value
    expect(relativeDistance((await scaled.encode(raw)).data, (await plain.encode(inside)).data)).toBeLessThan(
      tolerance,
    )
    const outside = await scaling.inverseTransform(await plain.reconstruct(inside))
    expect(relativeDistance((await scaled.reconstruct(raw)).data, outside.data)).toBeLessThan(tolerance)
  })
})

describe('the constructor of a stack refuses', () => {
  const layer = { hidden: 3 }
  test.each<[string, unknown, string, string]>([
    ['no options', undefined, 'ERR_ARGUMENT', 'inputs'],
    ['an unknown option', { inputs, layers: [layer], hidden: 3 }, 'ERR_ARGUMENT', 'options.hidden'],
    ['no layers', { inputs }, 'ERR_ARGUMENT', 'layers'],
    ['an empty stack', { inputs, layers: [] }, 'ERR_SHAPE', 'layers'],
    ['a layer that is none', { inputs, layers: [3] }, 'ERR_ARGUMENT', 'layers[0]'],
    ['a layer that is missing', { inputs, layers: [layer, undefined] }, 'ERR_ARGUMENT', 'layers[1].hidden'],
    [
      'an unknown option of a layer',
      { inputs, layers: [{ hidden: 3, loss: 'squared' }] },
      'ERR_ARGUMENT',
      'layers[0].loss',
    ],
    [
      'a bad number deep inside',
      { inputs, layers: [layer, { hidden: 3, sparsity: { kind: 'kl', target: 2, weight: 1 } }] },
      'ERR_ARGUMENT',
      'layers[1].sparsity.target',
    ],
    [
      'kl on relu units',
      { inputs, layers: [{ hidden: 3, activation: 'relu', sparsity: kl }] },
      'ERR_ARGUMENT',
      'layers[0].sparsity.kind',
    ],
    [
      'a bad corruption',
      { inputs, layers: [{ hidden: 3, corruption: { kind: 'masking', amount: 1 } }] },
      'ERR_ARGUMENT',
      'layers[0].corruption.amount',
    ],
    [
      'sigmoid outputs on relu codes',
      { inputs, layers: [{ hidden: 3, activation: 'relu' }, layer] },
      'ERR_ARGUMENT',
      'layers[1].outputActivation',
    ],
    [
      'relu outputs on tanh codes',
      {
        inputs,
        layers: [
          { hidden: 3, activation: 'tanh' },
          { hidden: 2, activation: 'relu' },
        ],
      },
      'ERR_ARGUMENT',
      'layers[1].outputActivation',
    ],
    [
      'tanh outputs on identity codes',
      {
        inputs,
        layers: [
          { hidden: 3, activation: 'identity' },
          { hidden: 2, outputActivation: 'tanh' },
        ],
      },
      'ERR_ARGUMENT',
      'layers[1].outputActivation',
    ],
    [
      'crossEntropy where a layer has other outputs than sigmoid',
      { inputs, layers: [layer, { hidden: 2, outputActivation: 'identity' }], loss: 'crossEntropy' },
      'ERR_ARGUMENT',
      'loss',
    ],
    ['an unknown loss', { inputs, layers: [layer], loss: 'hinge' }, 'ERR_ARGUMENT', 'loss'],
    [
      'a hard constraint while fine-tuning',
      {
        inputs,
        layers: [layer, { hidden: 3, sparsity: { kind: 'constraint', target: 0.1 } }],
        sparseFineTuning: true,
      },
      'ERR_ARGUMENT',
      'layers[1].sparsity.kind',
    ],
    [
      'something like true',
      { inputs, layers: [layer], sparseFineTuning: 1 },
      'ERR_ARGUMENT',
      'sparseFineTuning',
    ],
    ['a negative weight decay', { inputs, layers: [layer], weightDecay: -1 }, 'ERR_ARGUMENT', 'weightDecay'],
    ['another precision', { inputs, layers: [layer], precision: 'float16' }, 'ERR_ARGUMENT', 'precision'],
    ['a fractional seed', { inputs, layers: [layer], seed: 0.5 }, 'ERR_ARGUMENT', 'seed'],
  ])('%s', (_, given, code, argument) => {
    expect(() => new StackedAutoencoder(given as never)).toThrow(
      expect.objectContaining({ code, details: expect.objectContaining({ argument }) }),
    )
  })

  test('a scaler of another width', async () => {
    const scaling = await new MinMaxScaler().fit(sampleRows(5, inputs + 1))
    expect(() => new StackedAutoencoder({ inputs, layers: [layer], scaling })).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    )
  })
})

test.each([0, 4, 1.5, '1'])('encode refuses layer %s of three', async (layer) => {
  const stack = new StackedAutoencoder(options)
  expect(await rejection(stack.encode(x, { layer: layer as number }))).toMatchObject({
    code: 'ERR_ARGUMENT',
    details: { argument: 'layer' },
  })
})

describe('a saved stack', () => {
  const folder = temporaryFolder()
  const path = () => join(folder, 'stack.safetensors')

  async function trained() {
    const scaling = await new MinMaxScaler({ range: [0.1, 0.9] }).fit(x)
    const layers = options.layers.map((layer, k) =>
      k === 1 ? { ...layer, corruption: { kind: 'gaussian', amount: 0.1 } as const } : layer,
    )
    const stack = new StackedAutoencoder({ ...options, layers, scaling, sparseFineTuning: true })
    await stack.fit(x, { epochs: 1, batchSize: 8 })
    await stack.fineTune(x, { epochs: 1, batchSize: 8 })
    return stack
  }

  test('gives the same results after loading, by its class and by loadModel', async () => {
    const stack = await trained()
    await stack.save(path())
    for (const loaded of [await StackedAutoencoder.load(path()), await loadModel(path())]) {
      if (!(loaded instanceof StackedAutoencoder)) throw new Error('another class')
      expect(loaded.parameters()).toEqual(stack.parameters())
      expect(loaded.layers).toEqual(stack.layers)
      expect(loaded.trainedLayers).toBe(3)
      expect(await loaded.encode(x, { layer: 2 })).toEqual(await stack.encode(x, { layer: 2 }))
      expect(await loaded.reconstruct(x)).toEqual(await stack.reconstruct(x))
      expect(await loaded.cost(x)).toEqual(await stack.cost(x))
    }
  })

  test('continues training after loading as without saving', async () => {
    const stack = await trained()
    await stack.save(path())
    const loaded = await StackedAutoencoder.load(path())
    for (const model of [stack, loaded]) {
      await model.fit(x, { epochs: 1, batchSize: 8 })
      await model.fineTune(x, { epochs: 1, batchSize: 8 })
    }
    expect(loaded.parameters()).toEqual(stack.parameters())
  })

  test('is refused by another class, with its own class named', async () => {
    await new StackedAutoencoder(options).save(path())
    expect(await rejection(SparseAutoencoder.load(path()))).toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringContaining('StackedAutoencoder'),
    })
  })

  type Entry = Record<string, unknown> & { options: Record<string, unknown> }
  test.each<[string, (entry: Entry) => unknown, RegExp]>([
    ['no count of trained layers', (entry) => delete entry.trainedLayers, /trainedLayers/],
    ['more trained layers than there are', (entry) => (entry.trainedLayers = 4), /trainedLayers/],
    ['fits that are no list', (entry) => (entry.layerFits = 3), /layerFits/],
    ['fits of fewer layers', (entry) => (entry.layerFits = [1, 1]), /layerFits/],
    ['negative fits', (entry) => (entry.layerFits = [1, -1, 1]), /layerFits/],
    ['another field', (entry) => (entry.more = 1), /fields/],
    ['fewer layers than tensors', (entry) => (entry.options.layers = [{ hidden: 8 }]), /tensor/],
    ['an impossible layer', (entry) => (entry.options.layers = [{ hidden: 0 }]), /layers\[0\]\.hidden/],
  ])('is refused with ERR_FORMAT for %s', async (_, change, message) => {
    await new StackedAutoencoder(options).save(path())
    const { tensors, metadata } = await readSafetensors(path())
    const entry = JSON.parse(metadata.layerwise!) as Entry
    change(entry)
    await writeSafetensors(path(), [...tensors.values()], { layerwise: JSON.stringify(entry) })
    expect(await rejection(StackedAutoencoder.load(path()))).toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringMatching(message),
    })
  })
})

describe('outputActivation of a stack', () => {
  const layers = [{ hidden: 4, activation: 'relu' as const }, { hidden: 2 }]

  test('is that of its first layer', () => {
    const above = new StackedAutoencoder({
      inputs: 3,
      outputActivation: 'identity',
      layers: [layers[0]!, { hidden: 2, outputActivation: 'relu' }],
    })
    expect(above.layers.at(-1)!.activation).toBe('identity')
    expect(above.options.layers[0]!.outputActivation).toBe('identity')
    expect(above.options).not.toHaveProperty('outputActivation')
    expect(new StackedAutoencoder(above.options).options).toEqual(above.options)
  })

  test('is refused where the first layer says something else', () => {
    const own = [{ ...layers[0]!, outputActivation: 'tanh' as const }]
    expect(() => new StackedAutoencoder({ inputs: 3, outputActivation: 'identity', layers: own })).toThrow(
      "nothing but 'tanh'",
    )
    expect(
      () => new StackedAutoencoder({ inputs: 3, outputActivation: 'wrong' as 'tanh', layers: own }),
    ).toThrow('outputActivation')
  })
})

describe('fit with fineTune', () => {
  const rows = sampleRows(60, 5)
  const make = () => new StackedAutoencoder({ inputs: 5, layers: [{ hidden: 4 }, { hidden: 3 }] })
  const few = { epochs: 2, batchSize: 16 }

  test('gives the bits of fit and then fineTune', async () => {
    const [one, two] = [make(), make()]
    const histories = await one.fit(rows, { ...few, fineTune: true })
    await two.fit(rows, few)
    await two.fineTune(rows, few)
    expect(one.parameters()).toEqual(two.parameters())
    expect(histories.map(({ phase, epochs }) => [phase, epochs.length])).toEqual([
      ['layer', 2],
      ['layer', 2],
      ['fineTune', 2],
    ])
  })

  test('takes other options for it, and refuses wrong ones before anything is trained', async () => {
    const histories = await make().fit(rows, {
      ...few,
      fineTune: { optimizer: { kind: 'lbfgs', maxIterations: 3 } },
    })
    expect(histories[2]!.epochs.length).toBe(3)
    const model = make()
    const before = model.parameters()
    for (const [options, message] of [
      [{ ...few, fineTune: { epochs: 0 } }, 'fineTune.epochs'],
      [{ ...few, fineTune: 1 }, 'fineTune'],
      [{ ...few, fineTune: true, checkpoint: { path: 'none' } }, 'fineTune'],
    ] as const) {
      expect(await rejection(model.fit(rows, options as object))).toMatchObject({
        code: 'ERR_ARGUMENT',
        message: expect.stringContaining(message),
      })
    }
    expect(model.parameters()).toEqual(before)
  })
})
