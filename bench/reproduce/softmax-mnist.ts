import { SoftmaxClassifier } from '../../lib/index.js'
import { mnist } from './data.js'
import type { Recipe } from './recipe.js'
import { lbfgs, percentRight, SOFTMAX } from './ufldl.js'

export const softmaxMnist: Recipe = {
  name: 'softmax-mnist',
  title: 'softmax on the pixels of MNIST, λ 1e-4, 100 iterations of L-BFGS',
  source: 'UFLDL, exercise “Softmax Regression”',
  run: async (trial) => {
    const { training, test } = await mnist(trial)
    const model = new SoftmaxClassifier({ inputs: 784, classes: 10, ...SOFTMAX })
    const { onProgress } = trial
    await model.fit(training.images, training.labels, { optimizer: lbfgs(100), onProgress })
    const score = await model.score(test.images, test.labels)
    const goal = { atLeast: trial.quick ? 80 : 92.2 }
    const published = '92.2–92.6%'
    return { figures: [{ label: 'accuracy', value: percentRight(score), unit: '%', published, goal }] }
  },
}
