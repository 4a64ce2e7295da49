import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LayerwiseError, readTable } from '../lib/index.js'
import { expectError } from './refusal.js'
import { bytes, inPieces, readAll, readColumns, readJsonLines } from './table-sample.js'

const error = (reading: Promise<unknown>): Promise<unknown> =>
  reading.then(
    () => expect.fail('it was read'),
    (reason) => reason,
  )

describe('rows that are objects', () => {
  const rows = [
    { n: 1, s: 'a', b: true, d: new Date(5), i: 2n ** 60n, l: [1] },
    { n: null, s: '', b: undefined, d: '1970-01-01T00:00:00.007', i: 3, l: null },
    { n: 2.5, s: 'NA', b: false, d: null, i: null, l: { x: 1 }, late: 7 },
  ]

  test('have the types of their values, and names in the order in which they appear', async () => {
    expect(await readAll(rows)).toEqual({
      rows: 3,
      columns: [
        { name: 'n', type: 'number', values: [1, null, 2.5] },
        { name: 's', type: 'string', values: ['a', null, 'NA'] },
        { name: 'b', type: 'boolean', values: [true, null, false] },
        { name: 'd', type: 'date', values: [5, 7, null] },
        { name: 'i', type: 'bigint', values: [2n ** 60n, 3n, null] },
        { name: 'l', type: 'list', values: [[1], null, { x: 1 }] },
        { name: 'late', type: 'number', values: [null, null, 7] },
      ],
    })
  })

  test.each<[string, () => Iterable<unknown> | AsyncIterable<unknown>, boolean]>([
    ['an array', () => rows, false],
    ['a set', () => new Set(rows), false],
    ['an object that makes iterators', () => ({ [Symbol.iterator]: () => rows.values() }), false],
    ['an iterator', () => rows.values(), true],
    ['an async generator', () => Readable.from(rows)[Symbol.asyncIterator](), true],
    ['a Node stream', () => Readable.from(rows), true],
    ['a web stream', () => ReadableStream.from(rows), true],
  ])('%s', async (_, make, onePass) => {
    const table = readTable(make())
    expect(table.onePass).toBe(onePass)
    const count = async () => {
      let count = 0
      for await (const batch of table) count += batch.rows
      return count
    }
    expect(await count()).toBe(3)
    if (onePass) expectError(await error(count()), 'ERR_STATE', 'it can be read once only')
    else expect(await count()).toBe(3)
  })

  test('texts are values of given types', async () => {
    const given = [{ n: '1.5', b: 'true', z: 5, d: '2024-01-01', i: '7' }, { n: 'NA' }]
    const types = { n: 'number', b: 'boolean', z: 'string', d: 'date', i: 'bigint' } as const
    const { values } = await readColumns(given, { types })
    expect(values).toEqual({
      n: [1.5, null],
      b: [true, null],
      z: ['5', null],
      d: [Date.UTC(2024, 0, 1), null],
      i: [7n, null],
    })
  })

  test('missing texts are missing among numbers', async () => {
    expect((await readColumns([{ n: 1 }, { n: 'NA' }, { n: '?' }])).values.n).toEqual([1, null, null])
  })

  const many = Array.from({ length: 10_000 }, () => ({ a: 1 }))
  test.each<[string, unknown[], string]>([
    ['a number and a text', [{ a: 1 }, { a: 'x' }], "row 1, column 'a': a text, where row 0 has a number"],
    ['a truth value and a number', [{ a: true }, { a: 0 }], 'a number, where row 0 has a truth value'],
    [
      'a fraction and a big integer',
      [{ a: 0.5 }, { a: 2n ** 60n }],
      'an integer beyond 2^53, where row 0 has a',
    ],
    [
      'an array as a row',
      [{ a: 1 }, [1]],
      'row 1: expected an object with a value for each column, received an array of 1',
    ],
    ['an invalid Date', [{ a: new Date(Number.NaN) }], 'does not fit a date'],
    ['no rows', [], 'it has no rows'],
    ['numbers as rows', [1, 2], 'row 0: expected an object'],
    ['a late column', [...many, { b: 1 }], "row 10000, column 'b': the first rows have no such column"],
    ['a late text', [...many, { a: 'x' }], "row 10000, column 'a': 'x' does not fit a number"],
  ])('%s: refused', async (_, given, message) => {
    expectError(await error(readAll(given)), 'ERR_FORMAT', message)
  })

  test('a column named __proto__ is a column, members of prototypes are none', async () => {
    const row = Object.create({ inherited: 1 }, { ['__proto__']: { value: 2, enumerable: true } }) as object
    expect((await readAll([row])).columns).toEqual([{ name: '__proto__', type: 'number', values: [2] }])
  })

  test('an abort ends the wait for a stream that never answers', async () => {
    const controller = new AbortController()
    const stream = new Readable({ objectMode: true, read() {} })
    stream.push({ a: 1 })
    const reading = readAll(stream, { signal: controller.signal })
    setTimeout(() => controller.abort('enough'), 10)
    await expect(reading).rejects.toBe('enough')
    stream.destroy()
  })

  test('a source is not read further than its reader asks', async () => {
    let made = 0
    const endless = function* () {
      for (;;) yield { a: made++ }
    }
    for await (const { rows } of readTable(endless())) {
      expect(rows).toBeGreaterThan(0)
      break
    }
    expect(made).toBeLessThanOrEqual(10_000)
  })

  test('a stream that fails rejects with its own error', async () => {
    const failure = new Error('the network')
    const failing = async function* () {
      yield { a: 1 }
      throw failure
    }
    expect(await error(readAll(failing()))).toBe(failure)
  })
})

describe('JSON lines', () => {
  test('are objects, one on each line', async () => {
    const text =
      '{"a": 1, "b": "x\\n\\u00fc", "c": [1, {"d": "]"}]}\r\n\n {"b":"","a":-2.5e1,"e":true,"c":null} \n'
    expect(await readJsonLines(text)).toEqual({
      rows: 2,
      columns: [
        { name: 'a', type: 'number', values: [1, -25] },
        { name: 'b', type: 'string', values: ['x\nü', null] },
        { name: 'c', type: 'list', values: [[1, { d: ']' }], null] },
        { name: 'e', type: 'boolean', values: [null, true] },
      ],
    })
  })

  test('keep the digits of integers beyond 2^53', async () => {
    const { columns } = await readJsonLines('{"id":9007199254740993}\n{"id":-1}')
    expect(columns[0]).toEqual({ name: 'id', type: 'bigint', values: [9007199254740993n, -1n] })
  })

  test('are read as JSON.parse reads them', async () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.jsonValue(),
    )
    const object = fc.dictionary(fc.string(), value)
    await fc.assert(
      fc.asyncProperty(object, fc.integer({ min: 1, max: 9 }), async (row, cut) => {
        const text = JSON.stringify(row)
        const read = await readAll(inPieces(bytes(text), [cut]), { format: 'jsonLines' }).catch((reason) => {
          if (Object.keys(row).length > 0) throw reason
          return undefined
        })
        const parsed = JSON.parse(text) as Record<string, unknown>
        for (const { name, type, values } of read?.columns ?? []) {
          const expected = parsed[name]
          const got = values[0]
          if (expected === '' || expected === null || type === 'date') continue
          expect(type === 'bigint' ? Number(got) : got).toEqual(expected)
        }
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['{"a":1}\n{"a":}\n', 'line 2: it is no object of JSON'],
    ['{"a":1}\n[1]\n', 'line 2: it is no object of JSON'],
    ['[{"a":1},\n{"a":2}]', 'readTable(JSON.parse(text))'],
    ['{"a":1', 'it ends too early'],
    ['{"a":1} x', 'unexpected'],
    ['{"a":01}', 'unexpected'],
    ['{"a":[1}', 'it is no object of JSON'],
    ['{"a":"x\ty"}', 'it is no object of JSON'],
    ['{"a":1,"a":2}', "line 1, column 'a': the name stands twice"],
    ['{"a":1}\n{"a":"x"}', "line 2, column 'a': a text, where line 1 has a number"],
    ['', 'it has no rows'],
  ])('%j is refused', async (text, message) => {
    expectError(await error(readJsonLines(text)), 'ERR_FORMAT', message)
  })

  test.each([
    ['{"a":"ü"}\n\n{"a":"\xff"}\n{"a":', 'line 3: it is not UTF-8'],
    ['{"a":"ü"}\n{"a":}\n{"a":"\xff"}\n', 'line 2: it is no object of JSON'],
    ['{"a":"ü"}\n{"a":"\xc3', 'line 2: it is not UTF-8'],
  ])('of %j the first damaged line is named, however the bytes are cut', async (text, message) => {
    const damaged = Buffer.concat([bytes('{"a":"ü"}'), Buffer.from(text.slice('{"a":"ü"}'.length), 'latin1')])
    for (let cut = 1; cut <= damaged.length; cut++)
      expectError(
        await error(readAll(inPieces(damaged, [cut]), { format: 'jsonLines' })),
        'ERR_FORMAT',
        message,
      )
  })

  test('damaged and hostile ones are read or refused, and nothing else', { timeout: 120_000 }, async () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"a"',
      '"b":',
      ':',
      ',',
      '1',
      '-',
      '1e9',
      '"',
      '\\',
      '\\u00',
      'true',
      'null',
      '\n',
      ' ',
      '"__proto__":',
      '{"a":1}\n',
    )
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.array(piece, { maxLength: 40 }).map((all) => bytes(all.join(''))),
    )
    await fc.assert(
      fc.asyncProperty(hostile, fc.integer({ min: 1, max: 60 }), async (text, cut) => {
        try {
          const { rows, columns } = await readAll(inPieces(text, [cut]), { format: 'jsonLines' })
          for (const { values } of columns) expect(values.length).toBe(rows)
        } catch (reason) {
          if (!(reason instanceof LayerwiseError)) throw reason
          expect(reason.code).toBe('ERR_FORMAT')
        }
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('what readTable is given', () => {
  test.each<[unknown, object | undefined, string]>([
    [
      5,
      undefined,
      'source: expected a path, bytes, an Arrow table, a query, or an iterable or stream of objects',
    ],
    [{}, undefined, 'source: expected a path'],
    [
      new Uint8Array(3),
      undefined,
      "format: expected 'csv' | 'jsonLines' | 'parquet' | 'arrow', since bytes have no name",
    ],
    [[], { columns: [] }, 'columns: expected at least one name'],
    [[], { columns: ['a', 'a'] }, 'columns: expected at least one name, each of them once'],
    [[], { rows: -1 }, 'rows: expected a whole number'],
    [[], { types: { a: 'int' } }, "types['a']: expected 'number' | "],
    [[], { separator: ';;' }, 'separator: expected one character of ASCII'],
    [[], { separator: '"' }, 'separator: expected another character than quote'],
    [[], { encoding: 'morse' }, 'encoding: expected an encoding that TextDecoder knows'],
    [[], { delimiter: ',' }, "options: unknown option 'delimiter'"],
    [[], { signal: 1 }, 'signal: expected an AbortSignal'],
  ])('%o with %o is refused at once', (source, options, message) => {
    expect(() => readTable(source as never, options as never)).toThrow(message)
  })
})
