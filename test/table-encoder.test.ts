import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTable, TableEncoder, type TableEncoderOptions } from '../lib/index.js'
import { expectError, rejected, thrown } from './refusal.js'
import { batchOf, encode, fitted, namesOf, type Objects, repeat } from './table-sample.js'

const sample = Array.from({ length: 60 }, (_, i) => ({
  n: i % 11 === 3 ? null : Math.sin(i) * 100,
  c: ['red', 'green', null][i % 3],
  t: new Date(Date.UTC(2024, i % 12, i % 28, i % 24)),
  b: i % 4 === 0,
  k: 7,
  ['__proto__']: i,
}))

describe('an encoder', () => {
  test('names the groups of encoded columns of each column of the table', async () => {
    const { groups, columns, width } = await fitted(sample)
    expect(groups.map(({ column }) => column)).toEqual(['n', 'c', 't', 'b', '__proto__'])
    expect(groups.at(-1)!.to).toBe(width)
    for (const { column, from, to } of groups)
      expect(new Set(columns.slice(from, to).map((one) => one.column))).toEqual(new Set([column]))
    expect(new Set(namesOf({ columns })).size).toBe(width)
  })

  test('encodes single rows, batches and tables alike', async () => {
    const encoder = await fitted(sample)
    const encoded = await encode(encoder, sample)
    expect(sample.map((row) => [...encoder.transformSync(row)])).toEqual(encoded)
    const out = new Float64Array(encoder.width).fill(9)
    expect(encoder.transformSync(sample[4]!, { out })).toBe(out)
    expect([...out]).toEqual(encoded[4])
    const parts: number[][] = []
    for await (const part of encoder.transformBatches(readTable(sample))) parts.push(...part.toArray())
    expect(parts).toEqual(encoded.map((row) => row.map(Math.fround)))
  })

  test('finds columns by their names, and does not use others', async () => {
    const encoder = await fitted(sample)
    const other = sample.map(({ n, c, t, b, k, ...rest }) => ({ extra: [1], k, b, t, c, n, ...rest }))
    expect((await encoder.transform(readTable(other))).toArray()).toEqual(
      (await encoder.transform(readTable(sample))).toArray(),
    )
  })

  test.each<[string, Objects, string]>([
    ['is absent', [{ c: 'x' }], "expected a column 'n', as in the fitted table"],
    [
      'has another type',
      [{ n: 'x', c: 'x' }],
      "expected column 'n' of type number, received string; readTable(source, { types: encoder.types })",
    ],
  ])('names a column that %s', async (_, rows, message) => {
    const encoder = await fitted([...repeat({ n: 1, c: 'x' }, 5), ...repeat({ n: 2, c: 'y' }, 5)])
    expectError(await rejected(encoder.transform(readTable(rows))), 'ERR_ARGUMENT', message)
  })

  test('takes a column whose values are all missing, whatever its type', async () => {
    const encoder = await fitted(sample)
    const empty = [{ ...sample[0], n: null, c: null, t: null, b: null }]
    expect((await encoder.transform(readTable(empty))).rows).toBe(1)
  })

  test('gives back the values that its codes stand for', async () => {
    const encoder = await fitted(sample)
    for (const row of sample) {
      const values = encoder.inverseTransformSync(encoder.transformSync(row))
      expect(values.map(({ column }) => column)).toEqual(Object.keys(row))
      for (const { column, value } of values) {
        const expected = Object.getOwnPropertyDescriptor(row, column)!.value as unknown
        if (expected instanceof Date) expect(Number(value)).toBeCloseTo(Number(expected), -1)
        else if (typeof expected === 'number') expect(value).toBeCloseTo(expected, 9)
        else expect(value).toBe(expected ?? null)
      }
    }
  })

  test('is the same after JSON, and refuses everything else', async () => {
    const encoder = await fitted(sample, {
      numbers: 'log',
      columns: { b: 'category', c: { kind: 'hash', buckets: 3 }, k: 'drop' },
    })
    const text = JSON.stringify(encoder)
    const again = TableEncoder.fromJSON(JSON.parse(text))
    expect(JSON.stringify(again)).toBe(text)
    expect(await encode(again, sample)).toEqual(await encode(encoder, sample))
    expect([again.columns, again.groups, again.dropped, again.types]).toEqual([
      encoder.columns,
      encoder.groups,
      encoder.dropped,
      encoder.types,
    ])
    expect(JSON.stringify(await again.fit(readTable(sample)))).toBe(text)
  })

  test('is not made of JSON that differs in one place', async () => {
    const text = JSON.stringify(await fitted(sample))
    const pick = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const wrong = fc.constantFrom<unknown>(null, -1, 'x', [], {}, [[]], Number.NaN)
    fc.assert(
      fc.property(pick, wrong, (share, value) => {
        const json = JSON.parse(text) as Record<string, unknown>
        const places: [Record<string, unknown>, string][] = []
        const walk = (node: unknown): void => {
          if (node === null || typeof node !== 'object') return
          for (const key of Object.keys(node)) {
            places.push([node as Record<string, unknown>, key])
            walk((node as Record<string, unknown>)[key])
          }
        }
        walk(json)
        const [node, key] = places[Math.floor(share * places.length)]!
        const before = node[key]
        node[key] = value
        try {
          const encoder = TableEncoder.fromJSON(json)
          // Another number or text, or the same: still an encoder.
          expect(typeof before).toBe(typeof value)
          expect(encoder.width).toBeGreaterThan(0)
        } catch (reason) {
          expectError(reason, 'ERR_FORMAT', 'not a saved table encoder: ')
        }
      }),
      { numRuns: 2000 },
    )
    expectError(
      thrown(() => TableEncoder.fromJSON({ ...JSON.parse(text), version: 2 })),
      'ERR_FORMAT',
      'version is 2',
    )
  })

  test('is not made of a short JSON that asks for millions of columns', async () => {
    const json = JSON.parse(
      JSON.stringify(await fitted(sample, { columns: { c: { kind: 'hash', buckets: 65_536 } } })),
    ) as { columns: { kind: string; name: string }[] }
    const column = json.columns.find(({ kind }) => kind === 'hash')!
    json.columns = Array.from({ length: 5 }, (_, i) => ({ ...column, name: String(i) }))
    expectError(
      thrown(() => TableEncoder.fromJSON(json)),
      'ERR_FORMAT',
      'columns makes more than 262144 encoded columns',
    )
    const rows = [Object.fromEntries(json.columns.map(({ name }) => [name, 'x']))]
    const columns = Object.fromEntries(
      json.columns.map(({ name }) => [name, { kind: 'hash', buckets: 65_536 } as const]),
    )
    expectError(await rejected(fitted(rows, { columns })), 'ERR_RANGE', 'at most 262144 encoded columns')
  })

  test('tells of a constant time that Date does not have', async () => {
    const t = Float64Array.of(9e15, 9e15)
    const x = Float64Array.of(1, 2)
    const columns = [
      { name: 't', type: 'date', values: t },
      { name: 'x', type: 'number', values: x },
    ] as const
    const encoder = await new TableEncoder().fit([batchOf(...columns)])
    expect(encoder.dropped).toEqual([{ column: 't', reason: 'constant: 9000000000000000 ms' }])
  })

  test('gives categories that begin alike names of their own', async () => {
    const start = 'https://example.org/'.repeat(8)
    const rows = ['a', 'b', 'c', 'd'].map((end) => ({ c: start + end }))
    const names = namesOf(await fitted(rows, { minimumCount: 1 }))
    expect(new Set(names).size).toBe(names.length)
    const [first] = names
    expect(names.slice(0, 4)).toEqual([first, `${first} (2)`, `${first} (3)`, `${first} (4)`])
  })

  test('that is not fitted says so', async () => {
    const encoder = new TableEncoder()
    for (const use of [() => encoder.columns, () => encoder.transformSync({}), () => encoder.toJSON()])
      expectError(thrown(use), 'ERR_STATE', 'this TableEncoder is not fitted')
    expectError(await rejected(encoder.transform([])), 'ERR_STATE', 'this TableEncoder is not fitted')
  })

  test('keeps what it had when a later fit is refused', async () => {
    const encoder = await fitted(sample)
    const before = JSON.stringify(encoder)
    await rejected(encoder.fit(readTable([{ a: 1 }, { a: 1 }])))
    expect(JSON.stringify(encoder)).toBe(before)
  })

  test.each<[string, () => Promise<unknown>, string, string]>([
    ['no rows', () => new TableEncoder().fit([]), 'ERR_SHAPE', 'expected at least one row'],
    ['no table', () => new TableEncoder().fit(5 as never), 'ERR_ARGUMENT', 'table: expected a table'],
    [
      'the path of a file, which readTable reads',
      () => new TableEncoder().fit('orders.csv' as never),
      'ERR_ARGUMENT',
      'table: expected a table, as readTable returns it',
    ],
    [
      'objects, which readTable makes a table of',
      () => new TableEncoder().fit([{ a: 1 }] as never),
      'ERR_ARGUMENT',
      'readTable(objects)',
    ],
    [
      'rows',
      () => new TableEncoder().fit([[1, 2]] as never),
      'ERR_ARGUMENT',
      'table: expected batches with rows and columns',
    ],
    [
      'lists',
      () => fitted([{ l: [1] }]),
      'ERR_ARGUMENT',
      "columns['l']: it has lists, objects, bytes or the like; expected 'drop'",
    ],
    [
      'texts as numbers',
      () => fitted([{ c: 'x' }], { columns: { c: 'robust' } }),
      'ERR_ARGUMENT',
      "columns['c']: it has values of type string; expected 'category'",
    ],
    [
      'an encoding of no column',
      () => fitted([{ c: 'x' }], { columns: { d: 'drop' } }),
      'ERR_ARGUMENT',
      "columns: no column 'd' in the table; there is 'c'",
    ],
    [
      'columns that change',
      () =>
        new TableEncoder().fit([
          batchOf({ name: 'a', type: 'number', values: new Float64Array(2) }),
          batchOf({ name: 'b', type: 'number', values: new Float64Array(2) }),
        ]),
      'ERR_ARGUMENT',
      "table: expected a column 'a' in each batch",
    ],
  ])('%s: refused', async (_, work, code, message) => {
    expectError(await rejected(work()), code, message)
  })

  test.each<[TableEncoderOptions, string]>([
    [{ numbers: 'minMax' as never }, 'numbers: expected'],
    [{ minimumCount: 0 }, 'minimumCount: expected'],
    [{ mostCategories: 20_000 }, 'mostCategories: expected'],
    [{ columns: { a: 'onehot' as never } }, "columns['a']: expected one of"],
    [{ columns: { a: { kind: 'hash', buckets: 1 } } }, "columns['a'].buckets: expected"],
    [{ scale: 1 } as never, "options: unknown option 'scale'"],
  ])('the options %o are refused', (options, message) => {
    expectError(
      thrown(() => new TableEncoder(options)),
      'ERR_ARGUMENT',
      message,
    )
  })

  test.each<[Record<string, unknown>, string, string]>([
    [{ n: 'x', c: 'y' }, 'ERR_ARGUMENT', "row['n']: expected a value of type number, received 'x'"],
    [{ n: 1, c: [5] }, 'ERR_ARGUMENT', "row['c']: expected a value of type string, received"],
    [{ n: Infinity }, 'ERR_RANGE', "column 'n', row 0: expected finite numbers"],
    [{}, 'ERR_ARGUMENT', "members of its own for the columns 'n', 'c'"],
    [{ N: 1 }, 'ERR_ARGUMENT', 'received an object { N }'],
    [Object.create({ n: 1, c: 'x' }), 'ERR_ARGUMENT', 'members of its own'],
    [Promise.resolve({ n: 1 }) as never, 'ERR_ARGUMENT', 'received a Promise, to be awaited first'],
    [new Map([['n', 1]]) as never, 'ERR_ARGUMENT', 'received a Map'],
    [new Date(0) as never, 'ERR_ARGUMENT', 'received a Date'],
  ])('the row %o is refused', async (row, code, message) => {
    const encoder = await fitted([...repeat({ n: 1, c: 'x' }, 5), ...repeat({ n: 2, c: 'y' }, 5)])
    expectError(
      thrown(() => encoder.transformSync(row)),
      code,
      message,
    )
  })
})
