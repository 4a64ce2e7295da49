import {
  type AnomalyDetector,
  LinearAutoencoder,
  MinMaxScaler,
  type Model,
  Pca,
  type Precision,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
  StandardScaler,
} from '../lib/index.js'
import { labeledRows } from './labeled-sample.js'

export const inputs = 5
export const names = ['low', 'middle', 'high'] as const
/** Rows for training and for the other calls, in (0, 1). */
export const { x, labels } = labeledRows(40, inputs, names.length)
export const namedLabels = Array.from(labels, (label) => names[label]!)

/** A model that computes what its options say: not an AnomalyDetector, which chooses its parts itself. */
export type ParametricModel = Exclude<Model, AnomalyDetector>

const fit = { epochs: 2, batchSize: 8 }

const makers = {
  SparseAutoencoder: async (precision: Precision) => {
    const scaling = await new MinMaxScaler({ range: [0.1, 0.9] }).fit(x)
    const sparsity = { kind: 'kl', target: 0.2, weight: 0.5 } as const
    const model = new SparseAutoencoder({ inputs, hidden: 4, sparsity, scaling, precision })
    await model.fit(x, fit)
    return model
  },
  StackedAutoencoder: async (precision: Precision) => {
    const scaling = await new StandardScaler().fit(x)
    const layers = [{ hidden: 4, outputActivation: 'identity' as const }, { hidden: 3 }]
    const model = new StackedAutoencoder({ inputs, layers, scaling, precision })
    await model.fit(x, fit)
    return model
  },
  'StackedAutoencoder, gelu and silu': async (precision: Precision) => {
    const scaling = await new StandardScaler().fit(x)
    const layers = [
      { hidden: 4, activation: 'gelu' as const, outputActivation: 'identity' as const },
      { hidden: 3, activation: 'silu' as const, outputActivation: 'leakyRelu' as const },
    ]
    const model = new StackedAutoencoder({ inputs, layers, scaling, precision })
    await model.fit(x, fit)
    return model
  },
  LinearAutoencoder: async (precision: Precision) => {
    const model = new LinearAutoencoder({ inputs, hidden: 2, center: true, precision })
    await model.fit(x, fit)
    return model
  },
  'LinearAutoencoder, untied': async (precision: Precision) => {
    const model = new LinearAutoencoder({ inputs, hidden: 2, tied: false, precision })
    await model.fit(x, fit)
    return model
  },
  SoftmaxClassifier: async (precision: Precision) => {
    const scaling = await new StandardScaler().fit(x)
    const model = new SoftmaxClassifier({ inputs, classes: names, scaling, precision })
    await model.fit(x, namedLabels, fit)
    return model
  },
  StackedClassifier: async (precision: Precision) => {
    const model = new StackedClassifier({ inputs, layers: [{ hidden: 4 }], classes: 3, precision })
    await model.fineTune(x, labels, fit)
    return model
  },
  Pca: async (precision: Precision) => {
    const scaling = await new StandardScaler().fit(x)
    return new Pca({ components: 3, scaling, precision }).fit(x)
  },
  'Pca, whitened': async (precision: Precision) => new Pca({ whiten: 'pca', precision }).fit(x),
  'Pca, whitened by zca': async (precision: Precision) =>
    new Pca({ whiten: 'zca', epsilon: 1e-3, precision }).fit(x),
} satisfies Record<string, (precision: Precision) => Promise<ParametricModel>>

/** A small trained model of each class and kind, in both precisions: rows for `describe.each`. */
export const everyModel: (readonly [string, Precision, () => Promise<ParametricModel>])[] = (
  ['float32', 'float64'] as const
).flatMap((precision) =>
  Object.entries(makers).map(([name, make]) => [name, precision, () => make(precision)] as const),
)
