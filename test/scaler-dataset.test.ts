import { existsSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import {
  type Dataset,
  type FloatArray,
  Matrix,
  MinMaxScaler,
  openDataset,
  StandardScaler,
  writeDataset,
  writeNpy,
} from '../lib/index.js'
import { rejection, sampleRows } from './sample.js'
import { storedRows } from './stored-rows.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const place = () => join(mkdtempSync(join(root, 'scaled-')), 'to')
const [rows, cols] = [301, 7]
const shares = Array.from(sampleRows(rows, cols).data)

describe.each(storedRows(shares, cols))('rows of %s in several shards', (_, x) => {
  test('are scaled, and scaled back, to the bits of the same rows in memory, into a folder and into memory', async () => {
    const dataset = await writeShards(place(), [x], {}, (x.data.byteLength / rows) * 97)
    for (const scaler of [new StandardScaler({ clip: 1 }), new MinMaxScaler({ range: [-1, 1] })]) {
      await scaler.fit(x)
      const scaled = await scaler.transform(x)
      const written = await scaler.transform(dataset, { to: place() })
      expectTypeOf(written).toEqualTypeOf<Dataset>()
      expect(await written.read(0)).toEqual(scaled)
      const inMemory = await scaler.transform(dataset)
      expectTypeOf(inMemory).toEqualTypeOf<Matrix<FloatArray>>()
      expect(inMemory).toEqual(scaled)
      const back = await scaler.inverseTransform(scaled)
      expect(await (await scaler.inverseTransform(written, { to: place() })).read(0)).toEqual(back)
      expect(await (await scaler.inverseTransform(scaled, { to: place() })).read(0)).toEqual(back)
    }
  })
})

test('rows that are longer than a slice are scaled whole', async () => {
  const wide = Matrix.from(
    Float32Array.from({ length: 3 * 40_000 }, (_, k) => Math.sin(k)),
    3,
    40_000,
  )
  const scaler = await new StandardScaler().fit(wide)
  const written = await scaler.transform(await writeDataset(place(), [wide]), { to: place() })
  expect(await written.read(0)).toEqual(await scaler.transform(wide))
})

test('names of columns are kept', async () => {
  const x = Matrix.from(Float64Array.of(1, 2, 3, 4), 2, 2)
  const dataset = await writeDataset(place(), [x], { columns: ['a', 'b'] })
  const scaler = await new StandardScaler().fit(dataset)
  expect((await scaler.transform(dataset, { to: place() })).columns).toEqual(['a', 'b'])
})

describe('a scaler that writes to a folder', () => {
  const x = Matrix.from(Float32Array.from(shares), rows, cols)

  test('refuses that of its rows, other widths, and options that it does not know', async () => {
    const folder = place()
    const dataset = await writeDataset(folder, [x])
    const scaler = await new StandardScaler().fit(dataset)
    const narrow = await writeDataset(place(), [[[1, 2]]])
    const refused: [() => Promise<unknown>, code: string, message: string][] = [
      [() => scaler.transform(dataset, { to: folder }), 'ERR_ARGUMENT', 'to: expected another folder'],
      [() => scaler.transform(dataset, { to: '' }), 'ERR_ARGUMENT', 'to: '],
      [() => scaler.transform(dataset, { into: folder } as object), 'ERR_ARGUMENT', 'into'],
      [() => scaler.transform(narrow, { to: place() }), 'ERR_SHAPE', `${cols} columns`],
      [() => scaler.transform(dataset.slice(3, 3)), 'ERR_SHAPE', 'at least one row'],
    ]
    for (const [call, code, message] of refused)
      expect(await rejection(call())).toMatchObject({ code, message: expect.stringContaining(message) })
    await dataset.verify()
  })

  test('leaves none after a bad value, which it names with its file, and after an abort', async () => {
    const path = place()
    const bad = Matrix.from(x.data.slice(), rows, cols)
    bad.data[200 * cols + 3] = NaN
    await writeNpy(path, bad)
    const scaler = await new StandardScaler().fit(x)
    const to = place()
    expect(await rejection(scaler.transform(await openDataset(path), { to }))).toMatchObject({
      code: 'ERR_RANGE',
      details: { row: 200, column: 3, file: path },
    })
    expect(existsSync(to)).toBe(false)
    const reason = new Error('enough')
    const aborted = scaler.transform(x, { to, signal: AbortSignal.abort(reason) })
    expect(await rejection(aborted)).toBe(reason)
    expect(existsSync(to)).toBe(false)
  })
})
