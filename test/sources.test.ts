import { join } from 'node:path'
import { Readable } from 'node:stream'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  AnomalyDetector,
  type RowBatches,
  readTable,
  SparseAutoencoder,
  type TableBatch,
  TableEncoder,
  writeDataset,
} from '../lib/index.js'
import { normals } from './anomaly-sample.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const normal = normals(3)
const numbers = Array.from({ length: 150 }, () => {
  const [a, b] = [normal(), normal()]
  return [a, b, a + b]
})
const objects = numbers.map(([a, b, c]) => ({ a, b, c }))
const ofNumbers = new AnomalyDetector({ trainedOn: 'clean' })
const ofObjects = new AnomalyDetector({ trainedOn: 'clean' })
let count = 0

interface Reader {
  /** What the source gives: three times as good as the reader needs. */
  readonly item: () => unknown
  /** The same without rows. */
  readonly empty: () => unknown
  readonly read: (source: AsyncIterable<never>, signal?: AbortSignal) => Promise<unknown>
}

async function batch(): Promise<TableBatch> {
  for await (const one of readTable(objects)) return one
  throw new Error('no rows')
}

let ofTable: TableBatch
const emptyTable = (): TableBatch => ({
  rows: 0,
  columns: ofTable.columns.map(
    (column) => ({ ...column, values: column.values.slice(0, 0) }) as typeof column,
  ),
})
const rows = { item: () => numbers, empty: () => [] }
const tables = { item: () => ofTable, empty: emptyTable }
const all = async (parts: AsyncIterable<unknown>) => {
  for await (const _ of parts);
}

const readers: Record<string, Reader> = {
  'score of numbers': { ...rows, read: (source, signal) => ofNumbers.score(source, { signal }) },
  'scoreBatches of numbers': {
    ...rows,
    read: (source, signal) => all(ofNumbers.scoreBatches(source, { signal })),
  },
  'fit on numbers': { ...rows, read: (source, signal) => new AnomalyDetector().fit(source, { signal }) },
  'update with numbers': {
    ...rows,
    read: async (source, signal) =>
      (await AnomalyDetector.fromBytes(await ofNumbers.toBytes())).update(source, { signal }),
  },
  'score of batches of a table': { ...tables, read: (source, signal) => ofObjects.score(source, { signal }) },
  'fit on batches of a table': {
    ...tables,
    read: (source, signal) => new AnomalyDetector().fit(source, { signal }),
  },
  writeDataset: {
    ...rows,
    read: (source, signal) => writeDataset(join(root, String(count++)), source, { signal }),
  },
  encodeBatches: {
    ...rows,
    read: (source, signal) =>
      all(new SparseAutoencoder({ inputs: 3, hidden: 2 }).encodeBatches(source, { signal })),
  },
  'readTable of CSV': {
    item: () => 'a,b\n1,2\n',
    empty: () => '',
    read: (source, signal) => all(readTable(source, { format: 'csv', signal })),
  },
  'readTable of JSON lines': {
    item: () => '{"a":1}\n',
    empty: () => Buffer.alloc(0),
    read: (source, signal) => all(readTable(source, { format: 'jsonLines', signal })),
  },
  'readTable of Arrow': {
    item: () => Buffer.alloc(1),
    empty: () => Buffer.alloc(0),
    read: (source, signal) => all(readTable(source, { format: 'arrow', signal })),
  },
  'readTable of objects': {
    item: () => objects[0],
    empty: () => ({}),
    read: (source, signal) => all(readTable(source as AsyncIterable<object>, { signal })),
  },
}
const named = Object.entries(readers)

beforeAll(async () => {
  ofTable = await batch()
  await ofNumbers.fit(numbers)
  await ofObjects.fit(objects)
})

/** A source that is asked for items, and told that it is left. */
function source(next: () => unknown, left: () => Promise<never>): AsyncIterable<never> {
  const iterator = {
    next: async () => ({ done: false, value: next() as never }),
    return: left,
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

test.each(named)('%s rejects when it is aborted, also if its source never closes', async (_, reader) => {
  const controller = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => controller.abort(reason), 20)
  const endless = source(reader.item, () => new Promise(() => {}))
  const slow = source(
    () => new Promise((resolve) => setTimeout(resolve, 1, reader.item())),
    () => new Promise(() => {}),
  )
  expect(await rejection(reader.read(slow, controller.signal))).toBe(reason)
  expect(await rejection(reader.read(endless, controller.signal))).toBe(reason)
})

test.each(named)('%s leaves the event loop free while its source gives nothing', async (_, reader) => {
  const controller = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => controller.abort(reason), 20)
  const begun = performance.now()
  async function* nothing() {
    while (performance.now() - begun < 2000) yield reader.empty() as never
  }
  expect(await rejection(reader.read(nothing(), controller.signal))).toBe(reason)
  expect(performance.now() - begun).toBeLessThan(2000)
})

test.each(named)(
  '%s says what was wrong with an item, also if its source fails to close',
  async (_, reader) => {
    for (const good of [0, 1]) {
      let given = 0
      const bad = source(
        () => (given++ < good ? reader.item() : 5),
        () => Promise.reject(new Error('while closing')),
      )
      expect(await rejection(reader.read(bad))).toMatchObject({ name: 'LayerwiseError' })
    }
  },
)

test('a TableEncoder leaves the event loop free while its source has no rows', async () => {
  let isServed = false
  setTimeout(() => {
    isServed = true
  }, 20)
  const begun = performance.now()
  async function* nothing() {
    while (!isServed && performance.now() - begun < 2000) yield emptyTable()
    yield ofTable
  }
  await new TableEncoder().fit(nothing())
  expect(isServed).toBe(true)
})

describe('a detector', () => {
  /** An object that makes iterators, all of one stream. */
  const shared = (items: readonly unknown[]) => {
    const stream = Readable.from(items)
    return { [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator]() } as AsyncIterable<never>
  }
  const sameIterator = (items: readonly unknown[]) => {
    const iterator = items.values()
    return { [Symbol.iterator]: () => iterator } as unknown as RowBatches
  }

  test.each([
    ['a stream', shared],
    ['one iterator', sameIterator],
  ])('reads all rows of an object that iterates %s', async (_, make) => {
    const halves = [numbers.slice(0, 75), numbers.slice(75)]
    expect((await ofNumbers.score(make(halves))).length).toBe(150)
    expect((await ofObjects.score(make(objects))).length).toBe(150)
    const detector = new AnomalyDetector({ trainedOn: 'clean' })
    for (const items of [halves, objects, [ofTable]]) {
      const { trained, heldOut } = await detector.fit(make(items))
      expect(trained + heldOut).toBe(150)
    }
  })

  test('refuses batches without rows, and answers as before', async () => {
    const { threshold } = ofNumbers
    const nothing = () => [[], []].values() as IterableIterator<number[][]>
    for (const method of ['refitThreshold', 'score', 'predict', 'update'] as const)
      expect(await rejection(ofNumbers[method](nothing()))).toMatchObject({ code: 'ERR_SHAPE' })
    expect(ofNumbers.threshold).toBe(threshold)
  })
})
