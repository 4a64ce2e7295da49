import { mkdtempSync, readdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  loadModel,
  Matrix,
  openDataset,
  readTable,
  resumeTraining,
  SparseAutoencoder,
  StandardScaler,
  writeDataset,
  writeNpy,
  writePng,
} from '../lib/index.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const home = process.cwd()
const rows = sampleRows(200, 4)
let here = ''
let elsewhere = ''

const scaler = new StandardScaler()
beforeAll(async () => {
  await scaler.fit(rows)
})

const model = () => new SparseAutoencoder({ inputs: 4, hidden: 2 })

beforeEach(() => {
  here = mkdtempSync(join(root, 'here-'))
  elsewhere = mkdtempSync(join(root, 'elsewhere-'))
  process.chdir(here)
})
afterEach(() => process.chdir(home))

describe('a relative path means the same while a call runs, also if the working directory is changed:', () => {
  const move = () => process.chdir(elsewhere)

  /** Calls that are made before the change, and awaited after it. */
  const writers: Record<string, () => Promise<unknown>> = {
    save: () => model().save('file'),
    writeNpy: () => writeNpy('file', Matrix.from(new Float32Array(8), 2, 4)),
    writePng: () => writePng('file', { data: new Uint8Array(4), width: 2, height: 2, channels: 1 }),
    writeDataset: () => writeDataset('file', [rows]),
    'encode to a folder': () => model().encode(rows, { to: 'file' }),
    'transform to a folder': () => scaler.transform(rows, { to: 'file' }),
    'fit with checkpoints': () =>
      model().fit(rows, {
        ...{ epochs: 3, checkpoint: { path: 'file', everySeconds: 0 } },
        onEpoch: async () => move(),
      }),
  }

  test.each(Object.entries(writers))('%s', async (_, write) => {
    const writing = write()
    move()
    await writing
    expect(readdirSync(elsewhere)).toEqual([])
    expect(readdirSync(here)).toEqual(['file'])
  })

  test('resumeTraining', async () => {
    const checkpoint = { path: 'file' }
    await model().fit(rows, { epochs: 2, checkpoint })
    const resuming = resumeTraining('file', rows, { epochs: 4, onModel: move })
    move()
    expect((await resuming).history.epochs).toHaveLength(4)
    expect(readdirSync(elsewhere)).toEqual([])
    process.chdir(here)
    expect((await resumeTraining('file', rows)).history.epochs).toHaveLength(4)
  })

  test('loadModel, openDataset and readTable', async () => {
    await model().save('model')
    await writeDataset('dataset', [rows])
    writeFileSync('table.csv', 'a\n1\n2\n')
    const [loading, opening, table] = [loadModel('model'), openDataset('dataset'), readTable('table.csv')]
    move()
    expect((await loading).inputs).toBe(4)
    expect((await (await opening).read(0)).rows).toBe(200)
    for await (const batch of table) expect(batch.rows).toBe(2)
    for await (const batch of table) expect(batch.rows).toBe(2)
  })
})

describe('a path of checkpoints', () => {
  const bad: Record<string, () => string | URL> = {
    'of a folder that is not there yet': () => `${here}/folder/`,
    'of links that lead to each other': () => {
      symlinkSync(join(here, 'b'), join(here, 'a'))
      symlinkSync(join(here, 'a'), join(here, 'b'))
      return join(here, 'a')
    },
    'with a null character': () => `${here}/a\0b`,
    'that is an address': () => new URL('http://localhost/a'),
  }

  test.each(Object.entries(bad))('%s is refused before it trains', async (_, path) => {
    const epochs: number[] = []
    const given = path()
    const options = {
      checkpoint: { path: given },
      onEpoch: ({ epoch }: { epoch: number }) => void epochs.push(epoch),
    }
    expect(await rejection(model().fit(rows, { epochs: 2, ...options }))).toMatchObject({
      code: 'ERR_ARGUMENT',
    })
    expect(epochs).toEqual([])
    expect(readdirSync(here).filter((name) => name.endsWith('.lock'))).toEqual([])
    expect(await rejection(resumeTraining(given, rows))).toMatchObject({ code: 'ERR_ARGUMENT' })
  })

  test('that is none is refused by resumeTraining', async () => {
    expect(await rejection(resumeTraining(5 as never, rows))).toMatchObject({ code: 'ERR_ARGUMENT' })
  })

  test('is locked where it leads to, also while there is no file yet', async () => {
    symlinkSync(join(here, 'file'), join(here, 'link'))
    let other: unknown
    await model().fit(rows, {
      epochs: 2,
      checkpoint: { path: join(here, 'link') },
      onEpoch: async () => {
        other ??= await rejection(model().fit(rows, { checkpoint: { path: join(here, 'file') } }))
      },
    })
    expect(other).toMatchObject({ code: 'ERR_BUSY' })
  })

  test('is where its links led to when the training began', async () => {
    const link = join(root, `link-${Math.random()}`)
    symlinkSync(here, link)
    await model().fit(rows, {
      ...{ epochs: 3, checkpoint: { path: join(link, 'file'), everySeconds: 0, keep: 2 } },
      onEpoch: async () => {
        unlinkSync(link)
        symlinkSync(elsewhere, link)
      },
    })
    expect(readdirSync(elsewhere)).toEqual([])
    expect(readdirSync(here)).toContain('file')
  })
})
