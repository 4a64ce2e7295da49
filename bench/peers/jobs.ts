import type { Training } from '../measuring/limits.js'

/** Which model of the package it is. */
export type ModelKind = 'SparseAutoencoder' | 'StackedAutoencoder' | 'StackedClassifier'

/** A network in training, in every package the same. */
export interface TrainingJob {
  readonly name: string
  readonly model: ModelKind
  readonly rows: 'digits' | 'patches'
  readonly training: Training
  /** Samples/s over each peer's, and the share of the products in sgemm at its best and in the own gemm calls alone. */
  readonly goals: {
    readonly ratios?: Readonly<Partial<Record<string, number>>>
    readonly limit?: number
    readonly plan?: number
  }
}

type Layers = Training['layers']
type Unit = Layers[number]['activation']

const ADAM_RATE = 1e-3

/** Layers of the widths between, with the activation of each. */
export function chain(widths: readonly number[], activations: readonly Unit[]): Layers {
  if (activations.length !== widths.length - 1)
    throw new RangeError(`${activations.length} activations between ${widths.length} widths`)
  return activations.map((activation, l) => ({ inputs: widths[l]!, outputs: widths[l + 1]!, activation }))
}

/** Encoders of these widths, the innermost linear, then their decoders: what unrolling a stack gives. */
export function unrolled(widths: readonly number[]): Layers {
  const depth = widths.length - 1
  const activations = Array.from(
    { length: 2 * depth },
    (_, l): Unit => (l === depth - 1 ? 'identity' : 'sigmoid'),
  )
  return chain([...widths, ...widths.slice(0, -1).reverse()], activations)
}

/** Sigmoid layers and a softmax. */
function classifier(widths: readonly number[]): Layers {
  return chain(
    widths,
    widths.slice(1).map((_, l): Unit => (l === widths.length - 2 ? 'softmax' : 'sigmoid')),
  )
}

function sparse(
  name: string,
  rows: TrainingJob['rows'],
  [inputs, hidden]: readonly [number, number],
  batchSize: number,
  goals: TrainingJob['goals'],
): TrainingJob {
  const [weightDecay, target] = rows === 'digits' ? [3e-3, 0.1] : [1e-4, 0.01]
  return {
    name,
    model: 'SparseAutoencoder',
    rows,
    training: {
      layers: chain([inputs, hidden, inputs], ['sigmoid', 'sigmoid']),
      objective: { loss: 'squared', weightDecay, penalty: { average: 'batch', target, weight: 3 } },
      batchSize,
      learningRate: ADAM_RATE,
    },
    goals,
  }
}

function tuned(name: string, widths: readonly number[], goals: TrainingJob['goals']): TrainingJob {
  return {
    name,
    model: 'StackedClassifier',
    rows: 'digits',
    training: {
      layers: classifier(widths),
      objective: { loss: 'logLoss', weightDecay: 1e-4 },
      batchSize: 256,
      learningRate: ADAM_RATE,
    },
    goals,
  }
}

/** Against PyTorch and JAX. */
export const trainingJobs: readonly TrainingJob[] = [
  sparse('digits', 'digits', [784, 196], 256, { ratios: { torch: 2.2, jax: 1.8 }, limit: 0.65, plan: 0.8 }),
  sparse('digits1k', 'digits', [784, 1000], 1000, {
    ratios: { torch: 1.3, jax: 1.5 },
    limit: 0.8,
    plan: 0.92,
  }),
  sparse('patches', 'patches', [64, 25], 10_000, { ratios: { torch: 3, jax: 3 } }),
  sparse('small', 'patches', [64, 25], 32, { ratios: { torch: 40, jax: 3 } }),
  {
    name: 'deep',
    model: 'StackedAutoencoder',
    rows: 'digits',
    training: {
      layers: unrolled([784, 1000, 500, 250, 30]),
      objective: { loss: 'squared', weightDecay: 0 },
      batchSize: 1000,
      learningRate: ADAM_RATE,
    },
    goals: { ratios: { torch: 1.25, jax: 1.4 }, limit: 0.78, plan: 0.92 },
  },
  tuned('finetune', [784, 200, 200, 10], { ratios: { torch: 2, jax: 2.2 }, plan: 0.75 }),
  tuned('finetune1k', [784, 1000, 1000, 1000, 10], {
    ratios: { torch: 1.5, jax: 1.4 },
    limit: 0.75,
    plan: 0.9,
  }),
]

/** Against scikit-learn, which has linear outputs and no sparsity. */
export const sklearnJob: TrainingJob = {
  name: 'sklearn',
  model: 'SparseAutoencoder',
  rows: 'digits',
  training: {
    layers: chain([784, 196, 784], ['sigmoid', 'identity']),
    objective: { loss: 'squared', weightDecay: 3e-3 },
    batchSize: 256,
    learningRate: ADAM_RATE,
  },
  goals: {},
}

/** Against SciPy and PyTorch, over all of 10,000 rows. */
export const lbfgsJob = {
  ...sparse('lbfgs', 'digits', [784, 200], 10_000, { limit: 0.8, plan: 0.92 }),
  iterations: 100,
  history: 20,
  ratios: { scipy: 2, torch: 1.5 },
} as const

/** Against onnxruntime-node. */
export const encodeShapes = [
  { inputs: 784, hidden: 196, one: 0.5, bandwidth: undefined, all: 1.5, limit: 0.8 },
  { inputs: 784, hidden: 1000, one: 1, bandwidth: 0.9, all: 1.5, limit: 0.8 },
] as const

/** Ours alone. */
export const UINT8_GOAL = 0.97
export const SCALING_GOAL = 0.95
export const CUT_GOAL = 0.95

export const jobNames: readonly string[] = [
  ...trainingJobs.map(({ name }) => name),
  lbfgsJob.name,
  'encode1',
  'encode',
  sklearnJob.name,
  'uint8',
  'threads',
  'cut',
]
