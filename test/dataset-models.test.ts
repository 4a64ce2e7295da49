import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import {
  type Dataset,
  type FitOptions,
  Matrix,
  MinMaxScaler,
  openDataset,
  SoftmaxClassifier,
  SparseAutoencoder,
  writeNpy,
} from '../lib/index.js'
import { FORMATS } from './dataset-files.js'
import { fileChanges } from './file-changes.js'
import { rejection, sampleRows } from './sample.js'
import { storedRows } from './stored-rows.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const place = () => join(mkdtempSync(join(root, 'folder-')), 'data')
const [rows, cols] = [701, 9]
const shares = Array.from(sampleRows(rows, cols).data)

const sparsity = { kind: 'kl', target: 0.1, weight: 1 } as const
const model = () => new SparseAutoencoder({ inputs: cols, hidden: 4, sparsity, seed: 3 })

const FITS: Record<string, FitOptions> = {
  'in the order of the rows': { epochs: 2, batchSize: 64, shuffle: false },
  'shuffled by blocks': { epochs: 2, batchSize: 50, shuffle: 'blocks' },
  'in full batches': { epochs: 2, batchSize: 'all' },
  'by L-BFGS': { optimizer: { kind: 'lbfgs', maxIterations: 3 } },
}

describe.each(storedRows(shares, cols))('rows of %s in several shards', (_, x) => {
  it.each(Object.entries(FITS))(
    'train a model %s to the bits of the same rows in memory',
    async (_, options) => {
      const dataset = await writeShards(place(), [x], {}, (x.data.byteLength / rows) * 97)
      expect(dataset.segments).toHaveLength(8)
      const reference = model()
      await reference.fit(x, { ...options, threads: 2 })
      for (const threads of [1, 2, 3, 7]) {
        const trained = model()
        await trained.fit(dataset, { ...options, threads })
        expect(trained.parameters()).toEqual(reference.parameters())
      }
    },
  )

  it('give the codes, costs and errors of the same rows in memory', async () => {
    const dataset = await writeShards(place(), [x], {}, (x.data.byteLength / rows) * 97)
    for (const [from, to] of [
      [0, rows],
      [90, 613],
      [700, 701],
    ] as const) {
      const [given, matrix] = [dataset.slice(from, to), x.slice(from, to)]
      for (const threads of [1, 3]) {
        expect((await model().encode(given, { threads })).data).toEqual((await model().encode(matrix)).data)
        expect(await model().cost(given, { threads, gradient: true })).toEqual(
          await model().cost(matrix, { gradient: true }),
        )
        expect(await model().reconstructionError(given, { threads })).toEqual(
          await model().reconstructionError(matrix),
        )
      }
    }
  })
})

test.each(Object.entries(FORMATS))(
  'rows of a %s, of a slice and of a clone, train a model to the bits of the same rows in memory',
  async (_, write) => {
    const x = Matrix.from(Float32Array.from(shares), rows, cols)
    const path = place()
    const dataset = (await openDataset(path, await write(path, x))).slice(0, 300)
    const options: FitOptions = { epochs: 1, batchSize: 32, shuffle: false }
    const reference = model()
    await reference.fit(x.slice(0, 300), options)
    for (const given of [dataset, structuredClone(dataset) as Dataset]) {
      const trained = model()
      await trained.fit(given, options)
      expect(trained.parameters()).toEqual(reference.parameters())
    }
  },
)

test('rows with a scaler, labels and weights of their own are those of memory', async () => {
  const x = Matrix.from(
    Uint8Array.from(shares, (share) => 255 * share),
    rows,
    cols,
  )
  const dataset = await writeShards(place(), [x], {}, cols * 100)
  const scaling = await new MinMaxScaler().fit(x)
  const labels = Array.from({ length: rows }, (_, k) => k % 3)
  const rowWeights = Float64Array.from({ length: rows }, (_, k) => 1 + (k % 4))
  const options = { epochs: 2, batchSize: 30, shuffle: 'blocks', rowWeights } as const
  const [a, b] = [0, 1].map(() => new SoftmaxClassifier({ inputs: cols, classes: 3, scaling }))
  await a!.fit(x, labels, options)
  await b!.fit(dataset, labels, options)
  expect(b!.parameters()).toEqual(a!.parameters())
  expect(await b!.score(dataset, labels)).toEqual(await a!.score(x, labels))
  expect(await b!.predict(dataset)).toEqual(await a!.predict(x))
})

test.skipIf(process.platform === 'win32')(
  'a thousand shards are opened, checked, read and encoded by a process that may open 256 files',
  async () => {
    const folder = place()
    await writeShards(folder, [Matrix.from(Float32Array.of(1, 2, 3, 4), 2, 2)], {}, 2 ** 20)
    const manifest = JSON.parse(readFileSync(join(folder, 'dataset.json'), 'utf8')) as {
      rows: number
      shards: { file: string }[]
    }
    const [shard] = manifest.shards
    for (let k = 1; k < 1000; k++) {
      const file = `rows-${String(k).padStart(5, '0')}.safetensors`
      copyFileSync(join(folder, shard!.file), join(folder, file))
      manifest.shards.push({ ...shard, file })
    }
    manifest.rows = 2000
    writeFileSync(join(folder, 'dataset.json'), JSON.stringify(manifest))
    const code = `
      import { openDataset, SparseAutoencoder } from ${JSON.stringify(fileURLToPath(new URL('../lib/index.ts', import.meta.url)))}
      const dataset = await openDataset(${JSON.stringify(folder)})
      await dataset.verify()
      const { data } = await dataset.read(0)
      const codes = await new SparseAutoencoder({ inputs: 2, hidden: 1 }).encode(dataset)
      console.log(dataset.segments.length, data.reduce((sum, value) => sum + value), codes.rows)`
    const program = 'ulimit -n 256; exec "$0" --import tsx --input-type=module -e "$1"'
    const { stdout } = await promisify(execFile)('sh', ['-c', program, process.execPath, code])
    expect(stdout.trim()).toBe('1000 10000 2000')
  },
)

describe('native code refuses', () => {
  const x = Matrix.from(Float32Array.from(shares), rows, cols)

  it.each(Object.entries(fileChanges))(
    'a file that was %s since it was opened, with ERR_FILE and its name',
    async (_, change) => {
      const dataset = await writeShards(place(), [x], {}, 4 * cols * 100)
      const file = dataset.segments[5]!.path
      change(file)
      const trained = model()
      const before = trained.parameters()
      for (const use of [
        () => trained.fit(dataset, { epochs: 1, shuffle: false }),
        () => trained.encode(dataset),
        () => trained.cost(dataset),
      ]) {
        expect(await rejection(use())).toMatchObject({
          ...{ name: 'LayerwiseError', code: 'ERR_FILE', details: { file } },
          message: expect.stringContaining(file),
        })
      }
      expect(trained.parameters()).toHaveLength(before.length)
      // Other rows can be used.
      await trained.encode(dataset.slice(0, 500))
    },
  )

  it.each([NaN, 2])('%d in a file, with file, row and column', async (value) => {
    const path = place()
    const data = Float32Array.from(shares)
    data[650 * cols + 7] = value
    await writeNpy(path, Matrix.from(data, rows, cols))
    const dataset = (await openDataset(path)).slice(50)
    // Sigmoid outputs reach no 2.
    expect(await rejection(model().fit(dataset, { epochs: 1 }))).toMatchObject({
      ...{ code: 'ERR_RANGE', details: { row: 600, column: 7, file: path } },
      message: expect.stringContaining(path),
    })
  })
})
