// Tries the defaults of training and their neighbours, on digits, on image patches and on inputs with linear outputs, and prints a
// table of exact final costs: the one in docs/defaults.md.
//
//   npx tsx bench/defaults.ts
import { correlatedRows } from '../examples/compression/gaussian.js'
import { mnist } from '../examples/demo/mnist.js'
import { photographs } from '../examples/patches/photographs.js'
import {
  type Average,
  type FitOptions,
  LayerwiseError,
  type Matrix,
  preparePatches,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
  samplePatches,
} from '../lib/index.js'

const EPOCHS = 40
const ITERATIONS = 100

interface Problem {
  readonly x: Matrix
  readonly options: (average: Average) => SparseAutoencoderOptions<'float32'>
}

interface Trial {
  readonly name: string
  readonly fit: FitOptions
  /** Default: the option's own. */
  readonly average?: Average
}

const cosine = (rate: number) => ({ kind: 'cosine', rate }) as const
const moving: Average = 'moving'

const TRIALS: Trial[] = [
  ...[1e-3, 3e-3, 1e-2].flatMap((rate) => [
    { name: `adam ${rate}, cosine, 256`, fit: { learningRate: cosine(rate) } },
    { name: `adam ${rate}, constant, 256`, fit: { learningRate: rate } },
  ]),
  ...[64, 1024].map((batchSize) => ({ name: `adam 0.003, cosine, ${batchSize}`, fit: { batchSize } })),
  { name: 'adam 0.003, cosine, 256, batch mean', fit: {}, average: 'batch' },
  ...[0.003, 0.01, 0.03, 0.1].map((learningRate) => ({
    name: `momentum 0.9, ${learningRate}, 256`,
    fit: { optimizer: { kind: 'momentum' as const }, learningRate },
  })),
  ...[0.01, 0.03].map((learningRate) => ({
    name: `momentum 0.9, ${learningRate}, 256, batch mean`,
    fit: { optimizer: { kind: 'momentum' as const }, learningRate },
    average: 'batch',
  })),
  ...[0.03, 0.1, 0.3, 1].map((learningRate) => ({
    name: `gradient descent ${learningRate}, 256`,
    fit: { optimizer: { kind: 'gradientDescent' as const }, learningRate },
  })),
].map((trial) => ({ average: moving, ...trial, fit: { epochs: EPOCHS, ...trial.fit } }) as Trial)

for (const history of [5, 20, 50]) {
  TRIALS.push({
    name: `L-BFGS, history ${history}`,
    fit: { optimizer: { kind: 'lbfgs', history, maxIterations: ITERATIONS } },
    average: 'exact',
  })
}

const drawn = await samplePatches(await photographs(), { size: 8, count: 10_000 })
const PROBLEMS: Record<string, Problem> = {
  digits: {
    x: (await mnist('train')).slice(0, 10_000),
    options: (average) => ({
      inputs: 784,
      hidden: 196,
      sparsity: { kind: 'kl', target: 0.1, weight: 3, average },
      weightDecay: 3e-3,
    }),
  },
  patches: {
    x: await preparePatches(drawn),
    options: (average) => ({
      inputs: 64,
      hidden: 25,
      sparsity: { kind: 'kl', target: 0.01, weight: 3, average },
      weightDecay: 1e-4,
    }),
  },
  linear: {
    x: correlatedRows(10_000, 100, { causes: 10, noise: 0.1, seed: 1 }),
    options: () => ({ inputs: 100, hidden: 50, outputActivation: 'identity', weightDecay: 3e-3 }),
  },
}

console.log(`${EPOCHS} epochs, or ${ITERATIONS} iterations of L-BFGS, on 10,000 rows; J by model.cost\n`)
console.log(`| trial | ${Object.keys(PROBLEMS).join(' | ')} |`)
console.log(
  `|---|${Object.keys(PROBLEMS)
    .map(() => '---:|')
    .join('')}`,
)
for (const trial of TRIALS) {
  const costs = []
  for (const problem of Object.values(PROBLEMS)) costs.push(await finalCost(problem, trial))
  console.log(`| ${[trial.name, ...costs].join(' | ')} |`)
}

async function finalCost({ x, options }: Problem, { fit, average = moving }: Trial): Promise<string> {
  const model = new SparseAutoencoder(options(average))
  try {
    await model.fit(x, fit)
  } catch (error) {
    if (error instanceof LayerwiseError && error.code === 'ERR_DIVERGED') return 'diverged'
    throw error
  }
  return (await model.cost(x)).total.toPrecision(4)
}
