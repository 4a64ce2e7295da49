import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTable, type SurpriseEvent, TableEncoder, type TableEncoderOptions } from '../lib/index.js'
import { expectError, rejected } from './refusal.js'
import { batchOf, encode, fitted, namesOf, type Objects, repeat } from './table-sample.js'

describe('numbers', () => {
  const numbers = [3, 1, null, 4, 1, 5, 9, 2, 6]
  const rows = numbers.map((x) => ({ x }))

  test('are standardised; a missing one becomes the mean, and 1 in a column of its own', async () => {
    const encoder = await fitted(rows)
    expect(namesOf(encoder)).toEqual(['x', 'x (missing)'])
    const mean = 31 / 8
    const deviation = Math.sqrt(
      numbers.reduce<number>((sum, x) => sum + (x === null ? 0 : (x - mean) ** 2), 0) / 8,
    )
    const encoded = await encode(encoder, rows)
    for (const [i, x] of numbers.entries()) {
      expect(encoded[i]![0]).toBeCloseTo(x === null ? 0 : (x - mean) / deviation, 12)
      expect(encoded[i]![1]).toBe(Number(x === null))
    }
  })

  test('at a large offset keep their spread', async () => {
    const table = Array.from({ length: 5000 }, (_, i) => ({ x: 1.7e12 + (i % 7) }))
    const encoded = await encode(await fitted(table), table)
    const mean = encoded.reduce((sum, [x]) => sum + x!, 0) / 5000
    // The mean itself is rounded to a float64.
    expect(mean).toBeCloseTo(0, 4)
    expect(encoded.reduce((sum, [x]) => sum + x! ** 2, 0) / 5000).toBeCloseTo(1, 6)
  })

  test('do not depend on how the table is cut into batches, but for rounding', async () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 3, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(values, fc.integer({ min: 1, max: 10 }), async (list, size) => {
        fc.pre(Math.max(...list) - Math.min(...list) > 1)
        const column = (part: number[]) =>
          batchOf({ name: 'x', type: 'number', values: Float64Array.from(part) })
        const parts = Array.from({ length: Math.ceil(list.length / size) }, (_, k) =>
          column(list.slice(k * size, (k + 1) * size)),
        )
        const [whole, cut] = [await new TableEncoder().fit(column(list)), await new TableEncoder().fit(parts)]
        const last = { x: list.at(-1) }
        expect(cut.transformSync(last)[0]).toBeCloseTo(whole.transformSync(last)[0]!, 8)
      }),
      { numRuns: 200 },
    )
  })

  test('robust: median and quartiles, whatever a few extreme values are', async () => {
    const plain = Array.from({ length: 1001 }, (_, i) => ({ x: i }))
    const extreme = plain.map(({ x }) => ({ x: x === 1000 ? 1e12 : x }))
    for (const table of [plain, extreme]) {
      const encoder = await fitted(table, { numbers: 'robust' })
      const [[middle], [quarter]] = (await encode(encoder, [{ x: 500 }, { x: 250 }])) as [number[], number[]]
      expect(middle).toBeCloseTo(0, 1)
      expect(quarter).toBeCloseTo(-1.349 / 2, 1)
    }
  })

  test.each(['robust', 'log'] as const)('%s: equal quartiles still give a finite spread', async (numbers) => {
    for (const share of [2, 20, 200, 1000]) {
      const table = Array.from({ length: 2000 }, (_, i) => ({ x: i % share === 1 ? i : 0 }))
      const encoded = await encode(await fitted(table, { numbers }), table)
      expect(encoded.flat().every((x) => Math.abs(x) < 1e6)).toBe(true)
      expect(new Set(encoded.flat()).size).toBeGreaterThan(1)
    }
  })

  test('log: heavy tails become short, the order stays, and the unit of the data does not matter', async () => {
    const tail = Array.from({ length: 999 }, (_, i) => Math.tan(((i + 0.5) / 999 - 0.5) * Math.PI))
    const by = async (unit: number) => {
      const table = tail.map((x) => ({ x: x * unit }))
      return (await encode(await fitted(table, { numbers: 'log' }), table)).flat()
    }
    const [small, large] = [await by(1e-9), await by(1e9)]
    expect(Math.max(...small.map(Math.abs))).toBeLessThan(12)
    for (const [i, x] of small.entries()) {
      expect(x).toBeCloseTo(large[i]!, 6)
      if (i > 0) expect(x).toBeGreaterThan(small[i - 1]!)
    }
  })

  test('none: as they are, the mean where one is missing', async () => {
    const encoder = await fitted([{ x: 1 }, { x: 4 }, { x: null }], { numbers: 'none' })
    expect(await encode(encoder, [{ x: 1 }, { x: null }])).toEqual([
      [1, 0],
      [2.5, 1],
    ])
  })

  test('far outside of what was fitted are encoded, with finite squares in float32', async () => {
    const encoder = await fitted([{ x: 1 }, { x: 2 }])
    const [[x]] = (await encode(encoder, [{ x: 1e300 }])) as [number[]]
    expect(x).toBe(1e9)
  })

  test.each([
    [
      'Infinity',
      [{ x: 1 }, { x: Infinity }],
      "column 'x', row 1: expected finite numbers, received Infinity",
    ],
    [
      'a big integer',
      [{ x: 1n }, { x: 2n ** 60n }],
      "column 'x', row 1: expected numbers whose digits float64 holds",
    ],
    [
      'a spread beyond float64',
      [{ x: -1e308 }, { x: 1e308 }],
      "column 'x': its spread is too large or too small",
    ],
    [
      'a spread whose square vanishes',
      [{ x: 1e-200 }, { x: 2e-200 }],
      "column 'x': its spread is too large or too small",
    ],
  ])('%s is refused', async (_, rows, message) => {
    expectError(await rejected(fitted(rows as Objects)), 'ERR_RANGE', message)
  })

  test('decimals count as long as float64 holds their digits', async () => {
    const decimal = (...values: bigint[]) => batchOf({ name: 'x', type: 'decimal', scale: 2, values })
    const encoder = await new TableEncoder({ numbers: 'none' }).fit(decimal(150n, -25n))
    expect((await encoder.transform(decimal(150n, -25n))).toArray()).toEqual([[1.5], [-0.25]])
    expectError(await rejected(encoder.transform(decimal(2n ** 60n))), 'ERR_RANGE', 'digits')
    expect(encoder.types).toEqual({ x: 'number' })
    expect([...encoder.transformSync({ x: 1.5 })]).toEqual([1.5])
    expect((await encoder.transform(readTable([{ x: 2n ** 53n - 1n }], { types: encoder.types }))).rows).toBe(
      1,
    )
  })
})

describe('columns that are constant', () => {
  test('are left out, also but for rounding, and said so', async () => {
    const rows = [
      { a: 1, b: 0.3, c: 'x', d: null, e: true, t: new Date(0), n: 5 },
      { a: 2, b: 0.1 + 0.2, c: 'x', d: null, e: true, t: new Date(0), n: null },
    ]
    const encoder = await fitted(repeat(rows, 5).flat())
    expect(namesOf(encoder)).toEqual(['a', 'n (missing)'])
    expect(encoder.dropped).toEqual([
      { column: 'b', reason: 'constant: 0.3' },
      { column: 'c', reason: "constant: 'x'" },
      { column: 'd', reason: 'all values are missing' },
      { column: 'e', reason: 'constant: true' },
      { column: 't', reason: 'constant: 1970-01-01T00:00:00.000Z' },
    ])
  })

  test('are told of when they move', async () => {
    const encoder = await fitted(
      repeat({ b: 0.3, c: 'x', d: null, e: true, v: 1 }, 9).concat([
        { b: 0.3, c: 'x', d: null, e: true, v: 2 },
      ]),
    )
    const told: SurpriseEvent[] = []
    const later = [
      { b: 0.1 + 0.2, c: 'x', d: null, e: true, v: 1 },
      { b: 0.4, c: 'y', d: 5, e: false, v: null },
    ]
    const types = { ...encoder.types, d: 'number' } as const
    await encoder.transform(readTable(later, { types }), { onSurprise: (surprise) => told.push(surprise) })
    const expected = [
      { row: 1, column: 'b', kind: 'moved', value: 0.4 },
      { row: 1, column: 'c', kind: 'moved', value: 'y' },
      { row: 1, column: 'd', kind: 'moved', value: 5 },
      { row: 1, column: 'e', kind: 'moved', value: false },
      { row: 1, column: 'v', kind: 'missing', value: null },
    ]
    expect(told).toEqual(expected)
    const alone: SurpriseEvent[] = []
    encoder.transformSync(later[1]!, { onSurprise: (surprise) => alone.push(surprise) })
    expect(alone).toEqual(expected.map((surprise) => ({ ...surprise, row: 0 })))
  })

  test('a table in which nothing varies is refused', async () => {
    expectError(
      await rejected(fitted([{ a: 1 }, { a: 1 }])),
      'ERR_RANGE',
      "expected a column that varies, received 'a' (constant: 1)",
    )
  })
})

describe('categories', () => {
  const rows = [...repeat({ c: 'red' }, 6), ...repeat({ c: 'blue' }, 5), { c: 'rare' }, { c: null }]

  test('get a column each if they are frequent, the others one, and missing values one', async () => {
    const encoder = await fitted(rows)
    expect(encoder.columns).toEqual([
      { name: 'c = red', column: 'c', kind: 'category', category: 'red' },
      { name: 'c = blue', column: 'c', kind: 'category', category: 'blue' },
      { name: 'c (other)', column: 'c', kind: 'other' },
      { name: 'c (missing)', column: 'c', kind: 'missing' },
    ])
    const later = [{ c: 'red' }, { c: 'blue' }, { c: 'rare' }, { c: 'new' }, { c: null }, { c: '' }]
    expect(await encode(encoder, later)).toEqual([
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
      [0, 0, 0, 1],
    ])
  })

  test('that were never seen are told of, where no row of the fit was among the others', async () => {
    const encoder = await fitted(rows.slice(0, 11))
    const told: SurpriseEvent[] = []
    encoder.transformSync({ c: 'green' }, { onSurprise: (surprise) => told.push(surprise) })
    encoder.transformSync({ c: null }, { onSurprise: (surprise) => told.push(surprise) })
    expect(told).toEqual([
      { row: 0, column: 'c', kind: 'unseen', value: 'green' },
      { row: 0, column: 'c', kind: 'missing', value: null },
    ])
  })

  test('named as members of objects are categories', async () => {
    const encoder = await fitted([...repeat({ c: '__proto__' }, 5), ...repeat({ c: 'constructor' }, 6)])
    expect([...encoder.transformSync({ c: '__proto__' })]).toEqual([0, 1, 0])
    expect([...encoder.transformSync({ c: 'toString' })]).toEqual([0, 0, 1])
  })

  test('of numbers and truth values, on request', async () => {
    const table = [...repeat({ zip: 10001, b: true }, 5), ...repeat({ zip: 2134, b: false }, 6)]
    const encoder = await fitted(table, { columns: { zip: 'category', b: 'category' } })
    expect(namesOf(encoder)).toEqual([
      'zip = 2134',
      'zip = 10001',
      'zip (other)',
      'b = false',
      'b = true',
      'b (other)',
    ])
    expect([...encoder.transformSync({ zip: 10001, b: false })]).toEqual([0, 1, 0, 1, 0, 0])
  })

  test('that are empty are missing, also in batches of the caller', async () => {
    const column = (...values: (string | null)[]) => batchOf({ name: 'c', type: 'string', values })
    const encoder = await new TableEncoder({ minimumCount: 1 }).fit(column('a', '', null))
    expect((await encoder.transform(column('a', ''))).toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ])
  })

  test('do not depend on the order of the rows', async () => {
    const order = (table: Objects) => fitted(table).then((encoder) => JSON.stringify(encoder))
    expect(await order([...rows].reverse())).toBe(await order(rows))
  })

  test.each<[string, Objects, TableEncoderOptions, string]>([
    [
      'more than may have a column',
      Array.from({ length: 600 }, (_, i) => ({ c: `c${i % 101}` })),
      {},
      '101 categories with at least 5 rows each',
    ],
    [
      'one for each row',
      Array.from({ length: 300 }, (_, i) => ({ c: `c${i}` })),
      {},
      '300 different values in 300 rows, most of them in fewer than 5',
    ],
    [
      'more than are counted',
      Array.from({ length: 10_002 }, (_, i) => ({ c: `c${i}` })),
      {},
      'more than 10000 different values in the first 10001 rows',
    ],
    ['a long text', [{ c: 'x'.repeat(1025) }], {}, 'row 0 has a text of 1025 characters'],
  ])('%s are refused with what can be chosen', async (_, table, options, message) => {
    const refused = await rejected(fitted(table, options))
    expectError(refused, 'ERR_RANGE', message)
    expect(refused.message).toMatch(
      /^column 'c': .*columns: \{ "c": \{ kind: 'hash', buckets: 32 \} \} hashes it, \{ "c": 'drop' \}/,
    )
    expect(refused.details.name).toBe('c')
    const numbered: Objects = [...table, { c: 'y' }].map((row, x) => ({ ...row, x }))
    expect((await fitted(numbered, { columns: { c: { kind: 'hash', buckets: 8 } } })).width).toBe(9)
    expect((await fitted(numbered, { columns: { c: 'drop' } })).width).toBe(1)
  })

  test('hashed ones lie in the bucket that saved models know', async () => {
    const encoder = await fitted([{ c: 'a' }, { c: null }], { columns: { c: { kind: 'hash', buckets: 4 } } })
    const bucket = (c: unknown) => encoder.transformSync({ c }).indexOf(1)
    expect(['apple', 'pear', 'plum', 'ü', null].map(bucket)).toEqual([0, 2, 0, 0, 4])
  })
})

describe('dates and truth values', () => {
  test('dates become a time and the parts of cycles that vary', async () => {
    const days = Array.from({ length: 400 }, (_, i) => ({ t: new Date(Date.UTC(2024, 0, 1 + i)) }))
    const encoder = await fitted(days)
    expect(namesOf(encoder)).toEqual([
      't',
      't (week, sine)',
      't (week, cosine)',
      't (year, sine)',
      't (year, cosine)',
    ])
    const [monday] = await encode(encoder, [{ t: '2024-01-01' }])
    expect(monday![1]).toBeCloseTo(0, 9)
    expect(monday![2]).toBeCloseTo(1, 9)
    const hours = Array.from({ length: 48 }, (_, i) => ({ t: new Date(Date.UTC(2024, 0, 1, i)) }))
    expect(namesOf(await fitted(hours)).slice(0, 3)).toEqual(['t', 't (day, sine)', 't (day, cosine)'])
    const [six] = await encode(await fitted(hours), [{ t: '2024-01-09T06:00Z' }])
    expect(six![1]).toBeCloseTo(1, 9)
    expect(namesOf(await fitted(hours, { columns: { t: 'standard' } }))).toEqual(['t'])
  })

  test('truth values become 0 and 1, the share of true where one is missing', async () => {
    const encoder = await fitted([{ b: true }, { b: false }, { b: true }, { b: true }, { b: null }])
    expect(await encode(encoder, [{ b: true }, { b: false }, { b: null }])).toEqual([
      [1, 0],
      [0, 0],
      [0.75, 1],
    ])
  })
})
