import { StackedAutoencoder } from '../../lib/index.js'
import { evaluationFlopsPerRow } from '../measuring/flops.js'
import { mnist } from './data.js'
import { type Figure, Ledger, type Recipe } from './recipe.js'
import { Sgemm } from './sgemm.js'
import { lbfgs, percentRight, SOFTMAX, SPARSE } from './ufldl.js'

/** The layers that learn in each phase, from their inputs to their outputs. */
const WIDTHS: Record<string, number[]> = {
  'layer 1': [784, 200, 784],
  'layer 2': [200, 200, 200],
  softmax: [200, 10],
  fineTune: [784, 200, 200, 10],
}
/** Pairs that L-BFGS keeps: with 100, as in the exercise, reading them takes a tenth of an iteration. */
const HISTORY = 20
/** Of layer 1 trained by PyTorch, for orientation. */
const ORIENTATION = { evaluations: [10, 50, 100, 200, 300], costs: '63.4, 18.6, 14.2, 12.73, 12.33' }

export const stackedMnist: Recipe = {
  name: 'stacked-mnist',
  title:
    '784-200-200-10: two sparse layers trained one after the other, a softmax, then all together, 400 iterations each',
  source: 'UFLDL, exercise “Implement deep networks for digit classification”',
  run: async (trial) => {
    const { quick, say, onProgress } = trial
    const { training, test } = await mnist(trial)
    const { images, labels } = training
    const sgemm = quick ? undefined : new Sgemm()
    const ledger = new Ledger(50, sgemm?.measure)
    const options = { optimizer: lbfgs(quick ? 40 : 400, HISTORY), onEpoch: ledger.onEpoch, onProgress }
    try {
      await sgemm?.measure()
      const stack = new StackedAutoencoder({
        inputs: 784,
        layers: [
          { hidden: 200, ...SPARSE },
          { hidden: 200, ...SPARSE },
        ],
      })
      await ledger.time(() => stack.fit(images, options))
      const classifier = stack.toClassifier({ classes: 10, ...SOFTMAX })
      await ledger.time(() => classifier.fit(images, labels, options))
      const before = percentRight(await classifier.score(test.images, test.labels))
      say(`${before.toFixed(2)}% before fine-tuning`)
      await ledger.time(() => classifier.fineTune(images, labels, options))
      const after = percentRight(await classifier.score(test.images, test.labels))
      await sgemm?.measure()
      const goal = { atLeast: quick ? 85 : 97.6 }
      return {
        figures: [
          { label: 'accuracy before fine-tuning', value: before, unit: '%', published: '87.7%' },
          { label: 'accuracy after fine-tuning', value: after, unit: '%', published: '97.6%', goal },
          ...(sgemm === undefined ? [] : speed(ledger, sgemm, images.rows)),
        ],
        notes: sgemm === undefined ? [] : [firstLayer(ledger), WORK],
      }
    } finally {
      sgemm?.close()
    }
  },
}

const WORK =
  'The work is 2 × the multiply-adds of the products that an evaluation of cost and gradient needs, each layer computed once: for layers with ' +
  'w₁, w₂, … weights and m rows 2m (3 Σ wₗ − w₁), which is 10·m·n·h for an autoencoder, 4·m·n·k for the softmax. Seconds of training are those of all ' +
  'fits by the clock; the rate is the median of a second of 2048³ sgemm on all threads before, after and at every 50th iteration, with the training paused.'

function speed(ledger: Ledger, { rate, rates }: Sgemm, rows: number): Figure[] {
  const works = [...ledger.evaluations].map(
    ([phase, evaluations]) => evaluations * rows * evaluationFlopsPerRow(WIDTHS[phase]!),
  )
  const needed = works.reduce((sum, work) => sum + work, 0) / 1e9 / rate
  return [
    { label: 'seconds of training', value: ledger.seconds, digits: 1, unit: 's' },
    { label: 'sgemm rate', value: rate, digits: 1, unit: 'GFLOP/s', values: rates },
    { label: 'work of the evaluations ÷ that rate', value: needed, digits: 1, unit: 's' },
    { label: 'seconds over that', value: ledger.seconds / needed, goal: { atMost: 1.35 } },
  ]
}

/** J of layer 1 at the evaluations of the orientation. */
function firstLayer(ledger: Ledger): string {
  const costs = ledger.costs.get('layer 1') ?? []
  const ours = ORIENTATION.evaluations.map((wanted) => {
    const at = costs.findLast(([evaluations]) => evaluations <= wanted)
    return at === undefined ? '–' : at[1].toPrecision(4)
  })
  return `J of layer 1 after ${ORIENTATION.evaluations.join(', ')} evaluations: ${ours.join(', ')} (PyTorch: ${ORIENTATION.costs}).`
}
