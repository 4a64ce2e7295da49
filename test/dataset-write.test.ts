import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import { storedNumbers } from '../lib/data/halves.js'
import {
  type Dataset,
  Matrix,
  openDataset,
  type RowBatches,
  type StorageType,
  type WriteDatasetOptions,
  writeDataset,
} from '../lib/index.js'
import { bytesIn } from './dataset-files.js'
import { rejection } from './sample.js'
import { storedRows } from './stored-rows.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const parent = () => mkdtempSync(join(root, 'folder-'))
const place = () => join(parent(), 'data')
const isRoot = process.getuid?.() === 0
const listed = (folder: string) => readdirSync(folder).sort()
const manifest = (folder: string) => JSON.parse(readFileSync(join(folder, 'dataset.json'), 'utf8'))

/** All numbers of a dataset, as they are stored. */
async function stored(dataset: Dataset): Promise<Buffer> {
  const parts = await Promise.all(
    dataset.segments.map(async ({ path }) => {
      const file = readFileSync(path)
      return file.subarray(8 + Number(file.readBigUInt64LE(0)))
    }),
  )
  return Buffer.concat(parts)
}

/** The rows of a matrix in batches of some sizes. */
function* cut(x: Matrix, sizes: readonly number[]): Generator<Matrix> {
  let from = 0
  for (let k = 0; from < x.rows; k++) {
    const to = Math.min(x.rows, from + sizes[k % sizes.length]!)
    yield x.slice(from, to)
    from = to
  }
}

describe('a dataset has the rows of its batches, bit for bit:', () => {
  const shares = Array.from({ length: 3 * 41 }, (_, k) => ((k * 29) % 123) / 123)

  test.each(storedRows(shares, 3))('%s', async (_, x) => {
    const dataset = await writeShards(place(), cut(x, [1, 7, 0, 11]), {}, 64)
    expect(dataset).toMatchObject({ rows: 41, cols: 3, type: x.type, scale: x.scale })
    expect(dataset.segments.length).toBeGreaterThan(1)
    expect(await stored(dataset)).toEqual(bytesIn(x))
    await dataset.verify()
  })

  test('any shape, batches, shards and type', async () => {
    const types = fc.constantFrom<StorageType>(
      'uint8',
      'int8',
      'int16',
      'float16',
      'bfloat16',
      'float32',
      'float64',
    )
    const shape = fc.record({ rows: fc.integer({ min: 1, max: 40 }), cols: fc.integer({ min: 1, max: 9 }) })
    const sizes = fc
      .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 })
      .filter((all) => all.some((n) => n > 0))
    await fc.assert(
      fc.asyncProperty(
        shape,
        sizes,
        types,
        fc.integer({ min: 1, max: 600 }),
        async ({ rows, cols }, cuts, type, shardBytes) => {
          // Numbers that every type holds.
          const x = Matrix.from(
            Float64Array.from({ length: rows * cols }, (_, k) => (k * 31) % 100),
            rows,
            cols,
          )
          const dataset = await writeShards(place(), cut(x, cuts), { type }, shardBytes)
          expect(dataset).toMatchObject({ rows, cols, type, scale: 1 })
          expect(Array.from((await dataset.read(0)).data)).toEqual(Array.from(x.data))
          await dataset.verify()
        },
      ),
      { numRuns: 60 },
    )
  })

  test('given as arrays of rows, flat arrays, batches of a dataset, and a dataset', async () => {
    const numbers = [1, 2, 3, 4, 5, 6]
    const rows = [
      [1, 2],
      [3, 4],
      [5, 6],
    ]
    async function* later() {
      yield Float32Array.of(1, 2, 3, 4)
      yield [[5, 6]]
    }
    const sources: [RowBatches, WriteDatasetOptions][] = [
      [[rows], {}],
      [[rows.slice(0, 2), rows.slice(2)], { type: 'uint8' }],
      [[Float64Array.from(numbers)], { cols: 2 }],
      [[Uint8Array.from(numbers)], { columns: ['a', 'b'] }],
      [[[Float32Array.of(1, 2), Matrix.from(Uint8Array.of(3, 4), 1, 2), [5, 6]]], {}],
      [later(), { cols: 2 }],
    ]
    for (const [batches, options] of sources) {
      const dataset = await writeDataset(place(), batches, options)
      expect(Array.from((await dataset.read(0)).data)).toEqual(numbers)
      for (const again of [dataset, dataset.batches(2), structuredClone(dataset) as Dataset]) {
        const copy = await writeDataset(place(), again)
        expect(copy.type).toBe(dataset.type)
        expect(Array.from((await copy.read(0)).data)).toEqual(numbers)
      }
    }
  })
})

describe('numbers', () => {
  it('are divided by the scale and rounded to even; flat arrays of the type itself are as they are stored', async () => {
    const options: WriteDatasetOptions = { type: 'uint8', scale: 1 / 4, cols: 3 }
    const values = await writeDataset(
      place(),
      [Float32Array.of(0, 0.125, 0.375), Uint8Array.of(4, 1, 255)],
      options,
    )
    expect(Array.from(await stored(values))).toEqual([0, 0, 2, 4, 1, 255])
    const bytes = Matrix.from(Uint8Array.of(1, 2, 3), 1, 3)
    const scaled = await writeDataset(place(), [bytes], options)
    expect(Array.from(await stored(scaled))).toEqual([4, 8, 12])
    const kept = await writeDataset(place(), [Matrix.from(Uint8Array.of(1, 2, 3), 1, 3, { scale: 0.5 })])
    expect(kept.scale).toBe(0.5)
    expect(Array.from(await stored(kept))).toEqual([1, 2, 3])
  })

  it('of a Uint16Array are what type says', async () => {
    const bits = Uint16Array.of(0x3c00, 0xbc00)
    for (const type of ['uint16', 'float16', 'bfloat16'] as const) {
      const dataset = await writeDataset(place(), [bits], { type, cols: 2 })
      expect(await stored(dataset)).toEqual(Buffer.from(bits.buffer))
    }
    expect(await rejection(writeDataset(place(), [bits], { cols: 2 }))).toMatchObject({
      code: 'ERR_ARGUMENT',
    })
  })

  it('have their extremes in the manifest, scaled, of all shards and batches', async () => {
    const folder = place()
    const x = Matrix.from(Int8Array.of(-3, 7, 5, -2), 2, 2, { scale: -0.5 })
    await writeShards(folder, cut(x, [1]), {}, 1)
    expect(manifest(folder)).toMatchObject({ min: -3.5, max: 1.5 })
    await writeShards(folder, [Matrix.from(Int8Array.of(100, 0), 1, 2, { scale: -0.5 })], { append: true }, 1)
    expect(manifest(folder)).toMatchObject({ min: -50, max: 1.5, rows: 3 })
    const halves = Matrix.from(Uint16Array.of(0x3c00, 0xc000), 1, 2, { type: 'float16' })
    await writeDataset(folder, [halves])
    expect(manifest(folder)).toMatchObject({ min: -2, max: 1 })
  })

  const halves = (bits: number) => Matrix.from(Uint16Array.of(0, 0, bits, 0), 2, 2, { type: 'bfloat16' })
  test.each<[string, Matrix | number[][] | Float32Array | Float64Array, WriteDatasetOptions, number]>([
    ['NaN in float32', Matrix.from(Float32Array.of(1, 2, NaN, 4), 2, 2), {}, NaN],
    ['NaN for uint8', Matrix.from(Float32Array.of(1, 2, NaN, 4), 2, 2), { type: 'uint8' }, NaN],
    [
      'infinity in rows',
      [
        [1, 2],
        [-Infinity, 4],
      ],
      {},
      -Infinity,
    ],
    ['infinity in bfloat16', halves(0x7f80), {}, Infinity],
    ['a value above uint8', Float32Array.of(1, 2, 255.5, 4), { type: 'uint8', cols: 2 }, 255.5],
    ['a value below uint8', Float32Array.of(1, 2, -1, 4), { type: 'uint8', cols: 2 }, -1],
    ['a value above scaled int8', Float32Array.of(1, 1, 2, 1), { type: 'int8', scale: 1 / 100, cols: 2 }, 2],
    ['a value above float16', Float32Array.of(1, 1, 65520, 1), { type: 'float16', cols: 2 }, 65520],
    ['a value above float32', Float64Array.of(1, 1, 1e39, 1), { type: 'float32', cols: 2 }, 1e39],
  ])(
    'of a type that cannot hold %s are refused with batch, row and column, and nothing is left',
    async (_, batch, options, received) => {
      const folder = parent()
      const good = Matrix.from(new Float32Array(4), 2, 2)
      const first = batch instanceof Matrix && batch.type === 'bfloat16' ? halves(0) : good
      const error = await rejection(
        writeDataset(join(folder, 'data'), [first, batch], { type: (batch as Matrix).type, ...options }),
      )
      expect(error).toMatchObject({
        code: 'ERR_RANGE',
        details: { argument: 'batches[1]', row: 1, column: 0, received },
      })
      expect(listed(folder)).toEqual([])
    },
  )
})

describe('a folder', () => {
  const x = Matrix.from(
    Float32Array.from({ length: 12 }, (_, k) => k),
    6,
    2,
  )
  const all = Array.from(x.data)

  it('has safetensors shards whose numbers begin at a multiple of 4096, and a manifest', async () => {
    const folder = place()
    await writeShards(folder, [x], { columns: ['a', 'b'] }, 16)
    expect(listed(folder)).toEqual(['dataset.json', ...[0, 1, 2].map((k) => `rows-0000${k}.safetensors`)])
    const shard = readFileSync(join(folder, 'rows-00001.safetensors'))
    expect(shard.readBigUInt64LE(0)).toBe(4088n)
    expect(JSON.parse(shard.subarray(8, 4096).toString())).toMatchObject({
      rows: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] },
    })
    expect(shard.length).toBe(4096 + 16)
    expect(manifest(folder)).toMatchObject({
      rows: 6,
      cols: 2,
      type: 'float32',
      scale: 1,
      columns: ['a', 'b'],
    })
    expect((await openDataset(folder)).columns).toEqual(['a', 'b'])
  })

  it('is appended to without a change of its shards', async () => {
    const folder = place()
    await writeShards(folder, [x.slice(0, 3)], { columns: ['a', 'b'] }, 16)
    const before = listed(folder)
    const old = await openDataset(folder)
    const dataset = await writeShards(folder, [x.slice(3)], { append: true }, 8)
    expect(Array.from((await dataset.read(0)).data)).toEqual(all)
    expect(dataset.columns).toEqual(['a', 'b'])
    expect(listed(folder)).toEqual(expect.arrayContaining(before))
    // A reader of before still has its rows.
    expect(Array.from((await old.read(0)).data)).toEqual(all.slice(0, 6))
    await dataset.verify()
  })

  it('that does not exist is created by append', async () => {
    const dataset = await writeDataset(place(), [x], { append: true })
    expect(dataset.rows).toBe(6)
  })

  it('is replaced when all rows are written, and its old shards are removed then', async () => {
    const folder = place()
    await writeShards(folder, [x], {}, 16)
    const old = await openDataset(folder)
    let seen: number[] = []
    async function* batches() {
      yield Matrix.from(new Uint8Array(3), 1, 3)
      seen = Array.from((await (await openDataset(folder)).read(0)).data)
      yield Matrix.from(new Uint8Array(3), 1, 3)
    }
    const dataset = await writeShards(folder, batches(), {}, 1)
    expect(seen).toEqual(all)
    expect(dataset).toMatchObject({ rows: 2, cols: 3, type: 'uint8' })
    expect(listed(folder)).toEqual([
      'dataset.json',
      ...dataset.segments.map(({ path }) => path.slice(folder.length + 1)),
    ])
    expect(await rejection(old.read(0))).toMatchObject({ code: 'ERR_FILE' })
  })

  it.each<[string, WriteDatasetOptions]>([
    ['type', { type: 'uint8' }],
    ['scale', { scale: 2 }],
    ['cols', { cols: 3 }],
    ['columns', { columns: ['a', 'c'] }],
  ])('is not appended to with another %s', async (name, options) => {
    const folder = place()
    await writeDataset(folder, [x], { columns: ['a', 'b'] })
    const error = await rejection(writeDataset(folder, [x], { append: true, ...options }))
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', details: { argument: name } })
    expect((await openDataset(folder)).rows).toBe(6)
  })

  it('without rows to write stays as it was', async () => {
    const folder = parent()
    for (const batches of [[], [x.slice(0, 0)], [[]]])
      expect(await rejection(writeDataset(join(folder, 'data'), batches))).toMatchObject({
        code: 'ERR_SHAPE',
      })
    expect(listed(folder)).toEqual([])
  })

  it('with files of others is refused before a byte changes; hidden files are no matter', async () => {
    const folder = parent()
    writeFileSync(join(folder, '.hidden'), '')
    for (const name of ['notes.txt', 'rows-00000.safetensors', 'rows-1.safetensors']) {
      const file = join(folder, name)
      writeFileSync(file, 'mine')
      const error = await rejection(writeDataset(folder, [x]))
      expect(error).toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringContaining(name) })
      expect(listed(folder)).toEqual(['.hidden', name])
      expect(readFileSync(file, 'utf8')).toBe('mine')
      rmSync(file)
    }
    await writeDataset(folder, [x])
    expect(listed(folder)).toEqual(['.hidden', 'dataset.json', 'rows-00000.safetensors'])
  })

  it('with a damaged manifest is refused', async () => {
    const folder = place()
    await writeDataset(folder, [x])
    writeFileSync(join(folder, 'dataset.json'), '{')
    expect(await rejection(writeDataset(folder, [x]))).toMatchObject({ code: 'ERR_FORMAT' })
    expect(listed(folder)).toEqual(['dataset.json', 'rows-00000.safetensors'])
  })

  it('is not written with rows of its own, also not through links', async () => {
    const folder = place()
    const dataset = await writeShards(folder, [x], {}, 16)
    const [link, hard] = [place(), place()]
    symlinkSync(folder, link)
    mkdirSync(hard)
    for (const name of listed(folder)) linkSync(join(folder, name), join(hard, name))
    const before = readFileSync(join(folder, 'dataset.json'))
    const linked = await openDataset(link)
    const copy = structuredClone(linked) as Dataset
    for (const target of [folder, link, hard]) {
      for (const source of [dataset, dataset.slice(2, 3), dataset.batches(1), linked, copy]) {
        for (const append of [true, false]) {
          const error = await rejection(writeDataset(target, source, { append }))
          expect(error).toMatchObject({ code: 'ERR_ARGUMENT', details: { argument: 'folder' } })
        }
      }
    }
    expect(readFileSync(join(folder, 'dataset.json'))).toEqual(before)
    expect(listed(folder)).toHaveLength(4)
    await dataset.verify()
  })

  it.skipIf(process.platform === 'win32')(
    'without the right to write is read, and refused to a writer',
    async () => {
      const folder = place()
      await writeDataset(folder, [x])
      for (const [path, mode] of [
        [root, 0o755],
        [join(folder, '..'), 0o755],
        [folder, 0o555],
      ] as const)
        chmodSync(path, mode)
      // The superuser may write anywhere.
      if (isRoot) process.seteuid!(65534)
      try {
        const dataset = await openDataset(folder)
        await dataset.verify()
        expect(Array.from((await dataset.read(0)).data)).toEqual(all)
        expect(await rejection(writeDataset(folder, [x]))).toMatchObject({ code: 'ERR_ARGUMENT' })
      } finally {
        if (isRoot) process.seteuid!(0)
        chmodSync(folder, 0o755)
      }
    },
  )

  it('whose parent is not there, or that is a file, is refused', async () => {
    const file = place()
    writeFileSync(file, 'mine')
    for (const path of [file, join(file, 'data'), join(parent(), 'no', 'data')])
      expect(await rejection(writeDataset(path, [x]))).toMatchObject({ code: 'ERR_ARGUMENT' })
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })
})

describe('writeDataset refuses', () => {
  const x = Matrix.from(new Float32Array(4), 2, 2)
  test.each<[string, unknown, unknown, string, string]>([
    ['what is no iterable', 5, {}, 'ERR_ARGUMENT', 'batches'],
    ['a Matrix by itself', x, {}, 'ERR_ARGUMENT', 'one batch alone is [batch]'],
    ['a flat array by itself', new Float32Array(4), {}, 'ERR_ARGUMENT', 'one batch alone is [batch]'],
    [
      'rows by themselves',
      [
        [1, 2],
        [3, 4],
      ],
      {},
      'ERR_ARGUMENT',
      'batches[0]',
    ],
    ['a batch that is none', [x, 'text'], {}, 'ERR_ARGUMENT', 'batches[1]'],
    ['a flat array without columns', [new Float32Array(4)], {}, 'ERR_ARGUMENT', 'cols'],
    ['rows of another width', [x, [[1, 2, 3]]], {}, 'ERR_SHAPE', 'batches[1]'],
    ['a flat array with a rest', [new Float32Array(5)], { cols: 2 }, 'ERR_SHAPE', 'batches[0]'],
    ['another width than its columns', [x], { columns: ['a'] }, 'ERR_SHAPE', 'batches[0]'],
    ['columns of another number than cols', [x], { columns: ['a'], cols: 2 }, 'ERR_SHAPE', 'columns'],
    ['a scale of floats', [x], { scale: 2 }, 'ERR_ARGUMENT', 'scale'],
    ['a scale of 0', [x], { type: 'uint8', scale: 0 }, 'ERR_ARGUMENT', 'scale'],
    ['an unknown type', [x], { type: 'float8' }, 'ERR_ARGUMENT', 'type'],
    ['an unknown option', [x], { typ: 'uint8' }, 'ERR_ARGUMENT', 'typ'],
    ['append that is no boolean', [x], { append: 1 }, 'ERR_ARGUMENT', 'append'],
  ])('%s, and leaves nothing', async (_, batches, options, code, message) => {
    const folder = parent()
    const error = await rejection(
      writeDataset(join(folder, 'data'), batches as RowBatches, options as WriteDatasetOptions),
    )
    expect(error).toMatchObject({ name: 'LayerwiseError', code, message: expect.stringContaining(message) })
    expect(listed(folder)).toEqual([])
  })
})

test('what is read of halves is what was written', async () => {
  const x = Matrix.from(Uint16Array.of(0x3c00, 0x0001, 0x7bff, 0x8000), 2, 2, { type: 'float16' })
  const { data } = await (await writeDataset(place(), [x])).read(0)
  expect(data).toEqual(Float32Array.from(storedNumbers(x.data, x.type)))
})
