import { existsSync, mkdtempSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import {
  type Dataset,
  type ErrorsBatch,
  type FloatArray,
  type LargestErrors,
  Matrix,
  openDataset,
  Pca,
  type PlainFloat64Array,
  SoftmaxClassifier,
  SparseAutoencoder,
  SparseMatrix,
  StackedAutoencoder,
  StackedClassifier,
  writeDataset,
} from '../lib/index.js'
import { largestOf } from '../lib/models/largest.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const place = () => join(mkdtempSync(join(root, 'answers-')), 'to')
const cols = 6

/** Rows in several parts: 5,000 outputs a row make 512 rows a part. */
const wide = { rows: 1700, hidden: 5000 }
const x = Matrix.from(Float32Array.from(sampleRows(wide.rows, cols).data), wide.rows, cols)
const files = writeShards(place(), [x], undefined, 1000 * cols * 4)
const model = new SparseAutoencoder({ inputs: cols, hidden: wide.hidden, seed: 2 })
const small = new SparseAutoencoder({ inputs: cols, hidden: 3, seed: 2 })

/** Whether numbers have the same bits; an assertion of each of millions would take minutes. */
const isSame = (a: FloatArray, b: FloatArray) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))

async function all<T>(batches: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const batch of batches) list.push(batch)
  return list
}

describe('an answer in a folder', () => {
  test('has the bits of the answer in memory, in one or several parts', async () => {
    const expected = await model.encode(x)
    for (const rows of [x, await files]) {
      const codes = await model.encode(rows, { to: place() })
      expectTypeOf(codes).toEqualTypeOf<Dataset>()
      expect([codes.rows, codes.cols, codes.type]).toEqual([wide.rows, wide.hidden, 'float32'])
      expect(isSame((await codes.read(0)).data as FloatArray, expected.data)).toBe(true)
    }
    const codes = await openDataset((await model.encode(x, { to: place() })).paths[0]!)
    const decoded = await model.decode(codes, { to: place() })
    expect(await decoded.read(0)).toEqual(await model.decode(expected))
  })

  test('is one of every method whose answer is as long as its rows', async () => {
    const rows = await files
    const read = async (dataset: Promise<Dataset>) => (await (await dataset).read(0)).data
    expect(await read(small.reconstruct(rows, { to: place() }))).toEqual((await small.reconstruct(x)).data)
    expect(await read(small.reconstructionError(rows, { to: place() }))).toEqual(
      await small.reconstructionError(x),
    )
    expect(await read(small.reconstructionErrorPerFeature(rows, { to: place() }))).toEqual(
      (await small.reconstructionErrorPerFeature(x)).data,
    )
    const pca = await new Pca({ components: 2 }).fit(x)
    expect(await read(pca.transform(rows, { to: place() }))).toEqual((await pca.transform(x)).data)
    expect(await read(pca.encode(rows, { to: place() }))).toEqual((await pca.transform(x)).data)
    const scores = await pca.transform(x)
    expect(await read(pca.inverseTransform(scores, { to: place() }))).toEqual(
      (await pca.inverseTransform(scores)).data,
    )
    expect(await read(pca.mahalanobis(rows, { to: place() }))).toEqual(await pca.mahalanobis(x))
    expect(await read(pca.reconstructionErrorPerFeature(rows, { to: place() }))).toEqual(
      (await pca.reconstructionErrorPerFeature(x)).data,
    )
    const named = new SoftmaxClassifier({ inputs: cols, classes: ['a', 'b', 'c'], seed: 4 })
    const numbers = await read(named.predict(rows, { to: place() }))
    expect(Array.from(numbers, (k) => named.classes[k])).toEqual(await named.predict(x))
    expect(await read(named.encode(rows, { to: place() }))).toEqual(
      (await named.predictProbabilities(x)).data,
    )
    const stack = new StackedAutoencoder({ inputs: cols, layers: [{ hidden: 4 }, { hidden: 2 }] })
    const first = await stack.encode(rows, { layer: 1, to: place() })
    expect((await first.read(0)).data).toEqual((await stack.encode(x, { layer: 1 })).data)
    expect(await read(stack.decode(first, { layer: 1, to: place() }))).toEqual(
      (await stack.decode(await stack.encode(x, { layer: 1 }), { layer: 1 })).data,
    )
    const deep = new StackedClassifier({ inputs: cols, layers: [{ hidden: 4 }], classes: 2 })
    expect(await read(deep.encode(rows, { layer: 1, to: place() }))).toEqual((await deep.encode(x)).data)
  })

  test('is refused onto its own rows, also through a link, before a byte changes', async () => {
    const folder = place()
    const rows = await writeDataset(folder, [x])
    const link = place()
    symlinkSync(folder, link)
    for (const to of [folder, link]) {
      expect(await rejection(small.encode(rows, { to }))).toMatchObject({
        ...{ code: 'ERR_ARGUMENT', details: { argument: 'to' } },
        message: expect.stringMatching(/^to: expected another folder/),
      })
    }
    await rows.verify()
  })

  test('is not there after a refusal of a row, or an abort', async () => {
    const bad = Matrix.from(x.data.slice(), x.rows, cols)
    bad.data[1600 * cols + 1] = NaN
    const to = place()
    expect(await rejection(model.encode(bad, { to }))).toMatchObject({
      code: 'ERR_RANGE',
      details: { row: 1600, column: 1 },
    })
    expect(existsSync(to)).toBe(false)
    const controller = new AbortController()
    const encoded = model.encode(await files, { to, signal: controller.signal })
    controller.abort('enough')
    expect(await rejection(encoded)).toBe('enough')
    expect(existsSync(to)).toBe(false)
  })

  test.each([
    [{ to: 3 }, 'to: '],
    [{ to: '' }, 'to: '],
    [{ to: 'there', out: new Float32Array(4) }, "out: expected nothing beside 'to'"],
  ])('is refused with %o', async (options, message) => {
    const error = await rejection(small.encode(x, options as never))
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringContaining(message) })
  })
})

describe('the largest errors', () => {
  test('are those of all rows, largest first, of equal ones the lower row', async () => {
    const errors = await small.reconstructionError(x)
    const order = Array.from(errors.keys()).sort((a, b) => errors[b]! - errors[a]! || a - b)
    for (const rows of [x, await files]) {
      const found = await small.reconstructionError(rows, { largest: 17 })
      expectTypeOf(found).toEqualTypeOf<LargestErrors>()
      expect(found).toEqual({
        rows: Uint32Array.from(order.slice(0, 17)),
        errors: Float64Array.from(order.slice(0, 17), (row) => errors[row]!),
      })
    }
    const pca = await new Pca({ components: 2 }).fit(x)
    const distances = await pca.mahalanobis(x)
    const { rows: far } = await pca.mahalanobis(await files, { largest: 1 })
    expect(distances[far[0]!]).toBe(Math.max(...distances))
  })

  test('of any numbers, cut into any parts', async () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 60 })
    const size = fc.integer({ min: 1, max: 70 })
    await fc.assert(
      fc.asyncProperty(numbers, size, size, async (errors, part, count) => {
        async function* parts() {
          for (let from = 0; from < errors.length; from += part) {
            const answers = Float64Array.from(errors.slice(from, from + part))
            yield { from, rows: answers.length, whole: errors.length, answers }
          }
        }
        const order = Array.from(errors.keys()).sort((a, b) => errors[b]! - errors[a]! || a - b)
        const kept = order.slice(0, count)
        expect(await largestOf(parts(), count)).toEqual({
          rows: Uint32Array.from(kept),
          errors: Float64Array.from(kept, (row) => errors[row]!),
        })
      }),
    )
  })

  test.each([{ largest: 0 }, { largest: 1.5 }, { largest: 2, to: 'there' }])(
    'are refused with %o',
    async (options) => {
      const error = await rejection(small.reconstructionError(x, options as never))
      expect(error).toMatchObject({ code: 'ERR_ARGUMENT', details: { argument: 'largest' } })
    },
  )
})

describe('answers batch by batch', () => {
  const errorsOf = (batches: ErrorsBatch[]): PlainFloat64Array =>
    Float64Array.from(batches.flatMap(({ errors }) => [...errors]))

  test('of rows are those of one call, bit for bit, and begin at multiples of 512 rows', async () => {
    const codes = await model.encode(x)
    for (const rows of [x, await files]) {
      const batches = await all(model.encodeBatches(rows))
      expect(batches.length).toBeGreaterThan(1)
      for (const { from, codes: part } of batches) {
        expect(from % 512).toBe(0)
        expect(isSame(part.data, codes.slice(from, from + part.rows).data)).toBe(true)
      }
      expect(batches.reduce((sum, batch) => sum + batch.codes.rows, 0)).toBe(x.rows)
      expect(errorsOf(await all(small.reconstructionErrorBatches(rows)))).toEqual(
        await small.reconstructionError(x),
      )
    }
  })

  test('of batches are those of calls with each', async () => {
    const given = await files
    async function* stream() {
      yield x.slice(0, 700)
      yield x.slice(700, 700)
      yield Array.from({ length: 3 }, (_, k) => Array.from(x.row(700 + k).data))
      yield x.slice(703).data
    }
    for (const [batches, ends] of [
      [stream(), [700, 703, x.rows]],
      [given.batches(1000), [1000, 2000, x.rows]],
      [new Set([x.slice(0, 9), x.slice(9, 20)]), [9, 20]],
    ] as const) {
      let begin = 0
      for await (const { from, errors } of small.reconstructionErrorBatches(batches)) {
        expect(from).toBe(begin)
        begin += errors.length
        expect(errors).toEqual(await small.reconstructionError(x.slice(from, begin)))
        expect(ends).toContain(begin)
      }
      expect(begin).toBe(ends.at(-1))
    }
  })

  test('of every model', async () => {
    const pca = await new Pca({ components: 2 }).fit(x)
    const sparse = SparseMatrix.from({
      indptr: [0, 1, 3],
      indices: [2, 0, 5],
      values: [1, 0.5, 1],
      rows: 2,
      cols,
    })
    expect((await all(pca.encodeBatches(x)))[0]!.codes).toEqual(await pca.transform(x))
    expect((await all(pca.encodeBatches(sparse)))[0]!.codes).toEqual(await pca.transform(sparse))
    expect((await all(pca.reconstructionErrorBatches(new Set([x]))))[0]!.errors).toEqual(
      await pca.reconstructionError(x),
    )
    const classifier = new SoftmaxClassifier({ inputs: cols, classes: ['a', 'b'] })
    for (const rows of [x, new Set([x])]) {
      expect(await all(classifier.predictBatches(rows))).toEqual([
        { from: 0, classes: await classifier.predict(x) },
      ])
      expect((await all(classifier.encodeBatches(rows)))[0]!.codes).toEqual(await classifier.encode(x))
    }
    const stack = new StackedAutoencoder({ inputs: cols, layers: [{ hidden: 4 }, { hidden: 2 }] })
    expect((await all(stack.encodeBatches(x, { layer: 1 })))[0]!.codes).toEqual(
      await stack.encode(x, { layer: 1 }),
    )
  })

  test('of sparse rows are those of one call', async () => {
    const rows = 1500
    const indptr = Uint32Array.from({ length: rows + 1 }, (_, k) => 2 * k)
    const indices = Uint32Array.from({ length: 2 * rows }, (_, k) => (k % 2 === 0 ? k % 3 : 3 + (k % 3)))
    const values = Float32Array.from({ length: 2 * rows }, (_, k) => (k % 10) / 10)
    const sparse = SparseMatrix.from({ indptr, indices, values, rows, cols })
    const codes = await model.encode(sparse)
    for await (const { from, codes: part } of model.encodeBatches(sparse)) {
      expect(isSame(part.data, codes.slice(from, from + part.rows).data)).toBe(true)
    }
    values[2 * 1400] = NaN
    expect(await rejection(all(model.encodeBatches(sparse)))).toMatchObject({
      details: { row: 1400, column: 1 },
    })
  })

  test('name the batch that is refused, and tell the source', async () => {
    let left = false
    async function* stream() {
      try {
        yield x.slice(0, 10)
        yield [[1, 2, 3, 4, 5, NaN]]
        yield x
      } finally {
        left = true
      }
    }
    const error = await rejection(all(small.encodeBatches(stream())))
    expect(error).toMatchObject({
      code: 'ERR_RANGE',
      message: 'batches[1]: expected finite numbers, received NaN in row 0, column 5',
    })
    expect(left).toBe(true)
  })

  test('end with the loop, or the signal', async () => {
    for await (const { from } of model.encodeBatches(await files)) {
      expect(from).toBe(0)
      break
    }
    const controller = new AbortController()
    const batches = model.encodeBatches(await files, { signal: controller.signal })
    await batches.next()
    controller.abort('enough')
    expect(await rejection(all(batches))).toBe('enough')
    expect(() => model.encodeBatches(x, { thread: 1 } as never)).toThrow("unknown option 'thread'")
  })

  test('are those of the model at the call', async () => {
    const changed = new SparseAutoencoder({ inputs: cols, hidden: 3, seed: 2 })
    const batches = changed.encodeBatches(x)
    changed.setParameters(changed.parameters().fill(0))
    expect((await all(batches))[0]!.codes).toEqual(await small.encode(x))
  })
})

test('rows that come once are refused for training, with the advice to write them', async () => {
  const error = await rejection(small.fit(new Set([x]) as never))
  expect(error).toMatchObject({
    code: 'ERR_ARGUMENT',
    message: expect.stringContaining('await writeDataset(folder, batches)'),
  })
})
