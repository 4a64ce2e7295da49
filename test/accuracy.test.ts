import { describe, expect, test } from 'vitest'
import {
  type EpochEvent,
  type FitOptions,
  type LabeledRows,
  type Labels,
  type Matrix,
  type Precision,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedClassifier,
  type TrainingHistory,
} from '../lib/index.js'
import { labeledRows } from './labeled-sample.js'

const inputs = 6
const classes = 4
const CHANCE = 1 / classes
const { x, labels } = labeledRows(300, inputs, classes)
const [training, held, trainingRows, heldRows] = x.split(0.7, 3)
const trainingLabels = Array.from(trainingRows, (row) => labels[row]!)
const validation = { x: held, labels: Array.from(heldRows, (row) => labels[row]!) }

type Fit = FitOptions<LabeledRows<number>>
interface Learner {
  fit(x: Matrix, labels: Labels<number>, options: Fit): Promise<TrainingHistory>
  accuracy(x: Matrix, labels: Labels<number>): Promise<number>
}

const makers: Record<string, (precision: Precision) => Learner> = {
  'a SoftmaxClassifier': (precision) => {
    const model = new SoftmaxClassifier({ inputs, classes, precision })
    return learner(model, (x, labels, options) => model.fit(x, labels, options))
  },
  'the softmax of a StackedClassifier': (precision) => {
    const model = new StackedClassifier({ inputs, layers: [{ hidden: 8 }], classes, precision })
    return learner(model, (x, labels, options) => model.fit(x, labels, options))
  },
  'that softmax with codes computed again': (precision) => {
    const model = new StackedClassifier({ inputs, layers: [{ hidden: 8 }], classes, precision })
    return learner(model, (x, labels, options) => model.fit(x, labels, { ...options, recompute: true }))
  },
  'a StackedClassifier fine-tuned, with a penalty': (precision) => {
    const layers = [{ hidden: 8, sparsity: { kind: 'kl', target: 0.2, weight: 0.01 } as const }]
    const model = new StackedClassifier({ inputs, layers, classes, sparseFineTuning: true, precision })
    return learner(model, (x, labels, options) => model.fineTune(x, labels, options))
  },
}
function learner(
  model: StackedClassifier<Precision> | SoftmaxClassifier<Precision>,
  fit: Learner['fit'],
): Learner {
  return { fit, accuracy: async (x, labels) => (await model.score(x, labels)).accuracy }
}

const cases = Object.entries(makers).flatMap(([name, make]) =>
  (['float32', 'float64'] as const).map((precision) => [name, precision, make] as const),
)

describe.each(cases)('the accuracy in the history of %s in %s', (_, precision, make) => {
  test('is that of all rows before the step, when a step uses all rows', async () => {
    const model = make(precision)
    let before = await model.accuracy(training, trainingLabels)
    const seen: number[] = []
    const onEpoch = async ({ accuracy }: EpochEvent) => {
      expect(accuracy).toBe(before)
      seen.push(accuracy!)
      before = await model.accuracy(training, trainingLabels)
    }
    const { epochs } = await model.fit(training, trainingLabels, {
      ...{ epochs: 12, batchSize: 'all', learningRate: 0.3 },
      onEpoch,
    })
    expect(epochs.map(({ accuracy }) => accuracy)).toEqual(seen)
    expect(new Set(seen).size).toBeGreaterThan(1)
  })

  test('is that of all rows after each iteration of L-BFGS', async () => {
    const model = make(precision)
    const onEpoch = async ({ accuracy }: EpochEvent) =>
      expect(accuracy).toBe(await model.accuracy(training, trainingLabels))
    const optimizer = { kind: 'lbfgs', maxIterations: 12 } as const
    const { epochs } = await model.fit(training, trainingLabels, { optimizer, onEpoch })
    expect(epochs.at(-1)!.accuracy).toBeGreaterThan(CHANCE)
  })

  test('is that of the rows at the step that uses them, with minibatches', async () => {
    const model = make(precision)
    const still = await model.accuracy(training, trainingLabels)
    const options = { epochs: 2, batchSize: 32, learningRate: 1e-30 }
    const { epochs } = await model.fit(training, trainingLabels, options)
    expect(epochs.map(({ accuracy }) => accuracy)).toEqual([still, still])
    const { epochs: more } = await model.fit(training, trainingLabels, { epochs: 30, batchSize: 32 })
    expect(more.at(-1)!.accuracy).toBeGreaterThan(CHANCE)
    for (const { accuracy } of more) expectShare(accuracy, training.rows)
  })

  test('is reported together with that of the validation rows after the epoch', async () => {
    const model = make(precision)
    const onEpoch = async ({ validation: measured }: EpochEvent) =>
      expect(measured!.accuracy).toBe(await model.accuracy(validation.x, validation.labels))
    await model.fit(training, trainingLabels, { epochs: 3, batchSize: 32, validation, onEpoch })
    const { epochs } = await make(precision).fit(x, labels, { epochs: 3, validation: 0.3 })
    for (const { accuracy, validation: measured } of epochs) {
      expectShare(accuracy, 210)
      expectShare(measured!.accuracy, 90)
    }
  })
})

test('models without classes have no accuracy in their histories', async () => {
  const model = new SparseAutoencoder({ inputs, hidden: 3 })
  const { epochs } = await model.fit(x, { epochs: 2, validation: 0.2 })
  for (const record of epochs) {
    expect(record).not.toHaveProperty('accuracy')
    expect(record.validation).not.toHaveProperty('accuracy')
  }
})

test('score has the loss that cost returns, and counts the classes that predict returns', async () => {
  for (const precision of ['float32', 'float64'] as const) {
    const model = new StackedClassifier({ inputs, layers: [{ hidden: 8 }], classes, precision })
    await model.fineTune(x, labels, { epochs: 20, batchSize: 32 })
    const score = await model.score(x, labels)
    const answers = await model.predict(x)
    const confusion = Array.from({ length: classes }, () => new Array(classes).fill(0))
    labels.forEach((label, i) => {
      confusion[label]![answers[i]!]++
    })
    expect(score.confusion).toEqual(confusion)
    expect(score.logLoss).toBe((await model.cost(x, labels)).loss)
    expect(score.accuracy).toBeGreaterThan(CHANCE)
  }
})

test('score counts rows whose sums overflow before the probabilities', async () => {
  const model = new SoftmaxClassifier({ inputs, classes })
  const rows = [new Array(inputs).fill(1), new Array(inputs).fill(3.4e38)]
  model.setParameters(model.parameters().fill(2))
  const { accuracy } = await model.score(rows, [0, 1])
  expect(await model.predict(rows)).toEqual(Uint32Array.of(0, 0))
  expect(accuracy).toBe(0.5)
})

/** A whole number of the rows. */
function expectShare(accuracy: number | undefined, rows: number): void {
  expect(accuracy).toBe(Math.round(accuracy! * rows) / rows)
}
