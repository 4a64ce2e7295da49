import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeShards } from '../../lib/data/dataset/write-dataset.js'
import {
  AnomalyDetector,
  LinearAutoencoder,
  Matrix,
  MinMaxScaler,
  modelFromBytes,
  openDataset,
  Pca,
  readIdx,
  readIdxLabels,
  readNpy,
  readTable,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
  StandardScaler,
  scalerFromJSON,
  writeNpy,
} from '../../lib/index.js'
import { checkpoint, training } from './checkpoint-readers.js'
import { mutated, mutatedJsonFile, mutatedNpy, mutatedSafetensors } from './mutate.js'
import { must, randomOf } from './proof.js'
import { type Reader, readsJson } from './reader.js'
import { arrowFile, csv, encoder, jsonLines, orders, parquetFile } from './table-readers.js'

const COLS = 3
const random = randomOf(5, 0)
const x = Matrix.from(
  Float64Array.from({ length: 12 * COLS }, () => random.next()),
  12,
  COLS,
)

/** Reads a file of this name by its path. */
const fromFile =
  (name: string, read: (path: string) => Promise<void>): Reader['read'] =>
  (bytes, folder) => {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    return read(path)
  }

function mustBeWhole({ rows, cols, data }: Matrix): void {
  must(data.length === rows * cols && rows > 0, `${rows} × ${cols} numbers are ${data.length}`)
}

/** What two readers of a format both accept must be the same. */
async function mustAgree(path: string, matrix: Matrix): Promise<void> {
  mustBeWhole(matrix)
  const dataset = await openDataset(path).catch(() => undefined)
  if (dataset === undefined) return
  const { data, rows, cols } = await dataset.read(0)
  must(rows === matrix.rows && cols === matrix.cols, `it is ${rows} × ${cols} as a Dataset`)
  if (data.BYTES_PER_ELEMENT !== matrix.data.BYTES_PER_ELEMENT) return
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    Buffer.from(buffer, byteOffset, byteLength)
  must(bytes(data).equals(bytes(matrix.data)), 'it has other numbers as a Dataset')
}

async function savedModels(): Promise<Buffer[]> {
  const minMax = await new MinMaxScaler().fit(x)
  const standard = await new StandardScaler().fit(x)
  const layers = [{ hidden: 3 }, { hidden: 2 }]
  const linear = new LinearAutoencoder({ inputs: COLS, hidden: 2, center: true })
  await linear.fit(x, { epochs: 1 })
  const models = [
    new SparseAutoencoder({
      ...{ inputs: COLS, hidden: 2, scaling: minMax, corruption: { kind: 'masking', amount: 0.1 } },
      ...{ weightConstraint: { kind: 'unit', max: 1 }, sparsity: { kind: 'kl', target: 0.1, weight: 1 } },
    }),
    linear,
    new StackedAutoencoder({ inputs: COLS, layers, scaling: minMax, precision: 'float64' }),
    new SoftmaxClassifier({
      inputs: COLS,
      classes: ['a', 'b', 'c'],
      classWeights: [1, 2, 3],
      scaling: standard,
    }),
    new StackedClassifier({ inputs: COLS, layers, classes: 2 }),
    await new Pca({ components: 2, whiten: 'pca', scaling: standard }).fit(x),
  ]
  return Promise.all(models.map(async (model) => Buffer.from(await model.toBytes())))
}

/** One of rows of numbers, and one of a table. */
async function savedDetectors(): Promise<Buffer[]> {
  const rows = Float64Array.from({ length: 200 * COLS }, () => random.next())
  const detectors = [new AnomalyDetector(), new AnomalyDetector()]
  await detectors[0]!.fit(Matrix.from(rows, 200, COLS))
  await detectors[1]!.fit(readTable(orders(200), { format: 'csv' }))
  return Promise.all(detectors.map(async (detector) => Buffer.from(await detector.toBytes())))
}

const readsModel: Reader['read'] = async (bytes) => {
  const model = await modelFromBytes(bytes)
  const saved = await model.toBytes()
  const again = await (await modelFromBytes(saved)).toBytes()
  must(Buffer.compare(saved, again) === 0, `a ${model.kind} is another when it is read again`)
}

const idx = [
  Buffer.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]),
  Buffer.from([0, 0, 12, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0]),
  Buffer.from([0, 0, 13, 2, 0, 0, 0, 1, 0, 0, 0, 2, 63, 128, 0, 0, 64, 0, 0, 0]),
]

async function folderOf(folder: string): Promise<string> {
  const path = join(folder, 'data')
  await mkdir(path, { recursive: true })
  await writeShards(path, [x], { columns: ['a', 'b', 'c'], type: 'float32' }, 48)
  return path
}

const readsFolder =
  (file: string): Reader['read'] =>
  async (bytes, folder) => {
    const path = join(folder, 'data')
    writeFileSync(join(path, file), bytes)
    const dataset = await openDataset(path)
    const isSame = await dataset.verify().then(
      () => true,
      () => false,
    )
    const read = await dataset.read(0)
    mustBeWhole(read)
    // The numbers of a shard that passes are those that were written.
    if (isSame && file !== 'dataset.json')
      must(
        read.data.every((value, i) => value === Math.fround(x.data[i]!)),
        'damaged numbers pass',
      )
  }

const reads = ['ERR_FORMAT'] as const

/** All readers of files, by name. */
export const READERS: Readonly<Record<string, Reader>> = {
  npy: {
    async good(folder) {
      const path = join(folder, 'good')
      const files: Buffer[] = []
      for (const type of ['float64', 'float32', 'float16', 'uint8', 'int32'] as const) {
        await writeNpy(path, Matrix.from(new Float64Array([1, 2, 3, 4, 5, 6]), 2, 3), { type })
        files.push(readFileSync(path))
      }
      return files
    },
    mutate: mutatedNpy,
    read: fromFile('x.npy', async (path) => mustAgree(path, await readNpy(path))),
    codes: [...reads, 'ERR_MEMORY'],
  },
  IDX: {
    good: async () => [...idx, ...idx.map((bytes) => gzipSync(bytes))],
    mutate(good, random) {
      const isPacked = random.next() < 0.3
      return isPacked ? gzipSync(mutated(idx, random)) : mutated(good, random)
    },
    read: fromFile('x.idx', async (path) => {
      const labels = readFileSync(path)[3] === 1
      if (labels) must((await readIdxLabels(path)).length > 0, 'no labels')
      else await mustAgree(path, await readIdx(path))
    }),
    codes: reads,
  },
  safetensors: {
    async good(folder) {
      const path = await folderOf(folder)
      return [readFileSync(join(path, 'rows-00000.safetensors')), ...(await savedModels()).slice(0, 1)]
    },
    mutate: mutatedSafetensors,
    read: fromFile('x.safetensors', async (path) => mustBeWhole(await (await openDataset(path)).read(0))),
    codes: [...reads, 'ERR_RANGE'],
  },
  'dataset.json': {
    good: async (folder) => [readFileSync(join(await folderOf(folder), 'dataset.json'))],
    mutate: mutatedJsonFile,
    read: readsFolder('dataset.json'),
    codes: reads,
  },
  shard: {
    good: async (folder) => [readFileSync(join(await folderOf(folder), 'rows-00001.safetensors'))],
    mutate: mutatedSafetensors,
    read: readsFolder('rows-00001.safetensors'),
    codes: reads,
  },
  model: { good: savedModels, mutate: mutatedSafetensors, read: readsModel, codes: reads },
  detector: { good: savedDetectors, mutate: mutatedSafetensors, read: readsModel, codes: reads },
  checkpoint,
  training,
  scaler: {
    async good() {
      const scalers = [await new MinMaxScaler().fit(x), await new StandardScaler().fit(x)]
      return scalers.map((scaler) => Buffer.from(JSON.stringify(scaler)))
    },
    mutate: mutatedJsonFile,
    read: readsJson((value) => scalerFromJSON(value as never)),
    codes: ['ERR_FORMAT', 'ERR_ARGUMENT', 'ERR_SHAPE', 'ERR_RANGE'],
  },
  encoder,
  CSV: csv,
  'JSON lines': jsonLines,
  Arrow: arrowFile,
  Parquet: parquetFile,
}
