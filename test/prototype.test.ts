import { describe, expect, test } from 'vitest'
import {
  type FitOptions,
  LinearAutoencoder,
  learningCurve,
  Matrix,
  MinMaxScaler,
  modelFromBytes,
  Pca,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
  StandardScaler,
  scalerFromJSON,
} from '../lib/index.js'
import { sampleRows } from './sample.js'

const [inputs, rows] = [4, 30]
const x = sampleRows(rows, inputs)
const labels = Uint8Array.from({ length: rows }, (_, i) => i % 3)
const fit: FitOptions = { epochs: 2, batchSize: 8, learningRate: 0.01 }
const lbfgs: FitOptions = { optimizer: { kind: 'lbfgs', maxIterations: 2 } }

/** A little of everything that every class does, as plain numbers. */
const uses: Record<string, () => Promise<unknown>> = {
  SparseAutoencoder: async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 3, scaling: await new MinMaxScaler().fit(x) })
    await model.fit(x, fit)
    await model.fit(x, {
      epochs: 2,
      learningRate: 0.01,
      batchSize: 'all',
      validation: 0.2,
      earlyStopping: { patience: 1 },
    })
    await model.fit(x, { ...lbfgs })
    return [
      model.parameters(),
      (await model.encode(x)).data,
      model.encodeSync(x.row(3)),
      await model.cost(x),
      await model.reconstructionError(x),
    ]
  },
  StackedAutoencoder: async () => {
    const model = new StackedAutoencoder({ inputs, layers: [{ hidden: 3 }, { hidden: 2 }] })
    await model.fit(x, fit)
    await model.fineTune(x, fit)
    return [model.parameters(), (await model.reconstruct(x)).data]
  },
  StackedClassifier: async () => {
    const model = new StackedClassifier({ inputs, layers: [{ hidden: 3 }], classes: 3 })
    await model.fit(x, labels, fit as FitOptions<never>)
    await model.fineTune(x, labels, fit as FitOptions<never>)
    return [model.parameters(), await model.predict(x), await model.score(x, labels)]
  },
  SoftmaxClassifier: async () => {
    const model = new SoftmaxClassifier({ inputs, classes: 3 })
    await model.fit(x, labels, lbfgs as FitOptions<never>)
    return [model.parameters(), (await model.predictProbabilities(x)).data]
  },
  LinearAutoencoder: async () => {
    const model = new LinearAutoencoder({ inputs, hidden: 2 })
    await model.fit(x, { ...fit, optimizer: { kind: 'momentum' } })
    return [model.parameters(), (await model.encode(x)).data]
  },
  Pca: async () => {
    const pca = await new Pca({ components: 2, whiten: 'zca' }).fit(x)
    return [
      pca.components.data,
      (await pca.transform(x)).data,
      (await pca.inverseTransform(await pca.transform(x))).data,
    ]
  },
  StandardScaler: async () => {
    const scaler = await new StandardScaler().fit(x)
    return [scaler.toJSON(), (await scaler.transform(x)).data]
  },
  'SparseAutoencoder of kind l1': async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 3, sparsity: { kind: 'l1', weight: 0.1 } })
    await model.fit(x, fit)
    return [model.parameters(), await model.cost(x)]
  },
  'Pca of all components': async () => {
    const pca = await new Pca().fit(x)
    return [pca.components.data, (await pca.transform(x)).data]
  },
  modelFromBytes: async () => {
    const scaling = await new MinMaxScaler().fit(x)
    const models = [
      new SparseAutoencoder({ inputs, hidden: 3, scaling }),
      new StackedAutoencoder({ inputs, layers: [{ hidden: 3 }] }),
      new StackedClassifier({ inputs, layers: [{ hidden: 3 }], classes: 3 }),
      new SoftmaxClassifier({ inputs, classes: 3, scaling: await new StandardScaler().fit(x) }),
      new LinearAutoencoder({ inputs, hidden: 2 }),
      await new Pca().fit(x),
    ]
    const copies = await Promise.all(models.map(async (model) => modelFromBytes(await model.toBytes())))
    return copies.map((copy) => [
      copy.kind,
      copy.options,
      copy.scaling?.toJSON(),
      copy.metadata,
      copy.encodeSync(x.row(1)),
    ])
  },
  scalerFromJSON: async () => scalerFromJSON((await new MinMaxScaler().fit(x)).toJSON()).toJSON(),
  learningCurve: async () =>
    learningCurve([
      {
        label: 'a',
        points: [
          [1, 2],
          [2, 1],
        ],
      },
    ]),
  Matrix: async () => [
    Matrix.from(Uint8Array.of(1, 2, 3, 4), 2, 2).toArray(),
    Matrix.from({ data: Uint8Array.of(1, 2, 3, 4), rows: 2, cols: 2 }).toArray(),
    Matrix.fromRows([
      [1, 2],
      [3, 4],
    ]).select([1]).data,
  ],
}

const numbers = (value: number) => new Float64Array(inputs).fill(value)
/** Names of options, and of what our own objects may lack, each with a value that would be taken. */
const added: Record<string, unknown> = {
  ...{
    weightDecay: 4,
    seed: 9,
    precision: 'float64',
    loss: 'absolute',
    activation: 'tanh',
    outputActivation: 'identity',
  },
  ...{
    sparsity: { kind: 'l1', weight: 1 },
    corruption: { kind: 'masking', amount: 0.5 },
    amount: 0.5,
    average: 'batch',
  },
  ...{ weightConstraint: { kind: 'unit', max: 0.1 }, max: 0.1, min: 0.9, open: true, target: 0.9, weight: 9 },
  ...{
    optimizer: { kind: 'momentum' },
    momentum: 0.1,
    beta1: 0.1,
    beta2: 0.5,
    epsilon: 1,
    history: 1,
    tolerance: 1,
  },
  ...{
    maxIterations: 1,
    epochs: 1,
    batchSize: 7,
    learningRate: 0.5,
    shuffle: false,
    rate: 0.1,
    final: 0.1,
    every: 1,
  },
  ...{
    validation: 0.5,
    earlyStopping: { patience: 1 },
    patience: 1,
    minDelta: 5,
    recompute: true,
    sparseFineTuning: true,
  },
  ...{
    onEpoch: () => Promise.reject(new Error('onEpoch')),
    onProgress: () => Promise.reject(new Error('onProgress')),
  },
  ...{
    signal: AbortSignal.abort(new Error('signal')),
    threads: 1,
    parameters: new Float32Array(3),
    gradient: true,
  },
  ...{
    tied: 0,
    center: true,
    biases: false,
    decay: 'all',
    classWeights: [9, 1, 1],
    components: 1,
    whiten: 'pca',
  },
  ...{ scale: 3, range: [0, 9], shift: numbers(1), factor: numbers(2), centre: numbers(3), mean: numbers(4) },
  ...{
    scaling: { shift: numbers(1), factor: numbers(2) },
    unscale: { shift: numbers(1), factor: numbers(2) },
  },
  ...{
    order: Uint32Array.of(0, 1, 2),
    labels: new Uint32Array(rows),
    transposed: true,
    constraint: {},
    form: 'split',
  },
  ...{
    through: { layers: [], parameters: new Float32Array(0) },
    predicted: new Uint32Array(rows),
    correct: 3,
  },
  ...{ stopped: 'tolerance', epoch: 1, phase: 'layer', layer: 2, bestEpoch: 1, metadata: { a: 1 } },
  ...{ clip: true, clipped: [0, 0.5], places: new Map(), fields: ['more'], length: 1, kind: 'minMax' },
}

describe.each(Object.entries(uses))('%s', (_, use) => {
  test('is not affected by members added to Object.prototype', async () => {
    const expected = await use()
    for (const [name, value] of Object.entries(added)) {
      Object.defineProperty(Object.prototype, name, {
        value,
        configurable: true,
        writable: true,
        enumerable: false,
      })
      let result: unknown
      try {
        result = await use().catch((error: unknown) => error)
      } finally {
        Reflect.deleteProperty(Object.prototype, name)
      }
      expect(result, name).toEqual(expected)
    }
  })
})
