import { StackedAutoencoder, StackedClassifier } from '../../lib/index.js'
import { fashionMnist } from './data.js'
import type { Recipe } from './recipe.js'
import { lbfgs, percentRight, SOFTMAX, SPARSE } from './ufldl.js'

const LAYERS = [
  { hidden: 200, ...SPARSE },
  { hidden: 200, ...SPARSE },
]
const PRETRAINING = 200
const FINE_TUNING = 200

export const fashionMnistRecipe: Recipe = {
  name: 'fashion-mnist',
  title: '784-200-200-10 on Fashion-MNIST: the stacked recipe, beside a random start of the same size',
  source: 'the data set’s own list of results, for a network 784-256-128-100-10',
  needs: '--fashion',
  run: async (trial) => {
    const { quick, say, onProgress } = trial
    const { training, test } = await fashionMnist(trial)
    const { images, labels } = training
    const pretraining = { optimizer: lbfgs(quick ? 40 : PRETRAINING), onProgress }
    const options = { optimizer: lbfgs(quick ? 40 : FINE_TUNING), onProgress }
    const stack = new StackedAutoencoder({ inputs: 784, layers: LAYERS })
    await stack.fit(images, pretraining)
    const classifier = stack.toClassifier({ classes: 10, ...SOFTMAX })
    await classifier.fit(images, labels, options)
    const before = percentRight(await classifier.score(test.images, test.labels))
    await classifier.fineTune(images, labels, options)
    const after = percentRight(await classifier.score(test.images, test.labels))
    say(`${after.toFixed(2)}%; now the same from a random start`)
    const layers = LAYERS.map(({ hidden }) => ({ hidden }))
    const random = new StackedClassifier({ inputs: 784, layers, classes: 10, ...SOFTMAX })
    await random.fineTune(images, labels, options)
    const start = percentRight(await random.score(test.images, test.labels))
    return {
      figures: [
        { label: 'accuracy before fine-tuning', value: before, unit: '%' },
        {
          label: 'accuracy after fine-tuning',
          value: after,
          unit: '%',
          published: '88.33%',
          ...(quick && { goal: { atLeast: 75 } }),
        },
        { label: 'accuracy from a random start', value: start, unit: '%' },
      ],
    }
  },
}
