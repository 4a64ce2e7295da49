import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readSafetensors, type Tensor, writeSafetensors } from '../lib/data/safetensors.js'
import {
  type Activation,
  loadModel,
  Matrix,
  MinMaxScaler,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
  StackedAutoencoder,
  StandardScaler,
} from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { rejection, sampleRows } from './sample.js'

const inputs = 5
const x = sampleRows(30, inputs)
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layerwise-'))
})
afterAll(() => rm(folder, { recursive: true }))
const path = () => join(folder, 'model.safetensors')

describe('a saved model', () => {
  test('gives the same results after loading, for every class', async () => {
    const activations = fc.constantFrom<Activation>('sigmoid', 'tanh', 'satlin')
    const sparsities = fc.constantFrom(
      { kind: 'none' } as const,
      { kind: 'kl', target: 0.1, weight: 2 } as const,
      { kind: 'l2', target: 0.3, weight: 1, average: 'batch' } as const,
      { kind: 'l1', weight: 0.01 } as const,
    )
    const models = fc.record({
      inputs: fc.constant(inputs),
      hidden: fc.integer({ min: 1, max: 9 }),
      activation: activations,
      outputActivation: fc.constantFrom<Activation>('sigmoid', 'identity', 'softplus', 'gelu'),
      loss: fc.constantFrom('squared', 'euclidean', 'absolute'),
      sparsity: sparsities,
      weightDecay: fc.double({ min: 0, max: 1, noNaN: true }),
      precision: fc.constantFrom('float32', 'float64'),
      seed: fc.nat(),
    })
    const scalers = fc.constantFrom(undefined, new MinMaxScaler(), new StandardScaler())
    await fc.assert(
      fc.asyncProperty(models, scalers, async (options, scaler) => {
        const identity = scaler instanceof StandardScaler ? { outputActivation: 'identity' } : {}
        const scaling = scaler && { scaling: await scaler.fit(x) }
        const model = new SparseAutoencoder({
          ...options,
          ...identity,
          ...scaling,
        } as SparseAutoencoderOptions)
        await model.fit(x, { epochs: 1, batchSize: 8 })
        await model.save(path())
        const loaded = (await loadModel(path())) as SparseAutoencoder
        expect(loaded.parameters()).toEqual(model.parameters())
        expect(loaded.layers).toEqual(model.layers)
        expect(await loaded.reconstruct(x)).toEqual(await model.reconstruct(x))
        expect(await loaded.cost(x)).toEqual(await model.cost(x))
      }),
      { numRuns: 40 },
    )
  })

  test('continues training after loading as without saving', async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 3, seed: 8 })
    await model.fit(x, { epochs: 1, batchSize: 8 })
    await model.save(path())
    const loaded = await SparseAutoencoder.load(path())
    await model.fit(x, { epochs: 1, batchSize: 8 })
    await loaded.fit(x, { epochs: 1, batchSize: 8 })
    expect(loaded.parameters()).toEqual(model.parameters())
  })

  test('is a safetensors file with named tensors and one JSON entry', async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 3, precision: 'float64' })
    await model.save(path())
    const { tensors, metadata } = await readSafetensors(path())
    const shapes = Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))
    expect(shapes).toEqual({
      'layers.0.weights': [3, inputs],
      'layers.0.biases': [3],
      'layers.1.weights': [inputs, 3],
      'layers.1.biases': [inputs],
    })
    expect(Object.keys(metadata)).toEqual(['layerwise'])
    expect(JSON.parse(metadata.layerwise!)).toMatchObject({
      format: 2,
      class: 'SparseAutoencoder',
      options: { inputs, hidden: 3, precision: 'float64' },
      scaler: null,
      fits: 0,
    })
  })

  test('replaces an older file completely, without leaving a temporary file', async () => {
    await writeFile(path(), 'an older file')
    await new SparseAutoencoder({ inputs, hidden: 3 }).save(path())
    await SparseAutoencoder.load(path())
    expect(await readdir(folder)).toEqual(['model.safetensors'])
  })

  test('is the model at the call of save, although training continues', async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 3 })
    const before = model.parameters()
    const fit = model.fit(x, { epochs: 50 })
    await model.save(path())
    await fit
    const loaded = await SparseAutoencoder.load(path())
    expect(model.parameters()).not.toEqual(before)
    expect(loaded.parameters()).toEqual(before)
  })

  test.each([2 ** 31 - 2, 2 ** 31 - 1])('is loaded with a fit counter of %d', async (fits) => {
    const model = new SparseAutoencoder({ inputs, hidden: 3 })
    await model.save(path())
    const { tensors, metadata } = await readSafetensors(path())
    const text = JSON.stringify({ ...JSON.parse(metadata.layerwise!), fits })
    await writeSafetensors(path(), [...tensors.values()], { layerwise: text })
    const counted = await SparseAutoencoder.load(path())
    await counted.fit(x, { epochs: 1 })
    await counted.save(path())
    const loaded = await SparseAutoencoder.load(path())
    await loaded.fit(x, { epochs: 1 })
    await counted.fit(x, { epochs: 1 })
    expect(loaded.parameters()).toEqual(counted.parameters())
  })

  test('stores its scaler as arrays, so that the header is short for any number of columns', async () => {
    const columns = 20_000
    const rows = Matrix.from(
      Float64Array.from({ length: 3 * columns }, (_, i) => Math.sin(i)),
      3,
      columns,
    )
    const scaling = await new MinMaxScaler({ range: [-1, 1] }).fit(rows)
    const model = new SparseAutoencoder({ inputs: columns, hidden: 1, activation: 'tanh', scaling })
    await model.save(path())
    expect(Number((await readFile(path())).readBigUInt64LE())).toBeLessThan(2000)
    const { tensors, metadata } = await readSafetensors(path())
    expect(JSON.parse(metadata.layerwise!).scaler).toEqual({ kind: 'minMax', range: [-1, 1] })
    expect(tensors.get('scaler.shift')?.data).toEqual(scaling.shift)
    expect((await SparseAutoencoder.load(path())).scaling?.toJSON()).toEqual(scaling.toJSON())
  })

  test('draws no initial weights when loaded, and its classifier only those of the softmax', async () => {
    const drawn = vi.spyOn(binding(), 'uniform')
    try {
      const stack = new StackedAutoencoder({ inputs, layers: [{ hidden: 3 }, { hidden: 2 }] })
      const before = drawn.mock.calls.length
      expect(before).toBe(4)
      await stack.save(path())
      await loadModel(path())
      await StackedAutoencoder.fromBytes(await stack.toBytes())
      expect(drawn.mock.calls.length).toBe(before)
      stack.toClassifier({ classes: 2 })
      expect(drawn.mock.calls.length).toBe(before + 1)
    } finally {
      drawn.mockRestore()
    }
  })

  test('cannot be written to a missing folder', async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 3 })
    expect(await rejection(model.save(join(folder, 'missing', 'm')))).toMatchObject({ code: 'ERR_ARGUMENT' })
  })
})

describe('loading refuses with ERR_FORMAT', () => {
  type Entry = Record<string, unknown>
  /** The file of a good model, with its metadata or tensors changed. */
  async function rewritten(change: (entry: Entry, tensors: Map<string, Tensor>) => unknown): Promise<string> {
    await new SparseAutoencoder({ inputs, hidden: 3 }).save(path())
    const { tensors, metadata } = await readSafetensors(path())
    const entry = JSON.parse(metadata.layerwise!) as Entry
    const changed = new Map(tensors)
    const replaced = change(entry, changed)
    const text = typeof replaced === 'string' ? replaced : JSON.stringify(entry)
    const broken = join(folder, 'broken.safetensors')
    await writeSafetensors(broken, [...changed.values()], { layerwise: text })
    return broken
  }
  const field = (key: string, value: unknown) => (entry: Entry) => {
    entry[key] = value
  }
  const option = (key: string, value: unknown) => (entry: Entry) => {
    entry.options = { ...(entry.options as object), [key]: value }
  }
  const tensor =
    (name: string, shape: number[], data: Float32Array | Float64Array) =>
    (_: Entry, all: Map<string, Tensor>) =>
      void all.set(name, { name, shape, data })

  test.each<[string, (entry: Entry, tensors: Map<string, Tensor>) => unknown, RegExp]>([
    ['another class', field('class', 'StackedAutoencoder'), /StackedAutoencoder/],
    ['a class that is no text', field('class', 7), /class/],
    ['a newer format', field('format', 3), /format is 3, of a newer version.*reads formats 1 to 2/],
    ['a format that never was', field('format', 0.5), /format is 0\.5/],
    ['no format', (entry) => void delete entry.format, /format is undefined/],
    ['metadata that is not JSON', () => '{', /JSON/],
    ['metadata that is no object', () => '[1]', /array/],
    ['a name that stands twice', (entry) => `{"format":1,${JSON.stringify(entry).slice(1)}`, /twice/],
    ['a missing field', (entry) => void delete entry.fits, /fields/],
    ['a field too many', field('more', 1), /fields/],
    ['negative fits', field('fits', -1), /fits/],
    ['more fits than can be counted', field('fits', 2 ** 31), /fits/],
    ['options that are none', field('options', []), /options/],
    ['an unknown option', option('corruption', {}), /corruption/],
    ['a bad option', option('weightDecay', -1), /weightDecay/],
    ['an impossible pair', option('loss', 'crossEntropie'), /loss/],
    ['sizes that the tensors do not have', option('hidden', 4), /layers\.0\.weights/],
    ['sizes that no memory has', option('hidden', 2 ** 31 - 1), /layers\.0\.weights/],
    ['another precision', option('precision', 'float64'), /float64/],
    ['a scaler that is none', field('scaler', { kind: 'magic' }), /scaler/],
    ['a scaler of another width', field('scaler', { kind: 'standard', shift: [0], factor: [1] }), /scaling/],
    ['a missing tensor', (_, tensors) => tensors.delete('layers.1.biases') || undefined, /layers\.1\.biases/],
    ['a tensor too many', tensor('layers.2.biases', [1], new Float32Array(1)), /5 tensors/],
    [
      'a transposed tensor',
      tensor('layers.0.weights', [inputs, 3], new Float32Array(15)),
      /layers\.0\.weights/,
    ],
    ['a tensor of another type', tensor('layers.0.biases', [3], new Float64Array(3)), /layers\.0\.biases/],
    ['NaN', tensor('layers.0.biases', [3], new Float32Array([0, Number.NaN, 0])), /NaN/],
    ['Infinity', tensor('layers.0.biases', [3], new Float32Array([0, Infinity, 0])), /Infinity/],
  ])('%s', async (_, change, message) => {
    const error = await rejection(SparseAutoencoder.load(await rewritten(change)))
    expect(error).toMatchObject({ code: 'ERR_FORMAT', message: expect.stringMatching(message) })
  })

  test.each<[string, string, RegExp]>([
    ['is not JSON', '{', /JSON|end/],
    ['is no object', '[1]', /plain object/],
    ['is nested too deep', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`, /deep/],
    ['is too long', JSON.stringify({ a: 'x'.repeat(65_536) }), /65536 bytes/],
    ['has a name twice', '{"a":1,"a":2}', /twice/],
  ])('a file whose entry for the user %s', async (_, metadata, message) => {
    await new SparseAutoencoder({ inputs, hidden: 3 }).save(path())
    const { tensors, metadata: entries } = await readSafetensors(path())
    const broken = join(folder, 'broken.safetensors')
    await writeSafetensors(broken, [...tensors.values()], { ...entries, metadata })
    const error = await rejection(loadModel(broken))
    expect(error).toMatchObject({ code: 'ERR_FORMAT', message: expect.stringMatching(message) })
  })

  test('a file that was not saved by layerwise', async () => {
    const foreign = join(folder, 'foreign.safetensors')
    await writeSafetensors(foreign, [{ name: 'w', shape: [1], data: new Float32Array(1) }], { format: 'pt' })
    expect(await rejection(loadModel(foreign))).toMatchObject({ code: 'ERR_FORMAT' })
  })

  test('an unknown class, which is named', async () => {
    const error = await rejection(loadModel(await rewritten(field('class', 'constructor'))))
    expect(error).toMatchObject({ code: 'ERR_FORMAT', message: expect.stringContaining("'constructor'") })
  })

  describe('a contradiction in its header, before memory for a terabyte is allocated:', () => {
    const terabyte = 2 ** 40
    /** A sparse file: a header, and zeros that take no space on the disk. */
    async function sparse(entry: Entry, tensor: string, shape: number[]): Promise<string> {
      const described = { dtype: 'F32', shape, data_offsets: [0, terabyte] }
      const header = Buffer.from(
        JSON.stringify({ __metadata__: { layerwise: JSON.stringify(entry) }, [tensor]: described }),
      )
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(header.length))
      const huge = join(folder, 'huge.safetensors')
      await writeFile(huge, Buffer.concat([length, header]))
      await truncate(huge, 8 + header.length + terabyte)
      return huge
    }
    const good = {
      format: 1,
      class: 'SparseAutoencoder',
      version: '0.1.0',
      options: { inputs, hidden: 3 },
      scaler: null,
      fits: 0,
    }
    test.each<[string, Entry, string, RegExp]>([
      ['another class', { ...good, class: 'StackedAutoencoder' }, 'layers.0.weights', /StackedAutoencoder/],
      ['a newer format', { ...good, format: 3 }, 'layers.0.weights', /newer version/],
      ['a bad option', { ...good, options: { inputs, hidden: 0 } }, 'layers.0.weights', /hidden/],
      ['another shape', good, 'layers.0.weights', /layers\.0\.weights/],
      ['another tensor', good, 'weights', /no tensor/],
    ])('%s', async (_, entry, tensor, message) => {
      const huge = await sparse(entry, tensor, [terabyte / 4])
      for (const load of [loadModel, SparseAutoencoder.load]) {
        const error = await rejection(load(huge))
        expect(error).toMatchObject({ code: 'ERR_FORMAT', message: expect.stringMatching(message) })
      }
      await rm(huge)
    })
  })

  describe('a header that would block the event loop, in less than a second:', () => {
    const header = (text: string, bytes = 0) => {
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(text.length))
      return Buffer.concat([length, Buffer.from(text), Buffer.alloc(bytes)])
    }
    const many = <T>(count: number, make: (k: number) => T) =>
      Array.from({ length: count }, (_, k) => make(k))
    const tensors = (count: number) =>
      Object.fromEntries(
        many(count, (k) => [
          `layers.${k}.biases`,
          { dtype: 'F32', shape: [1], data_offsets: [4 * k, 4 * k + 4] },
        ]),
      )
    const model = (options: object, more: object = {}) =>
      JSON.stringify({
        __metadata__: {
          layerwise: JSON.stringify({
            ...{ format: 1, class: 'StackedAutoencoder', version: '0.1.0', options, scaler: null, fits: 0 },
            ...{ layerFits: [], trainedLayers: 0, ...more },
          }),
        },
      })
    test.each<[string, () => Buffer]>([
      ['80,000 tensors', () => header(JSON.stringify(tensors(80_000)), 320_000)],
      ['80,000 layers', () => header(model({ inputs, layers: many(80_000, () => ({ hidden: 1 })) }))],
      ['200,000 layers', () => header(model({ inputs, layers: many(200_000, () => ({ hidden: 1 })) }))],
      ['80,000 options', () => header(model(Object.fromEntries(many(80_000, (k) => [`o${k}`, 0]))))],
      ['80,000 fields', () => header(model({}, Object.fromEntries(many(80_000, (k) => [`o${k}`, 0]))))],
      [
        '80,000 entries of metadata',
        () =>
          header(JSON.stringify({ __metadata__: Object.fromEntries(many(80_000, (k) => [`o${k}`, ''])) })),
      ],
      [
        'a million dimensions',
        () => header(`{"a":{"dtype":"F32","shape":[${'1,'.repeat(1e6)}1],"data_offsets":[0,4]}}`, 4),
      ],
      [
        'a million layerFits',
        () => header(model({ inputs, layers: [{ hidden: 1 }] }, { layerFits: many(1e6, () => 0) })),
      ],
      ['a million brackets', () => header(`{"a":${'['.repeat(1e6)}`)],
      ['4 MB of spaces', () => header(`{${' '.repeat(4e6)}`)],
      ['4 MB of one number', () => header(`{"a":${'1'.repeat(4e6)}}`)],
      ['4 MB of one string', () => header(`{"a":"${'\\u0041'.repeat(7e5)}"}`)],
    ])('%s', async (_, bytes) => {
      const hostile = join(folder, 'hostile.safetensors')
      await writeFile(hostile, bytes())
      const loop = monitorEventLoopDelay({ resolution: 1 })
      loop.enable()
      expect(await rejection(loadModel(hostile))).toMatchObject({
        code: 'ERR_FORMAT',
        message: expect.stringContaining('hostile'),
      })
      loop.disable()
      // A second is generous: what is refused late took 1 to 6 of them in one block.
      expect(loop.max / 1e6).toBeLessThan(1000)
    })
  })

  test('a file truncated at any place, and one with an extra byte', async () => {
    await new SparseAutoencoder({ inputs, hidden: 3 }).save(path())
    const bytes = await readFile(path())
    const cut = join(folder, 'cut.safetensors')
    for (const length of [0, 7, 8, 100, bytes.length - 100, bytes.length - 1]) {
      await writeFile(cut, bytes.subarray(0, length))
      expect(await rejection(loadModel(cut))).toMatchObject({ code: 'ERR_FORMAT' })
    }
    await writeFile(cut, Buffer.concat([bytes, Buffer.from([0])]))
    expect(await rejection(loadModel(cut))).toMatchObject({ code: 'ERR_FORMAT' })
  })

  test('any damage to its header, or loads a valid model', async () => {
    await new SparseAutoencoder({ inputs, hidden: 3 }).save(path())
    const bytes = await readFile(path())
    const header = 8 + Number(bytes.readBigUInt64LE())
    const damaged = join(folder, 'damaged.safetensors')
    await fc.assert(
      fc.asyncProperty(fc.nat(header - 1), fc.nat(255), async (at, value) => {
        const copy = Buffer.from(bytes)
        copy[at] = value
        await writeFile(damaged, copy)
        try {
          const model = await SparseAutoencoder.load(damaged)
          expect(model.parameters().every(Number.isFinite)).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_FORMAT' })
        }
      }),
      { numRuns: 300 },
    )
  })
})

test.each([
  ['no path', undefined],
  ['an empty path', ''],
  ['a number', 3],
])('%s is refused with ERR_ARGUMENT', async (_, bad) => {
  expect(await rejection(loadModel(bad as never))).toMatchObject({ code: 'ERR_ARGUMENT' })
  expect(await rejection(SparseAutoencoder.load(bad as never))).toMatchObject({ code: 'ERR_ARGUMENT' })
  const model = new SparseAutoencoder({ inputs, hidden: 3 })
  expect(await rejection(model.save(bad as never))).toMatchObject({ code: 'ERR_ARGUMENT' })
})

test('a missing file is refused with ERR_ARGUMENT and the system’s reason', async () => {
  const error = await rejection(loadModel(join(folder, 'nothing')))
  expect(error).toMatchObject({ code: 'ERR_ARGUMENT', cause: { code: 'ENOENT' } })
})
