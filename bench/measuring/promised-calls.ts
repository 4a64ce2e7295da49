import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AnomalyDetector,
  type Image,
  LinearAutoencoder,
  loadModel,
  Matrix,
  MinMaxScaler,
  Pca,
  preparePatches,
  readIdx,
  readIdxLabels,
  readNpy,
  readTable,
  SoftmaxClassifier,
  SparseAutoencoder,
  SparseMatrix,
  StandardScaler,
  samplePatches,
  type TableColumn,
  TableEncoder,
  writeDataset,
  writeNpy,
  writePng,
} from '../../lib/index.js'
import { type LongestTurn, longestTurn } from './turns.js'

/** Numbers of a row. */
export const COLS = 8

/** Prepares a call with about this many rows, or numbers if it has no rows, and files in this folder. */
type Prepare = (rows: number, folder: string) => Promise<() => Promise<unknown>>

const value = (i: number) => (i * 0.618034) % 1
const matrix = (rows: number, cols = COLS) =>
  Matrix.from(
    Float32Array.from({ length: rows * cols }, (_, i) => value(i)),
    rows,
    cols,
  )
const csvOf = (rows: number) =>
  `n,c,d\n${Array.from({ length: rows }, (_, i) => `${value(i)},c${i % 9},2024-01-${10 + (i % 20)}\n`).join('')}`
const arrays = (rows: number) =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: COLS }, (_, j) => value(i * COLS + j)))
const small = () => new SparseAutoencoder({ inputs: COLS, hidden: 4 })
/** With about this many parameters. */
const large = (parameters: number) =>
  new SparseAutoencoder({ inputs: 1000, hidden: Math.max(1, Math.round(parameters / 2000)) })
const numbered = (rows: number) => Array.from({ length: rows }, (_, i) => i % 3)
const named = (rows: number) => Array.from({ length: rows }, (_, i) => ['a', 'b', 'c'][i % 3]!)
const idx = (type: number, size: number, dimensions: readonly number[]) => {
  const header = Buffer.alloc(4 + 4 * dimensions.length)
  header.set([0, 0, type, dimensions.length])
  for (const [k, length] of dimensions.entries()) header.writeUInt32BE(length, 4 + 4 * k)
  return Buffer.concat([
    header,
    Buffer.alloc(size * dimensions.reduce((product, length) => product * length)),
  ])
}
const image = (bytes: number): Image => {
  const side = Math.round(Math.sqrt(bytes))
  return { width: side, height: side, channels: 1, data: new Uint8Array(side * side).map((_, i) => i * 7) }
}

/** Every call that returns a promise and does more the more rows, labels, parameters or bytes there are. */
export const PROMISED_CALLS: Readonly<Record<string, Prepare>> = {
  'fit of arrays': async (rows) => {
    const [model, x] = [small(), arrays(rows)]
    return () => model.fit(x, { epochs: 1 })
  },
  'fit with validation': async (rows) => {
    const [model, x] = [small(), matrix(rows)]
    return () => model.fit(x, { epochs: 1, validation: 0.2 })
  },
  'readTable of CSV': async (rows, folder) => {
    const path = join(folder, 'rows.csv')
    await writeFile(path, csvOf(rows))
    return async () => {
      for await (const _ of readTable(path)) {
      }
    }
  },
  'readTable of objects': async (rows) => {
    const objects = Array.from({ length: rows }, (_, i) => ({ n: value(i), c: `c${i % 9}`, b: i % 2 === 0 }))
    return async () => {
      for await (const _ of readTable(objects)) {
      }
    }
  },
  'fit and transform of a TableEncoder': async (rows) => {
    const values = Float64Array.from({ length: rows }, (_, i) => value(i))
    const texts = Array.from({ length: rows }, (_, i) => `c${i % 9}`)
    const columns: TableColumn[] = [
      { name: 'n', type: 'number', values },
      { name: 't', type: 'date', values },
      { name: 'c', type: 'string', values: texts },
    ]
    return async () => {
      const encoder = await new TableEncoder({ numbers: 'robust' }).fit({ rows, columns })
      await encoder.transform({ rows, columns })
    }
  },
  'fit with center': async (rows) => {
    const [model, x] = [new LinearAutoencoder({ inputs: COLS, hidden: 2, center: true }), matrix(rows)]
    return () => model.fit(x, { epochs: 1, validation: 0.2 })
  },
  'classifier.fit': async (rows) => {
    const [model, x, labels] = [
      new SoftmaxClassifier({ inputs: COLS, classes: 3 }),
      matrix(rows),
      numbered(rows),
    ]
    return () => model.fit(x, labels, { epochs: 1, validation: 0.2 })
  },
  'classifier.fit with names': async (rows) => {
    const model = new SoftmaxClassifier({ inputs: COLS, classes: ['a', 'b', 'c'] })
    const [x, labels] = [matrix(rows), named(rows)]
    return () => model.fit(x, labels, { epochs: 1 })
  },
  score: async (rows) => {
    const [model, x, labels] = [
      new SoftmaxClassifier({ inputs: COLS, classes: 3 }),
      matrix(rows),
      numbered(rows),
    ]
    return () => model.score(x, labels)
  },
  'predict with names': async (rows) => {
    const [model, x] = [new SoftmaxClassifier({ inputs: COLS, classes: ['a', 'b', 'c'] }), matrix(rows)]
    return () => model.predict(x)
  },
  'encode of arrays': async (rows) => {
    const [model, x] = [small(), arrays(rows)]
    return () => model.encode(x)
  },
  'encode of arrays of one number': async (rows) => {
    const model = new SparseAutoencoder({ inputs: 1, hidden: 1 })
    const x = Array.from({ length: rows }, (_, i) => [value(i)])
    return () => model.encode(x)
  },
  'encode of typed arrays of one number': async (rows) => {
    const model = new SparseAutoencoder({ inputs: 1, hidden: 1 })
    const x = Array.from({ length: rows }, (_, i) => Float64Array.of(value(i)))
    return () => model.encode(x)
  },
  'encode of typed arrays': async (rows) => {
    const [model, x] = [small(), arrays(rows).map((row) => Float64Array.from(row))]
    return () => model.encode(x)
  },
  'reconstructionError of arrays': async (rows) => {
    const [model, x] = [small(), arrays(rows)]
    return () => model.reconstructionError(x)
  },
  'encode of one wide row': async (rows) => {
    const model = new SparseAutoencoder({ inputs: rows, hidden: 1 })
    const x = [Array.from({ length: rows }, (_, i) => value(i))]
    return () => model.encode(x)
  },
  'cost with parameters': async (rows) => {
    const model = large(COLS * rows)
    const [x, parameters] = [matrix(1, 1000), model.parameters()]
    return () => model.cost(x, { parameters })
  },
  'StandardScaler.fit': async (rows) => {
    const x = matrix(rows)
    return () => new StandardScaler().fit(x)
  },
  'MinMaxScaler.fit of arrays': async (rows) => {
    const x = arrays(rows)
    return () => new MinMaxScaler().fit(x)
  },
  'scaler.fit of wide rows': async (rows) => {
    const x = matrix(4, 2 * rows)
    return () => new StandardScaler().fit(x)
  },
  'scaler.fit of sparse wide rows': async (rows) => {
    const x = SparseMatrix.from({
      rows: 4,
      cols: 2 * rows,
      indptr: Uint32Array.of(0, 1, 2, 3, 4),
      indices: Uint32Array.of(7, 0, 9, 1),
      values: Float32Array.of(1, 2, 3, 4),
    })
    return () => new StandardScaler({ center: false }).fit(x)
  },
  'scaler.transform of wide rows': async (rows) => {
    const x = matrix(4, 2 * rows)
    const scaler = await new StandardScaler().fit(x)
    return () => scaler.transform(x)
  },
  'scaler.inverseTransform of arrays': async (rows) => {
    const x = arrays(rows)
    const scaler = await new MinMaxScaler().fit(x)
    return () => scaler.inverseTransform(x)
  },
  'Pca.fit of arrays': async (rows) => {
    const x = arrays(rows)
    return () => new Pca().fit(x)
  },
  'Pca.transform of arrays': async (rows) => {
    const x = arrays(rows)
    const pca = await new Pca().fit(x)
    return () => pca.transform(x)
  },
  'classifier.fit on files': async (rows, folder) => {
    const model = new SoftmaxClassifier({ inputs: COLS, classes: 3 })
    const x = await writeDataset(join(folder, 'x'), [matrix(rows)])
    const labels = await writeDataset(join(folder, 'y'), [Uint8Array.from(numbered(rows))], { cols: 1 })
    return () => model.fit(x, labels, { epochs: 1, validation: 0.2 })
  },
  'encode to a folder': async (rows, folder) => {
    const [model, x] = [small(), await writeDataset(join(folder, 'x'), [matrix(rows)])]
    return () => model.encode(x, { to: join(folder, 'codes') })
  },
  'largest errors': async (rows, folder) => {
    const [model, x] = [small(), await writeDataset(join(folder, 'x'), [matrix(rows)])]
    return () => model.reconstructionError(x, { largest: rows })
  },
  'StandardScaler.fit on files': async (rows, folder) => {
    const x = await writeDataset(join(folder, 'x'), [matrix(rows)])
    return () => new StandardScaler().fit(x)
  },
  'Pca.mahalanobis on files': async (rows, folder) => {
    const x = await writeDataset(join(folder, 'x'), [matrix(rows)])
    const pca = await new Pca().fit(x)
    return () => pca.mahalanobis(x)
  },
  'fit, predict and drift of an AnomalyDetector': async (rows) => {
    const x = matrix(rows / 2)
    return async () => {
      const detector = new AnomalyDetector()
      await detector.fit(x)
      await detector.predict(x)
      await detector.drift(x)
    }
  },
  samplePatches: async (rows) => {
    const x = matrix(500, 500)
    return () => samplePatches([x], { size: 8, count: Math.ceil(rows / 8) })
  },
  preparePatches: async (rows) => {
    const x = matrix(rows)
    return () => preparePatches(x)
  },
  writeNpy: async (rows, folder) => {
    const x = Matrix.from(new Uint8Array(rows * COLS), rows, COLS, { scale: 1 / 255 })
    return () => writeNpy(join(folder, 'x.npy'), x)
  },
  'writeNpy as another type': async (rows, folder) => {
    const x = matrix(rows)
    return () => writeNpy(join(folder, 'x.npy'), x, { type: 'float16' })
  },
  readNpy: async (rows, folder) => {
    await writeNpy(join(folder, 'x.npy'), matrix(rows))
    return () => readNpy(join(folder, 'x.npy'))
  },
  'readIdx of integers': async (rows, folder) => {
    await writeFile(join(folder, 'x.idx'), idx(12, 4, [rows, COLS]))
    return () => readIdx(join(folder, 'x.idx'))
  },
  'readIdxLabels of integers': async (rows, folder) => {
    await writeFile(join(folder, 'y.idx'), idx(12, 4, [rows]))
    return () => readIdxLabels(join(folder, 'y.idx'))
  },
  save: async (rows, folder) => {
    const model = large(COLS * rows)
    return () => model.save(join(folder, 'model'))
  },
  loadModel: async (rows, folder) => {
    await large(COLS * rows).save(join(folder, 'model'))
    return () => loadModel(join(folder, 'model'))
  },
  toBytes: async (rows) => {
    const model = large(COLS * rows)
    return () => model.toBytes()
  },
  fromBytes: async (rows) => {
    const bytes = await large(COLS * rows).toBytes()
    return () => SparseAutoencoder.fromBytes(bytes)
  },
  writePng: async (rows, folder) => {
    const picture = image(COLS * rows)
    return () => writePng(join(folder, 'x.png'), picture)
  },
}

/** Measures one of the calls, in its own folder. */
export async function longestTurnOf(name: string, rows: number, sampled = false): Promise<LongestTurn> {
  const folder = await mkdtemp(join(tmpdir(), 'layerwise-block-'))
  try {
    return await longestTurn(await PROMISED_CALLS[name]!(rows, folder), sampled)
  } finally {
    await rm(folder, { recursive: true })
  }
}
