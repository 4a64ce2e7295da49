import { type Dataset, openDataset, StackedAutoencoder, type StackedClassifier } from '../../lib/index.js'
import { CIRESAN } from '../synthetic/deform.js'
import { madeOnce, type Table } from '../synthetic/made-once.js'
import { type Labelled, mnist } from './data.js'
import type { Recipe, Trial } from './recipe.js'
import { percentWrong } from './ufldl.js'

const RELU = { activation: 'relu', corruption: { kind: 'masking', amount: 0.2 } } as const
/** The first layer reconstructs pixels, the second the units of the first. */
const LAYERS = [
  { hidden: 1000, ...RELU, outputActivation: 'sigmoid' },
  { hidden: 500, ...RELU },
] as const
/** Deformed rows, and how many of them the layers learn from before there are labels. */
const ROWS = { all: 6_000_000, greedy: 1_000_000 }
const GREEDY: Phase = { epochs: 1, batchSize: 128, learningRate: { kind: 'cosine', rate: 1e-3 } }
const TOGETHER: Phase = { epochs: 12, batchSize: 128, learningRate: { kind: 'cosine', rate: 1e-3 } }
const PLAIN = { greedy: { ...GREEDY, epochs: 10 }, together: { ...TOGETHER, epochs: 40 } }
const QUICK = { rows: { all: 20_000, greedy: 10_000 }, epochs: 2 }

export const deepBigSimple: Recipe = {
  name: 'deep-big-simple',
  title:
    '784-1000-500-10 pre-trained and fine-tuned on deformed digits in files, beside the same network on the plain digits',
  source: 'Ciresan et al., “Deep big simple neural nets excel on handwritten digit recognition”, 2010',
  run: async (trial) => {
    const { quick, say } = trial
    const { training, test } = await mnist(trial)
    const { rows, labels } = await deformed(training, trial)
    const start = performance.now()
    const counts = quick ? QUICK.rows : ROWS
    const best = await trained(
      rows.slice(0, counts.greedy),
      rows,
      labels,
      { greedy: GREEDY, together: TOGETHER },
      trial,
    )
    const minutes = (performance.now() - start) / 60_000
    await rows.close()
    const ours = percentWrong(await best.score(test.images, test.labels))
    say(`${ours.toFixed(2)}% after ${minutes.toFixed(1)} minutes; now the plain digits`)
    const { images } = training
    const plain = await trained(images, images, training.labels, PLAIN, trial)
    const beside = percentWrong(await plain.score(test.images, test.labels))
    return {
      figures: [
        {
          label: 'test error, deformed digits',
          value: ours,
          unit: '%',
          published: '0.49%',
          goal: { atMost: quick ? 10 : 0.6 },
        },
        { label: 'test error, plain digits', value: beside, unit: '%' },
        ...(quick
          ? []
          : [{ label: 'minutes of training on deformed digits', value: minutes, goal: { atMost: 60 } }]),
      ],
      notes: [
        `${counts.all.toLocaleString('en')} deformed digits, a data set that is made once: fine-tuning sees each of them ${quick ? QUICK.epochs : TOGETHER.epochs} times. ` +
          'The published figure is of digits deformed anew in every epoch. Angles, scaling and elastic fields are in the middle of the ranges published.',
      ],
    }
  },
}

/** A data set of deformed training digits, of those that the trial has, and what they show. */
async function deformed({ labels: digits }: Labelled, { quick, say }: Trial) {
  const count = (quick ? QUICK.rows : ROWS).all
  const table: Table = {
    name: 'deformed',
    maker: {
      module: new URL('../synthetic/deformed-digits.ts', import.meta.url).href,
      options: { of: digits.length, deformation: CIRESAN },
    },
    cols: 784,
    type: 'uint8',
    scale: 1 / 255,
  }
  const rows = await openDataset(await madeOnce(table, count, { say }))
  return { rows, labels: Uint8Array.from({ length: count }, (_, i) => digits[i % digits.length]!) }
}

type Rows = Dataset | Labelled['images']
interface Phase {
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: { readonly kind: 'cosine'; readonly rate: number }
}
interface Phases {
  readonly greedy: Phase
  readonly together: Phase
}

/** The layers one after another on rows without labels, then all together on rows with them. */
async function trained(
  few: Rows,
  rows: Rows,
  labels: Uint8Array,
  { greedy, together }: Phases,
  { quick, onProgress }: Trial,
): Promise<StackedClassifier> {
  const stack = new StackedAutoencoder({ inputs: 784, layers: LAYERS })
  const short = quick ? { epochs: QUICK.epochs, batchSize: 32 } : {}
  // The codes of the first layer would fill the memory.
  await stack.fit(few, { ...greedy, ...short, recompute: true, onProgress })
  const classifier = stack.toClassifier({ classes: 10 })
  await classifier.fineTune(rows, labels, { ...together, ...short, onProgress })
  return classifier
}
