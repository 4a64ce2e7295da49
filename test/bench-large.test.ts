import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { forget, plainReads, shards } from '../bench/large/disk.js'
import { inMemory } from '../bench/large/in-memory.js'
import { JobFolder } from '../bench/large/job.js'
import { memory, mostMemory, readerSeconds } from '../bench/large/process.js'
import { largeTables } from '../bench/large/tables.js'
import { DeformedDigits } from '../bench/synthetic/deformed-digits.js'
import { bytesOf, madeOnce, type Table } from '../bench/synthetic/made-once.js'
import { trainingDigits } from '../bench/synthetic/mnist.js'
import { openDataset, SparseAutoencoder } from '../lib/index.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const table = (name: string) => largeTables.find((one) => one.name === name)!

describe('a data set that is made once', () => {
  test('has the rows of its maker, and is used again', async () => {
    const said: string[] = []
    const say = (line: string) => said.push(line)
    const path = await madeOnce(table('digits'), 300, { folder, say })
    const rows = await (await openDataset(path)).read(0)
    expect(rows.scale).toBe(1 / 255)
    expect(Uint8Array.from(rows.data)).toEqual(new DeformedDigits(trainingDigits()).make(0, 300))
    expect(await madeOnce(table('digits'), 300, { folder, say })).toBe(path)
    expect(said).toHaveLength(1)
  })

  test('is another one for other rows or other options', async () => {
    const small = { ...table('higgs'), maker: { ...table('higgs').maker } }
    const other: Table = { ...small, maker: { ...small.maker, options: { cols: 28, factors: 8, seed: 1 } } }
    const paths = [
      await madeOnce(small, 50, { folder }),
      await madeOnce(small, 60, { folder }),
      await madeOnce(other, 50, { folder }),
    ]
    expect(new Set(paths).size).toBe(3)
  })

  test('is not begun on a disk without room for it: the error says what is missing', async () => {
    const making = madeOnce(table('digits'), 2 ** 52 / 784, { folder })
    await expect(making).rejects.toThrow(/rows need .* GB .* are free: .* GB are missing/)
    expect(readdirSync(folder).some((name) => name.includes('unfinished'))).toBe(false)
  })
})

describe('the tables', () => {
  test('have the sizes that the documentation states', () => {
    const sizes = largeTables.map((one) => `${one.name} ${(bytesOf(one, one.rows) / 1e9).toFixed(1)}`)
    expect(sizes).toEqual(['digits 6.4', 'higgs 1.2', 'patches 2.6', 'patches8 0.6', 'activations 3.1'])
  })

  test('of half the width have the values that were made', async () => {
    const of = table('activations')
    const path = await madeOnce(of, 20, { folder })
    const { data } = await (await openDataset(path)).read(0)
    expect(data.length).toBe(20 * 1536)
    expect([...data].every((value) => value >= 0 && value <= 1)).toBe(true)
    const jobFolder = new JobFolder(await openDataset(path), path, of, 15, of.shapes[0]!)
    try {
      const held = await inMemory(jobFolder.job)
      expect([held.rows, held.type]).toEqual([15, 'float16'])
      expect([held.at(0, 0), held.at(14, 1535)]).toEqual([data[0], data[14 * 1536 + 1535]])
    } finally {
      jobFolder.remove()
    }
    expect(existsSync(jobFolder.path)).toBe(false)
  })
})

describe('plain reads', () => {
  test('take the files of rows in their order, and no others', async () => {
    const place = join(folder, 'shards')
    const path = await madeOnce(table('higgs'), 100, { folder: place })
    const files = await shards(path)
    expect(files.length).toBeGreaterThan(0)
    expect(files.every((file) => file.endsWith('.safetensors'))).toBe(true)
    expect(files).toEqual([...files].sort())
  })

  test.each(['inOrder', 'blocks'] as const)(
    '%s measure a rate, also of a file shorter than a read',
    async (pattern) => {
      const file = join(folder, `zeros-${pattern}`)
      writeFileSync(file, '')
      truncateSync(file, 5_000_001)
      expect(await plainReads([file], Number.POSITIVE_INFINITY, pattern, 1)).toBeGreaterThan(1e6)
    },
  )
})

test('that pages of a file could not be forgotten is said, not thrown', async () => {
  expect(await forget([join(folder, 'missing', 'file')])).toBeTypeOf('string')
})

test('the most memory of a process is at least what it has', () => {
  expect(mostMemory()).toBeGreaterThanOrEqual(memory() * 0.99)
})

test.runIf(process.platform === 'linux')(
  'threads that read files are found while a model trains on them',
  async () => {
    const path = await madeOnce(table('digits'), 300, { folder })
    const model = new SparseAutoencoder({ inputs: 784, hidden: 400 })
    const enough = new AbortController()
    const { signal } = enough
    const seen: (number | undefined)[] = []
    const onProgress = () => {
      seen.push(readerSeconds())
      if (seen.length === 2) enough.abort()
    }
    const fitting = model.fit(await openDataset(path), { epochs: 1e6, batchSize: 100, signal, onProgress })
    await expect(fitting).rejects.toThrow('aborted')
    expect(seen.every((seconds) => seconds !== undefined && seconds >= 0)).toBe(true)
  },
)
