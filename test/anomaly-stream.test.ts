import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type AnomalyBatches,
  AnomalyDetector,
  Matrix,
  readTable,
  type TableBatch,
  writeDataset,
} from '../lib/index.js'
import { DependentColumns, normals } from './anomaly-sample.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const empty = () => mkdtempSync(join(root, 'folder-'))
const normal = normals(3)

/** A reading: the flow follows from the speed and the kind of pump. */
const readings = Array.from({ length: 800 }, (_, i) => {
  const pump = ['a', 'b'][i % 2]!
  const speed = 50 + 10 * normal()
  return { pump, speed, flow: speed * { a: 2, b: 5 }[pump]! + normal(), site: 'north', i: i % 9 }
})
const columns = new DependentColumns(6, 2, 8)
const rows = columns.rows(700)

/** Batches of 300, 300 and 100 rows. */
function* batches() {
  for (let from = 0; from < rows.rows; from += 300) yield rows.slice(from, Math.min(rows.rows, from + 300))
}

async function* tableBatches(): AsyncGenerator<TableBatch> {
  yield* readTable(readings)
}

describe('a detector of a table', () => {
  let detector: AnomalyDetector
  let scores: Float64Array

  beforeAll(async () => {
    detector = new AnomalyDetector()
    await detector.fit(readTable(readings))
    scores = await detector.score(readTable(readings))
  })

  const sources: Record<string, () => AnomalyBatches> = {
    'a table of a stream': () => readTable(Readable.from(readings)),
    'a table of a stream that another copy of the library made': () => {
      const table = readTable(Readable.from(readings))
      const { name, onePass } = table
      return { name, onePass, [Symbol.asyncIterator]: () => table[Symbol.asyncIterator]() }
    },
    'a stream of objects': () => Readable.from(readings),
    'a web stream of objects': () => Readable.toWeb(Readable.from(readings)),
    'an iterator of objects': () => readings.values(),
    'a set of objects': () => new Set(readings),
    'an array of objects': () => readings,
    'an iterator of batches of a table': tableBatches,
    'bytes of JSON lines in a stream': () =>
      readTable(Readable.from([Buffer.from(readings.map((row) => `${JSON.stringify(row)}\n`).join(''))]), {
        format: 'jsonLines',
      }),
  }

  test.each(Object.entries(sources))(
    'learns from %s, and scores it, as from rows that are there',
    async (_, source) => {
      const folder = empty()
      const other = new AnomalyDetector()
      await other.fit(source(), { folder })
      expect(readdirSync(folder)).toEqual([])
      expect(await other.score(source())).toEqual(scores)
      expect(other.threshold).toEqual(detector.threshold)
    },
  )

  test('goes on with a stream, takes one for validation, for its threshold and to see drift', async () => {
    const stream = () => readTable(Readable.from(readings))
    const copy = await AnomalyDetector.fromBytes(await detector.toBytes())
    expect((await copy.drift(stream())).rows).toBe(800)
    expect((await copy.predict(stream())).scores).toEqual(scores)
    expect((await copy.refitThreshold(stream())).rows).toBe(800)
    const folder = empty()
    expect(await copy.update(stream(), { folder, validation: stream() })).toMatchObject({
      ...{ heldOut: 800, drift: { rows: 800 } },
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test('gives its encoder, which reads later tables as the first', async () => {
    const texts = readings.map((row) => ({ ...row, speed: String(row.speed) }))
    expect(await rejection(detector.score(readTable(texts)))).toMatchObject({ code: 'ERR_ARGUMENT' })
    const { types } = detector.encoder!
    expect(await detector.score(readTable(texts, { types }))).toEqual(scores)
    const copy = detector.encoder!
    await copy.fit(readTable([{ other: 1 }, { other: 2 }]))
    expect(detector.encoder!.types).toEqual(types)
    const numbers = new AnomalyDetector()
    expect(numbers.encoder).toBeUndefined()
    await numbers.fit(rows)
    expect(numbers.encoder).toBeUndefined()
  })

  const changes: Record<string, (row: (typeof readings)[0]) => object> = {
    absent: ({ flow: _, ...row }) => row,
    renamed: ({ flow, ...row }) => ({ ...row, Flow: flow }),
    'of another type': (row) => ({ ...row, flow: `about ${row.flow}` }),
  }

  test.each(Object.entries(changes))('names a column of a stream that is %s', async (_, change) => {
    expect(await rejection(detector.score(Readable.from(readings.map(change))))).toMatchObject({
      name: 'LayerwiseError',
      message: expect.stringContaining("'flow'"),
    })
  })

  test('puts columns of a stream right that are in another order, and does not use others', async () => {
    const others = readings.map(({ i, site, flow, speed, pump }) => ({
      more: 'x',
      i,
      site,
      flow,
      speed,
      pump,
    }))
    expect(await detector.score(Readable.from(others))).toEqual(scores)
  })

  test('answers the same in another process, from its file, about a stream of bytes', async () => {
    const file = join(empty(), 'pumps.safetensors')
    await detector.save(file)
    const program = `
      import { AnomalyDetector, readTable } from './lib/index.ts'
      const detector = await AnomalyDetector.load(process.argv[1])
      const table = readTable(process.stdin, { format: 'jsonLines', types: detector.encoder.types })
      for await (const { scores } of detector.scoreBatches(table)) console.log(JSON.stringify([...scores]))`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program, file])
    child.stderr.pipe(process.stderr)
    const output = Readable.from(child.stdout).toArray()
    child.stdin.end(readings.map((row) => `${JSON.stringify(row)}\n`).join(''))
    await once(child, 'exit')
    expect(JSON.parse(Buffer.concat(await output).toString())).toEqual([...scores])
  })
})

describe('a detector of numbers', () => {
  const sources: Record<string, () => AnomalyBatches | Promise<AnomalyBatches>> = {
    'an iterator of matrices': batches,
    'an iterator of arrays of rows': function* () {
      for (const batch of batches()) yield batch.toArray()
    },
    'a stream of matrices': () => Readable.from(batches()),
    'the batches of a dataset': async () => (await writeDataset(join(empty(), 'rows'), [rows])).batches(300),
  }

  test.each(Object.entries(sources))(
    'learns from %s, and scores them, as from one matrix',
    async (_, source) => {
      const options = { trainedOn: 'clean' } as const
      const [expected, detector] = [new AnomalyDetector(options), new AnomalyDetector(options)]
      await expected.fit(rows)
      const folder = empty()
      // Arrays of rows are stored in float32.
      const isRounded = _ === 'an iterator of arrays of rows'
      const { trained, heldOut } = await detector.fit(await source(), { folder })
      expect(trained + heldOut).toBe(700)
      expect(readdirSync(folder)).toEqual([])
      const scores = await detector.score(await source())
      if (!isRounded) expect(await detector.score(rows)).toEqual(await expected.score(rows))
      for (const [from, to] of [
        [0, 300],
        [600, 700],
      ] as const)
        expect(scores.slice(from, to)).toEqual(await detector.score(rows.slice(from, to)))
    },
  )

  test('refuses a table, and batches that do not fit, by their number', async () => {
    const detector = new AnomalyDetector({ trainedOn: 'clean' })
    await detector.fit(rows)
    for (const x of [readings, readings.values(), tableBatches()])
      expect(await rejection(detector.score(x))).toMatchObject({
        message: expect.stringContaining('rows of numbers'),
      })
    function* uneven() {
      yield rows
      yield Matrix.from(new Float64Array(10), 2, 5)
    }
    const fitted = new AnomalyDetector().fit(uneven())
    expect(await rejection(fitted)).toMatchObject({
      code: 'ERR_SHAPE',
      message: expect.stringContaining('batches[1]'),
    })
  })
})

describe('a source', () => {
  test.each([
    ['of bytes', () => Readable.from([Buffer.from('a,b\n1,2\n')]), "readTable(stream, { format: 'csv' })"],
    ['of texts', () => ['a,b', '1,2'].values(), 'readTable(stream'],
    ['of numbers', () => [1, 2, 3].values(), 'batches of rows'],
    ['of flat arrays', () => [new Float64Array(6)].values(), 'Matrix.from(data, rows, cols)'],
    ['of nothing', () => [].values(), 'at least one row'],
  ])('%s is refused with what to do', async (_, source, message) => {
    expect(await rejection(new AnomalyDetector().fit(source() as never))).toMatchObject({
      name: 'LayerwiseError',
      message: expect.stringContaining(message),
    })
  })

  test('that fails passes its error on, is left, and leaves no file', async () => {
    const folder = empty()
    const failing = function* () {
      yield* readings
      throw new Error('the network')
    }
    for (const source of [failing(), readTable(failing())])
      expect(await rejection(new AnomalyDetector().fit(source, { folder }))).toMatchObject({
        message: 'the network',
      })
    expect(readdirSync(folder)).toEqual([])
  })

  test('that does not answer ends with the signal, before its first row and after it', async () => {
    const folder = empty()
    const reason = new Error('enough')
    for (const given of [0, 1]) {
      const silent = async function* () {
        yield* readings.slice(0, given)
        await new Promise(() => {})
      }
      const controller = new AbortController()
      const stopped = new AnomalyDetector().fit(silent(), { folder, signal: controller.signal })
      setTimeout(() => controller.abort(reason), 50)
      expect(await rejection(stopped)).toBe(reason)
      expect(readdirSync(folder)).toEqual([])
    }
  })

  test('is closed when its first element is refused, or its scores are no longer wanted', async () => {
    let closed = 0
    const source = function* <T>(elements: Iterable<T>) {
      try {
        yield* elements
      } finally {
        closed++
      }
    }
    await rejection(new AnomalyDetector().fit(source(['a', 'b']) as never))
    expect(closed).toBe(1)
    const detector = new AnomalyDetector({ trainedOn: 'clean' })
    await detector.fit(rows)
    for await (const { from } of detector.scoreBatches(source(batches()))) {
      expect(from).toBe(0)
      break
    }
    expect(closed).toBe(2)
  })
})
