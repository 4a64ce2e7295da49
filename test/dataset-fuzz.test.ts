import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import {
  LayerwiseError,
  Matrix,
  openDataset,
  readIdx,
  readIdxLabels,
  readNpy,
  writeNpy,
} from '../lib/index.js'
import { idxBytes, safetensorsBytes } from './dataset-files.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()

/** Damaged files of each format; `npm run prove -- damaged` reads many times more, changed by what it knows of each format. */
const FILES = 10_000
/** Files that are written and opened at the same time. */
const GROUP = 100

const x = Matrix.from(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 2)
const bytes = Matrix.from(Uint8Array.of(1, 2, 3, 4, 5, 6), 3, 2)

/** A file or folder of a format: which of its files is damaged, and what must hold of rows that are read from it. */
interface Format {
  make(folder: string): Promise<void>
  /** The file in the folder. */
  file: string
  /** What is opened. */
  open: string
  /** Fails if the numbers are wrong, of a file that was opened. */
  check(path: string, data: ArrayLike<number>, verified: unknown): Promise<void>
}

const same = async (read: Promise<{ data: ArrayLike<number> }>, data: ArrayLike<number>) =>
  expect(Array.from(data)).toEqual(Array.from((await read).data))

const FORMATS: Record<string, Format> = {
  'a .npy file': {
    make: (folder) => writeNpy(join(folder, 'file'), x),
    ...{ file: 'file', open: 'file' },
    check: (path, data) => same(readNpy(path), data),
  },
  'a safetensors file': {
    make: async (folder) =>
      writeFileSync(
        join(folder, 'file'),
        safetensorsBytes([
          ['rows', x],
          ['z', bytes],
        ]),
      ),
    ...{ file: 'file', open: 'file' },
    async check(path, data) {
      // By the plain reading of its header.
      const file = readFileSync(path)
      const begin = 8 + Number(file.readBigUInt64LE(0))
      const { rows } = JSON.parse(file.subarray(8, begin).toString()) as {
        rows: { data_offsets: [number, number] }
      }
      const [from, to] = rows.data_offsets
      expect((data as Float32Array).byteLength).toBe(to - from)
      expect(Buffer.from((data as Float32Array).buffer as ArrayBuffer)).toEqual(
        Buffer.from(file.subarray(begin + from, begin + to)),
      )
    },
  },
  'an IDX file': {
    make: async (folder) => writeFileSync(join(folder, 'file'), idxBytes(bytes, [3, 2])),
    ...{ file: 'file', open: 'file' },
    check: (path, data) => {
      const labels = async () => ({ data: await readIdxLabels(path) })
      const isLabels = readFileSync(path)[3] === 1
      return same(isLabels ? labels() : readIdx<Uint8Array>(path), data)
    },
  },
  'a manifest': {
    make: async (folder) => void (await writeShards(folder, [x], { columns: ['a', 'b'] }, 16)),
    ...{ file: 'dataset.json', open: '.' },
    async check(_, data, verified) {
      // Shards have what they had, in another order perhaps; a changed checksum is found by verify.
      if (verified === undefined) expect([1, 3, 5]).toContain(data[0])
    },
  },
  'a shard': {
    make: async (folder) => void (await writeShards(folder, [x], {}, 2 ** 20)),
    ...{ file: 'rows-00000.safetensors', open: '.' },
    async check(_, data, verified) {
      if (verified === undefined) expect(Array.from(data)).toEqual(Array.from(x.data))
      else expect(verified).toMatchObject({ code: 'ERR_FORMAT' })
    },
  },
}

interface Change {
  readonly place: number
  readonly removed: number
  readonly keeps: boolean
  readonly added: Uint8Array
}

const change: fc.Arbitrary<Change> = fc.record({
  place: fc.nat(),
  removed: fc.oneof(fc.nat(3), fc.nat(5000)),
  // As many bytes as were removed, or others.
  keeps: fc.boolean(),
  added: fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
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
        '4',
        'F64',
        '\xff',
      )
      .map((text) => Buffer.from(text, 'latin1')),
  ),
})

/** A file with some bytes replaced, added or removed. Places are where headers are, more often than not. */
function damage(good: Buffer, changes: readonly Change[]): Buffer {
  let damaged = good
  for (const { place, removed, keeps, added } of changes) {
    const at = place % (Math.min(damaged.length, place % 3 === 0 ? damaged.length : 160) + 1)
    const rest = damaged.subarray(at + (keeps ? added.length : removed))
    damaged = Buffer.concat([damaged.subarray(0, at), added, rest])
  }
  return damaged
}

describe.each(Object.entries(FORMATS))('%s that is damaged', (_, { make, file, open, check }) => {
  let good: Buffer
  let folders: string[]

  beforeAll(async () => {
    folders = Array.from({ length: GROUP }, () => mkdtempSync(join(root, 'folder-')))
    for (const folder of folders) await make(folder)
    good = readFileSync(join(folders[0]!, file))
  })

  async function expectRightOrRefused(folder: string, damaged: Buffer): Promise<boolean> {
    writeFileSync(join(folder, file), damaged)
    const path = join(folder, open)
    const opened = await openDataset(path).catch((error: unknown) => error as Error)
    if (opened instanceof Error) {
      const isRefusal = opened instanceof LayerwiseError && opened.code === 'ERR_FORMAT'
      if (!isRefusal || !opened.message.includes(folder)) throw opened
      return false
    }
    const verified = await opened.verify().catch((error: unknown) => error)
    const { rows, cols, data } = await opened.read(0)
    expect(data.length).toBe(rows * cols)
    await check(path, data, verified)
    return true
  }

  test(`is read right, or refused with ERR_FORMAT and its name: ${FILES} of them`, async () => {
    let right = 0
    const group = fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), {
      minLength: GROUP,
      maxLength: GROUP,
    })
    await fc.assert(
      fc.asyncProperty(group, async (all) => {
        const outcomes = await Promise.all(
          all.map((changes, k) => expectRightOrRefused(folders[k]!, damage(good, changes))),
        )
        right += outcomes.filter(Boolean).length
      }),
      { numRuns: FILES / GROUP },
    )
    // Of both kinds there are some: the changes are neither harmless nor fatal.
    expect(right).toBeGreaterThan(FILES / 1000)
    expect(right).toBeLessThan(FILES)
  }, 120_000)
})
