import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../lib/data/safetensors.js'
import {
  type ClassifierFitOptions,
  loadModel,
  Matrix,
  type Precision,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedClassifier,
  StandardScaler,
} from '../lib/index.js'
import { labeledRows } from './labeled-sample.js'
import { forward } from './oracle/layers.js'
import { evaluate, type OracleObjective } from './oracle/network.js'
import { numericGradient, relativeError } from './oracle/numeric-gradient.js'
import { expectError, thrown } from './refusal.js'
import { rejection, relativeDistance } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'
import { tolerances } from './tolerances.js'

const m = 90
const inputs = 7
const { x, labels } = labeledRows(m, inputs, 3)
const names = ['cat', 'dog', 'eel']
const lbfgs = { optimizer: { kind: 'lbfgs' } } as const

const spread = (length: number) => Float64Array.from({ length }, (_, p) => Math.sin(7 * p + 1))

test.each<[string, ClassifierFitOptions]>([
  ['minibatches', { epochs: 1, batchSize: 16 }],
  ['L-BFGS', { optimizer: { kind: 'lbfgs', maxIterations: 1 } }],
])(
  'a history of a softmax layer alone has NaN for the mean activation of hidden units, by %s',
  async (_, options) => {
    const none = { min: NaN, mean: NaN, max: NaN }
    const alone = await new SoftmaxClassifier({ inputs, classes: 3 }).fit(x, labels, options)
    expect(alone.epochs.at(-1)!.meanActivation).toEqual(none)
    const classifier = new StackedClassifier({ inputs, layers: [{ hidden: 2 }], classes: 3 })
    expect((await classifier.fit(x, labels, options)).epochs.at(-1)!.meanActivation).toEqual(none)
    const { mean } = (await classifier.fineTune(x, labels, options)).epochs.at(-1)!.meanActivation
    expect(mean).toBeGreaterThan(0)
  },
)

describe('a new softmax classifier', () => {
  test('is one layer with seeded weights on ±√(6/(inputs + classes + 1)) and biases 0', () => {
    const model = new SoftmaxClassifier({ inputs, classes: 3, precision: 'float64', seed: 4 })
    const [layer, ...others] = model.layers
    expect(others).toEqual([])
    expect([layer!.inputs, layer!.outputs, layer!.activation]).toEqual([inputs, 3, 'softmax'])
    expect(layer!.biases).toEqual(new Float64Array(3))
    const bound = Math.sqrt(6 / (inputs + 3 + 1))
    expect(Math.max(...layer!.weights.data.map(Math.abs))).toBeLessThanOrEqual(bound)
    expect(model.parameters()).toEqual(Float64Array.of(...layer!.weights.data, ...layer!.biases))
    expect(new SoftmaxClassifier({ inputs, classes: 3, seed: 5 }).parameters()).not.toEqual(
      Float32Array.from(model.parameters()),
    )
  })

  test('without biases has no biases in its layer and its parameters', () => {
    const model = new SoftmaxClassifier({ inputs, classes: names, biases: false })
    expect(model.layers[0]!.biases).toHaveLength(0)
    expect(model.parameters()).toHaveLength(3 * inputs)
  })
})

test('classes given by number and by name have types of their own', async () => {
  const numbered = new SoftmaxClassifier({ inputs, classes: 3 })
  const named = new SoftmaxClassifier({ inputs, classes: names, precision: 'float64' })
  const numbers: Uint32Array = await numbered.predict(x)
  const words: string[] = await named.predict(x)
  expect([numbers.length, words.length]).toEqual([m, m])
  // @ts-expect-error: names, where classes is a number
  expectError(await rejection(numbered.cost(x, words)), 'ERR_ARGUMENT', 'labels: ')
  // @ts-expect-error: numbers, where classes are names
  expectError(await rejection(named.cost(x, labels)), 'ERR_ARGUMENT', 'labels: ')
})

describe.each([
  { biases: true, classWeights: undefined },
  { biases: false, classWeights: undefined },
  { biases: true, classWeights: [0.5, 0, 3] },
])('with $biases biases and class weights $classWeights', ({ biases, classWeights }) => {
  const layers = [{ inputs, outputs: 3, activation: 'softmax' as const, biases }]
  const objective: OracleObjective = {
    loss: 'logLoss',
    weightDecay: [0.03],
    penalties: [],
    ...(classWeights && { classWeights }),
  }
  const modelOf = <P extends Precision>(precision: P) =>
    new SoftmaxClassifier({
      ...{ inputs, classes: 3, biases, weightDecay: 0.03, precision },
      ...(classWeights && { classWeights }),
    })
  const theta = spread(modelOf('float64').parameters().length)

  test('cost and gradient agree with central differences and the oracle', async () => {
    const model = modelOf('float64')
    const cost = await model.cost(x, labels, { parameters: theta, gradient: true })
    const points: Float64Array[] = []
    numericGradient((at) => points.push(at.slice()), theta)
    const costs = await Promise.all(points.map((parameters) => model.cost(x, labels, { parameters })))
    const numeric = numericGradient(() => costs.shift()!.total, theta)
    expect(relativeError(cost.gradient!, numeric)).toBeLessThan(tolerances.gradientCheckFloat64.value)

    const oracle = evaluate(layers, objective, theta, { x: x.data, m, labels })
    expect(relativeDistance([cost.loss, cost.weightDecay], [oracle.loss, oracle.weightDecay])).toBeLessThan(
      tolerances.float64VsOracleCost.value,
    )
    expect(cost.sparsity).toBe(0)
    expect(relativeError(cost.gradient!, oracle.gradient)).toBeLessThan(
      tolerances.float64VsOracleGradient.value,
    )
  })

  test('float32 agrees with float64', async () => {
    const single = await modelOf('float32').cost(x, labels, {
      parameters: Float32Array.from(theta),
      gradient: true,
    })
    const oracle = evaluate(layers, objective, Float32Array.from(theta), {
      x: Float32Array.from(x.data),
      m,
      labels,
    })
    expect(relativeDistance([single.total], [oracle.total])).toBeLessThan(
      tolerances.float32VsFloat64Cost.value,
    )
    expect(relativeError(single.gradient!, oracle.gradient)).toBeLessThan(
      tolerances.float32VsFloat64Gradient.value,
    )
  })

  test('probabilities agree with the oracle, and the predicted class is the most probable', async () => {
    const model = modelOf('float64')
    model.setParameters(theta)
    const probabilities = await model.predictProbabilities(x)
    const [wanted] = forward(layers, theta, x.data, m)
    expect([probabilities.rows, probabilities.cols]).toEqual([m, 3])
    expect(relativeDistance(probabilities.data, wanted!.a)).toBeLessThan(tolerances.handComputed.value)
    const classes = await model.predict(x)
    expect(classes).toBeInstanceOf(Uint32Array)
    probabilities.toArray().forEach((row, i) => {
      expect(classes[i]).toBe(row.indexOf(Math.max(...row)))
    })
  })
})

test('a class weight of 2 counts as much as every row of the class twice', async () => {
  const twice = [...labels.keys(), ...[...labels.keys()].filter((i) => labels[i] === 1)]
  const rows = twice.map((i) => [...x.row(i).data])
  const plain = await new SoftmaxClassifier({ inputs, classes: 3, precision: 'float64' }).cost(
    rows,
    twice.map((i) => labels[i]!),
  )
  const weighted = await new SoftmaxClassifier({
    ...{ inputs, classes: 3, precision: 'float64' },
    classWeights: [1, 2, 1],
  }).cost(x, labels)
  expect(relativeDistance([m * weighted.loss], [twice.length * plain.loss])).toBeLessThan(
    tolerances.float64VsOracleCost.value,
  )
})

describe('logits of ±500', () => {
  test.each(['float32', 'float64'] as const)(
    'give the correct, finite cost and gradient in %s',
    async (precision) => {
      const model: SoftmaxClassifier<Precision> = new SoftmaxClassifier<Precision>({
        inputs: 1,
        classes: 2,
        precision,
      })
      const theta =
        precision === 'float64' ? Float64Array.of(500, -500, 0, 0) : Float32Array.of(500, -500, 0, 0)
      model.setParameters(theta)
      const wrong = await model.cost([[1]], [1], { gradient: true })
      expect(wrong.total).toBe(1000)
      expect([...wrong.gradient!]).toEqual([1, -1, 1, -1])
      const right = await model.cost([[1]], [0], { gradient: true })
      expect(right.total).toBe(0)
      expect(right.gradient!.every((g) => Math.abs(g) === 0)).toBe(true)
      expect([...(await model.predictProbabilities([[1], [-1]])).data]).toEqual([1, 0, 0, 1])
    },
  )
})

describe('fit', () => {
  const strictlyConvex = {
    inputs,
    classes: 3,
    biases: false,
    weightDecay: 0.01,
    precision: 'float64',
  } as const

  test('by L-BFGS and by Adam reaches the same optimum if it is unique', async () => {
    const exact = new SoftmaxClassifier(strictlyConvex)
    const history = await exact.fit(x, labels, { optimizer: { kind: 'lbfgs', tolerance: 1e-9 } })
    expect(history.stopped).toBe('tolerance')
    const adam = new SoftmaxClassifier({ ...strictlyConvex, seed: 9 })
    await adam.fit(x, labels, { batchSize: 'all', epochs: 1000, learningRate: { kind: 'cosine', rate: 0.1 } })
    expect(relativeDistance(adam.parameters(), exact.parameters())).toBeLessThan(tolerances.sameOptimum.value)
  })

  test('gives the same result for classes by name and by number', async () => {
    const numbered = new SoftmaxClassifier({ inputs, classes: 3, seed: 2 })
    const named = new SoftmaxClassifier({ inputs, classes: names, seed: 2 })
    await numbered.fit(x, labels)
    const history = await named.fit(
      x,
      Array.from(labels, (k) => names[k]!),
    )
    expect(history.epochs).toHaveLength(Math.ceil(3000 / Math.ceil(x.rows / 32)))
    expect(named.parameters()).toEqual(numbered.parameters())
    expect(await named.predict(x)).toEqual(Array.from(await numbered.predict(x), (k) => names[k]!))
  })

  test('lowers the cost under every optimizer', async () => {
    for (const how of [lbfgs, { batchSize: 8 }, { optimizer: { kind: 'momentum' }, batchSize: 8 }] as const) {
      const model = new SoftmaxClassifier({ inputs, classes: 3 })
      const before = (await model.cost(x, labels)).total
      await model.fit(x, labels, how)
      expect((await model.cost(x, labels)).total).toBeLessThan(tolerances.clearlyLower.value * before)
    }
  })

  test('keeps rows and labels together when it holds rows out', async () => {
    const model = new SoftmaxClassifier({ inputs, classes: 3, precision: 'float64' })
    const history = await model.fit(x, labels, { ...lbfgs, validation: 0.2 })
    const { cost, validation } = history.epochs.at(-1)!
    const whole = await model.cost(x, labels)
    expect(relativeDistance([0.8 * cost.total + 0.2 * validation!.total], [whole.total])).toBeLessThan(
      tolerances.float64VsOracleCost.value,
    )
  })

  test('measures validation rows with their labels, and can stop early by them', async () => {
    const other = labeledRows(30, inputs, 3, 2)
    const model = new SoftmaxClassifier({ inputs, classes: 3, precision: 'float64' })
    const options = { validation: other, earlyStopping: { patience: 3 }, epochs: 200, learningRate: 0.1 }
    const history = await model.fit(x, labels, options)
    const best = history.epochs[history.bestEpoch! - 1]!
    expect(best.validation!.total).toBe((await model.cost(other.x, other.labels)).total)
  })

  test('applies a scaler, which is copied and saved', async () => {
    const scaling = await new StandardScaler().fit(x)
    const scaled = await scaling.transform(x)
    const options = { inputs, classes: 3, precision: 'float64' } as const
    const inside = new SoftmaxClassifier({ ...options, scaling })
    const outside = new SoftmaxClassifier(options)
    const close = tolerances.float64VsOracleCost.value
    const [a, b] = [await inside.cost(x, labels), await outside.cost(scaled, labels)]
    expect(relativeDistance([a.total], [b.total])).toBeLessThan(close)
  })

  test('gives the same bits at any number of threads', async () => {
    const big = labeledRows(1500, 40, 11)
    for (const precision of ['float32', 'float64'] as const) {
      for (const how of [{ optimizer: { kind: 'lbfgs', maxIterations: 5 } }, { epochs: 2 }] as const) {
        const results = []
        for (const threads of [1, 2, 3, 7]) {
          const model = new SoftmaxClassifier({
            inputs: 40,
            classes: 11,
            precision,
            classWeights: Array(11).fill(2),
          })
          await model.fit(big.x, big.labels, { ...how, threads })
          const { total, gradient } = await model.cost(big.x, big.labels, { gradient: true, threads })
          const { data } = await model.predictProbabilities(big.x, { threads })
          results.push({ total, gradient, data, parameters: model.parameters() })
        }
        for (const result of results) expect(result).toEqual(results[0])
      }
    }
  })

  test('refuses labels that are all of one class, which cost and score accept', async () => {
    const model = new SoftmaxClassifier({ inputs, classes: 3 })
    const same = new Uint8Array(m).fill(2)
    expectError(await rejection(model.fit(x, same)), 'ERR_RANGE', 'class 2 in every row')
    expect((await model.cost(x, same)).total).toBeGreaterThan(0)
    const { recall, confusion } = await model.score(x, same)
    expect(recall.slice(0, 2)).toEqual([Number.NaN, Number.NaN])
    expect(confusion[2]!.reduce((sum, count) => sum + count)).toBe(m)
  })

  test('rejects with the reason of an abort, and leaves a usable model', async () => {
    const model = new SoftmaxClassifier({ inputs, classes: 3 })
    const controller = new AbortController()
    const reason = new Error('enough')
    const onEpoch = () => controller.abort(reason)
    const options = { batchSize: 8, epochs: 1000, onEpoch, signal: controller.signal }
    expect(await rejection(model.fit(x, labels, options))).toBe(reason)
    expect(await rejection(model.score(x, labels, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect((await model.fit(x, labels, { epochs: 1 })).stopped).toBe('completed')
  })

  test('refuses a second one while it runs', async () => {
    const model = new SoftmaxClassifier({ inputs, classes: 3 })
    const first = model.fit(x, labels)
    expectError(await rejection(model.fit(x, labels)), 'ERR_BUSY', 'fit: ')
    expect((await first).stopped).toBe('completed')
  })
})

describe('score', () => {
  /** Predicts the class whose number the one input is, with certainty that grows with `sharpness`. */
  function sorter(sharpness: number) {
    const model = new SoftmaxClassifier({ inputs: 3, classes: 3, biases: false, precision: 'float64' })
    model.setParameters(Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1).map((w) => w * sharpness))
    return model
  }
  const seen = (...classes: number[]) => classes.map((k) => [0, 1, 2].map((j) => (j === k ? 1 : 0)))

  test('agrees with counting by hand', async () => {
    const score = await sorter(Math.log(8)).score(seen(0, 0, 0, 1, 1, 0), Uint8Array.of(0, 0, 1, 1, 2, 2))
    expect(score.confusion).toEqual([
      [2, 0, 0],
      [1, 1, 0],
      [1, 1, 0],
    ])
    expect(score.accuracy).toBe(0.5)
    expect(score.precision).toEqual([0.5, 0.5, Number.NaN])
    expect(score.recall).toEqual([1, 0.5, 0])
    // p = 0.8 where it is right, 0.1 where it is not.
    const byHand = (-3 * Math.log(0.8) - 3 * Math.log(0.1)) / 6
    expect(Math.abs(score.logLoss - byHand)).toBeLessThan(tolerances.handComputed.value)
  })

  test('uses the first of equally probable classes', async () => {
    expect(await sorter(0).predict(seen(0, 1, 2))).toEqual(Uint32Array.of(0, 0, 0))
  })

  test('is refused with too many classes for a table of pairs', async () => {
    const model = new SoftmaxClassifier({ inputs: 1, classes: 4097 })
    expectError(await rejection(model.score([[1]], [4096])), 'ERR_MEMORY', 'classes: no room')
    expect(await model.predict([[1]])).toHaveLength(1)
  })

  test('has a log loss without class weights and weight decay', async () => {
    const weighted = {
      inputs,
      classes: 3,
      classWeights: [5, 0, 1],
      weightDecay: 3,
      precision: 'float64',
    } as const
    const { logLoss } = await new SoftmaxClassifier(weighted).score(x, labels)
    const { loss } = await new SoftmaxClassifier({ inputs, classes: 3, precision: 'float64' }).cost(x, labels)
    expect(logLoss).toBe(loss)
  })
})

describe('a file', () => {
  const folder = temporaryFolder()

  test('restores the same model, including names and class weights', async () => {
    const scaling = await new StandardScaler().fit(x)
    const model = new SoftmaxClassifier({
      ...{ inputs, classes: names, scaling, weightDecay: 0.1, precision: 'float64', seed: 3 },
      classWeights: [1, 2, 0.5],
    })
    const named = Array.from(labels, (k) => names[k]!)
    await model.fit(x, named, { epochs: 2 })
    const path = join(folder, 'classifier.safetensors')
    await model.save(path)
    for (const loaded of [await SoftmaxClassifier.load(path), (await loadModel(path)) as typeof model]) {
      expect(loaded).toBeInstanceOf(SoftmaxClassifier)
      expect(loaded.parameters()).toEqual(model.parameters())
      expect(await loaded.predict(x)).toEqual(await model.predict(x))
      expect(await loaded.cost(x, named)).toEqual(await model.cost(x, named))
      await loaded.fit(x, named, { epochs: 1 })
    }
    const error = await rejection(SparseAutoencoder.load(path))
    expectError(error, 'ERR_FORMAT', 'SoftmaxClassifier')
  })

  test.each<[string, object, RegExp]>([
    ['a class name that stands twice', { classes: ['cat', 'dog', 'cat'] }, /classes\[2\]/],
    ['other classes than its weights', { classes: ['cat', 'dog'] }, /layers\.0\.weights/],
    ['biases it does not have', { biases: true }, /layers\.0\.biases/],
    ['too few class weights', { classWeights: [1, 2] }, /classWeights/],
    ['an option of another class', { hidden: 3 }, /hidden/],
  ])('is refused with %s', async (_, said, message) => {
    const path = join(folder, 'broken.safetensors')
    await new SoftmaxClassifier({ inputs, classes: names, biases: false }).save(path)
    const { tensors, metadata } = await readSafetensors(path)
    const entry = JSON.parse(metadata.layerwise!)
    Object.assign(entry.options, said)
    await writeSafetensors(path, [...tensors.values()], { layerwise: JSON.stringify(entry) })
    const error = await rejection(loadModel(path))
    expect(error).toMatchObject({ code: 'ERR_FORMAT', message: expect.stringMatching(message) })
  })

  test('of a model without biases has no tensor for them', async () => {
    const model = new SoftmaxClassifier({ inputs, classes: 3, biases: false })
    const path = join(folder, 'plain.safetensors')
    await model.save(path)
    const loaded = await SoftmaxClassifier.load(path)
    expect(loaded.parameters()).toEqual(model.parameters())
    expect(loaded.layers[0]!.biases).toHaveLength(0)
  })
})

describe('SoftmaxClassifier refuses', () => {
  test.each<[string, object, string]>([
    ['an unknown option', { hidden: 3 }, "'hidden'"],
    ['one class', { classes: 1 }, 'classes: '],
    ['a name twice', { classes: ['a', 'a'] }, 'classes[1]: '],
    ['biases that are no truth value', { biases: 1 }, 'biases: '],
    ['negative weight decay', { weightDecay: -1 }, 'weightDecay: '],
    ['class weights that are no array', { classWeights: 1 }, 'classWeights: '],
    ['a negative class weight', { classWeights: [1, -1, 1] }, 'classWeights[1]: '],
    ['class weights of 0 only', { classWeights: [0, 0, 0] }, 'classWeights: '],
    ['another precision', { precision: 'float16' }, 'precision: '],
    ['a negative seed', { seed: -1 }, 'seed: '],
    ['a scaler that is none', { scaling: {} }, 'scaling: '],
  ])('%s', (_, options, message) => {
    const error = thrown(() => new SoftmaxClassifier({ inputs, classes: 3, ...options } as never))
    expectError(error, 'ERR_ARGUMENT', message)
  })

  test('another number of class weights than classes', () => {
    const error = thrown(() => new SoftmaxClassifier({ inputs, classes: 3, classWeights: [1, 2] }))
    expectError(error, 'ERR_SHAPE', 'classWeights: ')
  })

  test.each<[string, unknown, unknown, object, string, string]>([
    ['labels that are missing', x, undefined, {}, 'ERR_ARGUMENT', 'labels: '],
    ['too few labels', x, labels.slice(1), {}, 'ERR_SHAPE', 'labels: '],
    ['a label of no class', x, labels.map((k) => k + 1), {}, 'ERR_RANGE', 'labels: '],
    ['rows of another width', x.toArray().map((row) => row.slice(1)), labels, {}, 'ERR_SHAPE', 'x: '],
    ['NaN', Matrix.from(x.data.with(8, Number.NaN), m, inputs), labels, {}, 'ERR_RANGE', 'row 1, column 1'],
  ])('in fit, cost and score: %s', async (_, rows, given, options, code, message) => {
    const model = new SoftmaxClassifier({ inputs, classes: 3 })
    for (const call of ['fit', 'cost', 'score'] as const) {
      const error = await rejection(model[call](rows as never, given as never, options))
      expectError(error, code, message)
    }
  })

  test.each<[string, object, string, string]>([
    ['validation rows without labels', { validation: x }, 'ERR_ARGUMENT', 'validation'],
    ['validation without rows', { validation: { labels } }, 'ERR_ARGUMENT', 'validation.x: '],
    ['validation with other names', { validation: { x, y: labels } }, 'ERR_ARGUMENT', "'y'"],
    [
      'bad validation labels',
      { validation: { x, labels: labels.map((k) => k + 1) } },
      'ERR_RANGE',
      'validation.labels: ',
    ],
    ['too few validation labels', { validation: { x, labels: [1] } }, 'ERR_SHAPE', 'validation.labels: '],
    ['an unknown option', { recompute: true }, 'ERR_ARGUMENT', "'recompute'"],
  ])('in fit: %s', async (_, options, code, message) => {
    const model = new SoftmaxClassifier({ inputs, classes: 3 })
    const before = model.parameters()
    expectError(await rejection(model.fit(x, labels, options as ClassifierFitOptions)), code, message)
    expect(model.parameters()).toEqual(before)
  })
})
