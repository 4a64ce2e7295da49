import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../lib/data/safetensors.js'
import {
  LayerwiseError,
  LinearAutoencoder,
  loadModel,
  Matrix,
  MinMaxScaler,
  Pca,
  readIdx,
  readIdxLabels,
  readNpy,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
  StandardScaler,
  writeNpy,
} from '../lib/index.js'
import { sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const inputs = 3
const x = sampleRows(12, inputs)

type Read = (path: string) => Promise<unknown>
const good = new Map<string, { bytes: Buffer; read: Read }>()

/** A model of each class that has everything its file can have. */
async function models() {
  const minMax = await new MinMaxScaler().fit(x)
  const standard = await new StandardScaler().fit(x)
  const layers = [{ hidden: 3 }, { hidden: 2 }]
  const linear = new LinearAutoencoder({ inputs, hidden: 2, center: true })
  await linear.fit(x, { epochs: 1 })
  return [
    new SparseAutoencoder({
      ...{ inputs, hidden: 2, scaling: minMax, corruption: { kind: 'masking', amount: 0.1 } },
      ...{ weightConstraint: { kind: 'unit', max: 1 }, sparsity: { kind: 'kl', target: 0.1, weight: 1 } },
    }),
    linear,
    new StackedAutoencoder({ inputs, layers, scaling: minMax, precision: 'float64' }),
    new SoftmaxClassifier({ inputs, classes: ['a', 'b', 'c'], classWeights: [1, 2, 3], scaling: standard }),
    new StackedClassifier({ inputs, layers, classes: 2 }),
    await new Pca({ components: 2, whiten: 'pca', scaling: standard }).fit(x),
  ]
}

beforeAll(async () => {
  await writeNpy(at('good'), Matrix.from(new Float64Array([1, 2, 3, 4, 5, 6]), 2, 3))
  good.set('readNpy', { bytes: readFileSync(at('good')), read: readNpy })
  await writeNpy(at('good'), Matrix.from(new Uint16Array([1, 2, 3, 4]), 2, 2, { type: 'float16' }))
  good.set('readNpy of float16', { bytes: readFileSync(at('good')), read: readNpy })
  const images = Buffer.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])
  good.set('readIdx', { bytes: images, read: readIdx })
  good.set('readIdx of gzip', { bytes: gzipSync(images), read: readIdx })
  const labels = Buffer.from([0, 0, 12, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0])
  good.set('readIdxLabels', { bytes: labels, read: readIdxLabels })
  for (const model of await models()) {
    await model.save(at('good'))
    good.set(`loadModel of a ${model.constructor.name}`, { bytes: readFileSync(at('good')), read: loadModel })
  }
})

/** The result of a reader for these bytes: a value, or `ERR_FORMAT` that names the file. */
async function expectAnswer(read: Read, path: string): Promise<void> {
  const outcome = await read(path).catch((error: unknown) => error)
  if (!(outcome instanceof Error)) return
  expect(outcome).toBeInstanceOf(LayerwiseError)
  expect(outcome).toMatchObject({ code: 'ERR_FORMAT', message: expect.stringContaining(path) })
}

const CASES = [
  'readNpy',
  'readNpy of float16',
  'readIdx',
  'readIdx of gzip',
  'readIdxLabels',
  ...[
    SparseAutoencoder,
    LinearAutoencoder,
    StackedAutoencoder,
    SoftmaxClassifier,
    StackedClassifier,
    Pca,
  ].map(({ name }) => `loadModel of a ${name}`),
]

describe.each(CASES)('%s reads, or refuses with ERR_FORMAT and the file’s name,', (name) => {
  test('a file with bytes replaced, inserted or removed', async () => {
    const { bytes, read } = good.get(name)!
    const change = fc.record({
      place: fc.nat(bytes.length),
      removed: fc.oneof(fc.nat(3), fc.nat(bytes.length)),
      added: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        // What headers are made of.
        fc
          .constantFrom(
            '0',
            '-1',
            '9'.repeat(30),
            '1e999',
            '"',
            '\\u0000',
            '{',
            '[',
            ',',
            'null',
            'NaN',
            '"a":',
            '\xff',
          )
          .map((text) => Buffer.from(text, 'latin1')),
      ),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let damaged = bytes
        for (const { place, removed, added } of changes) {
          damaged = Buffer.concat([damaged.subarray(0, place), added, damaged.subarray(place + removed)])
        }
        writeFileSync(at('damaged'), damaged)
        await expectAnswer(read, at('damaged'))
      }),
      { numRuns: 100 },
    )
  })
})

describe.each(CASES.filter((name) => name.startsWith('loadModel')))(
  '%s reads, or refuses with ERR_FORMAT,',
  (name) => {
    test('a file with changed metadata', async () => {
      const { bytes, read } = good.get(name)!
      writeFileSync(at('good'), bytes)
      const { tensors, metadata } = await readSafetensors(at('good'))
      const entry = JSON.parse(metadata.layerwise!) as unknown
      const paths = pathsOf(entry)
      const value = fc.oneof(
        fc.constantFrom(
          null,
          true,
          0,
          -1,
          1.5,
          2 ** 31,
          1e300,
          1e-300,
          '',
          'kl',
          'zca',
          [],
          {},
          [0],
          [[]],
          '__proto__',
        ),
        fc.jsonValue({ maxDepth: 2 }),
      )
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...paths),
          fc.option(value, { nil: undefined }),
          async (path, put) => {
            const changed = structuredClone(entry)
            const parent = path.slice(0, -1).reduce((node, key) => node[key] as Node, changed as Node)
            if (put === undefined) delete parent[path.at(-1)!]
            else parent[path.at(-1)!] = put
            await writeSafetensors(at('damaged'), [...tensors.values()], {
              ...metadata,
              layerwise: JSON.stringify(changed),
            })
            await expectAnswer(read, at('damaged'))
          },
        ),
        { numRuns: 100 },
      )
    })

    test('a file with changed, huge, tiny or missing numbers', async () => {
      const { bytes, read } = good.get(name)!
      writeFileSync(at('good'), bytes)
      const { tensors, metadata } = await readSafetensors(at('good'))
      const value = fc.constantFrom(0, -1, 1e-200, -1e200, 1e300, 5e-324, 3e38, Infinity, Number.NaN)
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...tensors.keys()), fc.nat(), value, async (key, place, put) => {
          const changed = [...tensors.values()].map((tensor) => {
            const data = tensor.data.slice()
            if (tensor.name === key) data[place % data.length] = put
            return { ...tensor, data }
          })
          await writeSafetensors(at('damaged'), changed, metadata)
          await expectAnswer(read, at('damaged'))
        }),
        { numRuns: 60 },
      )
    })
  },
)

type Node = Record<string, unknown>

/** A place in a JSON value. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, entry]) => [[...path, key], ...pathsOf(entry, [...path, key])])
}
