import { Matrix, Pca, SoftmaxClassifier, SparseAutoencoder, StackedAutoencoder } from '../../lib/index.js'
import { must, type Proof, randomOf } from './proof.js'

const INPUTS = 20
const ROWS = 500

/** The parameters that a model of this number has after its training. */
async function trained(number: number, seed: number): Promise<ArrayLike<number>> {
  const random = randomOf(seed, number)
  const x = Matrix.from(
    Float32Array.from({ length: ROWS * INPUTS }, () => random.next()),
    ROWS,
    INPUTS,
  )
  const hidden = 5 + (number % 7)
  if (number % 4 === 0) {
    const model = new SparseAutoencoder({ inputs: INPUTS, hidden, seed: number })
    await model.fit(x, { optimizer: { kind: 'lbfgs', maxIterations: 20 } })
    return model.parameters()
  }
  if (number % 4 === 1) {
    const layers = [{ hidden: 10 }, { hidden }]
    const model = new StackedAutoencoder({ inputs: INPUTS, layers, seed: number })
    await model.fit(x, { epochs: 5 })
    return model.parameters()
  }
  if (number % 4 === 2) {
    const model = new SoftmaxClassifier({ inputs: INPUTS, classes: 3, seed: number })
    await model.fit(
      x,
      Array.from({ length: ROWS }, () => random.below(3)),
      { epochs: 5 },
    )
    return model.parameters()
  }
  return (await (await new Pca({ components: 4 }).fit(x)).transform(x)).data
}

export const together: Proof = {
  name: 'models at once',
  promise: 'models that train at the same time have the bits of those that train alone',
  rounds: 'models',
  count: 50,
  quick: 50,
  async prove({ seed, from, count }) {
    const numbers = Array.from({ length: count }, (_, k) => from + k)
    const atOnce = await Promise.all(numbers.map((number) => trained(number, seed)))
    for (const [k, number] of numbers.entries()) {
      const alone = await trained(number, seed)
      const same = alone.length === atOnce[k]!.length
      must(
        same && Array.from(alone).every((value, i) => value === atOnce[k]![i]),
        `model ${number} has other numbers than alone`,
      )
    }
    return 'the same bits as alone'
  },
}
