import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import {
  type Classes,
  type Dataset,
  LinearAutoencoder,
  loadModel,
  type Matrix,
  type Model,
  type ModelScaler,
  modelFromBytes,
  Pca,
  type Precision,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
  StandardScaler,
} from '../lib/index.js'
import { everyModel, inputs, type ParametricModel, x } from './every-model.js'
import { giveAway } from './give-away.js'
import { expectError, thrown } from './refusal.js'
import { rejection, relativeDistance } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'
import { tolerances } from './tolerances.js'

const folder = temporaryFolder()
const path = join(folder, 'model.safetensors')

const classes = {
  SparseAutoencoder,
  StackedAutoencoder,
  LinearAutoencoder,
  SoftmaxClassifier,
  StackedClassifier,
  Pca,
}

describe.each(everyModel)('a %s in %s', (name, precision, make) => {
  let model: ParametricModel
  beforeAll(async () => {
    model = await make()
  })

  test('has its class, inputs and precision as properties', () => {
    expect(model.kind).toBe(name.split(',')[0])
    expect(model).toBeInstanceOf(classes[model.kind])
    expect(model.inputs).toBe(inputs)
    expect(model.precision).toBe(precision)
  })

  test('has classes if it is a classifier, else undefined', () => {
    const expected = { SoftmaxClassifier: ['low', 'middle', 'high'], StackedClassifier: 3 }
    expect(model.classes).toEqual(expected[model.kind as keyof typeof expected])
  })

  test('has properties that cannot be set', () => {
    for (const property of ['kind', 'options', 'inputs', 'precision', 'classes', 'scaling'] as const) {
      const before = model[property]
      expect(thrown(() => Object.assign(model, { [property]: 7 }))).toBeInstanceOf(TypeError)
      expect(model[property]).toBe(before)
    }
  })

  test('has frozen options that create the same model again', async () => {
    const { options, scaling } = model
    expectFrozen(options)
    expect(JSON.parse(JSON.stringify(options))).toEqual(options)
    expect(options).toMatchObject({ precision })
    const again = new (classes[model.kind] as new (options: object) => ParametricModel)({
      ...options,
      scaling,
    })
    expect(again.options).toEqual(options)
    expect(again.scaling?.toJSON()).toEqual(scaling?.toJSON())
    if (again instanceof Pca) {
      await again.fit(x)
      expect(await again.encode(x)).toEqual(await model.encode(x))
    } else {
      again.setParameters((model as Exclude<ParametricModel, Pca<Precision>>).parameters() as never)
      if (!(model instanceof LinearAutoencoder)) expect(await again.encode(x)).toEqual(await model.encode(x))
    }
  })

  test('is restored from its bytes, which are those of its file', async () => {
    const bytes = await model.toBytes()
    await model.save(path)
    expect(bytes).toBeInstanceOf(Uint8Array)
    expect(Buffer.from(bytes).equals(await readFile(path))).toBe(true)
    const loaded = [
      await modelFromBytes(bytes),
      await classes[model.kind].fromBytes(bytes),
      await loadModel(path),
      await classes[model.kind].load(path),
    ]
    for (const again of loaded) {
      expect(again.kind).toBe(model.kind)
      expect(again.options).toEqual(model.options)
      expect(again.scaling?.toJSON()).toEqual(model.scaling?.toJSON())
      expect(await again.encode(x)).toEqual(await model.encode(x))
      expect(await again.toBytes()).toEqual(bytes)
    }
  })

  test('returns independent bytes, and copies given bytes', async () => {
    const bytes = await model.toBytes()
    const again = await modelFromBytes(bytes)
    const codes = await again.encode(x)
    bytes.fill(255)
    expect(await again.encode(x)).toEqual(codes)
    expect(await model.encode(x)).toEqual(codes)
  })

  test('refuses JSON and cloning, which would lose its parameters', () => {
    expectError(
      thrown(() => JSON.stringify({ model })),
      'ERR_ARGUMENT',
      'toBytes',
    )
    expect(thrown(() => structuredClone(model))).toMatchObject({ name: 'DataCloneError' })
    const { port1, port2 } = new MessageChannel()
    expect(thrown(() => port1.postMessage({ model }))).toMatchObject({ name: 'DataCloneError' })
    for (const port of [port1, port2]) port.close()
  })

  test('keeps metadata, also in its file and its bytes', async () => {
    expect(model.metadata).toBeUndefined()
    const metadata = { trained: '2026-11-30', columns: ['a', 'β'], limits: { low: -1.5, high: null } }
    model.metadata = metadata
    expect(model.metadata).toEqual(metadata)
    expect(model.metadata).not.toBe(metadata)
    expectFrozen(model.metadata!)
    await model.save(path)
    expect((await loadModel(path)).metadata).toEqual(metadata)
    expect((await modelFromBytes(await model.toBytes())).metadata).toEqual(metadata)
    model.metadata = undefined
    await model.save(path)
    expect((await loadModel(path)).metadata).toBeUndefined()
  })

  test('accepts metadata as an option', () => {
    const Class = classes[model.kind] as new (options: object) => ParametricModel
    const { options, scaling } = model
    expect(new Class({ ...options, scaling, metadata: { tag: 1 } }).metadata).toEqual({ tag: 1 })
    expectError(
      thrown(() => new Class({ ...options, scaling, metadata: 'tag' })),
      'ERR_ARGUMENT',
      'metadata',
    )
  })

  test('refuses bytes of no model or another class, truncated or damaged', async () => {
    const bytes = await model.toBytes()
    const { fromBytes } = classes[model.kind]
    for (const bad of [
      undefined,
      null,
      'bytes',
      [1, 2],
      bytes.buffer,
      new Uint8Array(new SharedArrayBuffer(8)),
    ]) {
      expectError(await rejection(modelFromBytes(bad as never)), 'ERR_ARGUMENT', 'bytes')
      expectError(await rejection(fromBytes(bad as never)), 'ERR_ARGUMENT', 'bytes')
    }
    for (const length of [0, 7, 8, 100, bytes.length - 1]) {
      expectError(await rejection(fromBytes(bytes.subarray(0, length))), 'ERR_FORMAT', 'bytes')
    }
    const other = await (model.kind === 'Pca'
      ? new SparseAutoencoder({ inputs, hidden: 2 })
      : await pca()
    ).toBytes()
    expectError(await rejection(fromBytes(other)), 'ERR_FORMAT', 'modelFromBytes')
    const moved = bytes.slice()
    const promise = rejection(fromBytes(moved))
    giveAway(moved)
    expectError(await promise, 'ERR_STATE', 'transferred')
  })

  test('uses a refitted scaler from its next call on, also in its file', async () => {
    const { scaling } = model
    if (scaling === undefined) return
    const wide = x.toArray().map((row) => row.map((value) => 10 * value - 3))
    const codes = await model.encode(x)
    await scaling.fit(wide)
    expect(model.scaling).toBe(scaling)
    const after = await model.encode(wide)
    // What is scaled is the same, but for rounding; what is not is far from it.
    const close = tolerances.singleRowFloat32.value
    expect(relativeDistanceOf(after, codes)).toBeLessThan(close)
    expect(relativeDistanceOf(await model.encode(x), codes)).toBeGreaterThan(100 * close)
    expect(await (await modelFromBytes(await model.toBytes())).encode(wide)).toEqual(after)
    const columns = { code: 'ERR_SHAPE', message: expect.stringContaining(`${inputs} columns`) }
    expect(await rejection(scaling.fit([[1], [2]]))).toMatchObject(columns)
  })
})

test('a model of any class can encode, and is distinguished by its kind', async () => {
  const model = await modelFromBytes(await (await pca()).toBytes())
  expectTypeOf(async () => model.encode([[1]])).returns.resolves.toExtend<Matrix>()
  expectTypeOf(async () => model.encode([[1]], { to: 'codes' })).returns.resolves.toExtend<Dataset>()
  expectTypeOf(model.inputs).toEqualTypeOf<number>()
  expectTypeOf(model.precision).toEqualTypeOf<Precision>()
  expectTypeOf(model.classes).toEqualTypeOf<Classes | undefined>()
  expectTypeOf(model.scaling).toEqualTypeOf<ModelScaler | undefined>()
  expectTypeOf(model.save).toBeCallableWith('path')
  expectTypeOf(model.toBytes).returns.resolves.toExtend<Uint8Array>()
  const takesAny = async (any: Model) => any.encodeSync(new Float32Array(inputs))
  await takesAny(new SparseAutoencoder({ inputs, hidden: 2 }))
  await takesAny(new SoftmaxClassifier({ inputs, classes: ['a', 'b'], precision: 'float64' }))
  if (model.kind === 'Pca') expectTypeOf(model).toEqualTypeOf<Pca<Precision>>()
  if (model.kind === 'SparseAutoencoder') expectTypeOf(model).toEqualTypeOf<SparseAutoencoder<Precision>>()
  if (model.kind === 'StackedClassifier') expectTypeOf(model.predict).toBeFunction()
  expect((await model.encode(x)).rows).toBe(x.rows)
})

test('a Pca that is not fitted throws ERR_STATE for values found by fit', async () => {
  const unfitted = new Pca({ components: 2 })
  expect([unfitted.kind, unfitted.precision, unfitted.scaling]).toEqual(['Pca', 'float32', undefined])
  expect(unfitted.options).toEqual({ components: 2, whiten: false, precision: 'float32' })
  expectError(
    thrown(() => unfitted.inputs),
    'ERR_STATE',
    'not fitted',
  )
  expectError(await rejection(unfitted.toBytes()), 'ERR_STATE', 'not fitted')
})

test('toBytes returns the model at the call, although training continues', async () => {
  const model = new SparseAutoencoder({ inputs, hidden: 3 })
  const before = model.parameters()
  const fit = model.fit(x, { epochs: 50 })
  const bytes = await model.toBytes()
  await fit
  expect((await SparseAutoencoder.fromBytes(bytes)).parameters()).toEqual(before)
  expect(model.parameters()).not.toEqual(before)
})

test('bytes of a large model are made and read in slices, between which other events are served', async () => {
  const model = new SparseAutoencoder({ inputs: 2000, hidden: 1000 })
  const [bytes, making] = await turnsDuring(() => model.toBytes())
  const [, reading] = await turnsDuring(() => SparseAutoencoder.fromBytes(bytes))
  const megabytes = bytes.length / 2 ** 20
  expect(making).toBeGreaterThan(megabytes - 2)
  expect(reading).toBeGreaterThan(megabytes - 2)
})

const deep = (levels: number): object => (levels === 0 ? {} : { in: deep(levels - 1) })
const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic

test.each<[string, unknown, string]>([
  ['no object', 'text', 'metadata: expected a plain object'],
  ['an array', [1], 'metadata: expected a plain object'],
  ['null', null, 'metadata: expected a plain object'],
  ['an instance of a class', new Map(), 'metadata: expected a plain object'],
  ['undefined in it', { a: [1, undefined] }, 'metadata.a[1]'],
  ['a hole in an array', { a: new Array(2) }, 'metadata.a[0]'],
  [
    'a member named by a symbol',
    { [Symbol('a')]: 1 },
    'metadata: expected no members that JSON would leave out',
  ],
  [
    'a member that is not enumerable',
    { a: Object.defineProperty({}, 'b', { value: 1 }) },
    'metadata.a: expected no',
  ],
  ['a member of an array', { a: Object.assign([1], { b: 2 }) }, 'metadata.a: expected no members'],
  ['NaN', { a: { b: NaN } }, 'metadata.a.b'],
  ['Infinity', { a: Infinity }, 'metadata.a'],
  ['a BigInt', { a: 1n }, 'metadata.a'],
  ['a function', { a: () => 1 }, 'metadata.a'],
  ['a Date', { a: new Date(0) }, 'metadata.a'],
  ['a typed array', { a: new Float32Array(2) }, 'metadata.a'],
  ['the name __proto__', JSON.parse('{"a":{"__proto__":1}}'), '__proto__'],
  ['itself', cyclic, 'metadata'],
  ['too many levels', deep(40), '32 deep'],
  ['too long a text', { a: 'x'.repeat(65_536) }, '65536 bytes'],
  ['too many numbers', { a: new Array(40_000).fill(1) }, '65536 bytes'],
  ['text that is too long in UTF-8', { a: 'ß'.repeat(40_000) }, '65536 bytes'],
])('metadata are refused whole and the old ones stay: %s', (_, bad, message) => {
  const model = new SparseAutoencoder({ inputs, hidden: 2, metadata: { old: true } })
  const set = () => {
    model.metadata = bad as never
  }
  expectError(thrown(set), 'ERR_ARGUMENT', message)
  expect(model.metadata).toEqual({ old: true })
})

test.each<[string, object]>([
  ['nothing', {}],
  ['text of all kinds', { 'a "b"\n\u2028': ['\ud800', '\0', 'ünïcode 😀', ''] }],
  ['numbers of all kinds', { numbers: [0, -1e-308, 1.7976931348623157e308, 0.1, 2 ** 53] }],
  ['just what there is room for', { a: 'x'.repeat(65_536 - '{"a":""}'.length) }],
  ['as many levels as there may be', deep(31)],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
])('metadata come back from a file as they were: %s', async (_, metadata) => {
  const model = new SparseAutoencoder({ inputs, hidden: 2, metadata: metadata as never })
  const again = await modelFromBytes(await model.toBytes())
  expect(again.metadata).toEqual(JSON.parse(JSON.stringify(metadata)))
  expect(again.metadata).toEqual(model.metadata)
})

async function pca() {
  return new Pca({ scaling: await new StandardScaler().fit(x) }).fit(x)
}

function expectFrozen(value: unknown): void {
  if (value === null || typeof value !== 'object') return
  expect(Object.isFrozen(value)).toBe(true)
  Object.values(value).forEach(expectFrozen)
}

function relativeDistanceOf(a: Matrix, b: Matrix): number {
  return relativeDistance(a.data, b.data)
}

/** The result of some work, and the number of turns of the event loop during it. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<[T, number]> {
  let turns = 0
  const count = () => {
    turns++
    immediate = setImmediate(count)
  }
  let immediate = setImmediate(count)
  const result = await work()
  clearImmediate(immediate)
  return [result, turns]
}
