import { describe, expect, test } from 'vitest'
import {
  type FitOptions,
  MinMaxScaler,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
} from '../lib/index.js'
import { sampleRows } from './sample.js'

type Options = Record<string, unknown>

const inputs = 6
const x = sampleRows(40, inputs)
const kl = { kind: 'kl', target: 0.1, weight: 1 }
const scaling = await new MinMaxScaler({ range: [0.2, 0.8] }).fit(x)

/** Two sets of options that differ in one option alone, given by its path. */
interface Pair {
  readonly option: string
  readonly values: readonly [unknown, unknown]
  /** What else is needed for the option to mean something. */
  readonly beside?: Options
}

const modelPairs: readonly Pair[] = [
  { option: 'inputs', values: [6, 3] },
  { option: 'hidden', values: [4, 5] },
  { option: 'activation', values: ['sigmoid', 'tanh'], beside: { outputActivation: 'sigmoid' } },
  { option: 'activation', values: ['relu', 'identity'], beside: { outputActivation: 'sigmoid' } },
  { option: 'activation', values: ['satlin', 'identity'], beside: { outputActivation: 'sigmoid' } },
  { option: 'outputActivation', values: ['sigmoid', 'identity'] },
  { option: 'loss', values: ['squared', 'crossEntropy'] },
  { option: 'loss', values: ['euclidean', 'absolute'] },
  { option: 'sparsity', values: [{ kind: 'none' }, kl] },
  { option: 'sparsity.kind', values: ['kl', 'l2'], beside: { sparsity: kl } },
  { option: 'sparsity.kind', values: ['none', 'l1'], beside: { sparsity: { weight: 0.1 } } },
  { option: 'sparsity', values: [{ kind: 'none' }, { kind: 'constraint', target: 0.1 }] },
  { option: 'sparsity.target', values: [0.1, 0.2], beside: { sparsity: { kind: 'constraint' } } },
  { option: 'sparsity.target', values: [0.1, 0.2], beside: { sparsity: kl } },
  { option: 'sparsity.weight', values: [1, 2], beside: { sparsity: kl } },
  { option: 'sparsity.average', values: ['batch', 'moving'], beside: { sparsity: kl } },
  { option: 'sparsity.average', values: ['moving', 'exact'], beside: { sparsity: kl } },
  { option: 'weightDecay', values: [0, 0.01] },
  { option: 'precision', values: ['float32', 'float64'] },
  { option: 'seed', values: [1, 2] },
  { option: 'scaling', values: [undefined, scaling] },
  { option: 'corruption', values: [undefined, { kind: 'masking', amount: 0.3 }] },
  {
    option: 'corruption.kind',
    values: ['gaussian', 'saltAndPepper'],
    beside: { corruption: { amount: 0.3 } },
  },
  { option: 'corruption.amount', values: [0.1, 0.2], beside: { corruption: { kind: 'gaussian' } } },
  { option: 'weightConstraint', values: [undefined, { kind: 'frobenius', max: 1 }] },
  {
    option: 'weightConstraint.kind',
    values: ['frobenius', 'unit'],
    beside: { weightConstraint: { max: 0.5 } },
  },
  { option: 'weightConstraint.max', values: [0.5, 1], beside: { weightConstraint: { kind: 'unit' } } },
]

const fitPairs: readonly Pair[] = [
  { option: 'optimizer', values: [{ kind: 'adam' }, { kind: 'momentum' }] },
  { option: 'optimizer', values: [{ kind: 'gradientDescent' }, { kind: 'lbfgs', maxIterations: 2 }] },
  { option: 'optimizer.momentum', values: [0.5, 0.9], beside: { optimizer: { kind: 'momentum' } } },
  { option: 'optimizer.beta1', values: [0.8, 0.9], beside: { optimizer: { kind: 'adam' } } },
  { option: 'optimizer.beta2', values: [0.9, 0.999], beside: { optimizer: { kind: 'adam' } } },
  { option: 'optimizer.epsilon', values: [1e-8, 1e-2], beside: { optimizer: { kind: 'adam' } } },
  { option: 'optimizer.maxIterations', values: [2, 4], beside: { optimizer: { kind: 'lbfgs' } } },
  {
    option: 'optimizer.history',
    values: [1, 20],
    beside: { optimizer: { kind: 'lbfgs', maxIterations: 9 } },
  },
  {
    option: 'optimizer.tolerance',
    values: [0, 1e-2],
    beside: { optimizer: { kind: 'lbfgs', maxIterations: 60 } },
  },
  { option: 'epochs', values: [2, 3] },
  { option: 'batchSize', values: [8, 'all'] },
  { option: 'batchSize', values: [8, 16] },
  { option: 'learningRate', values: [0.01, 0.02] },
  { option: 'learningRate', values: [(epoch: number) => 0.01 * epoch, 0.02] },
  { option: 'learningRate.kind', values: ['constant', 'cosine'], beside: { learningRate: { rate: 0.01 } } },
  { option: 'learningRate.rate', values: [0.01, 0.02], beside: { learningRate: { kind: 'cosine' } } },
  {
    option: 'learningRate.final',
    values: [0, 0.01],
    beside: { learningRate: { kind: 'cosine', rate: 0.02 } },
  },
  {
    option: 'learningRate.every',
    values: [1, 2],
    beside: { learningRate: { kind: 'step', rate: 0.02, factor: 0.5 } },
  },
  {
    option: 'learningRate.factor',
    values: [0.5, 0.7],
    beside: { learningRate: { kind: 'step', rate: 0.02, every: 1 } },
  },
  { option: 'shuffle', values: [true, false] },
  { option: 'shuffle', values: ['blocks', false] },
  { option: 'clipNorm', values: [undefined, 0.01] },
  { option: 'clipNorm', values: [0.01, 0.02], beside: { optimizer: { kind: 'gradientDescent' } } },
  { option: 'validation', values: [undefined, 0.25] },
  { option: 'rowWeights', values: [undefined, Array.from({ length: x.rows }, (_, row) => row % 3)] },
  { option: 'validation', values: [sampleRows(9, inputs, 2), sampleRows(9, inputs, 3)] },
  {
    option: 'earlyStopping',
    values: [undefined, { patience: 1 }],
    beside: { epochs: 12, learningRate: (epoch: number) => (epoch < 3 ? 0.01 : 1) },
  },
  {
    option: 'earlyStopping.patience',
    values: [1, 3],
    beside: { epochs: 12, earlyStopping: {}, learningRate: (epoch: number) => (epoch < 3 ? 0.01 : 1) },
  },
  {
    option: 'earlyStopping.minDelta',
    values: [0, 1e3],
    beside: { epochs: 12, earlyStopping: { patience: 2 } },
  },
  { option: 'comparePca', values: [false, true] },
  { option: 'signal', values: [undefined, AbortSignal.abort('no')] },
  { option: 'threads', values: [1, 0] },
  { option: 'onEpoch', values: [undefined, () => Promise.reject(new Error('no'))] },
  {
    option: 'onProgress',
    values: [
      undefined,
      () => {
        throw new Error('no')
      },
    ],
  },
]

describe('every option of the model has an effect or is refused', () => {
  test.each(modelPairs)('$option: $values', async ({ option, values, beside }) => {
    const [one, other] = await Promise.all(
      values.map((value) => outcome(withOption({ inputs, hidden: 4, ...beside }, option, value), {})),
    )
    expect(one).not.toEqual(other)
  })
  test('and all are in the table, except metadata, which has no effect', () => {
    const known = knownOptions(() => new SparseAutoencoder(bogus))
    expect([...topLevel(modelPairs), 'metadata'].sort()).toEqual(known.sort())
  })
})

describe('every option of fit has an effect or is refused', () => {
  test.each(fitPairs)('$option: $values', async ({ option, values, beside }) => {
    const [one, other] = await Promise.all(
      values.map((value) =>
        outcome({ inputs, hidden: 4 }, withOption({ epochs: 3, batchSize: 8, ...beside }, option, value)),
      ),
    )
    expect(one).not.toEqual(other)
  })
  test('and all are in the table, except those of more than one training', async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 4 })
    const error = await model.fit(x, bogus).catch((reason: unknown) => reason)
    const known = knownOptions(() => {
      throw error
    })
    expect([...topLevel(fitPairs), 'checkpoint', 'optimizerState'].sort()).toEqual(known.sort())
  })
})

test('an unknown kind of sparsity is refused with the known kinds', () => {
  const sparsity = { kind: 'topK', target: 0.1 } as never
  expect(() => new SparseAutoencoder({ inputs, hidden: 4, sparsity })).toThrow(
    expect.objectContaining({
      code: 'ERR_ARGUMENT',
      details: expect.objectContaining({ argument: 'sparsity.kind' }),
    }),
  )
})

test('the types refuse options that exclude each other', () => {
  const refused: FitOptions[] = [
    // @ts-expect-error L-BFGS has no epochs
    { optimizer: { kind: 'lbfgs' }, epochs: 3 },
    // @ts-expect-error nor minibatches
    { optimizer: { kind: 'lbfgs' }, batchSize: 8 },
    // @ts-expect-error nor a learning rate
    { optimizer: { kind: 'lbfgs' }, learningRate: 0.1 },
    // @ts-expect-error nor a bound on its gradients
    { optimizer: { kind: 'lbfgs' }, clipNorm: 1 },
    // @ts-expect-error a step over all rows has no order
    { batchSize: 'all', shuffle: true },
    // @ts-expect-error Adam has no momentum
    { optimizer: { kind: 'adam', momentum: 0.9 } },
  ]
  const models: SparseAutoencoderOptions[] = [
    // @ts-expect-error l1 has no target
    { inputs, hidden: 4, sparsity: { kind: 'l1', weight: 1, target: 0.1 } },
  ]
  expect([refused.length, models.length]).toEqual([6, 1])
})

const bogus = { noSuchOption: 1 } as never

/** All observable results of a short fit, or its error. */
async function outcome(options: Options, fitOptions: Options): Promise<unknown> {
  try {
    const lbfgs = (fitOptions.optimizer as { kind?: string } | undefined)?.kind === 'lbfgs'
    const { epochs, batchSize, ...rest } = fitOptions
    const model = new SparseAutoencoder(options as unknown as SparseAutoencoderOptions)
    const history = await model.fit(x, (lbfgs ? rest : fitOptions) as FitOptions)
    const epochRecords = history.epochs.map(({ seconds, samplesPerSecond, ...record }) => record)
    const reconstructions = await model.reconstruct(x)
    return { ...history, epochs: epochRecords, parameters: model.parameters(), reconstructions }
  } catch (error) {
    return error instanceof Error ? error.message : error
  }
}

function withOption(options: Options, path: string, value: unknown): Options {
  const [key, ...rest] = path.split('.') as [string, ...string[]]
  if (rest.length > 0)
    return { ...options, [key]: withOption((options[key] ?? {}) as Options, rest.join('.'), value) }
  const { [key]: _, ...others } = options
  return value === undefined ? others : { ...options, [key]: value }
}

function topLevel(pairs: readonly Pair[]): string[] {
  return [...new Set(pairs.map(({ option }) => option.split('.')[0]!))].sort()
}

/** The list that the refusal of an unknown option ends with. */
function knownOptions(refused: () => unknown): string[] {
  try {
    refused()
  } catch (error) {
    return (error as Error).message.split('known are ')[1]!.split(', ').sort()
  }
  throw new Error('an unknown option was accepted')
}
