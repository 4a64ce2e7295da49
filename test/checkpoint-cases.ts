import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type FitOptions,
  LinearAutoencoder,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
  StandardScaler,
  type TrainableModel,
  type TrainingHistory,
} from '../lib/index.js'
import type { ResumeOptions } from '../lib/models/resume-options.js'
import { labeledRows } from './labeled-sample.js'

const inputs = 6
/** Rows in (0, 1), and their classes. */
export const { x, labels } = labeledRows(60, inputs, 3)
const validation = labeledRows(20, inputs, 3, 2)
const rowWeights = Float64Array.from({ length: x.rows }, (_, i) => 0.5 + (i % 4))
const kl = { kind: 'kl', target: 0.2, weight: 0.5 } as const

/** One way to train one kind of model. */
export interface TrainingCase {
  readonly make: () => TrainableModel | Promise<TrainableModel>
  readonly train: (model: TrainableModel, more: object) => Promise<TrainingHistory | TrainingHistory[]>
  /** What resumeTraining must be given. */
  readonly carried?: ResumeOptions
}

function fitting(
  make: TrainingCase['make'],
  options: FitOptions<unknown> & Record<string, unknown>,
  carried: ResumeOptions = {},
  method: 'fit' | 'fineTune' = 'fit',
): TrainingCase {
  const { labels: classes, ...own } = carried
  const train: TrainingCase['train'] = (model, more) => {
    const trains = model as unknown as Record<
      string,
      (...given: unknown[]) => ReturnType<TrainingCase['train']>
    >
    const data = classes === undefined ? [x] : [x, classes]
    return trains[method]!(...data, { ...options, ...own, ...more })
  }
  return { make, train, carried }
}

const sparse = (more: object = {}) =>
  new SparseAutoencoder({ inputs, hidden: 4, seed: 1, sparsity: kl, ...more })
const short = { epochs: 4, batchSize: 8 }
const stack = () =>
  new StackedAutoencoder({
    inputs,
    layers: [
      { hidden: 5, sparsity: kl },
      { hidden: 3, corruption: { kind: 'masking', amount: 0.2 } },
    ],
    seed: 3,
  })

/** Kinds of models, optimizers and options, with small rows. */
export const cases: Readonly<Record<string, TrainingCase>> = {
  'SparseAutoencoder, adam': fitting(() => sparse(), short),
  'SparseAutoencoder, adam, rows in blocks, some held out': fitting(() => sparse(), {
    ...short,
    shuffle: 'blocks',
    validation: 0.2,
  }),
  'SparseAutoencoder in float64, momentum, a step schedule': fitting(() => sparse({ precision: 'float64' }), {
    ...short,
    optimizer: { kind: 'momentum' },
    learningRate: { kind: 'step', rate: 0.1, every: 2, factor: 0.5 },
  }),
  'SparseAutoencoder, gradient descent, clipNorm, a function as schedule': fitting(
    () => sparse(),
    { ...short, optimizer: { kind: 'gradientDescent' }, clipNorm: 0.1 },
    { learningRate: (epoch) => 0.3 / epoch },
  ),
  'SparseAutoencoder, denoising, bounded weights, full batches': fitting(
    () =>
      sparse({
        corruption: { kind: 'gaussian', amount: 0.1 },
        weightConstraint: { kind: 'unit', max: 1 },
      }),
    { epochs: 9, batchSize: 'all' },
  ),
  'SparseAutoencoder, lbfgs, compared with PCA': fitting(() => sparse(), {
    optimizer: { kind: 'lbfgs', maxIterations: 12, history: 3 },
    comparePca: true,
  }),
  'SparseAutoencoder, early stopping, validation rows': fitting(
    () => sparse(),
    { ...short, epochs: 8, learningRate: 0.2, earlyStopping: { patience: 2 } },
    { validation: validation.x },
  ),
  'SparseAutoencoder, early stopping, a fraction held out': fitting(() => sparse(), {
    ...short,
    ...{ validation: 0.2, earlyStopping: { patience: 1, minDelta: 0.01 } },
  }),
  'SparseAutoencoder, a hard constraint': fitting(
    () => sparse({ sparsity: { kind: 'constraint', target: 0.2 } }),
    { ...short, epochs: 14 },
  ),
  'SparseAutoencoder, a hard constraint by lbfgs': fitting(
    () => sparse({ sparsity: { kind: 'constraint', target: 0.2 } }),
    { optimizer: { kind: 'lbfgs', maxIterations: 50 } },
  ),
  'SparseAutoencoder, row weights, a scaler': fitting(
    async () => sparse({ outputActivation: 'identity', scaling: await new StandardScaler().fit(x) }),
    short,
    { rowWeights },
  ),
  'LinearAutoencoder, centred': fitting(
    () => new LinearAutoencoder({ inputs, hidden: 2, center: true, seed: 1 }),
    { ...short, optimizer: { kind: 'gradientDescent' } },
  ),
  'SoftmaxClassifier, weighted validation rows': fitting(
    () => new SoftmaxClassifier({ inputs, classes: 3, seed: 1 }),
    { ...short, earlyStopping: { patience: 2 } },
    { labels, validation: { ...validation, rowWeights: rowWeights.slice(0, validation.x.rows) } },
  ),
  'StackedAutoencoder, layer by layer, compared with PCA': fitting(
    stack,
    { ...short, comparePca: true, layers: [{}, { optimizer: { kind: 'lbfgs', maxIterations: 6 } }] },
    {},
  ),
  'StackedAutoencoder, codes computed again, own schedules': fitting(
    stack,
    { ...short, recompute: true, validation: 0.2, layers: [{}, { learningRate: () => 0.01 }] },
    { layers: [{}, { learningRate: () => 0.01 }] },
  ),
  'StackedAutoencoder, codes in files': fitting(stack, {
    ...short,
    codes: join(tmpdir(), `layerwise-codes-${process.pid}`),
  }),
  'StackedAutoencoder, fine-tuned': fitting(stack, short, {}, 'fineTune'),
  'StackedClassifier, its softmax': fitting(
    () => new StackedClassifier({ inputs, layers: [{ hidden: 4 }], classes: 3, seed: 1 }),
    short,
    { labels },
  ),
  'StackedClassifier, fine-tuned': fitting(
    () => new StackedClassifier({ inputs, layers: [{ hidden: 4 }], classes: 3, seed: 1 }),
    { ...short, validation: 0.25 },
    { labels, rowWeights },
    'fineTune',
  ),
}

/** A history without what was measured by a clock. */
export function untimed(history: TrainingHistory | readonly TrainingHistory[]): unknown {
  if (Array.isArray(history)) return history.map(untimed)
  const { epochs, ...rest } = history as TrainingHistory
  return { ...rest, epochs: epochs.map(({ seconds: _, samplesPerSecond: __, ...record }) => record) }
}
