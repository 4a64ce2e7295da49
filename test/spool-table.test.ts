import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { readTable, spoolTable, type Table, TableEncoder } from '../lib/index.js'
import { expectError, rejected } from './refusal.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const batchesOf = async (table: Table) => {
  const batches = []
  for await (const batch of table) batches.push(batch)
  return batches
}
const rows = Array.from({ length: 20_000 }, (_, i) => ({
  n: i % 7 === 0 ? null : i / 3,
  c: ['red', '', 'grün'][i % 3],
  b: i % 2 === 0,
  d: new Date(i * 1000),
  i: 2n ** 60n + BigInt(i),
  l: [i],
}))

afterEach(() => {
  vi.restoreAllMocks()
})

/** What all open files have in common. */
async function fileHandles(): Promise<FileHandle> {
  const handle = await open(import.meta.filename)
  await handle.close()
  return Object.getPrototypeOf(handle) as FileHandle
}

describe('a spooled table', () => {
  test('has the batches of the stream, as often as it is iterated, and leaves no file', async () => {
    const expected = await batchesOf(readTable(rows))
    const spooled = await spoolTable(readTable(rows.values()), { folder })
    expect(readdirSync(folder)).toEqual([])
    expect(spooled).toMatchObject({ rows: 20_000, onePass: false })
    for (let round = 0; round < 2; round++) expect(await batchesOf(spooled)).toEqual(expected)
    await spooled.close()
    await spooled.close()
    expectError(await rejected(batchesOf(spooled)), 'ERR_STATE', 'closed')
  })

  test('is fitted and transformed as the rows in memory', async () => {
    const options = { columns: { i: 'drop', l: 'drop' } } as const
    const spooled = await spoolTable(readTable(rows.values()), { folder })
    const encoder = await new TableEncoder(options).fit(spooled)
    expect(JSON.stringify(encoder)).toBe(JSON.stringify(await new TableEncoder(options).fit(readTable(rows))))
    expect((await encoder.transform(spooled)).data).toEqual((await encoder.transform(readTable(rows))).data)
    await spooled.close()
  })

  test('of a stream that fails leaves no file', async () => {
    const failing = function* () {
      yield* rows.slice(0, 10_500)
      throw new Error('the network')
    }
    expect((await rejected(spoolTable(readTable(failing()), { folder }))).message).toBe('the network')
    expect(readdirSync(folder)).toEqual([])
  })

  test('says that the disk is full, and leaves no file', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    vi.spyOn(await fileHandles(), 'write').mockRejectedValueOnce(full)
    const error = await rejected(spoolTable(readTable(rows), { folder }))
    expectError(error, 'ERR_FILE', 'no space left on device')
    expect(error.cause).toBe(full)
    expect(readdirSync(folder)).toEqual([])
  })

  test('says that the disk fails while it is read', async () => {
    const spooled = await spoolTable(readTable(rows), { folder })
    vi.spyOn(await fileHandles(), 'read').mockRejectedValueOnce(new Error('EIO: i/o error, read'))
    expectError(await rejected(batchesOf(spooled)), 'ERR_FILE', 'i/o error')
    await spooled.close()
  })

  test('that is closed while it is read says so', async () => {
    const spooled = await spoolTable(readTable(rows), { folder })
    const reading = rejected(batchesOf(spooled))
    await spooled.close()
    expectError(await reading, 'ERR_STATE', 'closed')
  })

  test('needs a folder that can be written to', async () => {
    const path = join(folder, 'file')
    mkdirSync(join(folder, 'more'))
    writeFileSync(path, '')
    expectError(
      await rejected(spoolTable(readTable(rows), { folder: path })),
      'ERR_ARGUMENT',
      'folder: cannot write a temporary file',
    )
  })
})
