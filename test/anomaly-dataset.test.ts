import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { sorted } from '../lib/anomaly/sorted.js'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import {
  AnomalyDetector,
  type AnomalyHistory,
  type Dataset,
  Matrix,
  openDataset,
  readTable,
  type ScoresBatch,
  TableEncoder,
  type TrainedOn,
  writeDataset,
  writeNpy,
} from '../lib/index.js'
import { DependentColumns, normals, spreadsOf } from './anomaly-sample.js'
import { fileChanges } from './file-changes.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const empty = () => mkdtempSync(join(root, 'folder-'))
const cols = 8
const columns = new DependentColumns(cols, 3, 5)
const rows = columns.rows(1500)
const fresh = columns.rows(400)
const spreads = spreadsOf(rows)
const strange = Matrix.fromRows(
  columns
    .rows(400)
    .toArray()
    .map((row, i) => row.map((value, j) => (j === i % cols ? value + 6 * spreads[j]! : value))),
)

/** In shards of 200 rows. */
const inFiles = (x: Matrix): Promise<Dataset> => writeShards(join(empty(), 'rows'), [x], {}, 200 * cols * 8)

/** A detector that learns from files whatever is longer than a kilobyte. */
function withLittleMemory(options: ConstructorParameters<typeof AnomalyDetector>[0] = {}): AnomalyDetector {
  const detector = new AnomalyDetector(options)
  detector.inMemory = 1000
  return detector
}

async function collected(batches: AsyncIterable<ScoresBatch>): Promise<Float64Array> {
  const all: number[] = []
  for await (const { from, scores } of batches) {
    expect(from).toBe(all.length)
    all.push(...scores)
  }
  return Float64Array.from(all)
}

describe('rows in files', () => {
  test('that memory holds give the detector of the same rows in memory, to the bit', async () => {
    const [a, b] = [new AnomalyDetector({ seed: 2 }), new AnomalyDetector({ seed: 2 })]
    const expected = await a.fit(rows)
    expect(await b.fit(await inFiles(rows))).toMatchObject({
      trained: expected.trained,
      leftOut: expected.leftOut,
      heldOut: expected.heldOut,
      threshold: expected.threshold,
    })
    expect(await b.score(strange)).toEqual(await a.score(strange))
  })

  describe.each(['clean', 'mixed'] satisfies TrainedOn[])(
    'that memory does not hold, of %s rows',
    (trainedOn) => {
      const folder = empty()
      let [isInFiles, left] = [false, -1]
      const [inMemory, long] = [
        new AnomalyDetector({ trainedOn, seed: 3 }),
        withLittleMemory({ trainedOn, seed: 3 }),
      ]
      let expected: AnomalyHistory
      let found: AnomalyHistory

      beforeAll(async () => {
        expected = await inMemory.fit(rows)
        found = await long.fit(await inFiles(rows), {
          folder,
          onProgress: () => {
            isInFiles ||= readdirSync(folder).length === 1
          },
        })
        left = readdirSync(folder).length
      })

      test('are held out, left out and scaled as in memory', async () => {
        for (const count of ['trained', 'leftOut', 'heldOut'] as const)
          expect(found[count]).toBe(expected[count])
        expect(long.scaling!.toJSON()).toEqual(inMemory.scaling!.toJSON())
      })

      test('give the bits of memory, where their order fits one window of the shuffle', async () => {
        expect(long.threshold).toEqual(inMemory.threshold)
        expect(await long.score(strange)).toEqual(await inMemory.score(strange))
      })

      test('are learned from in a temporary folder, which is removed', async () => {
        expect([isInFiles, left]).toEqual([true, 0])
      })

      test('give the same detector at any number of threads, whatever the shards', async () => {
        const again = withLittleMemory({ trainedOn, seed: 3 })
        await again.fit(await writeDataset(join(empty(), 'rows'), [rows]), { threads: 1 })
        expect(await again.score(strange)).toEqual(await long.score(strange))
      })
    },
  )

  test('are scored to the bits of the same rows in memory, in one call and in parts', async () => {
    const detector = new AnomalyDetector({ trainedOn: 'clean' })
    await detector.fit(rows)
    const dataset = await inFiles(rows)
    const expected = await detector.score(rows)
    expect(await detector.score(dataset)).toEqual(expected)
    for (const x of [rows, dataset]) expect(await collected(detector.scoreBatches(x))).toEqual(expected)
    expect((await detector.predict(dataset)).scores).toEqual(expected)
    expect(await detector.drift(dataset)).toEqual(await detector.drift(rows))
    expect(await detector.refitThreshold(dataset)).toEqual(await detector.refitThreshold(rows))
  })

  test('go on being learned from, and may be those for validation', async () => {
    const detector = withLittleMemory({ trainedOn: 'clean' })
    const folder = empty()
    expect((await detector.fit(rows, { validation: await inFiles(fresh), folder })).heldOut).toBe(400)
    const { drift, trained, heldOut } = await detector.update(await inFiles(rows), { folder })
    expect([drift.rows, trained + heldOut]).toEqual([1500, 1500])
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('a fit in files that ends early', () => {
  test.each(['fit', 'update'] as const)(
    'by an abort of %s changes nothing and leaves no file',
    async (method) => {
      const detector = withLittleMemory()
      await detector.fit(rows)
      const before = await detector.score(strange)
      const folder = empty()
      const reason = new Error('enough')
      const dataset = await inFiles(rows)
      const controller = new AbortController()
      const stopped = detector[method](dataset, {
        folder,
        signal: controller.signal,
        onProgress: () => controller.abort(reason),
      })
      expect(await rejection(stopped)).toBe(reason)
      expect(readdirSync(folder)).toEqual([])
      const early = detector[method](dataset, { folder, signal: AbortSignal.abort(reason) })
      expect(await rejection(early)).toBe(reason)
      expect(readdirSync(folder)).toEqual([])
      expect(await detector.score(strange)).toEqual(before)
    },
  )

  test.each(Object.entries(fileChanges))('by a file that was %s leaves no file', async (_, change) => {
    const dataset = await inFiles(rows)
    const file = dataset.segments[3]!.path
    change(file)
    const folder = empty()
    for (const detector of [withLittleMemory(), new AnomalyDetector()])
      expect(await rejection(detector.fit(dataset, { folder }))).toMatchObject({
        code: 'ERR_FILE',
        details: { file },
      })
    expect(readdirSync(folder)).toEqual([])
  })

  test.each([withLittleMemory, () => new AnomalyDetector()])(
    'by a value that is no number names its file, row and column',
    async (make) => {
      const path = join(empty(), 'rows.npy')
      const bad = Matrix.from(rows.data.slice(), rows.rows, cols)
      bad.data[1300 * cols + 5] = NaN
      await writeNpy(path, bad)
      expect(await rejection(make().fit(await openDataset(path)))).toMatchObject({
        code: 'ERR_RANGE',
        details: { row: 1300, column: 5, file: path },
      })
      expect(await rejection(make().fit(bad))).toMatchObject({ details: { row: 1300, column: 5 } })
    },
  )

  test('by a kill leaves a folder that the next one removes', async () => {
    const folder = empty()
    const library = JSON.stringify(fileURLToPath(new URL('../lib/index.ts', import.meta.url)))
    const dataset = await inFiles(rows)
    const code = `
      import { AnomalyDetector, openDataset } from ${library}
      const detector = new AnomalyDetector()
      detector.inMemory = 1000
      const onProgress = async () => { console.log('amid'); await new Promise(() => setInterval(() => {}, 1e6)) }
      await detector.fit(await openDataset(${JSON.stringify(dataset.paths[0])}), { folder: ${JSON.stringify(folder)}, onProgress })`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code])
    try {
      child.stderr.pipe(process.stderr)
      await once(child.stdout, 'data')
    } finally {
      child.kill('SIGKILL')
    }
    await once(child, 'exit')
    expect(readdirSync(folder)).toHaveLength(1)
    await withLittleMemory().fit(dataset, { folder })
    expect(readdirSync(folder)).toEqual([])
  })

  test('in a folder that cannot be written to is refused', async () => {
    const folder = join(empty(), 'not', 'there')
    expect(await rejection(withLittleMemory().fit(await inFiles(rows), { folder }))).toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(folder),
    })
    expect(await rejection(new AnomalyDetector().fit(rows, { folder: 3 as never }))).toMatchObject({
      details: { argument: 'folder' },
    })
  })
})

describe('a table', () => {
  const normal = normals(4)
  const words = Array.from({ length: 6000 }, (_, i) => ({
    word: `w${(i * 7) % 900}`,
    size: normal(),
    i: i % 5,
  }))

  test('whose encoded rows memory does not hold is learned from in files, as a dataset of them', async () => {
    const folder = empty()
    const table = readTable(words)
    const options = { columns: { word: { kind: 'hash', buckets: 16 } } } as const
    const detector = withLittleMemory({ encoder: options })
    const { trained, heldOut, leftOut } = await detector.fit(table, { folder, validation: readTable(words) })
    expect([trained + leftOut, heldOut]).toEqual([6000, 6000])
    expect(readdirSync(folder)).toEqual([])
    const encoded = await (await new TableEncoder(options).fit(table)).transform(table)
    const same = withLittleMemory()
    const dataset = await writeDataset(join(empty(), 'rows'), [encoded])
    await same.fit(dataset, { validation: dataset })
    expect(await detector.score(table)).toEqual(await same.score(encoded))
  })

  test('is scored in parts, to the bits of its encoded rows in one call', async () => {
    const encoder = { columns: { word: { kind: 'hash', buckets: 512 } } } as const
    const detector = new AnomalyDetector({ encoder })
    await detector.fit(readTable(words.slice(0, 2000)))
    const encoded = await detector.encoder!.transform(readTable(words))
    const parts: number[] = []
    for await (const { scores } of detector.scoreBatches(readTable(words))) parts.push(scores.length)
    expect(parts.length).toBeGreaterThan(1)
    expect(parts.slice(0, -1).every((length) => length % 512 === 0)).toBe(true)
    expect(await detector.score(readTable(words))).toEqual(await detector.score(encoded))
  })

  test('has what its encoding cannot show counted in the part in which it is', async () => {
    const encoder = { columns: { word: { kind: 'hash', buckets: 512 }, same: 'none' } } as const
    const detector = new AnomalyDetector({ encoder })
    await detector.fit(readTable(words.slice(0, 2000).map((row) => ({ ...row, same: 1 }))))
    const moved = words.map((row, i) => ({ ...row, same: [0, 4000, 5999].includes(i) ? 2 : 1 }))
    const scores = await detector.score(readTable(moved))
    for (const [i, row] of moved.entries()) {
      if (i % 1000 !== 0 && row.same === 1) continue
      expect(Math.abs(scores[i]! / detector.scoreSync(row) - 1)).toBeLessThan(1e-3)
    }
  })
})

test('scores are sorted as by sort, a slice at a time', async () => {
  const random = normals(6)
  for (const length of [0, 1, 2, 8192, 8193, 100_000, 200_001]) {
    const values = Float64Array.from({ length }, (_, i) => (i % 3 === 0 ? 1 : random()))
    expect(await sorted(values.slice())).toEqual(values.sort())
  }
})
