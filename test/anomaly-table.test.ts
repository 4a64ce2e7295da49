import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { AnomalyDetector, readTable } from '../lib/index.js'
import { normals } from './anomaly-sample.js'
import { expectError, thrown } from './refusal.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const normal = normals(8)

/** An order: the price follows from the amount and the kind. */
function order(i: number) {
  const kind = ['book', 'lamp', 'chair'][i % 3]!
  const amount = 1 + (i % 7)
  const price = amount * { book: 20, lamp: 60, chair: 150 }[kind]! * (1 + 0.03 * normal())
  return { kind, amount, price: Math.round(100 * price) / 100, currency: 'EUR', express: i % 5 === 0 }
}

const orders = Array.from({ length: 900 }, (_, i) => order(i))
const csv = (list: readonly object[]) =>
  [Object.keys(list[0]!).join(), ...list.map((row) => Object.values(row).join())].join('\n')
const path = join(folder, 'orders.csv')

describe('a detector that is fitted on a table', () => {
  let detector: AnomalyDetector

  beforeAll(async () => {
    await writeFile(path, csv(orders))
    detector = new AnomalyDetector()
    await detector.fit(readTable(path))
  })

  test('scores the rows of the table and single objects alike', async () => {
    const scores = await detector.score(readTable(path))
    expect(scores).toHaveLength(900)
    for (const i of [0, 1, 2, 500]) {
      expect(Math.abs(detector.scoreSync(orders[i]!) / scores[i]! - 1)).toBeLessThan(1e-3)
    }
  })

  test('names a column of the table, its value and what was expected there', () => {
    const wrong = { ...order(1), kind: 'lamp', amount: 2, price: 900 }
    expect(detector.scoreSync(wrong)).toBeGreaterThan(10 * detector.scoreSync(order(4)))
    const explained = detector.explain(wrong)
    expect(explained.map(({ column }) => column).sort()).toEqual(['amount', 'express', 'kind', 'price'])
    expect(explained.slice(0, 2).map(({ column }) => column)).toContain('price')
    expect(explained.find(({ column }) => column === 'kind')!.value).toBe('lamp')
    expect(explained.find(({ column }) => column === 'price')).toMatchObject({
      value: 900,
      expected: expect.any(Number),
    })
  })

  test('says that a category was never seen, that a constant column moved, and that a value is missing', () => {
    const row = order(3)
    const usual = detector.scoreSync(row)
    for (const [column, changed] of [
      ['kind', { ...row, kind: 'table' }],
      ['currency', { ...row, currency: 'USD' }],
      ['amount', { ...row, amount: null }],
    ] as const) {
      expect(detector.scoreSync(changed)).toBeGreaterThan(usual + 50)
      const [first] = detector.explain(changed)
      expect(first).toMatchObject({ column, value: changed[column] })
    }
    expect(detector.explain({ ...row, currency: 'USD' })[0]).toMatchObject({ expected: 'EUR' })
  })

  test('is the same in another process, from its file', async () => {
    const file = join(folder, 'orders.safetensors')
    await detector.save(file)
    const program = `import { AnomalyDetector, readTable } from './lib/index.ts'
      const detector = await AnomalyDetector.load(process.argv[1])
      console.log(JSON.stringify([...await detector.score(readTable(process.argv[2]))]))`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', program, file, path],
      { encoding: 'utf8' },
    )
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual([...(await detector.score(readTable(path)))])
  })

  test('puts columns right that are in another order, and names one that is absent or of another type', async () => {
    const reordered = join(folder, 'reordered.csv')
    await writeFile(
      reordered,
      csv(
        orders.map(({ kind, amount, price, currency, express }) => ({
          express,
          price,
          currency,
          kind,
          amount,
        })),
      ),
    )
    expect(await detector.score(readTable(reordered))).toEqual(await detector.score(readTable(path)))
    const without = join(folder, 'without.csv')
    await writeFile(without, csv(orders.map(({ price: _, ...row }) => row)))
    expectError(await rejection(detector.score(readTable(without))), 'ERR_ARGUMENT', 'price')
    const texts = join(folder, 'texts.csv')
    await writeFile(texts, csv(orders.map((row) => ({ ...row, amount: `about ${row.amount}` }))))
    expectError(await rejection(detector.score(readTable(texts))), 'ERR_ARGUMENT', 'amount')
  })

  test('sees drift in a table, learns on from it, and takes a table for its threshold', async () => {
    const copy = await AnomalyDetector.fromBytes(await detector.toBytes())
    const dearer = join(folder, 'dearer.csv')
    await writeFile(dearer, csv(orders.map((row) => ({ ...row, price: 2 * row.price }))))
    expect((await copy.drift(readTable(dearer))).stabilityIndex).toBeGreaterThan(0.25)
    expect((await copy.refitThreshold(readTable(path))).rows).toBe(900)
    expect((await copy.update(readTable(dearer))).drift.rows).toBe(900)
    expect(copy.explain(orders[0]!).length).toBe(4)
    expect((await detector.fit(readTable(path), { validation: readTable(path) })).heldOut).toBe(900)
  })
})

test('a value that breaks the rule is stranger than a rare category or a rare hole, which the rows learned from have not', async () => {
  const isOdd = (i: number) => i % 150 === 149
  const isRare = (i: number) => i % 60 === 0
  const rows = Array.from({ length: 1800 }, (_, i) => {
    const { amount, price, kind } = order(i)
    return {
      kind: isRare(i) ? 'door' : kind,
      amount: i % 50 === 0 ? null : amount,
      price: isOdd(i) ? 4 * price + 500 : price,
    }
  })
  const detector = new AnomalyDetector()
  await detector.fit(readTable(rows))
  const scores = await detector.score(readTable(rows))
  const mean = (of: (i: number) => boolean) => {
    const some = scores.filter((_, i) => of(i))
    return some.reduce((sum, score) => sum + score, 0) / some.length
  }
  expect(mean(isOdd)).toBeGreaterThan(mean(isRare))
  expect(mean(isOdd)).toBeGreaterThan(mean((i) => i % 50 === 0))
})

test('a table and names beside it, or a table for a detector of numbers, are refused', async () => {
  await writeFile(path, csv(orders))
  const named = new AnomalyDetector({ columns: ['a'] })
  expectError(await rejection(named.fit(readTable(path))), 'ERR_ARGUMENT', 'columns')
  expect(() => new AnomalyDetector({ encoder: { minimumCount: 0 } })).toThrow('encoder.minimumCount')
  expect(() => new AnomalyDetector({ encoder: { colums: {} } as never })).toThrow(
    "encoder: unknown option 'colums'",
  )
  const numbers = new AnomalyDetector()
  await numbers.fit(Array.from({ length: 50 }, () => [normal(), normal()]))
  expectError(await rejection(numbers.score(readTable(path))), 'ERR_ARGUMENT', 'rows of numbers')
  expect(() => numbers.scoreSync(orders[0]!)).toThrow('row')
})

test('options of the encoder are kept', async () => {
  await writeFile(path, csv(orders))
  const detector = new AnomalyDetector({ encoder: { columns: { price: 'drop' }, numbers: 'robust' } })
  await detector.fit(readTable(path))
  const copy = await AnomalyDetector.fromBytes(await detector.toBytes())
  expect(copy.options.encoder).toEqual({ columns: { price: 'drop' }, numbers: 'robust' })
  expect(copy.explain(orders[0]!).map(({ column }) => column)).not.toContain('price')
})

describe('what is no row of the table is refused, and the message says what would be', () => {
  const detector = new AnomalyDetector()
  const row = order(1)

  beforeAll(async () => {
    await detector.fit(orders)
  })

  test.each<[string, unknown, string]>([
    ['a promise of a row', Promise.resolve(row), 'ERR_ARGUMENT'],
    ['a row inside of another object', { row }, 'ERR_ARGUMENT'],
    ['an object of getters', Object.create(row), 'ERR_ARGUMENT'],
    ['an array with the row', [row], 'ERR_SHAPE'],
    ['its values alone', Object.values(row), 'ERR_SHAPE'],
  ])('%s, where one row is scored', (_, value, code) => {
    for (const score of [
      () => detector.scoreSync(value as never),
      () => detector.predictSync(value as never),
      () => detector.explain(value as never),
    ])
      expectError(thrown(score), code, 'row: expected an object with')
  })

  test.each<[string, unknown]>([
    ['the path of a file', path],
    ['one row', row],
    ['a promise of rows', Promise.resolve(orders)],
    ['nothing', undefined],
  ])('%s, where many rows are', async (_, value) => {
    for (const work of [new AnomalyDetector().fit(value as never), detector.score(value as never)])
      expectError(await rejection(work), 'ERR_ARGUMENT', 'x: expected a table (of a file, readTable(path))')
  })

  test('objects of which none has one of the columns; null says that a value is missing', async () => {
    const { price: _, ...others } = row
    expectError(
      await rejection(detector.score([others])),
      'ERR_ARGUMENT',
      "x: expected objects with a member 'price', as in the fitted table",
    )
    expect(await detector.score([{ ...others, price: null }])).toHaveLength(1)
    expect(await detector.score([others, row])).toHaveLength(2)
  })

  test('encodings among the names of columns, and a TableEncoder instead of its options', () => {
    const encoder = detector.encoder as never
    expect(() => new AnomalyDetector({ columns: { kind: 'drop' } as never })).toThrow('encoder: { columns }')
    expect(() => new AnomalyDetector({ encoder })).toThrow('encoder: expected options of a TableEncoder')
  })
})

test('columns that are dropped may hold anything, in the table, in objects and in one row', async () => {
  const columns = { tags: 'drop', id: 'drop' } as const
  const rows = orders.map((row, i) => ({ ...row, id: `order ${i}`, tags: ['new', i] }))
  expectError(
    await rejection(new AnomalyDetector({ encoder: { columns: { id: 'drop' } } }).fit(rows)),
    'ERR_ARGUMENT',
    "expected 'drop' in the encoder's columns",
  )
  const detector = new AnomalyDetector({ encoder: { columns } })
  await detector.fit(rows)
  const score = detector.scoreSync(orders[0]!)
  for (const others of [
    { id: 'order 0', tags: ['new', 0] },
    { id: 7, tags: 'none' },
    { id: new Date(0), tags: {} },
  ])
    expect(detector.scoreSync({ ...orders[0], ...others })).toBe(score)
  expect(detector.explain(rows[0]!).map(({ column }) => column)).not.toContain('tags')
  expect(Math.abs((await detector.score(rows))[0]! / score - 1)).toBeLessThan(1e-3)
  expectError(
    thrown(() => detector.scoreSync({ id: 7 })),
    'ERR_ARGUMENT',
    "for the columns 'kind', 'amount', 'price', …",
  )
})

test('texts that are numbers, and numbers in a column of texts, are values of the columns in one row as in many', async () => {
  const detector = new AnomalyDetector()
  await detector.fit(orders)
  const said = { ...orders[0]!, amount: String(orders[0]!.amount) }
  expect(detector.scoreSync(said)).toBe(detector.scoreSync(orders[0]!))
  expect((await detector.score([said]))[0]).toBe((await detector.score([orders[0]!]))[0])
  const unseen = { ...orders[0]!, kind: 7 }
  const [alone, among] = [detector.scoreSync(unseen), (await detector.score([unseen]))[0]!]
  expect(alone).toBeGreaterThan(2 * detector.scoreSync(orders[0]!))
  expect(Math.abs(alone / among - 1)).toBeLessThan(1e-3)
})

test('rows are typed by an interface or a class as well as by a record, in strict TypeScript', async () => {
  interface Order {
    kind: string
    amount: number | null
  }
  class Sale implements Order {
    kind = 'lamp'
    amount = 2
  }
  const list: Order[] = Array.from({ length: 40 }, (_, i) => ({
    kind: ['book', 'lamp'][i % 2]!,
    amount: i % 5,
  }))
  const detector = new AnomalyDetector()
  await detector.fit(list)
  expect(await detector.score([...list, new Sale()])).toHaveLength(41)
  expect(detector.predictSync(new Sale()).score).toBe(detector.scoreSync({ kind: 'lamp', amount: 2 }))
  expect(detector.encoder!.transformSync(list[0]!)).toHaveLength(detector.inputs)
  // @ts-expect-error A promise of a row is none.
  expect(() => detector.scoreSync(Promise.resolve(list[0]!))).toThrow('to be awaited first')
})
