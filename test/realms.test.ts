import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { buildSync } from 'esbuild'
import { afterAll, describe, expect, test } from 'vitest'
import * as here from '../lib/index.js'
import { sampleRows } from './sample.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'layerwise-realms-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Another realm, like those of jest and vitest's pools of vm contexts: with its own classes, and few of Node's globals. */
const realm = createContext({ process, Buffer })
const make = (expression: string) => runInContext(`(${expression})`, realm)

/** Another copy of the package, which lives in that realm. */
const there = copyInRealm()

const inputs = 4
const rows = 12
const x = sampleRows(rows, inputs)
const values = Array.from(x.data)
const bytes = values.map((value) => Math.round(127 * value))
const widths = { inputs, hidden: 2 }
/** Outputs that bytes can be compared with. */
const settings = { ...widths, outputActivation: 'identity' } as const

const KINDS = [
  'Float32Array',
  'Float64Array',
  'Uint8Array',
  'Int8Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
] as const
const TYPES_OF_BITS = ['uint16', 'float16', 'bfloat16'] as const

/** The same rows in every form in which rows are given, made by another realm or copy. */
const given: Record<string, { foreign: unknown; own: here.Rows }> = {
  ...Object.fromEntries(
    KINDS.map((kind) => {
      const numbers = kind.startsWith('Float') ? values : bytes
      return [
        kind,
        { foreign: make(`new ${kind}(${JSON.stringify(numbers)})`), own: globalThis[kind].from(numbers) },
      ]
    }),
  ),
  ...Object.fromEntries(
    TYPES_OF_BITS.map((type) => {
      const bits = bytes.map((byte) => 0x3c00 + byte)
      return [
        `Matrix of ${type}`,
        {
          foreign: there.Matrix.from(make(`new Uint16Array(${JSON.stringify(bits)})`), rows, inputs, {
            type,
          }),
          own: here.Matrix.from(Uint16Array.from(bits), rows, inputs, { type }),
        },
      ]
    }),
  ),
  'array of typed rows': {
    foreign: make(`${JSON.stringify(x.toArray())}.map((row) => new Float64Array(row))`),
    own: x.toArray(),
  },
  'array of rows': { foreign: make(JSON.stringify(x.toArray())), own: x.toArray() },
  Matrix: { foreign: there.Matrix.from(Float64Array.from(values), rows, inputs), own: x },
  'Matrix of bytes': {
    foreign: there.Matrix.from(Uint8Array.from(bytes), rows, inputs, { scale: 1 / 255 }),
    own: here.Matrix.from(Uint8Array.from(bytes), rows, inputs, { scale: 1 / 255 }),
  },
  'Matrix that was posted': { foreign: structuredClone(x), own: x },
}

/** Everything that takes rows, labels or a Matrix. */
const calls: Record<string, (library: typeof here, x: never) => unknown> = {
  'SparseAutoencoder.fit': async ({ SparseAutoencoder }, x) => {
    const model = new SparseAutoencoder(settings)
    await model.fit(x, { epochs: 2, batchSize: 8, validation: x })
    return model.parameters()
  },
  'SparseAutoencoder.encode': ({ SparseAutoencoder }, x) => new SparseAutoencoder(settings).encode(x),
  'SparseAutoencoder.reconstructionError': ({ SparseAutoencoder }, x) =>
    new SparseAutoencoder(settings).reconstructionError(x),
  'SparseAutoencoder.cost': ({ SparseAutoencoder }, x) =>
    new SparseAutoencoder(settings).cost(x, { gradient: true }),
  'StackedAutoencoder.encode': ({ StackedAutoencoder }, x) =>
    new StackedAutoencoder({ inputs, layers: [{ hidden: 3 }] }).encode(x),
  'LinearAutoencoder.fit': ({ LinearAutoencoder }, x) =>
    new LinearAutoencoder(widths)
      .fit(x, { optimizer: { kind: 'lbfgs', maxIterations: 2 } })
      .then(({ epochs }) => epochs.length),
  'SoftmaxClassifier.predict': ({ SoftmaxClassifier }, x) =>
    new SoftmaxClassifier({ inputs, classes: 2 }).predict(x),
  'StackedClassifier.encode': ({ StackedClassifier }, x) =>
    new StackedClassifier({ inputs, layers: [{ hidden: 3 }], classes: 2 }).encode(x),
}

/** What takes a Matrix or an array of rows, but no flat array. */
const matrixCalls: typeof calls = {
  'Pca.fit': ({ Pca }, x) => new Pca({ components: 2 }).fit(x).then((pca) => pca.transform(x)),
  'StandardScaler.fit': ({ StandardScaler }, x) =>
    new StandardScaler().fit(x).then((scaler) => scaler.transform(x)),
}

/** What takes nothing but a Matrix. */
const onlyMatrixCalls: typeof calls = {
  samplePatches: ({ samplePatches }, x) => samplePatches(x, { size: 2, count: 3, imageWidth: 2 } as never),
  'samplePatches of several': ({ samplePatches }, x) => samplePatches([x, x] as never, { size: 2, count: 3 }),
  preparePatches: ({ preparePatches }, x) => preparePatches(x),
  featureImage: ({ featureImage }, x) => featureImage(x, { width: 2 }),
  reconstructionImage: ({ reconstructionImage }, x) => reconstructionImage(x, [x, x], { width: 2 }),
  'Matrix.from': ({ Matrix }, x) => Matrix.from(x),
  'Matrix.fromRows': ({ Matrix }, x) => Matrix.fromRows([Matrix.from(x).row(1), Matrix.from(x).row(0)]),
}

const isMatrix = (name: string) => name.startsWith('Matrix')
const cases = Object.entries(given).flatMap(([name, { foreign, own }]) =>
  Object.entries({
    ...calls,
    ...(isMatrix(name) || name.startsWith('array of') ? matrixCalls : {}),
    ...(isMatrix(name) ? onlyMatrixCalls : {}),
  }).map(([call, run]) => ({ name, call, run, foreign, own })),
)

describe('an object of another realm or another copy of the package is accepted:', () => {
  test.each(cases)('$call of a foreign $name', async ({ run, foreign, own }) => {
    expect(await run(here, foreign as never)).toEqual(await run(here, own as never))
  })
  test.each([
    'Uint8Array',
    'Uint8ClampedArray',
    'Int8Array',
    'Uint16Array',
    'Int16Array',
    'Uint32Array',
    'Int32Array',
  ])('labels in a foreign %s', async (kind) => {
    const labels = make(`new ${kind}(${rows}).map((_, i) => i % 2)`)
    const model = new here.SoftmaxClassifier({ inputs, classes: 2 })
    const { accuracy } = await model.score(x, labels)
    expect(accuracy).toBeGreaterThanOrEqual(0)
  })
  test.each(KINDS)('encodeSync of a row in a foreign %s', (kind) => {
    const model = new here.SparseAutoencoder(settings)
    const out = make('new Float32Array(2)')
    expect(Array.from(model.encodeSync(make(`new ${kind}([1, 0, 1, 0])`), out))).toEqual(
      Array.from(model.encodeSync([1, 0, 1, 0])),
    )
  })
  test('parameters, a scaler, a model in featureImage, an image', async () => {
    const scaler = await new there.MinMaxScaler({ range: [0.2, 0.8] }).fit(x)
    const model = new here.SparseAutoencoder({ ...settings, scaling: scaler })
    model.setParameters(make('Float32Array').from(model.parameters()))
    const foreign = new there.StackedAutoencoder({ inputs, layers: [{ hidden: 3 }, { hidden: 2 }] })
    const features = there.featureImage(foreign, { width: 2 })
    expect(here.featureImage(foreign as never, { width: 2 })).toEqual(plain(features))
    expect((await here.excitingInputs(foreign as never, { layer: 2 })).rows).toBe(2)
    expect(
      here.encodePng({ width: 1, height: 1, channels: 1, data: make('new Uint8Array(1)') }),
    ).toBeDefined()
  })
  test('but shared memory of another realm is refused', () => {
    const shared = make('new Float32Array(new SharedArrayBuffer(32))')
    expect(() => here.Matrix.from(shared, 2, 4)).toThrow('SharedArrayBuffer')
  })
  test('a URL of another class of that name, as jsdom has', async () => {
    const file = join(folder, 'own.json')
    writeFileSync(file, 'no model')
    const { href, protocol, pathname, hostname } = pathToFileURL(file)
    await expect(here.loadModel({ href, protocol, pathname, hostname } as URL)).rejects.toMatchObject({
      code: 'ERR_FORMAT',
    })
  })
  test('a signal of another class of that name, as jsdom has', async () => {
    const listeners = new Set<() => void>()
    const signal = {
      aborted: false,
      reason: undefined as unknown,
      addEventListener: (_: string, listener: () => void) => listeners.add(listener),
      removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
    }
    const model = new here.SparseAutoencoder(settings)
    const fit = model.fit(x, { epochs: 1e6, signal: signal as never })
    setTimeout(() => {
      Object.assign(signal, { aborted: true, reason: 'enough' })
      for (const listener of listeners) listener()
    }, 20)
    await expect(fit).rejects.toBe('enough')
    await expect(model.fit(x, { signal: signal as never })).rejects.toBe('enough')
    expect(listeners.size).toBe(0)
  })
})

describe('a copy of the package in another realm', () => {
  test.each(cases.filter(({ name }) => !isMatrix(name)))('computes $call of $name', async ({ run, own }) => {
    expect(plain(await run(there, own as never))).toEqual(plain(await run(here, own as never)))
  })
  test('converts errors of native code', async () => {
    const model = new there.SparseAutoencoder(settings)
    const holed = [
      [0, 0, 0, 0],
      [0, NaN, 0, 0],
    ]
    await expect(model.encode(holed)).rejects.toMatchObject({
      name: 'LayerwiseError',
      code: 'ERR_RANGE',
      details: { argument: 'x', row: 1, column: 1 },
    })
  })
  test('rejects with the reason of an abort during native work', async () => {
    const reason = new Error('enough')
    const control = new AbortController()
    setTimeout(() => control.abort(reason), 20)
    const model = new there.SparseAutoencoder(settings)
    await expect(model.fit(x, { epochs: 1e6, signal: control.signal })).rejects.toBe(reason)
  })
  test('saves and loads models, and refuses another file', async () => {
    const model = new there.SparseAutoencoder(settings)
    const file = join(folder, 'model.layerwise')
    await model.save(file)
    const loaded = await there.SparseAutoencoder.load(file)
    expect(plain(loaded.parameters())).toEqual(plain(model.parameters()))
    await expect(there.loadModel(join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_ARGUMENT' })
  })
  test('returns arrays of that realm only', async () => {
    const model = new there.SparseAutoencoder(settings)
    const { gradient } = await model.cost(x, { gradient: true })
    const codes = await model.encode(x)
    const own = make(
      '(...arrays) => arrays.map((array) => array instanceof Float32Array || array instanceof Float64Array)',
    )
    expect(own(gradient, codes.data, model.parameters())).toEqual([true, true, true])
  })
})

describe('the sources', () => {
  const sources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: readFileSync(join(root, 'lib', file), 'utf8') }))
  test.each(sources)('$file does not use instanceof on objects of other realms', ({ text }) => {
    // Classes of the library itself, and an error that only the library's own parser throws.
    const own = [
      'LayerwiseError',
      'Matrix',
      'SparseMatrix',
      'Dataset',
      'CodeMemory',
      'CodeFolder',
      'MinMaxScaler',
      'StandardScaler',
      'SyntaxError',
    ]
    const asked = [...text.matchAll(/instanceof (\w+)/g)].map(([, name]) => name)
    expect(asked.filter((name) => !own.includes(name!))).toEqual([])
  })
  test.each(sources)('$file imports globals that jsdom does not have', ({ text }) => {
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'/g, '')
    for (const name of ['TextDecoder', 'TextEncoder', 'setImmediate', 'structuredClone', 'MessageChannel']) {
      const isImported = new RegExp(`import [^;]*\\b${name}\\b[^;]*? from`).test(code)
      if (!isImported) expect(code).not.toMatch(new RegExp(`\\b${name}\\b`))
    }
  })
})

/** The library as one CommonJS module, evaluated in the realm. */
function copyInRealm(): typeof here {
  const { outputFiles } = buildSync({
    entryPoints: [join(root, 'lib/index.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    define: { 'import.meta.url': '__url' },
  })
  const wrapped = `(module, exports, require, __url) => {${outputFiles[0]!.text}\n}`
  const module = { exports: {} }
  const url = pathToFileURL(join(root, 'lib/native/load.ts')).href
  make(wrapped)(module, module.exports, createRequire(url), url)
  return module.exports as typeof here
}

/** Without the classes of a realm. */
function plain(value: unknown): unknown {
  return structuredClone(value)
}
