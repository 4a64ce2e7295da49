import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { allocateUnset } from '../lib/base/precision.js'
import {
  AnomalyDetector,
  Matrix,
  MinMaxScaler,
  openDataset,
  Pca,
  readIdx,
  readNpy,
  SoftmaxClassifier,
  SparseAutoencoder,
  SparseMatrix,
  StackedAutoencoder,
  StandardScaler,
  writeDataset,
  writeNpy,
} from '../lib/index.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()

/** Memory as a program finds it that had other numbers there: zeros, or NaN where floats are read and 255 where bytes are. */
function memoryOf(byte: number): { readonly asked: number[] } {
  const asked: number[] = []
  vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => {
    asked.push(size)
    return Buffer.from(new ArrayBuffer(size)).fill(byte)
  })
  return { asked }
}

afterEach(() => {
  vi.restoreAllMocks()
})

/** Enough for results of a MiB and more. */
const [rows, cols] = [140_000, 2]
const value = (i: number) => (i * 0.618034) % 1
const x = Matrix.from(
  Float32Array.from({ length: rows * cols }, (_, i) => value(i)),
  rows,
  cols,
)
const wide = Matrix.from(x.data, 2, (rows * cols) / 2)
const fewOfWide = SparseMatrix.from({
  rows: 2,
  cols: (rows * cols) / 2,
  indptr: Uint32Array.of(0, 1, 3),
  indices: Uint32Array.of(7, 0, 9),
  values: Float32Array.of(1, 2, 3),
})
const arrays = Array.from({ length: rows }, (_, i) => [value(2 * i), value(2 * i + 1)])
const labels = Array.from({ length: rows * 2 }, (_, i) => i % 2)
const inFolder = (name: string) => join(mkdtempSync(join(root, 'unset-')), name)
const encoder = () => new SparseAutoencoder({ inputs: cols, hidden: 3, seed: 3 })
const epoch = { epochs: 1, batchSize: 10_000 }
const idx = Buffer.concat([
  Buffer.from([0, 0, 12, 2, 0, 2, 0x22, 0xe0, 0, 0, 0, 2]),
  Buffer.alloc(rows * cols * 4, 3),
])

/** Calls whose results, or whose work on the way to them, take memory that nobody filled with zeros. */
const CALLS: Readonly<Record<string, () => Promise<unknown>>> = {
  encode: () => encoder().encode(x),
  'encode arrays': () => encoder().encode(arrays),
  reconstructionError: () => encoder().reconstructionError(x),
  'reconstructionError of files': async () =>
    encoder().reconstructionError(await writeDataset(inFolder('x'), [x])),
  fit: async () => {
    const model = encoder()
    const history = await model.fit(x, { ...epoch, validation: 0.1 })
    return [model.parameters(), history.epochs[0]!.cost]
  },
  'fit of a stack whose codes are kept': async () => {
    const model = new StackedAutoencoder({ inputs: cols, layers: [{ hidden: 3 }, { hidden: 2 }], seed: 3 })
    await model.fit(x, epoch)
    return model.parameters()
  },
  'fit, predict and score of a classifier': async () => {
    const model = new SoftmaxClassifier({ inputs: 1, classes: 2 })
    const column = Matrix.from(x.data, rows * cols, 1)
    await model.fit(column, labels, { ...epoch, rowWeights: Array.from(labels, (label) => 1 + label) })
    return [model.parameters(), await model.predict(column), await model.score(column, labels)]
  },
  'StandardScaler of wide rows': async () => {
    const scaler = await new StandardScaler().fit(wide)
    return [scaler.shift, scaler.factor, await scaler.transform(wide), await scaler.inverseTransform(wide)]
  },
  'MinMaxScaler of sparse wide rows': async () => {
    const scaler = await new MinMaxScaler().fit(fewOfWide)
    return [scaler.shift, scaler.factor]
  },
  'StandardScaler of sparse wide rows': async () => {
    const scaler = await new StandardScaler({ center: false }).fit(fewOfWide)
    return [scaler.shift, scaler.factor]
  },
  'Pca.transform and mahalanobis': async () => {
    const pca = await new Pca().fit(x)
    return [await pca.transform(x), await pca.mahalanobis(x)]
  },
  'predict of an AnomalyDetector': async () => {
    const detector = new AnomalyDetector({ seed: 2 })
    await detector.fit(Matrix.from(x.data.subarray(0, 4000), 2000, cols))
    return detector.predict(x)
  },
  readNpy: async () => {
    const path = inFolder('x.npy')
    await writeNpy(path, x)
    return readNpy(path)
  },
  readIdx: () => {
    const path = inFolder('x.idx')
    writeFileSync(path, idx)
    return readIdx(path)
  },
  'readIdx of gzip': () => {
    const path = inFolder('x.idx.gz')
    writeFileSync(path, gzipSync(idx))
    return readIdx(path)
  },
  'rows of a dataset': async () => {
    const dataset = await writeDataset(inFolder('x'), [x], { type: 'float16' })
    return (await openDataset(dataset.paths)).read(0)
  },
  'toBytes and fromBytes of a model': async () => {
    const model = new SparseAutoencoder({ inputs: 500, hidden: 300, seed: 3 })
    const bytes = await model.toBytes()
    const twin = await SparseAutoencoder.fromBytes(bytes)
    return [
      bytes,
      twin.parameters(),
      await model.cost(new Float32Array(500).fill(0.5), { parameters: model.parameters() }),
    ]
  },
  'Matrix.fromRows': async () => Matrix.fromRows(arrays),
}

describe('memory that is not filled with zeros first', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    test(`has no part in what comes out of: ${name}`, async () => {
      memoryOf(0)
      const expected = await call()
      vi.restoreAllMocks()
      const { asked } = memoryOf(255)
      const found = await call()
      expect(asked.length).toBeGreaterThan(0)
      expect(isDeepStrictEqual(found, expected)).toBe(true)
    })
  }

  test('is of the result alone, so that it can be transferred', () => {
    const array = allocateUnset('float32', 2 ** 20, 'codes')
    expect([array.byteOffset, array.buffer.byteLength]).toEqual([0, 2 ** 22])
    const moved = structuredClone(array, { transfer: [array.buffer as ArrayBuffer] })
    expect([moved.length, array.length]).toEqual([2 ** 20, 0])
  })

  test('is not taken for short arrays, which are zeros at once, and long ones, which the system gives as zeros', () => {
    const { asked } = memoryOf(255)
    expect(allocateUnset('float64', 1000, 'codes')).toEqual(new Float64Array(1000))
    expect(allocateUnset('uint8', 2 ** 26 + 1, 'codes')[2 ** 26]).toBe(0)
    expect(asked).toEqual([])
  })

  test('is refused with ERR_MEMORY where there is none', () => {
    vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(() => {
      throw new RangeError('Array buffer allocation failed')
    })
    expect(() => allocateUnset('float32', 2 ** 20, 'codes')).toThrow(
      expect.objectContaining({
        code: 'ERR_MEMORY',
        message: expect.stringContaining('codes: no memory for'),
      }),
    )
  })
})
