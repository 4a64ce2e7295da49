import { type Matrix, SoftmaxClassifier, SparseAutoencoder } from '../../lib/index.js'
import { type Labelled, mnist, ofClasses, slice } from './data.js'
import type { Recipe, Trial } from './recipe.js'
import { lbfgs, percentRight, SPARSE } from './ufldl.js'

const HIDDEN = 200
/** Of the softmax: of 1e-3, 1e-4, 1e-5 and 1e-6 the one with the highest validation accuracy. */
const WEIGHT_DECAY = 1e-5

export const selfTaught: Recipe = {
  name: 'self-taught',
  title: 'features of the digits 5–9 by a sparse autoencoder 784-200, and a softmax on them for 0–4',
  source: 'UFLDL, exercise “Self-Taught Learning”',
  run: async (trial) => {
    const { quick, say, onProgress } = trial
    const { training } = await mnist(trial)
    const unlabelled = ofClasses(training, (label) => label >= 5)
    const { fitted, unseen } = halves(
      ofClasses(training, (label) => label < 5),
      trial,
    )
    const model = new SparseAutoencoder({ inputs: 784, hidden: HIDDEN, ...SPARSE })
    say(`${HIDDEN} features of ${unlabelled.images.rows} digits from 5 to 9`)
    await model.fit(unlabelled.images, { optimizer: lbfgs(quick ? 60 : 400), onProgress })
    const features = await accuracy(
      { ...fitted, images: await model.encode(fitted.images) },
      { ...unseen, images: await model.encode(unseen.images) },
      trial,
    )
    const pixels = await accuracy(fitted, unseen, trial)
    const goal = { atLeast: quick ? 94 : 98.3 }
    return {
      figures: [
        { label: 'accuracy on features', value: features, unit: '%', published: '98.3%', goal },
        { label: 'accuracy on raw pixels', value: pixels, unit: '%', published: '96%' },
      ],
      notes: [
        'λ of the softmax is 1e-5 where the exercise has 1e-4: of 1e-3, 1e-4, 1e-5 and 1e-6 it had the highest validation accuracy.',
      ],
    }
  },
}

/** The exercise trains on one half of the digits 0–4 and measures on the other. For validation only the first half is used. */
function halves(all: Labelled, { validate }: Trial): { fitted: Labelled; unseen: Labelled } {
  const rows = Math.floor(all.labels.length / (validate ? 2 : 1))
  const half = Math.floor(rows / 2)
  return { fitted: slice(all, 0, half), unseen: slice(all, half, rows) }
}

interface Rows {
  readonly images: Matrix
  readonly labels: Uint8Array
}

async function accuracy(fitted: Rows, unseen: Rows, { onProgress }: Trial): Promise<number> {
  const model = new SoftmaxClassifier({
    inputs: fitted.images.cols,
    classes: 5,
    weightDecay: WEIGHT_DECAY,
    biases: false,
  })
  await model.fit(fitted.images, fitted.labels, { optimizer: lbfgs(100), onProgress })
  return percentRight(await model.score(unseen.images, unseen.labels))
}
