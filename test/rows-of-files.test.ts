import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import {
  Dataset,
  type FitOptions,
  LinearAutoencoder,
  Matrix,
  MinMaxScaler,
  openDataset,
  Pca,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedClassifier,
  StandardScaler,
  type StorageType,
  writeDataset,
} from '../lib/index.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const place = () => join(mkdtempSync(join(root, 'data-')), 'rows')

/** Values in [0, 1], exact in every type with its scale. */
function rowsOf(type: StorageType, rows: number, cols: number): Matrix {
  const steps = { uint8: 255, int8: 127, uint16: 65_535, int16: 32_767 }[type as string] ?? 1
  const share = (k: number) => ((k * 7919) % 251) / 256
  if (type === 'float16' || type === 'bfloat16') {
    // 0.5 + k/128 in each of them.
    const bits = Uint16Array.from({ length: rows * cols }, (_, k) =>
      type === 'float16' ? 0x3800 + (((k * 7919) % 64) << 4) : 0x3f00 + ((k * 7919) % 64),
    )
    return Matrix.from(bits, rows, cols, { type })
  }
  const made = { length: rows * cols }
  const numbers = (_: unknown, k: number) => (steps === 1 ? share(k) : Math.round(share(k) * steps))
  const data = {
    uint8: () => Uint8Array.from(made, numbers),
    int8: () => Int8Array.from(made, numbers),
    uint16: () => Uint16Array.from(made, numbers),
    int16: () => Int16Array.from(made, numbers),
    float32: () => Float32Array.from(made, numbers),
    float64: () => Float64Array.from(made, numbers),
  }[type as 'uint8']()
  return Matrix.from(data, rows, cols, steps === 1 ? {} : { scale: 1 / steps, type })
}

/** The same rows in shards of some rows each. */
async function inShards(x: Matrix, rows: number): Promise<Dataset> {
  return writeShards(place(), [x], undefined, rows * x.cols * x.data.BYTES_PER_ELEMENT)
}

const parametersAfter = async (x: Matrix | Dataset, options: FitOptions, threads = 2) => {
  const model = new SparseAutoencoder({
    inputs: x.cols,
    hidden: 5,
    seed: 3,
    sparsity: { kind: 'kl', target: 0.2, weight: 0.5 },
  })
  const history = await model.fit(x, { ...options, threads } as FitOptions)
  return [model.parameters(), history.epochs.map(({ cost, validation }) => [cost, validation])]
}

describe('rows of files train as rows in memory do, bit for bit:', () => {
  const x = rowsOf('float32', 1301, 9)
  const cases: [string, FitOptions][] = [
    ['minibatches', { epochs: 3, batchSize: 50, shuffle: 'blocks' }],
    ['minibatches in their own order', { epochs: 2, batchSize: 50, shuffle: false }],
    ['full batches', { epochs: 3, batchSize: 'all' }],
    ['L-BFGS', { optimizer: { kind: 'lbfgs', maxIterations: 6 } }],
    ['rows held out', { epochs: 2, batchSize: 64, shuffle: 'blocks', validation: 0.3 }],
    ['early stopping', { epochs: 3, batchSize: 64, shuffle: 'blocks', earlyStopping: { patience: 1 } }],
  ]
  test.each(cases)('%s', async (_, options) => {
    const files = await inShards(x, 400)
    expect(files.segments).toHaveLength(4)
    const expected = await parametersAfter(x, options)
    for (const threads of [1, 2, 3, 7])
      expect(await parametersAfter(files, options, threads)).toEqual(expected)
  })

  test.each<StorageType>(['uint8', 'int8', 'uint16', 'int16', 'float16', 'bfloat16', 'float32', 'float64'])(
    'numbers stored as %s',
    async (type) => {
      const stored = rowsOf(type, 333, 7)
      const files = await inShards(stored, 100)
      expect(files.type).toBe(type)
      const options = { epochs: 2, batchSize: 32, shuffle: 'blocks' } as const
      expect(await parametersAfter(files, options)).toEqual(await parametersAfter(stored, options))
    },
  )

  test('any number of rows and columns, size of shards and of batches', async () => {
    const size = (max: number) => fc.integer({ min: 1, max })
    await fc.assert(
      fc.asyncProperty(size(400), size(9), size(400), size(100), async (rows, cols, shard, batchSize) => {
        const stored = rowsOf('uint8', rows, cols)
        const files = await inShards(stored, shard)
        const options = { epochs: 2, batchSize, shuffle: 'blocks' } as const
        expect(await parametersAfter(files, options)).toEqual(await parametersAfter(stored, options))
      }),
      { numRuns: 30 },
    )
  })

  test('a part of them', async () => {
    const files = (await inShards(x, 400)).slice(150, 1150)
    const options = { epochs: 2, batchSize: 50, shuffle: 'blocks' } as const
    expect(await parametersAfter(files, options)).toEqual(await parametersAfter(x.slice(150, 1150), options))
  })

  test('with weights of the rows, in a dataset of one column', async () => {
    const rowWeights = Float64Array.from({ length: x.rows }, (_, k) => (k % 5) / 2)
    const options = { epochs: 2, batchSize: 50, shuffle: 'blocks' } as const
    const weights = await writeDataset(place(), [rowWeights], { type: 'float64', cols: 1 })
    expect(await parametersAfter(await inShards(x, 400), { ...options, rowWeights: weights })).toEqual(
      await parametersAfter(x, { ...options, rowWeights }),
    )
  })

  test('with rows of files for validation', async () => {
    const other = rowsOf('float32', 77, 9)
    const options = { epochs: 2, batchSize: 50, shuffle: 'blocks' } as const
    expect(
      await parametersAfter(await inShards(x, 400), { ...options, validation: await inShards(other, 20) }),
    ).toEqual(await parametersAfter(x, { ...options, validation: other }))
  })

  test('a model that subtracts the mean', async () => {
    const files = await inShards(x, 400)
    const trained = async (rows: Matrix | Dataset) => {
      const model = new LinearAutoencoder({ inputs: 9, hidden: 3, center: true })
      await model.fit(rows, { epochs: 2, batchSize: 64, shuffle: 'blocks', validation: 0.25 })
      return [model.parameters(), await model.encode(rows)]
    }
    expect(await trained(files)).toEqual(await trained(x))
  })
})

describe('rows of files are answered as rows in memory are, bit for bit:', () => {
  const x = rowsOf('uint8', 1777, 12)
  const labels = Uint8Array.from({ length: x.rows }, (_, k) => (k * 31) % 4)
  const files = inShards(x, 500)

  test('by an autoencoder', async () => {
    const model = new SparseAutoencoder({ inputs: 12, hidden: 5, seed: 1 })
    const given = await files
    for (const threads of [1, 2, 3, 7]) {
      const run = { threads }
      expect(await model.cost(given, { ...run, gradient: true })).toEqual(
        await model.cost(x, { gradient: true }),
      )
      expect(await model.encode(given, run)).toEqual(await model.encode(x))
      expect(await model.reconstruct(given, run)).toEqual(await model.reconstruct(x))
      expect(await model.reconstructionError(given, run)).toEqual(await model.reconstructionError(x))
      expect(await model.reconstructionErrorPerFeature(given, run)).toEqual(
        await model.reconstructionErrorPerFeature(x),
      )
    }
  })

  test('by Pca and scalers', async () => {
    const given = await files
    const fitted = async (rows: Matrix | Dataset) => {
      const pca = await new Pca({ components: 4, whiten: 'pca' }).fit(rows)
      return [
        pca.components,
        pca.explainedVariance,
        pca.mean,
        await pca.transform(rows),
        await pca.reconstructionError(rows),
        await pca.mahalanobis(rows),
      ]
    }
    expect(await fitted(given)).toEqual(await fitted(x))
    for (const scaler of [new StandardScaler(), new MinMaxScaler()]) {
      const of = async (rows: Matrix | Dataset) => (await scaler.fit(rows)).toJSON()
      expect(await of(given)).toEqual(await of(x))
    }
    const rowWeights = Float64Array.from({ length: x.rows }, (_, k) => k % 3)
    const weighted = async (rows: Matrix | Dataset) =>
      (await new StandardScaler().fit(rows, { rowWeights })).toJSON()
    expect(await weighted(given)).toEqual(await weighted(x))
  })

  test.each<StorageType>(['float16', 'bfloat16', 'int16', 'float64'])('by a scaler, of %s', async (type) => {
    const stored = rowsOf(type, 401, 3)
    const of = async (rows: Matrix | Dataset) => (await new StandardScaler().fit(rows)).toJSON()
    expect(await of(await inShards(stored, 100))).toEqual(await of(stored))
  })

  test('by classifiers, with labels in a dataset of one column', async () => {
    const given = await files
    const inFiles = await writeDataset(place(), [labels], { type: 'uint8', cols: 1 })
    const trained = async (rows: Matrix | Dataset, classes: Uint8Array | Dataset) => {
      const model = new SoftmaxClassifier({ inputs: 12, classes: 4 })
      const history = await model.fit(rows, classes, {
        epochs: 2,
        shuffle: 'blocks',
        validation: { x: rows, labels: classes },
      })
      const { cost, accuracy } = history.epochs[1]!
      return [
        ...[cost, accuracy, model.parameters(), await model.score(rows, classes)],
        ...[
          await model.predict(rows),
          await model.predictProbabilities(rows),
          await model.cost(rows, classes),
        ],
      ]
    }
    expect(await trained(given, inFiles)).toEqual(await trained(x, labels))
    const tuned = async (rows: Matrix | Dataset, classes: Uint8Array | Dataset) => {
      const model = new StackedClassifier({ inputs: 12, layers: [{ hidden: 6 }], classes: 4 })
      await model.fineTune(rows, classes, { epochs: 2, shuffle: 'blocks' })
      return [model.parameters(), await model.encode(rows, { layer: 1 })]
    }
    expect(await tuned(given, inFiles)).toEqual(await tuned(x, labels))
  })

  test('also those of a posted copy of a dataset', async () => {
    const model = new SparseAutoencoder({ inputs: 12, hidden: 5, seed: 1 })
    const posted = structuredClone({ ...(await files) }) as unknown as Dataset
    expect(await model.encode(posted)).toEqual(await model.encode(x))
    const scaled = async (rows: Matrix | Dataset) => (await new StandardScaler().fit(rows)).toJSON()
    expect(await scaled(posted)).toEqual(await scaled(x))
    const closed = Dataset.from(posted)
    await closed.close()
    expect(await rejection(model.fit(closed))).toMatchObject({
      code: 'ERR_STATE',
      details: { argument: 'x' },
    })
  })

  test('labels are refused in several columns', async () => {
    const model = new SoftmaxClassifier({ inputs: 12, classes: 4 })
    const error = await rejection(model.fit(x, await files))
    expect(error).toMatchObject({ code: 'ERR_SHAPE', message: expect.stringContaining('one column') })
  })
})

describe('a bad value in a file', () => {
  const [rows, cols] = [50_001, 3]
  const [row, column] = [49_999, 1]
  /** Few columns, and a bad value late. */
  async function withValue(value: number): Promise<Dataset> {
    const data = new Float32Array(rows * cols).map((_, k) => (k % 10) / 10)
    data[row * cols + column] = value
    const folder = mkdtempSync(join(root, 'bad-'))
    writeFileSync(join(folder, 'rows.bin'), data)
    return openDataset(join(folder, 'rows.bin'), { raw: { type: 'float32', cols } })
  }

  test.each([
    [NaN, 'finite numbers'],
    [1.5, 'numbers that sigmoid outputs can reach'],
  ])('of %d is named with file, row and column, and the model stays as it was', async (value, expected) => {
    const x = await withValue(value)
    const model = new SparseAutoencoder({ inputs: cols, hidden: 2 })
    const before = model.parameters()
    for (const options of [
      { epochs: 2, batchSize: 10 },
      { batchSize: 'all', epochs: 2 },
    ] as const) {
      expect(await rejection(model.fit(x, options))).toMatchObject({
        code: 'ERR_RANGE',
        message: expect.stringContaining(`x: expected ${expected}`),
        details: { argument: 'x', row, column, received: value, file: x.paths[0] },
      })
      expect(model.parameters()).toEqual(before)
    }
    expect(await rejection(model.cost(x))).toMatchObject({ details: { row, column, file: x.paths[0] } })
  })

  test('is named by every method that answers', async () => {
    const x = await withValue(NaN)
    const model = new SparseAutoencoder({ inputs: cols, hidden: 2 })
    const calls = [
      () => model.encode(x),
      () => model.reconstructionError(x, { largest: 2 }),
      () => model.encode(x, { to: place() }),
      () => new Pca().fit(x),
      () => new StandardScaler().fit(x),
    ]
    for (const call of calls) {
      expect(await rejection(call())).toMatchObject({
        code: 'ERR_RANGE',
        message: `x: expected finite numbers, received NaN in row ${row}, column ${column}, in '${x.paths[0]}'`,
        details: { row, column, file: x.paths[0] },
      })
    }
  })
})
