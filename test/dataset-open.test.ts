import { mkdirSync, mkdtempSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { datasetRows } from '../lib/data/dataset.js'
import { storedNumbers } from '../lib/data/halves.js'
import { Dataset, type DatasetLike, Matrix, openDataset, readIdx, writeNpy } from '../lib/index.js'
import { FORMATS, idxBytes, safetensorsBytes } from './dataset-files.js'
import { fileChanges } from './file-changes.js'
import { rejection } from './sample.js'
import { storedRows } from './stored-rows.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const fresh = () => mkdtempSync(join(root, 'folder-'))
const place = () => join(fresh(), 'rows')

/** Rows of every storage type, with an odd number of columns; scaled where the type may be. */
const shares = Array.from({ length: 35 }, (_, k) => ((k * 13) % 35) / 35)
const everyType = storedRows(shares, 5).filter(([name]) => name !== 'float16')
const formats = Object.entries(FORMATS)

/** What `read` is to give: halves as float32. */
function expected(x: Matrix): number[] {
  return Array.from(storedNumbers(x.data, x.type), (number) =>
    ['float16', 'bfloat16'].includes(x.type) ? Math.fround(number * x.scale) : number,
  )
}

describe.each(formats)('rows of a %s', (format, write) => {
  const types = everyType.filter(([, x]) => format !== 'npy' || x.type !== 'bfloat16')

  it.each(types)('of %s are read as they are stored', async (_, given) => {
    const x = Matrix.from(given.data, given.rows, given.cols, { type: given.type })
    const path = place()
    const dataset = await openDataset(path, await write(path, x))
    expect(dataset).toMatchObject({ rows: 7, cols: 5, type: x.type, scale: 1, paths: [path] })
    expect(dataset.columns).toBeUndefined()
    const all = await dataset.read(0)
    expect([all.rows, all.cols, all.scale]).toEqual([7, 5, 1])
    expect(Array.from(all.data)).toEqual(expected(x))
    await dataset.verify()
  })
})

describe.each(formats)('a dataset of a %s', (_, write) => {
  const x = Matrix.from(
    Int16Array.from({ length: 60 }, (_, k) => k * k),
    20,
    3,
  )

  it('reads any rows, whole, sliced, sliced again, and in batches', async () => {
    const path = place()
    const dataset = await openDataset(path, await write(path, x))
    for (const [from, to] of [
      [0, 20],
      [0, 0],
      [3, 4],
      [19, 20],
      [20, 20],
      [5, 17],
    ] as const) {
      expect((await dataset.read(from, to)).data).toEqual(x.slice(from, to).data)
      const slice = dataset.slice(from, to)
      expect((await slice.read(0)).data).toEqual(x.slice(from, to).data)
      await slice.verify()
    }
    const inner = dataset.slice(4, 18).slice(1, 9)
    expect((await inner.read(2, 5)).data).toEqual(x.slice(7, 10).data)
    for (const n of [1, 6, 8, 20, 50]) {
      const batches = dataset.slice(2).batches(n)
      // An iterable can be used again.
      for (let time = 0; time < 2; time++) {
        let at = 2
        for await (const { from, rows } of batches) {
          expect(from).toBe(at - 2)
          expect(rows.data).toEqual(x.slice(at, Math.min(20, at + n)).data)
          at += rows.rows
        }
        expect(at).toBe(20)
      }
    }
  })

  it('is accepted as a structured clone, and rebuilt from it', async () => {
    const path = place()
    const dataset = (await openDataset(path, await write(path, x))).slice(3)
    const copy = structuredClone(dataset)
    expect(copy).not.toBeInstanceOf(Dataset)
    const again = Dataset.from(copy)
    expect(again).toEqual(dataset)
    expect((await again.read(1, 4)).data).toEqual(x.slice(4, 7).data)
    await again.verify()
  })

  it('is given to native code as segments of rows, after any slice', async () => {
    const path = place()
    const dataset = (await openDataset(path, await write(path, x))).slice(5, 18)
    const rows = datasetRows('x', dataset, { width: 3, scaling: undefined })
    expect(rows).toMatchObject({ type: 'int16', rows: 13, cols: 3, scale: 1, data: new Int16Array(0) })
    expect(rows.files!.segments.reduce((sum, segment) => sum + segment.rows, 0)).toBe(13)
  })

  it('refuses rows of files that have since been cut, changed, replaced or removed, with ERR_FILE', async () => {
    const changes: [message: string, change: (file: string) => void][] = [
      ['bytes, and has', fileChanges.cut],
      ['bytes, and has', fileChanges.longer],
      ['it was written to', fileChanges.changed],
      ['it is gone', fileChanges.removed],
      ['another file is at its place', fileChanges.replaced],
    ]
    for (const [message, change] of changes) {
      const path = place()
      const dataset = await openDataset(path, await write(path, x))
      const file = dataset.segments[0]!.path
      change(file)
      for (const use of [() => dataset.read(0, 1), () => dataset.verify()]) {
        expect(await rejection(use())).toMatchObject({
          code: 'ERR_FILE',
          message: expect.stringContaining(message),
          details: { file },
        })
      }
    }
  })
})

describe('openDataset', () => {
  const x = Matrix.from(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 2)
  const y = Matrix.from(Float32Array.of(7, 8), 1, 2)

  it('joins files and folders of a list in their order', async () => {
    const [a, b, c] = [place(), place(), place()]
    await writeNpy(a, x)
    writeFileSync(b, safetensorsBytes([['y', y]]))
    await FORMATS['folder of a shard a row']!(c, x)
    const dataset = await openDataset([a, pathToFileURL(b), c, b])
    expect(dataset.paths).toEqual([a, b, c, b])
    expect(Array.from((await dataset.read(0)).data)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(Array.from((await dataset.read(2, 5)).data)).toEqual([5, 6, 7, 8, 1, 2])
  })

  it('refuses a list of other columns, other types, or nothing', async () => {
    const [a, b, c] = [place(), place(), place()]
    await writeNpy(a, x)
    await writeNpy(b, Matrix.from(new Float32Array(3), 1, 3))
    await writeNpy(c, Matrix.from(new Float64Array(2), 1, 2))
    expect(await rejection(openDataset([a, b]))).toMatchObject({
      code: 'ERR_SHAPE',
      message: expect.stringContaining(b),
    })
    expect(await rejection(openDataset([a, c]))).toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(c),
    })
    expect(await rejection(openDataset([]))).toMatchObject({ code: 'ERR_SHAPE' })
  })

  it.each([1, 2, 3, 5])(
    'divides rows into %i parts that together are all of them, in order',
    async (parts) => {
      const path = place()
      await writeNpy(
        path,
        Matrix.from(
          Uint8Array.from({ length: 11 }, (_, k) => k),
          11,
          1,
        ),
      )
      const all: number[] = []
      for (let part = 0; part < parts; part++) {
        const { data } = await (await openDataset(path, { part, parts })).read(0)
        expect(Math.abs(data.length - 11 / parts)).toBeLessThan(1)
        all.push(...data)
      }
      expect(all).toEqual(Array.from({ length: 11 }, (_, k) => k))
    },
  )

  it('reads IDX images with the scale of readIdx, and labels as one column', async () => {
    const [images, labels] = [place(), place()]
    const bytes = Matrix.from(
      Uint8Array.from({ length: 24 }, (_, k) => 10 * k),
      2,
      12,
    )
    writeFileSync(images, idxBytes(bytes, [2, 3, 4]))
    writeFileSync(labels, idxBytes(bytes, [24]))
    const dataset = await openDataset(images)
    expect(dataset).toMatchObject({ rows: 2, cols: 12, type: 'uint8', scale: 1 / 255 })
    expect(await dataset.read(0)).toEqual(await readIdx(images))
    expect(await openDataset(labels)).toMatchObject({ rows: 24, cols: 1, type: 'uint8', scale: 1 })
    expect(await openDataset(images, { scale: 2 })).toMatchObject({ scale: 2 })
  })

  it('takes the array named rows if there are several, and names them if there is none', async () => {
    const path = place()
    writeFileSync(
      path,
      safetensorsBytes([
        ['other', y],
        ['rows', x],
      ]),
    )
    expect((await (await openDataset(path)).read(0)).data).toEqual(x.data)
    writeFileSync(
      path,
      safetensorsBytes([
        ['a', y],
        ['b', x],
      ]),
    )
    expect(await rejection(openDataset(path))).toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringContaining("its arrays are 'a', 'b'; the option tensor says which"),
    })
  })

  it('scales 16-bit floats that it reads, and keeps the names of columns', async () => {
    const path = place()
    await writeNpy(path, Matrix.from(Uint16Array.of(0x3c00, 0xc000), 1, 2, { type: 'float16' }))
    const dataset = await openDataset(path, { scale: 0.5, columns: ['a', 'b'] })
    expect(dataset.columns).toEqual(['a', 'b'])
    expect(await dataset.read(0)).toMatchObject({ data: Float32Array.of(0.5, -1), scale: 1 })
    expect(structuredClone(dataset.slice(0)).columns).toEqual(['a', 'b'])
  })

  it('opens an array of no rows, whose rows nothing can use', async () => {
    const path = place()
    await writeNpy(path, Matrix.from(new Float32Array(0), 0, 4))
    const dataset = await openDataset(path)
    expect([dataset.rows, (await dataset.read(0)).rows]).toEqual([0, 0])
  })

  it('reads only the header of a file of more than 4 GiB, and any row of it', async () => {
    const path = place()
    const [rows, cols] = [2 ** 17, 2 ** 15 + 1]
    writeFileSync(path, Buffer.of(1, 2, 3))
    truncateSync(path, 3 + rows * cols)
    writeFileSync(path, Buffer.of(9), { flag: 'r+' })
    const dataset = await openDataset(path, { raw: { type: 'uint8', cols, offset: 3 } })
    expect(dataset.rows).toBe(rows)
    expect((await dataset.slice(rows - 1).read(0)).data.length).toBe(cols)
    expect(dataset.slice(rows - 2).segments[0]!.offset).toBe(3 + (rows - 2) * cols)
  })

  it.each<[string, (path: string) => void, object, string]>([
    ['a folder without manifest', (path) => mkdirSync(path), {}, 'openDataset(['],
    [
      'a compressed file',
      (path) => writeFileSync(path, Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0)),
      {},
      'unpack it',
    ],
    [
      'numbers alone, the first of them 0',
      (path) => writeFileSync(path, new Float32Array(8)),
      {},
      'raw: { type, cols }',
    ],
    ['a file of no known format', (path) => writeFileSync(path, 'a,b\n1,2\n'), {}, 'raw: { type, cols }'],
    ['an empty file', (path) => writeFileSync(path, ''), {}, 'no file of rows'],
    [
      'big-endian numbers',
      (path) => writeFileSync(path, Buffer.of(0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0)),
      {},
      'big-endian',
    ],
    [
      'raw rows with a rest',
      (path) => writeFileSync(path, Buffer.alloc(13)),
      { raw: { type: 'float32', cols: 3 } },
      'no whole number of rows',
    ],
    [
      'raw rows behind the end',
      (path) => writeFileSync(path, Buffer.alloc(13)),
      { raw: { type: 'uint8', cols: 1, offset: 14 } },
      'would begin at 14',
    ],
  ])('refuses %s with ERR_FORMAT and the file’s name', async (_, make, options, message) => {
    const path = place()
    make(path)
    const error = await rejection(openDataset(path, options))
    expect(error).toMatchObject({ code: 'ERR_FORMAT', message: expect.stringContaining(message) })
    expect((error as Error).message).toContain(path)
  })

  test.each<[string, string, unknown, unknown]>([
    ['no path', 'path', 5, undefined],
    ['a path of a list that is none', 'paths[1]', ['a', null], undefined],
    ['an unknown option', 'options', 'a', { tensors: 'x' }],
    ['raw without columns', 'raw.cols', 'a', { raw: { type: 'uint8' } }],
    ['raw of an unknown type', 'raw.type', 'a', { raw: { type: 'float8', cols: 1 } }],
    ['raw beside tensor', 'tensor', 'a', { tensor: 'x', raw: { type: 'uint8', cols: 1 } }],
    ['a part that is none', 'part', 'a', { part: 2, parts: 2 }],
    ['a part without parts', 'parts', 'a', { part: 0 }],
    ['a file that is not there', 'path', '/no such file', undefined],
  ])('refuses %s with ERR_ARGUMENT', async (_, argument, path, options) => {
    const error = await rejection(openDataset(path as string, options as object))
    expect(error).toMatchObject({ name: 'LayerwiseError', code: 'ERR_ARGUMENT' })
    expect((error as Error).message.startsWith(argument)).toBe(true)
  })
})

describe('a closed dataset', () => {
  it('refuses to be read, also by its slices, with ERR_STATE', async () => {
    const path = place()
    await writeNpy(path, Matrix.from(new Float32Array(6), 3, 2))
    const dataset = await openDataset(path)
    const slice = dataset.slice(1)
    const { asyncDispose } = Symbol as { asyncDispose?: symbol }
    if (asyncDispose === undefined) await dataset.close()
    else await (dataset as unknown as Record<symbol, () => Promise<void>>)[asyncDispose]!()
    for (const closed of [dataset, slice]) {
      expect(await rejection(closed.read(0))).toMatchObject({ code: 'ERR_STATE' })
      expect(await rejection(closed.verify())).toMatchObject({ code: 'ERR_STATE' })
      expect(() => closed.slice(0)).toThrow('closed')
      expect(() => closed.batches()).toThrow('closed')
      expect(() => datasetRows('x', closed, { width: 2, scaling: undefined })).toThrow(
        'x: the dataset was closed',
      )
    }
  })
})

describe('Dataset.from refuses what is no copy of a dataset:', () => {
  const segment = { path: '/a', offset: 0, rows: 2, identity: '1:2:3:4' }
  const good = { rows: 2, cols: 1, type: 'uint8', scale: 1, paths: ['/a'], segments: [segment] }
  test.each<[string, object, string]>([
    ['other rows than those of its segments', { rows: 3 }, 'segments: expected 3 rows'],
    ['a type that is none', { type: 'uint9' }, 'type'],
    ['an identity that is none', { segments: [{ ...segment, identity: '1:2:3' }] }, 'segments[0].identity'],
    ['an offset below 0', { segments: [{ ...segment, offset: -1 }] }, 'segments[0].offset'],
    ['columns of another number', { columns: ['a', 'b'] }, 'columns'],
    ['a member that is unknown', { more: 1 }, 'unknown option'],
  ])('%s', (_, change, message) => {
    expect(Dataset.from(good as DatasetLike).rows).toBe(2)
    expect(() => Dataset.from({ ...good, ...change } as DatasetLike)).toThrow(message)
  })
})

describe('files that Python wrote are read:', () => {
  test('a float16 array of NumPy 2', async () => {
    const path = place()
    const bytes =
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDMpLCB9ICAgICAg' +
      'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAOADA/3s='
    writeFileSync(path, Buffer.from(bytes, 'base64'))
    expect((await (await openDataset(path)).read(0)).toArray()).toEqual([[0.5, -2, 65504]])
  })

  test('an int16 array beside one of int64 of safetensors', async () => {
    const path = place()
    const bytes =
      'eAAAAAAAAAB7Im90aGVyIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOlsxXSwiZGF0YV9vZmZzZXRzIjpbMCw4XX0sIngiOnsiZHR5cGUi' +
      'OiJJMTYiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzgsMjBdfX0gICAgICAAAAAAAAAAAAAAAQACAAMABAAFAA=='
    writeFileSync(path, Buffer.from(bytes, 'base64'))
    const dataset = await openDataset(path, { tensor: 'x' })
    expect(dataset.type).toBe('int16')
    expect((await dataset.read(0)).toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
    expect(await rejection(openDataset(path, { tensor: 'other' }))).toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringContaining('its dtype is "I64"'),
    })
  })
})
