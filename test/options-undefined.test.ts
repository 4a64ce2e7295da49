import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  type AnomalyDetectorOptions,
  type AnomalyFitOptions,
  type CheckpointOptions,
  type ClassifierFitOptions,
  type ClassifierLayerOptions,
  type CodeOptions,
  type ConfigureOptions,
  type ConfusionPlotOptions,
  type CostOptions,
  confusionPlot,
  type EncodeOptions,
  type ExcitingInputsOptions,
  type ExplainOptions,
  excitingInputs,
  type FeatureImageOptions,
  type FitOptions,
  type FolderOptions,
  type FromRowsOptions,
  featureImage,
  type LargestOptions,
  type LayerFitOptions,
  LinearAutoencoder,
  type LinearAutoencoderOptions,
  type LinearOptimumOptions,
  linearOptimum,
  Matrix,
  type MatrixOptions,
  MinMaxScaler,
  type MinMaxScalerOptions,
  type OpenDatasetOptions,
  type OutOptions,
  type PatchOptions,
  Pca,
  type PcaFitOptions,
  type PcaOptions,
  type PlotOptions,
  plot,
  type ReadTableOptions,
  type ReconstructionImageOptions,
  type ResumeOptions,
  type RowFileOptions,
  type RowPatchOptions,
  type RunOptions,
  reconstructionImage,
  type ScaledFolderOptions,
  type ScaledOptions,
  type ScatterPlotOptions,
  type ScoreOptions,
  SoftmaxClassifier,
  type SoftmaxClassifierOptions,
  type SoftmaxOptions,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
  type SpoolOptions,
  StackedAutoencoder,
  type StackedAutoencoderOptions,
  StackedClassifier,
  type StackedClassifierFitOptions,
  type StackedClassifierOptions,
  type StackedFitOptions,
  type StackedLayerOptions,
  StandardScaler,
  type StandardScalerOptions,
  samplePatches,
  scatterPlot,
  type TableEncoderOptions,
  type TileOptions,
  type ToClassifierOptions,
  type TransformOptions,
  type TransformSyncOptions,
  type VerifyOptions,
  type WriteDatasetOptions,
  type WriteNpyOptions,
} from '../lib/index.js'
import { sampleRows } from './sample.js'

type Options = Record<string, unknown>

/** A call with an object of options, what that needs at least, and the way in it to the options that are tried. */
interface Case {
  readonly call: string
  readonly run: (options: never) => unknown
  readonly needs: Options
  readonly within?: string
}

const inputs = 4
const x = sampleRows(12, inputs)
const labels = Array.from({ length: 12 }, (_, i) => i % 2)
const autoencoder = { inputs, hidden: 2 }
const kl = { kind: 'kl', target: 0.1, weight: 1 }

const sparse = () => new SparseAutoencoder(autoencoder)
const stack = () => new StackedAutoencoder({ inputs, layers: [{ hidden: 3 }, { hidden: 2 }] })
const softmax = () => new SoftmaxClassifier({ inputs, classes: 2 })
const classifier = () => new StackedClassifier({ inputs, layers: [{ hidden: 3 }], classes: 2 })

const fitNetwork = async (options: never) => {
  const model = sparse()
  const history = await model.fit(x, options)
  return { parameters: model.parameters(), epochs: history.epochs.map(({ cost }) => cost) }
}
const fitStack = async (options: never) => {
  const model = stack()
  await model.fit(x, options)
  return model.parameters()
}
const network = async (options: never) => {
  const model = new SparseAutoencoder(options)
  await model.fit(x, short)
  return { parameters: model.parameters(), reconstructed: await model.reconstruct(x) }
}
const short = { epochs: 2, batchSize: 8 }

const cases: Case[] = [
  { call: 'new SparseAutoencoder', run: network, needs: autoencoder },
  ...['kl', 'l2'].map((kind) => ({
    call: `new SparseAutoencoder, ${kind}`,
    run: network,
    needs: { ...autoencoder, sparsity: { ...kl, kind } },
    within: 'sparsity',
  })),
  ...[{ kind: 'none' }, { kind: 'l1', weight: 1 }, { kind: 'constraint', target: 0.1 }].map((sparsity) => ({
    call: `new SparseAutoencoder, ${sparsity.kind}`,
    run: network,
    needs: { ...autoencoder, sparsity },
    within: 'sparsity',
  })),
  {
    call: 'new SparseAutoencoder, corruption',
    run: network,
    needs: { ...autoencoder, corruption: { kind: 'masking', amount: 0.2 } },
    within: 'corruption',
  },
  {
    call: 'new SparseAutoencoder, weightConstraint',
    run: network,
    needs: { ...autoencoder, weightConstraint: { kind: 'unit', max: 0.5 } },
    within: 'weightConstraint',
  },
  {
    call: 'new StackedAutoencoder',
    run: (o) => new StackedAutoencoder(o).parameters(),
    needs: { inputs, layers: [{ hidden: 2 }] },
  },
  {
    call: 'new StackedAutoencoder, a layer',
    run: (layer) => new StackedAutoencoder({ inputs, layers: [layer] }).parameters(),
    needs: { hidden: 2 },
  },
  { call: 'new LinearAutoencoder', run: (o) => new LinearAutoencoder(o).parameters(), needs: autoencoder },
  {
    call: 'new LinearAutoencoder, sparsity',
    run: (o) => new LinearAutoencoder(o).parameters(),
    needs: { ...autoencoder, sparsity: { kind: 'none' } },
    within: 'sparsity',
  },
  {
    call: 'new SoftmaxClassifier',
    run: (o) => new SoftmaxClassifier(o).parameters(),
    needs: { inputs, classes: 2 },
  },
  {
    call: 'new StackedClassifier',
    run: (o) => new StackedClassifier(o).parameters(),
    needs: { inputs, layers: [{ hidden: 2 }], classes: 2 },
  },
  {
    call: 'new StackedClassifier, a layer',
    run: (layer) => new StackedClassifier({ inputs, layers: [layer], classes: 2 }).parameters(),
    needs: { hidden: 2 },
  },
  { call: 'toClassifier', run: (o) => stack().toClassifier(o).parameters(), needs: { classes: 2 } },
  { call: 'new Pca', run: (o) => new Pca(o).fit(x).then((pca) => pca.transform(x)), needs: {} },
  { call: 'fit of a Pca', run: (o) => new Pca().fit(x, o).then((pca) => pca.transform(x)), needs: {} },
  { call: 'fit of a scaler', run: (o) => new MinMaxScaler().fit(x, o), needs: {} },
  { call: 'new MinMaxScaler', run: (o) => new MinMaxScaler(o).fit(x), needs: {} },
  { call: 'new StandardScaler', run: (o) => new StandardScaler(o).fit(x), needs: {} },
  { call: 'fit', run: fitNetwork, needs: short },
  ...[{ kind: 'gradientDescent' }, { kind: 'momentum' }, { kind: 'adam' }].map((optimizer) => ({
    call: `fit, ${optimizer.kind}`,
    run: fitNetwork,
    needs: { ...short, optimizer },
    within: 'optimizer',
  })),
  { call: 'fit, lbfgs', run: fitNetwork, needs: { optimizer: { kind: 'lbfgs', maxIterations: 2 } } },
  {
    call: 'fit, the options of lbfgs',
    run: fitNetwork,
    needs: { optimizer: { kind: 'lbfgs', maxIterations: 2 } },
    within: 'optimizer',
  },
  { call: 'fit, all rows a step', run: fitNetwork, needs: { epochs: 2, batchSize: 'all' } },
  ...[
    { kind: 'constant', rate: 0.1 },
    { kind: 'step', rate: 0.1, every: 1, factor: 0.5 },
    { kind: 'cosine', rate: 0.1 },
  ].map((learningRate) => ({
    call: `fit, ${learningRate.kind} rate`,
    run: fitNetwork,
    needs: { ...short, learningRate },
    within: 'learningRate',
  })),
  {
    call: 'fit, earlyStopping',
    run: fitNetwork,
    needs: { ...short, earlyStopping: { patience: 1 } },
    within: 'earlyStopping',
  },
  { call: 'fit of a stack', run: fitStack, needs: short },
  {
    call: 'fit of a stack, a layer',
    run: (layer) => fitStack({ ...short, layers: [layer] } as never),
    needs: {},
  },
  {
    call: 'fit of a classifier',
    run: async (o) => {
      const model = softmax()
      await model.fit(x, labels, o)
      return model.parameters()
    },
    needs: short,
  },
  {
    call: 'fit of a stacked classifier',
    run: async (o) => {
      const model = classifier()
      await model.fit(x, labels, o)
      return model.parameters()
    },
    needs: short,
  },
  { call: 'cost', run: (o) => sparse().cost(x, o), needs: {} },
  { call: 'encode', run: (o) => sparse().encode(x, o), needs: {} },
  { call: 'encode of a stack', run: (o) => stack().encode(x, o), needs: {} },
  { call: 'score', run: (o) => softmax().score(x, labels, o), needs: {} },
  { call: 'Matrix.from', run: (o) => Matrix.from(new Uint8Array(4), 2, 2, o), needs: {} },
  {
    call: 'samplePatches',
    run: (o) => samplePatches(x, o),
    needs: { size: 2, count: 3, imageWidth: 2 },
  },
  { call: 'linearOptimum', run: (o) => linearOptimum([3, 2, 1, 0.5], o), needs: { hidden: 2 } },
  { call: 'featureImage', run: (o) => featureImage(x, o), needs: { width: 2 } },
  { call: 'reconstructionImage', run: (o) => reconstructionImage(x, x, o), needs: { width: 2 } },
  { call: 'excitingInputs', run: (o) => excitingInputs(sparse(), o), needs: { layer: 1, maxIterations: 2 } },
  {
    call: 'plot',
    run: (o) =>
      plot(
        [
          {
            label: 'a',
            points: [
              [0, 1],
              [1, 2],
            ],
          },
        ],
        o,
      ),
    needs: {},
  },
  {
    call: 'scatterPlot',
    run: (o) => scatterPlot(Matrix.from(new Float64Array(4), 2, 2), [0, 1], o),
    needs: {},
  },
  {
    call: 'confusionPlot',
    run: (o) =>
      confusionPlot(
        {
          confusion: [
            [1, 0],
            [0, 1],
          ],
        },
        o,
      ),
    needs: {},
  },
]

test.each(cases)('$call treats an undefined option as not given', async ({ run, needs, within }) => {
  const at = (options: Options): Options => (within === undefined ? options : { ...needs, [within]: options })
  const base = (within === undefined ? needs : needs[within]) as Options
  const known = await knownOptions(() => run(at({ ...base, noSuchOption: 1 }) as never))
  const open = known.filter((name) => !(name in base))
  const expected = plain(await run(at(base) as never))
  for (const name of open) {
    expect(plain(await run(at({ ...base, [name]: undefined }) as never)), name).toEqual(expected)
  }
  const all = Object.fromEntries(open.map((name) => [name, undefined]))
  expect(plain(await run(at({ ...base, ...all }) as never)), open.join(', ')).toEqual(expected)
})

test('options are read from the object itself, not from Object.prototype', async () => {
  const before = await network(autoencoder as never)
  const added: Options = { weightDecay: 4, kind: 'lbfgs', seed: 7, momentum: 0.1, sparsity: kl, epochs: 1 }
  for (const [name, value] of Object.entries(added)) {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: false })
  }
  try {
    expect(await network(autoencoder as never)).toEqual(before)
  } finally {
    for (const name of Object.keys(added)) Reflect.deleteProperty(Object.prototype, name)
  }
})

/** Optional members that refuse an explicit `undefined`, where the compiler tells it from an absent one. */
type Refused<T> = T extends unknown
  ? {
      [K in keyof T]-?: object extends Pick<T, K>
        ? { [P in K]: undefined } extends Pick<T, K>
          ? never
          : K
        : never
    }[keyof T]
  : never
type AcceptsUndefined<T> = [Refused<T>] extends [never] ? true : Refused<T>

test('the types of all options accept an explicit undefined, under exactOptionalPropertyTypes too', () => {
  const accepting = {
    AnomalyDetectorOptions: true satisfies AcceptsUndefined<AnomalyDetectorOptions>,
    AnomalyFitOptions: true satisfies AcceptsUndefined<AnomalyFitOptions>,
    CheckpointOptions: true satisfies AcceptsUndefined<CheckpointOptions>,
    ClassifierFitOptions: true satisfies AcceptsUndefined<ClassifierFitOptions>,
    ClassifierLayerOptions: true satisfies AcceptsUndefined<ClassifierLayerOptions>,
    CodeOptions: true satisfies AcceptsUndefined<CodeOptions>,
    ConfigureOptions: true satisfies AcceptsUndefined<ConfigureOptions>,
    ConfusionPlotOptions: true satisfies AcceptsUndefined<ConfusionPlotOptions>,
    CostOptions: true satisfies AcceptsUndefined<CostOptions>,
    EncodeOptions: true satisfies AcceptsUndefined<EncodeOptions>,
    ExcitingInputsOptions: true satisfies AcceptsUndefined<ExcitingInputsOptions>,
    ExplainOptions: true satisfies AcceptsUndefined<ExplainOptions>,
    FeatureImageOptions: true satisfies AcceptsUndefined<FeatureImageOptions>,
    FitOptions: true satisfies AcceptsUndefined<FitOptions>,
    FolderOptions: true satisfies AcceptsUndefined<FolderOptions>,
    FromRowsOptions: true satisfies AcceptsUndefined<FromRowsOptions>,
    LargestOptions: true satisfies AcceptsUndefined<LargestOptions>,
    LayerFitOptions: true satisfies AcceptsUndefined<LayerFitOptions>,
    LinearAutoencoderOptions: true satisfies AcceptsUndefined<LinearAutoencoderOptions>,
    LinearOptimumOptions: true satisfies AcceptsUndefined<LinearOptimumOptions>,
    MatrixOptions: true satisfies AcceptsUndefined<MatrixOptions>,
    MinMaxScalerOptions: true satisfies AcceptsUndefined<MinMaxScalerOptions>,
    OpenDatasetOptions: true satisfies AcceptsUndefined<OpenDatasetOptions>,
    OutOptions: true satisfies AcceptsUndefined<OutOptions>,
    PatchOptions: true satisfies AcceptsUndefined<PatchOptions>,
    PcaFitOptions: true satisfies AcceptsUndefined<PcaFitOptions>,
    PcaOptions: true satisfies AcceptsUndefined<PcaOptions>,
    PlotOptions: true satisfies AcceptsUndefined<PlotOptions>,
    ReadTableOptions: true satisfies AcceptsUndefined<ReadTableOptions>,
    ReconstructionImageOptions: true satisfies AcceptsUndefined<ReconstructionImageOptions>,
    ResumeOptions: true satisfies AcceptsUndefined<ResumeOptions>,
    RowFileOptions: true satisfies AcceptsUndefined<RowFileOptions>,
    RowPatchOptions: true satisfies AcceptsUndefined<RowPatchOptions>,
    RunOptions: true satisfies AcceptsUndefined<RunOptions>,
    ScaledFolderOptions: true satisfies AcceptsUndefined<ScaledFolderOptions>,
    ScaledOptions: true satisfies AcceptsUndefined<ScaledOptions>,
    ScatterPlotOptions: true satisfies AcceptsUndefined<ScatterPlotOptions>,
    ScoreOptions: true satisfies AcceptsUndefined<ScoreOptions>,
    SoftmaxClassifierOptions: true satisfies AcceptsUndefined<SoftmaxClassifierOptions>,
    SoftmaxOptions: true satisfies AcceptsUndefined<SoftmaxOptions>,
    SparseAutoencoderOptions: true satisfies AcceptsUndefined<SparseAutoencoderOptions>,
    SpoolOptions: true satisfies AcceptsUndefined<SpoolOptions>,
    StackedAutoencoderOptions: true satisfies AcceptsUndefined<StackedAutoencoderOptions>,
    StackedClassifierFitOptions: true satisfies AcceptsUndefined<StackedClassifierFitOptions>,
    StackedClassifierOptions: true satisfies AcceptsUndefined<StackedClassifierOptions>,
    StackedFitOptions: true satisfies AcceptsUndefined<StackedFitOptions>,
    StackedLayerOptions: true satisfies AcceptsUndefined<StackedLayerOptions>,
    StandardScalerOptions: true satisfies AcceptsUndefined<StandardScalerOptions>,
    TableEncoderOptions: true satisfies AcceptsUndefined<TableEncoderOptions>,
    TileOptions: true satisfies AcceptsUndefined<TileOptions>,
    ToClassifierOptions: true satisfies AcceptsUndefined<ToClassifierOptions>,
    TransformOptions: true satisfies AcceptsUndefined<TransformOptions>,
    TransformSyncOptions: true satisfies AcceptsUndefined<TransformSyncOptions>,
    VerifyOptions: true satisfies AcceptsUndefined<VerifyOptions>,
    WriteDatasetOptions: true satisfies AcceptsUndefined<WriteDatasetOptions>,
    WriteNpyOptions: true satisfies AcceptsUndefined<WriteNpyOptions>,
  }
  const maybe: number | undefined = undefined
  expect(() => [
    new MinMaxScaler({ range: maybe }),
    Matrix.from(new Uint8Array(4), 2, 2, { scale: maybe }),
    samplePatches(x, { size: 2, count: 1, imageWidth: 2, seed: maybe }),
  ]).not.toThrow()
  const index = readFileSync(new URL('../lib/index.ts', import.meta.url), 'utf8')
  expect(Object.keys(accepting)).toEqual([...new Set(index.match(/\b\w+Options\b/g))].sort())
})

/** The list that the refusal of an unknown option ends with. */
async function knownOptions(refused: () => unknown): Promise<string[]> {
  try {
    await refused()
  } catch (error) {
    return (error as Error).message.split('known are ')[1]!.split(', ')
  }
  throw new Error('an unknown option was accepted')
}

/** Results without members that cannot be compared. */
function plain(result: unknown): unknown {
  return typeof result === 'object' && result !== null && 'toJSON' in result
    ? (result as { toJSON(): unknown }).toJSON()
    : result
}
