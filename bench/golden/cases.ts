/**
 * Small trainings whose bits are compared. They use only the public API, through the namespace of the library, so that the same file runs
 * with the library of an older commit: a missing feature fails only in the cases that use it.
 */

import type {
  FitOptions,
  Matrix,
  Precision,
  SparseAutoencoderOptions,
  TrainingHistory,
} from '../../lib/index.js'
import * as layerwise from '../../lib/index.js'
import { makeLabels, makeRows, type RowKind } from './rows.js'

type Numbers = Float32Array | Float64Array | Uint32Array | Int32Array

/** All numbers that a case gives, in order. */
export interface Outcome {
  readonly parameters: readonly Numbers[]
  readonly codes: readonly Numbers[]
  readonly costs: readonly number[]
}

export interface GoldenCase {
  readonly name: string
  run(): Promise<Outcome>
}

const PRECISIONS = ['float32', 'float64'] as const

/** Odd sizes: no vector, panel or block is full. */
const ROWS = 301
const INPUTS = 37
const HIDDEN = 19

const OPTIMIZERS: Readonly<Record<string, FitOptions>> = {
  gradientDescent: { optimizer: { kind: 'gradientDescent' }, learningRate: 0.1, epochs: 2, batchSize: 64 },
  momentum: { optimizer: { kind: 'momentum' }, learningRate: 0.02, epochs: 2, batchSize: 64 },
  adam: { learningRate: 3e-3, epochs: 2, batchSize: 64 },
  lbfgs: { optimizer: { kind: 'lbfgs', maxIterations: 5, history: 3 } },
}
const ADAM = OPTIMIZERS.adam!
const ALL: FitOptions = { learningRate: 3e-3, epochs: 2, batchSize: 'all' }
const KL = { kind: 'kl', target: 0.1, weight: 3 } as const

const UNBOUNDED = ['leakyRelu', 'elu', 'softplus', 'gelu', 'silu'] as const

export const goldenCases: readonly GoldenCase[] = [
  ...models(),
  ...variants(),
  ...shapes(),
  ...components(),
  ...scalers(),
]

/** Every model × precision × optimizer. */
function models(): GoldenCase[] {
  const labels = makeLabels(ROWS)
  const trained: Readonly<Record<string, (precision: Precision, fit: FitOptions) => Promise<Outcome>>> = {
    SparseAutoencoder: async (precision, fit) => {
      const x = makeRows('dense', ROWS, INPUTS)
      const model = new layerwise.SparseAutoencoder({
        inputs: INPUTS,
        hidden: HIDDEN,
        sparsity: KL,
        weightDecay: 1e-3,
        precision,
      })
      return autoencoder(model, x, [await model.fit(x, fit)])
    },
    StackedAutoencoder: async (precision, fit) => {
      const x = makeRows('dense', ROWS, INPUTS)
      const layers = [{ hidden: HIDDEN, sparsity: KL }, { hidden: 7 }]
      const model = new layerwise.StackedAutoencoder({ inputs: INPUTS, layers, weightDecay: 1e-3, precision })
      return autoencoder(model, x, [...(await model.fit(x, fit)), await model.fineTune(x, fit)])
    },
    StackedClassifier: async (precision, fit) => {
      const x = makeRows('dense', ROWS, INPUTS)
      const layers = [{ hidden: HIDDEN }, { hidden: 7, activation: 'tanh' }] as const
      const model = new layerwise.StackedClassifier({
        inputs: INPUTS,
        layers,
        classes: 3,
        weightDecay: 1e-3,
        decay: 'all',
        precision,
      })
      // Options that name no rows to validate on are the same for both kinds.
      const options = fit as FitOptions<never>
      const histories = [await model.fit(x, labels, options), await model.fineTune(x, labels, options)]
      return classifier(model, x, labels, histories)
    },
    SoftmaxClassifier: async (precision, fit) => {
      const x = makeRows('dense', ROWS, INPUTS)
      const model = new layerwise.SoftmaxClassifier({
        inputs: INPUTS,
        classes: 3,
        weightDecay: 1e-3,
        classWeights: [1, 2, 0.5],
        precision,
      })
      return classifier(model, x, labels, [await model.fit(x, labels, fit as FitOptions<never>)])
    },
    'LinearAutoencoder, tied, centred': async (precision, fit) => {
      const x = makeRows('signed', ROWS, INPUTS)
      const sparsity = { kind: 'l2', target: 0.1, weight: 0.5 } as const
      const model = new layerwise.LinearAutoencoder({
        inputs: INPUTS,
        hidden: HIDDEN,
        center: true,
        sparsity,
        weightDecay: 1e-3,
        precision,
      })
      return autoencoder(model, x, [await model.fit(x, { ...fit, ...slow(fit) } as FitOptions)])
    },
    'LinearAutoencoder, untied': async (precision, fit) => {
      const x = makeRows('signed', ROWS, INPUTS)
      const model = new layerwise.LinearAutoencoder({
        inputs: INPUTS,
        hidden: HIDDEN,
        tied: false,
        precision,
      })
      return autoencoder(model, x, [await model.fit(x, { ...fit, ...slow(fit) } as FitOptions)])
    },
  }
  return Object.entries(trained).flatMap(([model, train]) =>
    PRECISIONS.flatMap((precision) =>
      Object.entries(OPTIMIZERS).map(([optimizer, fit]) => ({
        name: `${model}, ${precision}, ${optimizer}`,
        run: () => train(precision, fit),
      })),
    ),
  )
}

/** Linear layers on numbers up to 2 diverge at the rates of sigmoid layers. */
function slow(fit: FitOptions): object {
  return typeof fit.learningRate === 'number' ? { learningRate: fit.learningRate / 20 } : {}
}

interface Variant {
  readonly options?: Omit<Partial<SparseAutoencoderOptions>, 'precision'>
  readonly fit?: FitOptions
  readonly kind?: RowKind
  /** Whether rows are stored without their zeros. */
  readonly sparse?: boolean
  /** Fitted on the rows first. */
  readonly scaler?: 'MinMaxScaler' | 'StandardScaler'
}

/** A SparseAutoencoder with one thing changed, in both precisions. */
function variants(): GoldenCase[] {
  const list: Record<string, Variant> = {}
  for (const activation of ['sigmoid', 'tanh', 'relu', 'satlin', 'identity', ...UNBOUNDED] as const)
    list[`activation ${activation}`] = {
      options: { activation, outputActivation: 'identity' },
      fit: { ...ADAM, learningRate: 1e-3 } as FitOptions,
    }
  for (const outputActivation of ['tanh', 'relu', 'satlin', ...UNBOUNDED] as const)
    list[`output ${outputActivation}`] = { options: { outputActivation } }
  for (const loss of ['squared', 'euclidean', 'absolute', 'crossEntropy'] as const)
    list[`loss ${loss}`] = { options: { loss } }
  for (const average of ['batch', 'moving'] as const) {
    list[`kl, ${average}`] = { options: { sparsity: { ...KL, average } } }
    list[`l2, ${average}`] = { options: { sparsity: { ...KL, kind: 'l2', average } } }
  }
  list['kl on tanh'] = { options: { sparsity: KL, activation: 'tanh', outputActivation: 'sigmoid' } }
  list['kl, exact'] = { options: { sparsity: KL }, fit: ALL }
  list.l1 = { options: { sparsity: { kind: 'l1', weight: 0.1 } } }
  list['constraint, minibatches'] = { options: { sparsity: { kind: 'constraint', target: 0.2 } } }
  list['constraint, all rows'] = { options: { sparsity: { kind: 'constraint', target: 0.2 } }, fit: ALL }
  list['constraint, lbfgs'] = {
    options: { sparsity: { kind: 'constraint', target: 0.2 } },
    fit: OPTIMIZERS.lbfgs!,
  }
  for (const [kind, amount] of [
    ['masking', 0.3],
    ['gaussian', 0.2],
    ['saltAndPepper', 0.2],
  ] as const)
    list[`corruption ${kind}`] = { options: { corruption: { kind, amount } } }
  for (const kind of ['frobenius', 'unit'] as const)
    list[`weightConstraint ${kind}`] = { options: { weightConstraint: { kind, max: 1.5 } } }
  for (const scaler of ['MinMaxScaler', 'StandardScaler'] as const)
    list[`scaling ${scaler}`] = { options: { outputActivation: 'identity' }, kind: 'signed', scaler }
  for (const kind of ['bytes', 'zeros', 'byteZeros', 'signed'] as const)
    list[`rows ${kind}`] = { kind, options: { outputActivation: 'identity' } }
  list['all rows'] = { fit: ALL }
  list['one row a step'] = { fit: { ...ADAM, epochs: 1, batchSize: 1 } as FitOptions }
  list['in their order'] = { fit: { ...ADAM, shuffle: false } as FitOptions }
  list['in blocks, one window'] = { fit: { ...ADAM, shuffle: 'blocks' } as FitOptions }
  list.cosine = { fit: { ...ADAM, learningRate: { kind: 'cosine', rate: 3e-3 } } as FitOptions }
  list['a function as rate'] = {
    fit: { ...ADAM, learningRate: (epoch: number) => 0.01 / epoch } as FitOptions,
  }
  list['held-out rows, early stopping'] = {
    fit: { ...ADAM, validation: 0.2, earlyStopping: { patience: 1 } } as FitOptions,
  }
  list['sparse rows'] = { kind: 'zeros', sparse: true }
  list['sparse rows, kl, all rows'] = { kind: 'zeros', sparse: true, options: { sparsity: KL }, fit: ALL }
  list['sparse rows, masking'] = {
    kind: 'zeros',
    sparse: true,
    options: { corruption: { kind: 'masking', amount: 0.3 } },
  }
  const rowWeights = Array.from({ length: ROWS }, (_, row) => (row * 7) % 4)
  list['rowWeights, kl, minibatches'] = {
    options: { sparsity: KL },
    fit: { ...ADAM, rowWeights } as FitOptions,
  }
  list['rowWeights, l1, all rows'] = {
    options: { sparsity: { kind: 'l1', weight: 0.1 } },
    fit: { ...ALL, rowWeights } as FitOptions,
  }
  list.decay = { options: { weightDecay: 0.05 } }
  list.seed = { options: { seed: 12_345 } }
  return Object.entries(list).flatMap(([name, variant]) =>
    PRECISIONS.map((precision) => ({
      name: `${name}, ${precision}`,
      run: () => runVariant(variant, precision),
    })),
  )
}

async function runVariant(
  { options, fit = ADAM, kind = 'dense', sparse = false, scaler }: Variant,
  precision: Precision,
): Promise<Outcome> {
  const rows = makeRows(kind, ROWS, INPUTS)
  const scaling = scaler && (await newScaler(scaler).fit(rows))
  const x = sparse ? withoutZeros(rows) : rows
  const model = new layerwise.SparseAutoencoder({
    inputs: INPUTS,
    hidden: HIDDEN,
    ...options,
    precision,
    ...(scaling && { scaling }),
  })
  return autoencoder(model, x, [await model.fit(x, fit)])
}

/** Sizes at which products are made in other ways, and rows in more than one chunk. */
function shapes(): GoldenCase[] {
  const sizes: readonly [inputs: number, hidden: number, rows: number, kind: RowKind, fit: FitOptions][] = [
    [64, 25, 3000, 'dense', { ...ADAM, batchSize: 1000 }],
    [64, 25, 320, 'dense', { ...ADAM, batchSize: 32 }],
    [784, 196, 600, 'dense', { ...ADAM, epochs: 1, batchSize: 256 }],
    [784, 196, 600, 'zeros', { ...ADAM, epochs: 1, batchSize: 256 }],
    [784, 196, 600, 'byteZeros', { ...ADAM, epochs: 1, batchSize: 256 }],
    [784, 196, 7001, 'zeros', { ...ALL, epochs: 1 }],
    [784, 196, 7001, 'dense', { ...ALL, epochs: 1 }],
    [613, 501, 300, 'dense', { ...ADAM, epochs: 1, batchSize: 150 }],
    [40, 300, 300, 'dense', { ...ADAM, batchSize: 100 }],
    // Of more than two million rows, however short, two windows are made.
    [2, 3, 2_150_001, 'bytes', { ...ADAM, batchSize: 8192, shuffle: 'blocks', validation: 0.02 }],
  ] as [number, number, number, RowKind, FitOptions][]
  return sizes.flatMap(([inputs, hidden, rows, kind, fit]) =>
    PRECISIONS.map((precision) => ({
      name: `${inputs}-${hidden}, ${rows} ${kind} rows${fit.shuffle === 'blocks' ? ' in blocks' : ''}, batch ${fit.batchSize}, ${precision}`,
      run: async () => {
        const x = makeRows(kind, rows, inputs)
        const model = new layerwise.SparseAutoencoder({
          inputs,
          hidden,
          sparsity: KL,
          weightDecay: 1e-3,
          precision,
        })
        return autoencoder(model, x, [await model.fit(x, fit)])
      },
    })),
  )
}

/** Pca: all components, some, without the whole covariance, whitened, scaled. */
function components(): GoldenCase[] {
  const list: Readonly<
    Record<string, [rows: number, cols: number, kind: RowKind, options: object, scaler?: boolean]>
  > = {
    'all components': [ROWS, INPUTS, 'signed', {}],
    'of bytes': [ROWS, INPUTS, 'bytes', { components: 5 }],
    'of rows with zeros': [ROWS, 200, 'zeros', { components: 5 }],
    'by its leading directions': [150, 2100, 'dense', { components: 3 }],
    whitened: [ROWS, INPUTS, 'signed', { components: 9, whiten: 'pca', epsilon: 1e-3 }],
    'whitened by zca': [ROWS, INPUTS, 'signed', { whiten: 'zca', epsilon: 1e-3 }],
    scaled: [ROWS, INPUTS, 'signed', { components: 9 }, true],
  }
  return Object.entries(list).flatMap(([name, [rows, cols, kind, options, scaled]]) =>
    PRECISIONS.map((precision) => ({
      name: `Pca, ${name}, ${precision}`,
      run: async () => {
        const x = makeRows(kind, rows, cols)
        const scaling = scaled ? { scaling: await new layerwise.StandardScaler().fit(x) } : {}
        const pca = await new layerwise.Pca({ ...options, ...scaling, precision }).fit(x)
        const codes = await pca.transform(x)
        return {
          parameters: [pca.mean, pca.components.data as Float64Array, pca.explainedVariance],
          codes: [codes.data, (await pca.inverseTransform(codes)).data, await pca.reconstructionError(x)],
          costs: [pca.totalVariance],
        }
      },
    })),
  )
}

function scalers(): GoldenCase[] {
  return (['MinMaxScaler', 'StandardScaler'] as const).flatMap((name) =>
    (['dense', 'signed', 'bytes'] as const).map((kind) => ({
      name: `${name}, ${kind} rows`,
      run: async () => {
        const x = makeRows(kind, ROWS, INPUTS)
        const scaler = await newScaler(name).fit(x)
        const scaled = await scaler.transform(x)
        return {
          parameters: [scaler.shift, scaler.factor],
          codes: [scaled.data, (await scaler.inverseTransform(scaled)).data],
          costs: [],
        }
      },
    })),
  )
}

function newScaler(name: 'MinMaxScaler' | 'StandardScaler') {
  return name === 'MinMaxScaler' ? new layerwise.MinMaxScaler() : new layerwise.StandardScaler()
}

type Autoencoder =
  | layerwise.SparseAutoencoder<Precision>
  | layerwise.StackedAutoencoder<Precision>
  | layerwise.LinearAutoencoder<Precision>

async function autoencoder(
  model: Autoencoder,
  x: Matrix | layerwise.SparseMatrix,
  histories: readonly TrainingHistory[],
): Promise<Outcome> {
  const { total, gradient } = await model.cost(x, { gradient: true })
  const few = [0, 1, x.rows - 1]
  return {
    parameters: [model.parameters(), gradient!],
    codes: [
      (await model.encode(x)).data,
      (await model.reconstruct(x)).data,
      await model.reconstructionError(x),
      ...few.map((i) => model.encodeSync(x.slice(i, i + 1))),
    ],
    costs: [total, ...costsOf(histories)],
  }
}

async function classifier(
  model: layerwise.StackedClassifier<Precision> | layerwise.SoftmaxClassifier<Precision>,
  x: Matrix,
  labels: Uint8Array,
  histories: readonly TrainingHistory[],
): Promise<Outcome> {
  const { total, gradient } = await model.cost(x, labels, { gradient: true })
  return {
    parameters: [model.parameters(), gradient!],
    codes: [(await model.predictProbabilities(x)).data, await model.predict(x)],
    costs: [total, ...costsOf(histories)],
  }
}

function withoutZeros({ data, rows, cols }: Matrix): layerwise.SparseMatrix {
  const [indptr, indices, values] = [[0], [] as number[], [] as number[]]
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      const value = Number(data[i * cols + j])
      if (value === 0) continue
      indices.push(j)
      values.push(value)
    }
    indptr.push(indices.length)
  }
  return layerwise.SparseMatrix.from({ indptr, indices, values, rows, cols })
}

/** All numbers of a history, without times. */
function costsOf(histories: readonly TrainingHistory[]): number[] {
  return histories.flatMap(({ epochs }) =>
    epochs.flatMap(
      ({ cost, validation, meanActivation, gradientNorm, constraintViolation = 0, evaluations }) => [
        ...[cost, ...(validation ? [validation] : [])].flatMap(({ total, loss, weightDecay, sparsity }) => [
          total,
          loss,
          weightDecay,
          sparsity,
        ]),
        ...[
          meanActivation.min,
          meanActivation.mean,
          meanActivation.max,
          gradientNorm,
          constraintViolation,
          evaluations,
        ],
      ],
    ),
  )
}
