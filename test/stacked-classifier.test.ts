import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type ClassifierFitOptions,
  type EpochEvent,
  loadModel,
  Matrix,
  type Precision,
  type Sparsity,
  StackedAutoencoder,
  StackedClassifier,
  type StackedClassifierOptions,
  StandardScaler,
} from '../lib/index.js'
import { labeledRows } from './labeled-sample.js'
import { forward } from './oracle/layers.js'
import { evaluate, type OracleObjective } from './oracle/network.js'
import { numericGradient, relativeError } from './oracle/numeric-gradient.js'
import type { OraclePenalty } from './oracle/penalty.js'
import { pointAwayFromKinks } from './oracle/points.js'
import { expectError, thrown } from './refusal.js'
import { rejection, relativeDistance } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'
import { tolerances } from './tolerances.js'

const m = 60
const inputs = 6
const { x, labels } = labeledRows(m, inputs, 3)
const names = ['cat', 'dog', 'eel']
const lbfgs = { optimizer: { kind: 'lbfgs', maxIterations: 15 } } as const
const hidden = [
  { hidden: 5, activation: 'tanh' },
  { hidden: 4 },
  { hidden: 4, activation: 'satlin' },
] as const
const plain = { inputs, layers: hidden, classes: 3 } as const
const penalties: Sparsity[] = [
  { kind: 'kl', target: 0.4, weight: 0.3 },
  { kind: 'l1', weight: 0.2 },
  { kind: 'l2', target: 0.3, weight: 0.5 },
]
const sparseLayers = hidden.map((layer, k) => ({ ...layer, sparsity: penalties[k]! }))
const sparse = { ...plain, layers: sparseLayers, sparseFineTuning: true } as const

/** The number of parameters below the softmax. */
const below = (inputs + 1) * 5 + (5 + 1) * 4 + (4 + 1) * 4

const cases: [string, Omit<StackedClassifierOptions, 'precision'>][] = [
  ['weight decay of the softmax', { ...plain, weightDecay: 0.05 }],
  ['weight decay of all layers', { ...plain, weightDecay: 0.05, decay: 'all' }],
  ['sparse fine-tuning', { ...sparse, weightDecay: 0.05 }],
  ['both', { ...sparse, weightDecay: 0.05, decay: 'all' }],
  ['class weights and no biases in the softmax', { ...sparse, classWeights: [0.5, 2, 1], biases: false }],
]

function oracleOf(options: Omit<StackedClassifierOptions, 'precision'>) {
  const widths = [inputs, 5, 4, 4, 3]
  const layers = widths.slice(1).map((outputs, k) => ({
    inputs: widths[k]!,
    outputs,
    activation: (['tanh', 'sigmoid', 'satlin', 'softmax'] as const)[k]!,
    biases: k < 3 || options.biases !== false,
  }))
  const lambda = options.weightDecay ?? 0
  const objective: OracleObjective = {
    loss: 'logLoss',
    weightDecay: layers.map((_, k) => (k === 3 || options.decay === 'all' ? lambda : 0)),
    penalties: options.sparseFineTuning
      ? penalties.map((penalty, layer) => ({ target: 0, ...penalty, layer }) as OraclePenalty)
      : [],
    ...(options.classWeights && { classWeights: options.classWeights }),
  }
  return { layers, objective }
}

describe.each(cases)('cost and gradient over three layers and a softmax, with %s', (_, options) => {
  const { layers, objective } = oracleOf(options)
  const rows = 8
  const { theta, x: data } = pointAwayFromKinks(layers, objective, { m: rows, seed: 3 })
  const few = labels.slice(0, rows)
  const matrix = Matrix.from(data, rows, inputs)

  test('agree with central differences and the oracle', async () => {
    const model = new StackedClassifier({ ...options, precision: 'float64' })
    const cost = await model.cost(matrix, few, { parameters: theta, gradient: true })
    const points: Float64Array[] = []
    numericGradient((at) => points.push(at.slice()), theta)
    const costs = await Promise.all(points.map((parameters) => model.cost(matrix, few, { parameters })))
    const numeric = numericGradient(() => costs.shift()!.total, theta)
    expect(Math.hypot(...cost.gradient!)).toBeGreaterThan(tolerances.gradientToSee.value)
    expect(relativeError(cost.gradient!, numeric)).toBeLessThan(tolerances.gradientCheckFloat64.value)

    const oracle = evaluate(layers, objective, theta, { x: data, m: rows, labels: few })
    for (const part of ['loss', 'weightDecay', 'sparsity', 'total'] as const) {
      const distance = Math.abs(cost[part] - oracle[part]) / Math.max(1, Math.abs(oracle[part]))
      expect(distance, part).toBeLessThan(tolerances.float64VsOracleCost.value)
    }
    expect(relativeError(cost.gradient!, oracle.gradient)).toBeLessThan(
      tolerances.float64VsOracleGradient.value,
    )
  })

  test('agree in float32 with those in float64', async () => {
    const single = await new StackedClassifier(options).cost(matrix, few, {
      parameters: Float32Array.from(theta),
      gradient: true,
    })
    const at = { x: Float32Array.from(data), m: rows, labels: few }
    const oracle = evaluate(layers, objective, Float32Array.from(theta), at)
    expect(relativeDistance([single.total], [oracle.total])).toBeLessThan(
      tolerances.float32VsFloat64Cost.value,
    )
    expect(relativeError(single.gradient!, oracle.gradient)).toBeLessThan(
      tolerances.float32VsFloat64Gradient.value,
    )
  })
})

describe('a classifier from a random start', () => {
  test('has its layers, then the softmax, with seeded weights', () => {
    const model = new StackedClassifier({ ...plain, seed: 3 })
    const shapes = model.layers.map(({ inputs: n, outputs, activation }) => [n, outputs, activation])
    expect(shapes).toEqual([
      [6, 5, 'tanh'],
      [5, 4, 'sigmoid'],
      [4, 4, 'satlin'],
      [4, 3, 'softmax'],
    ])
    expect(model.parameters()).toHaveLength(below + (4 + 1) * 3)
    expect(new StackedClassifier({ ...plain, seed: 3 }).parameters()).toEqual(model.parameters())
    expect(new StackedClassifier({ ...plain, seed: 4 }).parameters()).not.toEqual(model.parameters())
  })

  test('has different weights in layers of the same size', () => {
    const layers = [{ hidden: inputs }, { hidden: inputs }]
    const [first, second] = new StackedClassifier({ inputs, layers, classes: 2 }).layers
    expect(first!.weights.data).not.toEqual(second!.weights.data)
  })

  test('uses the seed of a layer for that layer only', () => {
    const [own, ...rest] = new StackedClassifier({
      ...plain,
      layers: [{ ...hidden[0], seed: 8 }, hidden[1], hidden[2]],
    }).layers
    const [common, ...same] = new StackedClassifier(plain).layers
    expect(own!.weights.data).not.toEqual(common!.weights.data)
    expect(rest).toEqual(same)
  })

  test('agrees with the oracle in classes, codes and probabilities', async () => {
    const model = new StackedClassifier({ ...plain, precision: 'float64' })
    const outputs = forward(oracleOf(plain).layers, model.parameters(), x.data, m)
    const close = tolerances.handComputed.value
    const codes = await model.encode(x)
    expect(relativeDistance(codes.data, outputs[2]!.a)).toBeLessThan(close)
    expect(relativeDistance(model.encodeSync(x.row(5)), codes.row(5).data)).toBeLessThan(close)
    const second = await model.encode(x, { layer: 2 })
    expect(relativeDistance(second.data, outputs[1]!.a)).toBeLessThan(close)
    expectError(await rejection(model.encode(x, { layer: 4 })), 'ERR_ARGUMENT', 'layer: ')
    const probabilities = await model.predictProbabilities(x)
    expect(relativeDistance(probabilities.data, outputs[3]!.a)).toBeLessThan(close)
    const wanted = probabilities.toArray().map((row) => row.indexOf(Math.max(...row)))
    expect([...(await model.predict(x))]).toEqual(wanted)
  })

  test('is trained by fineTune', async () => {
    for (const how of [lbfgs, { batchSize: 'all', epochs: 200, learningRate: 0.01 }] as const) {
      for (const options of [plain, { ...sparse, weightDecay: 1e-3, decay: 'all' }] as const) {
        const model = new StackedClassifier(options)
        const before = (await model.cost(x, labels)).total
        await model.fineTune(x, labels, how)
        expect((await model.cost(x, labels)).total).toBeLessThan(tolerances.clearlyLower.value * before)
      }
    }
  })
})

describe('toClassifier', () => {
  const layers = [
    { hidden: 5, activation: 'tanh' },
    { hidden: 4, outputActivation: 'tanh', sparsity: penalties[0]!, seed: 6 },
  ] as const
  const stackOf = () => new StackedAutoencoder({ inputs, layers, seed: 2 })

  test('copies the encoders and drops the decoders', async () => {
    const stack = stackOf()
    await stack.fit(x, { epochs: 1 })
    const classifier = stack.toClassifier({ classes: names })
    expect(classifier.layers.slice(0, 2)).toEqual(stack.layers.slice(0, 2))
    expect(classifier.layers.map(({ outputs }) => outputs)).toEqual([5, 4, 3])
    expect(await classifier.encode(x)).toEqual(await stack.encode(x))

    const [ofStack, ofClassifier] = [stack.parameters(), classifier.parameters()]
    const named = Array.from(labels, (k) => names[k]!)
    await classifier.fineTune(x, named, { epochs: 1 })
    expect(stack.parameters()).toEqual(ofStack)
    const tuned = classifier.parameters()
    expect(tuned).not.toEqual(ofClassifier)
    await stack.fineTune(x, { epochs: 1 })
    expect(classifier.parameters()).toEqual(tuned)
  })

  test('uses the stack’s scaler and precision, and its seed by default', async () => {
    const scaling = await new StandardScaler().fit(x)
    const scaled = new StackedAutoencoder({
      ...{ inputs, layers, scaling, precision: 'float64', seed: 2 },
      layers: [{ hidden: 5, outputActivation: 'identity' }],
    })
    const classifier = scaled.toClassifier({ classes: 3 })
    expect(classifier.parameters()).toBeInstanceOf(Float64Array)
    expect(await classifier.encode(x)).toEqual(await scaled.encode(x))
    const softmax = (seed?: number) =>
      stackOf()
        .toClassifier({ classes: 3, ...(seed !== undefined && { seed }) })
        .layers.at(-1)!.weights.data
    expect(softmax()).toEqual(softmax(2))
    expect(softmax(3)).not.toEqual(softmax(2))
  })

  test('drops the layers’ sparsity unless sparseFineTuning is on', async () => {
    const off = stackOf().toClassifier({ classes: 3 })
    expect((await off.cost(x, labels)).sparsity).toBe(0)
    const on = stackOf().toClassifier({ classes: 3, sparseFineTuning: true })
    expect((await on.cost(x, labels)).sparsity).toBeGreaterThan(0)
  })

  test.each<[string, object, string]>([
    ['no classes', { classes: undefined }, 'classes: '],
    ['inputs', { inputs: 3 }, "'inputs'"],
    ['layers', { layers: [] }, "'layers'"],
    ['a precision', { precision: 'float32' }, "'precision'"],
    ['another decay', { decay: 'none' }, 'decay: '],
  ])('refuses %s', (_, options, message) => {
    const error = thrown(() => stackOf().toClassifier({ classes: 3, ...options } as never))
    expectError(error, 'ERR_ARGUMENT', message)
  })
})

describe('fit', () => {
  test('trains the softmax and keeps the bits of the layers below; fineTune trains all', async () => {
    for (const how of [lbfgs, { batchSize: 8 }] as const) {
      const model = new StackedClassifier({ ...plain, weightDecay: 0.01, decay: 'all' })
      const before = model.parameters()
      await model.fit(x, labels, how)
      const fitted = model.parameters()
      expect(fitted.subarray(0, below)).toEqual(before.subarray(0, below))
      expect(fitted.subarray(below)).not.toEqual(before.subarray(below))
      await model.fineTune(x, labels, how)
      model.layers.forEach(({ weights }, k) => {
        expect(weights.data, `layer ${k}`).not.toEqual(new StackedClassifier(plain).layers[k]!.weights.data)
      })
      expect(model.parameters().subarray(0, below)).not.toEqual(fitted.subarray(0, below))
    }
  })

  test('lowers the cost', async () => {
    const model = new StackedClassifier({ ...sparse, weightDecay: 0.01, precision: 'float64' })
    const before = await model.cost(x, labels)
    const history = await model.fit(x, labels, lbfgs)
    const after = await model.cost(x, labels)
    expect(after.total).toBeLessThan(before.total)
    expect(after.sparsity).toBe(before.sparsity)
    const reported = history.epochs.at(-1)!.cost
    expect(
      relativeDistance([reported.loss, reported.weightDecay], [after.loss, after.weightDecay]),
    ).toBeLessThan(tolerances.float64VsOracleCost.value)
  })

  test('gives the same result with codes computed again for each batch', async () => {
    const validation = labeledRows(20, inputs, 3, 2)
    const fitted = async (recompute: boolean) => {
      const model = new StackedClassifier({ ...plain, precision: 'float64' })
      const history = await model.fit(x, labels, { epochs: 3, batchSize: 8, recompute, validation })
      return { history, parameters: model.parameters() }
    }
    const [kept, again] = [await fitted(false), await fitted(true)]
    const close = tolerances.float64VsOracleGradient.value
    expect(relativeDistance(again.parameters, kept.parameters)).toBeLessThan(close)
    const last = [kept, again].map(({ history }) => history.epochs.at(-1)!.validation!.total)
    expect(relativeDistance([last[0]!], [last[1]!])).toBeLessThan(close)
  })

  test('names its phase in events, and fineTune another one', async () => {
    const seen: EpochEvent['phase'][] = []
    const options: ClassifierFitOptions = { epochs: 1, onEpoch: ({ phase }) => void seen.push(phase) }
    const model = new StackedClassifier(plain)
    await model.fit(x, labels, options)
    await model.fineTune(x, labels, options)
    expect(seen).toEqual(['softmax', 'fineTune'])
  })

  test('keeps rows and labels together when it holds rows out', async () => {
    const model = new StackedClassifier({ ...plain, precision: 'float64' })
    for (const method of ['fit', 'fineTune'] as const) {
      const history = await model[method](x, labels, { ...lbfgs, validation: 0.2 })
      const { cost, validation } = history.epochs.at(-1)!
      const whole = await model.cost(x, labels)
      const parts = 0.8 * cost.loss + 0.2 * validation!.loss
      expect(relativeDistance([parts], [whole.loss])).toBeLessThan(tolerances.float64VsOracleCost.value)
    }
  })
})

test('a StackedClassifier has the same bits at any number of threads', async () => {
  const big = labeledRows(1100, 30, 7)
  for (const precision of ['float32', 'float64'] as const) {
    for (const how of [{ optimizer: { kind: 'lbfgs', maxIterations: 3 } }, { epochs: 1 }] as const) {
      const results = []
      for (const threads of [1, 2, 3, 7]) {
        const layers = [{ hidden: 23, sparsity: penalties[0]! }, { hidden: 11 }]
        const options = {
          inputs: 30,
          layers,
          classes: 7,
          sparseFineTuning: true,
          precision,
          decay: 'all',
        } as const
        const model = new StackedClassifier({ ...options, weightDecay: 0.01 })
        await model.fit(big.x, big.labels, { ...how, threads })
        await model.fineTune(big.x, big.labels, { ...how, threads })
        const { total, gradient } = await model.cost(big.x, big.labels, { gradient: true, threads })
        results.push({ total, gradient, parameters: model.parameters() })
      }
      for (const result of results) expect(result).toEqual(results[0])
    }
  }
})

describe('a file', () => {
  const folder = temporaryFolder()

  test('restores a model with the same results and the same further training', async () => {
    const scaling = await new StandardScaler().fit(x)
    const named = Array.from(labels, (k) => names[k]!)
    const model = new StackedClassifier({
      ...{
        ...sparse,
        classes: names,
        scaling,
        weightDecay: 0.01,
        decay: 'all',
        precision: 'float64',
        seed: 3,
      },
      classWeights: [1, 2, 0.5],
      biases: false,
    })
    await model.fineTune(x, named, { epochs: 1 })
    const path = join(folder, 'classifier.safetensors')
    await model.save(path)
    const again = (await loadModel(path)) as StackedClassifier<Precision, string[]>
    expect(again).toBeInstanceOf(StackedClassifier)
    const loaded = await StackedClassifier.load(path)
    expect(loaded.layers).toEqual(model.layers)
    expect(await loaded.predict(x)).toEqual(await model.predict(x))
    expect(await loaded.score(x, named)).toEqual(await model.score(x, named))
    expect(await again.cost(x, named)).toEqual(await model.cost(x, named))
    await model.fineTune(x, named, { epochs: 1, batchSize: 8 })
    await loaded.fineTune(x, named, { epochs: 1, batchSize: 8 })
    expect(loaded.parameters()).toEqual(model.parameters())
  })
})

describe('StackedClassifier refuses', () => {
  test.each<[string, object, string, string]>([
    ['no layers', { layers: [] }, 'ERR_SHAPE', 'layers: '],
    ['layers that are no array', { layers: { hidden: 3 } }, 'ERR_ARGUMENT', 'layers: '],
    ['a layer without units', { layers: [{}] }, 'ERR_ARGUMENT', 'layers[0].hidden: '],
    ['a layer that is a number', { layers: [5] }, 'ERR_ARGUMENT', 'layers[0]: '],
    [
      'a softmax below the softmax',
      { layers: [{ hidden: 3, activation: 'softmax' }] },
      'ERR_ARGUMENT',
      'layers[0].activation: ',
    ],
    [
      'a decoder',
      { layers: [{ hidden: 3, outputActivation: 'tanh' }] },
      'ERR_ARGUMENT',
      "layers[0]: unknown option 'outputActivation'",
    ],
    ['noise', { layers: [{ hidden: 3, corruption: {} }] }, 'ERR_ARGUMENT', "'corruption'"],
    [
      'sparsity that fine-tuning would not see',
      { layers: sparseLayers },
      'ERR_ARGUMENT',
      'layers[0].sparsity: ',
    ],
    [
      'kl on relu units',
      { layers: [{ hidden: 3, activation: 'relu', sparsity: penalties[0] }], sparseFineTuning: true },
      'ERR_ARGUMENT',
      'layers[0].sparsity.kind: ',
    ],
    [
      'a hard constraint',
      { layers: [{ hidden: 3, sparsity: { kind: 'constraint', target: 0.1 } }], sparseFineTuning: true },
      'ERR_ARGUMENT',
      'layers[0].sparsity.kind: ',
    ],
    ['another decay', { decay: true }, 'ERR_ARGUMENT', 'decay: '],
    [
      'sparseFineTuning that is no truth value',
      { sparseFineTuning: 'yes' },
      'ERR_ARGUMENT',
      'sparseFineTuning: ',
    ],
    ['an unknown option', { hidden: 3 }, 'ERR_ARGUMENT', "'hidden'"],
    ['one class', { classes: ['a'] }, 'ERR_ARGUMENT', 'classes: '],
  ])('%s', (_, options, code, message) => {
    const error = thrown(() => new StackedClassifier({ ...plain, ...options } as never))
    expectError(error, code, message)
  })

  test('bad rows and labels in fit and fineTune, which change nothing', async () => {
    const model = new StackedClassifier(plain)
    const before = model.parameters()
    const nan = Matrix.from(x.data.with(8, Number.NaN), m, inputs)
    for (const method of ['fit', 'fineTune'] as const) {
      const train = (rows: unknown, given: unknown, options?: object) =>
        rejection(model[method](rows as never, given as never, options))
      expectError(await train(nan, labels), 'ERR_RANGE', 'row 1, column 2')
      expectError(await train(x, labels.slice(2)), 'ERR_SHAPE', 'labels: ')
      expectError(await train(x, Array(m).fill('cat')), 'ERR_ARGUMENT', 'labels: ')
      expectError(await train(x, new Uint8Array(m)), 'ERR_RANGE', 'class 0 in every row')
      expectError(await train(x, labels, { validation: x }), 'ERR_ARGUMENT', 'validation')
      expectError(await train(x, labels, { validation: { x: nan, labels } }), 'ERR_RANGE', 'validation.x: ')
      expectError(await train(x, labels, { layers: [] }), 'ERR_ARGUMENT', "'layers'")
    }
    expectError(await rejection(model.fit(nan, labels, { recompute: true })), 'ERR_RANGE', 'row 1, column 2')
    const unknown = { recompute: 1 } as never
    expectError(await rejection(model.fit(x, labels, unknown)), 'ERR_ARGUMENT', 'recompute: ')
    expectError(
      await rejection(model.fineTune(x, labels, { recompute: true } as never)),
      'ERR_ARGUMENT',
      "'recompute'",
    )
    expect(model.parameters()).toEqual(before)
  })

  test('an average that does not fit the optimizer', async () => {
    const layers = [{ hidden: 3, sparsity: { ...penalties[0]!, average: 'exact' } as Sparsity }]
    const model = new StackedClassifier({ ...plain, layers, sparseFineTuning: true })
    const error = await rejection(model.fineTune(x, labels))
    expectError(error, 'ERR_ARGUMENT', 'layers[0].sparsity.average: ')
  })

  test('a second training while one runs', async () => {
    const model = new StackedClassifier(plain)
    const first = model.fit(x, labels)
    expectError(await rejection(model.fineTune(x, labels)), 'ERR_BUSY', 'fineTune: ')
    expect((await first).stopped).toBe('completed')
  })
})

test('an abort of a StackedClassifier’s training rejects with the reason and leaves a usable model', async () => {
  const reason = new Error('enough')
  for (const method of ['fit', 'fineTune'] as const) {
    const model = new StackedClassifier(plain)
    const controller = new AbortController()
    const onEpoch = () => controller.abort(reason)
    const options = { batchSize: 8, epochs: 1000, onEpoch, signal: controller.signal }
    expect(await rejection(model[method](x, labels, options))).toBe(reason)
    expect(model.parameters().every(Number.isFinite)).toBe(true)
    expect((await model[method](x, labels, { epochs: 1 })).stopped).toBe('completed')
  }
})
