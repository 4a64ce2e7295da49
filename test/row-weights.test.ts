import { describe, expect, test } from 'vitest'
import { splitRows } from '../lib/data/split-rows.js'
import {
  type Activation,
  LinearAutoencoder,
  type Loss,
  Matrix,
  SoftmaxClassifier,
  SparseAutoencoder,
  type Sparsity,
  StackedAutoencoder,
  StackedClassifier,
} from '../lib/index.js'
import { isBounded } from '../lib/objective/activation.js'
import { evaluate, type OracleObjective } from './oracle/network.js'
import { numericGradient, relativeError } from './oracle/numeric-gradient.js'
import { gradientDescent, movingMean } from './oracle/optimizers.js'
import type { OraclePenalty } from './oracle/penalty.js'
import { pointAwayFromKinks } from './oracle/points.js'
import { expectError } from './refusal.js'
import { rejection, relativeDistance, sampleRows } from './sample.js'
import { tolerances } from './tolerances.js'
import {
  CLASSES,
  close,
  counts,
  INPUTS,
  labels,
  often,
  oftenLabels,
  ROWS,
  rowsOf,
  x,
} from './weighted-sample.js'

describe('weighted cost and gradient: central differences, the oracle and float32 agree', () => {
  const weights = [0.5, 0, 3, 1, 1.25, 2]
  const cases: [Activation, Activation, Loss][] = []
  for (const hidden of ['sigmoid', 'tanh', 'relu', 'gelu'] as const) {
    for (const loss of ['squared', 'euclidean', 'absolute', 'crossEntropy'] as const) {
      cases.push([hidden, loss === 'crossEntropy' ? 'sigmoid' : 'tanh', loss])
    }
  }
  test.each(cases)('%s to %s, %s, every penalty', async (hidden, output, loss) => {
    const penalties: Sparsity[] = [
      { kind: 'none' },
      { kind: 'l2', target: 0.2, weight: 0.6 },
      { kind: 'l1', weight: 0.6 },
    ]
    if (isBounded(hidden)) penalties.push({ kind: 'kl', target: 0.2, weight: 0.6 })
    for (const sparsity of penalties) {
      const layers = [
        { inputs: 5, outputs: 3, activation: hidden },
        { inputs: 3, outputs: 5, activation: output },
      ]
      const objective: OracleObjective = {
        loss,
        weightDecay: [0.02, 0.02],
        penalties: sparsity.kind === 'none' ? [] : [{ layer: 0, target: 0, ...sparsity } as OraclePenalty],
      }
      const { theta, x, m } = pointAwayFromKinks(layers, objective, { m: weights.length, seed: 11 })
      const options = {
        ...{ inputs: 5, hidden: 3, activation: hidden, outputActivation: output },
        ...{ loss, sparsity, weightDecay: 0.02 },
      }
      const model = new SparseAutoencoder({ ...options, precision: 'float64' })
      const rows = Matrix.from(x, m, 5)
      const native = await model.cost(rows, { parameters: theta, gradient: true, rowWeights: weights })

      const points: Float64Array[] = []
      numericGradient((at) => points.push(at.slice()), theta)
      const totals = await Promise.all(
        points.map((parameters) => model.cost(rows, { parameters, rowWeights: weights })),
      )
      const numeric = numericGradient(() => totals.shift()!.total, theta)
      expect(relativeError(native.gradient!, numeric), sparsity.kind).toBeLessThan(
        tolerances.gradientCheckFloat64.value,
      )

      const oracle = evaluate(layers, objective, theta, { x, m, weights })
      for (const part of ['loss', 'weightDecay', 'sparsity', 'total'] as const) {
        const distance = Math.abs(native[part] - oracle[part]) / Math.max(1, Math.abs(oracle[part]))
        expect(distance, `${sparsity.kind} ${part}`).toBeLessThan(tolerances.float64VsOracleCost.value)
      }
      expect(relativeError(native.gradient!, oracle.gradient), sparsity.kind).toBeLessThan(
        tolerances.float64VsOracleGradient.value,
      )
      const single = await new SparseAutoencoder(options).cost(rows, {
        parameters: Float32Array.from(theta),
        gradient: true,
        rowWeights: weights,
      })
      expect(relativeError(single.gradient!, oracle.gradient), sparsity.kind).toBeLessThan(
        tolerances.float32VsFloat64Gradient.value,
      )
      // Only ratios matter; these numbers are halved without rounding.
      const scaled = Float32Array.from(weights, (weight) => weight / 64)
      close(
        (await model.cost(rows, { parameters: theta, gradient: true, rowWeights: scaled })).gradient!,
        native.gradient!,
      )
    }
  })

  test('a classifier of three layers, its class weights multiplied into the row weights', async () => {
    const classWeights = [2, 0.5, 1]
    const sparsity = [
      { kind: 'kl', target: 0.2, weight: 0.4 },
      { kind: 'l1', weight: 0.3 },
    ] as const
    const model = new StackedClassifier({
      inputs: INPUTS,
      layers: [
        { hidden: 4, sparsity: sparsity[0] },
        { hidden: 3, sparsity: sparsity[1] },
      ],
      ...{ classes: CLASSES, classWeights, weightDecay: 0.1, decay: 'all', sparseFineTuning: true },
      precision: 'float64',
    })
    const layers = [
      { inputs: INPUTS, outputs: 4, activation: 'sigmoid' },
      { inputs: 4, outputs: 3, activation: 'sigmoid' },
      { inputs: 3, outputs: CLASSES, activation: 'softmax' },
    ] as const
    const objective: OracleObjective = {
      ...{ loss: 'logLoss', weightDecay: [0.1, 0.1, 0.1], classWeights },
      penalties: sparsity.map((penalty, layer) => ({ layer, target: 0, ...penalty })),
    }
    const theta = Float64Array.from({ length: model.parameters().length }, (_, p) => Math.sin(7 * p + 1))
    const native = await model.cost(x, labels, { parameters: theta, gradient: true, rowWeights: counts })
    const oracle = evaluate(layers, objective, theta, { x: x.data, m: ROWS, labels, weights: counts })
    expect(Math.abs(native.total - oracle.total)).toBeLessThan(tolerances.float64VsOracleCost.value)
    expect(relativeError(native.gradient!, oracle.gradient)).toBeLessThan(
      tolerances.float64VsOracleGradient.value,
    )
  })
})

type Weights = { rowWeights?: number[] }
type Trained = { parameters(): ArrayLike<number> }
type Training = (rows: Matrix, labels: ArrayLike<number>, weights: Weights) => Promise<Trained>

const kl = { kind: 'kl', target: 0.2, weight: 0.5 } as const
const precision = 'float64'
const whole = {
  optimizer: { kind: 'gradientDescent' },
  batchSize: 'all',
  epochs: 6,
  learningRate: 0.5,
} as const
const momentum = { ...whole, optimizer: { kind: 'momentum' }, learningRate: 0.1, clipNorm: 0.05 } as const
const lbfgs = { optimizer: { kind: 'lbfgs', maxIterations: 5 } } as const
const softmax = { inputs: INPUTS, classes: CLASSES, classWeights: [1, 2, 0.5], precision } as const
const stack = { inputs: INPUTS, layers: [{ hidden: 5, sparsity: kl }, { hidden: 3 }], precision } as const
const upper = { inputs: INPUTS, layers: [{ hidden: 4 }], classes: CLASSES, precision } as const

async function fitted<M extends { fit(...given: never[]): Promise<unknown> }>(
  model: M,
  ...given: Parameters<M['fit']>
): Promise<M> {
  await model.fit(...given)
  return model
}

const trainings: Record<string, Training> = {
  'a SparseAutoencoder by gradient descent': (rows, _, weights) =>
    fitted(
      new SparseAutoencoder({ inputs: INPUTS, hidden: 4, sparsity: kl, weightDecay: 0.01, precision }),
      rows,
      {
        ...whole,
        ...weights,
      },
    ),
  'a SparseAutoencoder with an l1 penalty by momentum and clipNorm': (rows, _, weights) =>
    fitted(
      new SparseAutoencoder({ inputs: INPUTS, hidden: 4, sparsity: { kind: 'l1', weight: 0.1 }, precision }),
      rows,
      { ...momentum, ...weights },
    ),
  'a SparseAutoencoder with a hard constraint by L-BFGS': (rows, _, weights) =>
    fitted(
      new SparseAutoencoder({
        ...{ inputs: INPUTS, hidden: 4, precision },
        sparsity: { kind: 'constraint', target: 0.3 },
      }),
      rows,
      { ...lbfgs, ...weights },
    ),
  'a SparseAutoencoder by L-BFGS': (rows, _, weights) =>
    fitted(new SparseAutoencoder({ inputs: INPUTS, hidden: 4, sparsity: kl, precision }), rows, {
      ...lbfgs,
      ...weights,
    }),
  'a centred LinearAutoencoder': (rows, _, weights) =>
    fitted(new LinearAutoencoder({ inputs: INPUTS, hidden: 2, center: true, precision }), rows, {
      ...lbfgs,
      ...weights,
    }),
  'a StackedAutoencoder layer by layer': (rows, _, weights) =>
    fitted(new StackedAutoencoder(stack), rows, { ...whole, ...weights }),
  'a StackedAutoencoder, codes computed again': (rows, _, weights) =>
    fitted(new StackedAutoencoder(stack), rows, { ...whole, recompute: true, ...weights }),
  'a StackedAutoencoder by fineTune': async (rows, _, weights) => {
    const model = new StackedAutoencoder({ ...stack, sparseFineTuning: true })
    await model.fineTune(rows, { ...whole, ...weights })
    return model
  },
  'a SoftmaxClassifier': (rows, labels, weights) =>
    fitted(new SoftmaxClassifier(softmax), rows, [...Array.from(labels)], { ...whole, ...weights }),
  'the softmax of a StackedClassifier': (rows, labels, weights) =>
    fitted(new StackedClassifier(upper), rows, [...Array.from(labels)], { ...whole, ...weights }),
  'a StackedClassifier by fineTune': async (rows, labels, weights) => {
    const model = new StackedClassifier(upper)
    await model.fineTune(rows, Array.from(labels), { ...lbfgs, ...weights })
    return model
  },
}

describe('whole-number weights train as repeated rows do, a weight of 0 as leaving the row out', () => {
  test.each(Object.entries(trainings))('%s', async (_, training) => {
    const weighted = await training(x, labels, { rowWeights: counts })
    const expected = await training(often, oftenLabels, {})
    close(weighted.parameters(), expected.parameters())
    const plain = await training(x, labels, {})
    expect(relativeDistance(weighted.parameters(), plain.parameters())).toBeGreaterThan(
      tolerances.repeatedRows.value * 100,
    )
  })
})

describe('in minibatches', () => {
  const batch = 3
  const layers = [
    { inputs: INPUTS, outputs: 4, activation: 'sigmoid' },
    { inputs: 4, outputs: INPUTS, activation: 'sigmoid' },
  ] as const
  // The second batch has no weight.
  const weights = [2, 0, 1, 0, 0, 0, 0.5, 3, 0.25, 1, 0, 2]
  const meanWeight = weights.reduce((sum, weight) => sum + weight, 0) / ROWS

  test.each(['batch', 'moving'] as const)(
    'the loss of a batch counts by the mean weight of all rows, its %s mean activation by its own, and a batch without weight has no penalty',
    async (average) => {
      const model = new SparseAutoencoder({
        ...{ inputs: INPUTS, hidden: 4, weightDecay: 0.1, precision: 'float64' },
        sparsity: { ...kl, average },
      })
      const theta = Float64Array.from(model.parameters())
      const step = gradientDescent()
      const moving = movingMean()
      let loss = 0
      for (let epoch = 0; epoch < 2; epoch++) {
        loss = 0
        for (let first = 0; first < ROWS; first += batch) {
          const ofBatch = weights.slice(first, first + batch)
          const rows = {
            ...{ x: x.data.slice(first * INPUTS, (first + batch) * INPUTS), m: batch },
            ...{ weights: ofBatch, meanWeight },
          }
          const objective = (penalties: OraclePenalty[]): OracleObjective => ({
            ...{ loss: 'squared', weightDecay: [0.1, 0.1], penalties },
          })
          const none = evaluate(layers, objective([]), theta, rows)
          loss += (none.loss * batch) / ROWS
          if (ofBatch.every((weight) => weight === 0)) {
            step(theta, none.gradient, 0.3)
            continue
          }
          const means = average === 'moving' ? [moving(none.means[0]!)] : undefined
          const { gradient } = evaluate(layers, objective([{ layer: 0, ...kl }]), theta, {
            ...rows,
            ...(means && { means }),
          })
          step(theta, gradient, 0.3)
        }
      }
      const { epochs } = await model.fit(x, {
        ...{ optimizer: { kind: 'gradientDescent' }, learningRate: 0.3, epochs: 2, batchSize: batch },
        ...{ shuffle: false, rowWeights: weights },
      })
      expect(relativeDistance(model.parameters(), theta)).toBeLessThan(
        tolerances.float64VsOracleGradient.value,
      )
      expect(Math.abs(epochs[1]!.cost.loss / loss - 1)).toBeLessThan(tolerances.float64VsOracleGradient.value)
    },
  )

  test('an epoch that begins with batches without weight does not diverge, and its progress is finite', async () => {
    const model = new SparseAutoencoder({ inputs: INPUTS, hidden: 4, sparsity: kl })
    const rowWeights = weights.map((_, row) => (row < ROWS - 1 ? 0 : 1))
    const totals: number[] = []
    const onProgress = ({ cost }: { cost: { total: number } }) => void totals.push(cost.total)
    const { epochs } = await model.fit(x, { epochs: 2, batchSize: 1, shuffle: false, rowWeights, onProgress })
    expect(epochs.every(({ cost }) => Number.isFinite(cost.total))).toBe(true)
    expect(totals.every(Number.isFinite)).toBe(true)
  })

  test.each(['squared', 'euclidean'] as const)(
    'and over all rows, bits do not depend on the number of threads: %s',
    async (loss) => {
      const rows = sampleRows(700, 130)
      const rowWeights = Float64Array.from({ length: 700 }, (_, row) => (row * 7) % 5)
      for (const sparsity of [kl, { kind: 'l1', weight: 0.1 }] as const) {
        for (const batchSize of [128, 'all'] as const) {
          const trained = await Promise.all(
            [1, 2, 5].map(async (threads) => {
              const model = new SparseAutoencoder({
                ...{ inputs: 130, hidden: 90, loss, sparsity },
                corruption: { kind: 'masking', amount: 0.2 },
              })
              await model.fit(rows, { epochs: 2, batchSize, rowWeights, threads } as never)
              return model.parameters()
            }),
          )
          expect(trained[1]).toEqual(trained[0])
          expect(trained[2]).toEqual(trained[0])
        }
      }
    },
  )
})

describe('rows for validation have weights', () => {
  const model = () => new SparseAutoencoder({ inputs: INPUTS, hidden: 4, precision })

  test('of their own, as { x, rowWeights }', async () => {
    const trained = model()
    const { epochs } = await trained.fit(x, { epochs: 1, validation: { x, rowWeights: counts } })
    expect(epochs[0]!.validation!.total).toBe((await trained.cost(x, { rowWeights: counts })).total)
    const classifier = new SoftmaxClassifier(softmax)
    const how = { epochs: 1, validation: { x, labels, rowWeights: counts } }
    const last = (await classifier.fit(x, labels, how)).epochs[0]!.validation!
    expect(last.total).toBe((await classifier.cost(x, labels, { rowWeights: counts })).total)
    const { accuracy } = await classifier.score(x, labels, { rowWeights: counts })
    expect(Math.abs(last.accuracy! - accuracy)).toBeLessThan(tolerances.handComputed.value)
  })

  test('of the rows held out', async () => {
    const [part, rest] = splitRows('x', ROWS, 0.25, 0).map((rows) => [...rows])
    const of = (rows: number[]) => rows.map((row) => counts[row]!)
    const [held, given] = [model(), model()]
    const byFraction = await held.fit(x, { ...whole, rowWeights: counts, validation: 0.25 })
    const byRows = await given.fit(rowsOf(x, rest!), {
      ...whole,
      rowWeights: of(rest!),
      validation: { x: rowsOf(x, part!), rowWeights: of(part!) },
    })
    close(held.parameters(), given.parameters())
    close([byFraction.epochs.at(-1)!.validation!.total], [byRows.epochs.at(-1)!.validation!.total])
  })

  test('of which both parts need one above 0', async () => {
    const [part, rest] = splitRows('x', ROWS, 0.25, 0).map((rows) => [...rows])
    const only = (rows: number[]) => counts.map((_, row) => Number(rows.includes(row)))
    for (const [rowWeights, where] of [
      [only(part!), 'left for training'],
      [only(rest!), 'held out'],
    ] as const) {
      const error = await rejection(model().fit(x, { rowWeights, validation: 0.25 }))
      expectError(error, 'ERR_RANGE', `rowWeights: expected a weight above 0, received 0 in all`)
      expect((error as Error).message).toContain(where)
      const centred = new LinearAutoencoder({ inputs: INPUTS, hidden: 2, center: true })
      expectError(await rejection(centred.fit(x, { rowWeights, validation: 0.25 })), 'ERR_RANGE', where)
    }
  })
})

describe('score with rowWeights', () => {
  test('counts every row by its weight', async () => {
    const model = await fitted(new SoftmaxClassifier(softmax), x, labels, lbfgs)
    const weighted = await model.score(x, labels, { rowWeights: counts })
    const expected = await model.score(often, oftenLabels)
    expect(weighted.confusion).toEqual(expected.confusion)
    expect(weighted.accuracy).toBe(expected.accuracy)
    expect(weighted.precision).toEqual(expected.precision)
    expect(weighted.recall).toEqual(expected.recall)
    close([weighted.logLoss], [expected.logLoss])
  })
})

test('training labels of one class among the rows of a weight above 0 are refused', async () => {
  const rowWeights = Array.from(labels, (label) => Number(label === 1))
  const error = await rejection(new SoftmaxClassifier(softmax).fit(x, labels, { rowWeights }))
  expectError(error, 'ERR_RANGE', 'received class 1 in every row of a weight above 0')
})
