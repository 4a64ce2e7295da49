import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  excitingInputs,
  LinearAutoencoder,
  Matrix,
  Pca,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
  writeDataset,
} from '../lib/index.js'
import { type Abortable, expectStopped } from './abort-amid.js'
import { seeded } from './oracle/points.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const inputs = 512
const hidden = 256
const classes = 200

/** So many rows that every call takes a tenth of a second and more on one thread. */
const rows = 30_000

const bytes = (cols: number) => {
  const random = seeded(1)
  const some = Uint8Array.from({ length: 1000 * cols }, () => 256 * random())
  const data = new Uint8Array(rows * cols)
  for (let at = 0; at < data.length; at += some.length) data.set(some, at)
  return Matrix.from(data, rows, cols, { scale: 1 / 255 })
}
const x = bytes(inputs)
const codes = bytes(hidden)
const labels = Uint8Array.from({ length: rows }, (_, i) => i % classes)

const both = { precision: 'float64', seed: 1 } as const
const layers = [{ hidden }, { hidden }] as const
const sparse = new SparseAutoencoder({ inputs, hidden, ...both })
const linear = new LinearAutoencoder({ inputs, hidden, ...both })
const stack = new StackedAutoencoder({ inputs, layers, ...both })
const softmax = new SoftmaxClassifier({ inputs, classes, ...both })
const classifier = new StackedClassifier({ inputs, layers, classes, ...both })
const few = Matrix.from(x.data.subarray(0, 1000 * inputs), 1000, inputs)
const pca = await new Pca({ components: hidden, precision: 'float64' }).fit(few)

const folder = temporaryFolder()
const files = await writeDataset(join(folder, 'rows'), [x])

type Calls = Record<string, Abortable>
const ends = (start: Abortable['start']) => ({ start, endless: false })
const endless = (start: Abortable['start']) => ({ start, endless: true })
const epochs = 1_000_000
const optimizer = { kind: 'lbfgs', maxIterations: epochs, tolerance: 0 } as const

const ofAutoencoder = (model: typeof sparse | typeof linear | typeof stack): Calls => ({
  'fit in minibatches': endless((signal) => model.fit(x, { epochs, signal })),
  'fit by L-BFGS': endless((signal) => model.fit(x, { optimizer, signal })),
  encode: ends((signal) => model.encode(x, { signal })),
  decode: ends((signal) => model.decode(codes, { signal })),
  reconstruct: ends((signal) => model.reconstruct(x, { signal })),
  reconstructionError: ends((signal) => model.reconstructionError(x, { signal })),
  reconstructionErrorPerFeature: ends((signal) => model.reconstructionErrorPerFeature(x, { signal })),
  cost: ends((signal) => model.cost(x, { signal })),
  'cost with its gradient': ends((signal) => model.cost(x, { gradient: true, signal })),
})

const ofClassifier = (model: typeof softmax | typeof classifier): Calls => ({
  'fit in minibatches': endless((signal) => model.fit(x, labels, { epochs, signal })),
  'fit by L-BFGS': endless((signal) => model.fit(x, labels, { optimizer, signal })),
  predict: ends((signal) => model.predict(x, { signal })),
  predictProbabilities: ends((signal) => model.predictProbabilities(x, { signal })),
  score: ends((signal) => model.score(x, labels, { signal })),
  cost: ends((signal) => model.cost(x, labels, { signal })),
  'cost with its gradient': ends((signal) => model.cost(x, labels, { gradient: true, signal })),
})

const calls: Record<string, Calls> = {
  SparseAutoencoder: ofAutoencoder(sparse),
  LinearAutoencoder: ofAutoencoder(linear),
  StackedAutoencoder: {
    ...ofAutoencoder(stack),
    fineTune: endless((signal) => stack.fineTune(x, { epochs, signal })),
  },
  SoftmaxClassifier: ofClassifier(softmax),
  StackedClassifier: {
    ...ofClassifier(classifier),
    encode: ends((signal) => classifier.encode(x, { signal })),
    fineTune: endless((signal) => classifier.fineTune(x, labels, { epochs, signal })),
  },
  Pca: {
    fit: ends((signal) => new Pca({ components: hidden }).fit(x, { signal })),
    transform: ends((signal) => pca.transform(x, { signal })),
    inverseTransform: ends((signal) => pca.inverseTransform(codes, { signal })),
    reconstructionError: ends((signal) => pca.reconstructionError(x, { signal })),
    reconstructionErrorPerFeature: ends((signal) => pca.reconstructionErrorPerFeature(x, { signal })),
  },
  'a model on rows of files': {
    'fit in minibatches': endless((signal) => sparse.fit(files, { epochs, signal })),
    'fit by L-BFGS': endless((signal) => sparse.fit(files, { optimizer, signal })),
    'fit of a stack with its codes in files': endless((signal) =>
      stack.fit(files, { codes: join(folder, 'codes'), layers: [{ epochs: 1 }, { epochs }], signal }),
    ),
    encode: ends((signal) => sparse.encode(files, { signal })),
    'encode to a folder': ends((signal) => sparse.encode(files, { to: join(folder, 'to'), signal })),
    'the largest errors': ends((signal) => sparse.reconstructionError(files, { largest: 9, signal })),
    cost: ends((signal) => sparse.cost(files, { signal })),
    'Pca.fit': ends((signal) => new Pca({ components: hidden }).fit(files, { signal })),
    'Pca.mahalanobis': ends((signal) => pca.mahalanobis(files, { signal })),
  },
  'a function': {
    excitingInputs: endless((signal) =>
      excitingInputs(stack, { layer: 2, maxIterations: epochs, tolerance: 0, signal }),
    ),
  },
}

describe.each(Object.entries(calls))('an abort during the work of %s', (_, methods) => {
  test.each(Object.entries(methods))('stops %s and rejects with the reason', async (_, call) => {
    await expectStopped(call)
  })

  test.each(Object.entries(methods))('before %s rejects with the reason', async (_, call) => {
    const reason = new Error('enough')
    expect(await rejection(call.start(AbortSignal.abort(reason)))).toBe(reason)
  })
})
