import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LayerwiseError, readTable } from '../lib/index.js'
import { expectError } from './refusal.js'
import { bytes, inPieces, readAll, readCsv } from './table-sample.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const error = (reading: Promise<unknown>): Promise<LayerwiseError> =>
  reading.then(
    () => expect.fail('it was read'),
    (reason) => reason as LayerwiseError,
  )

describe('types of the columns of a CSV text', () => {
  const column = async (...texts: string[]) => {
    const { columns } = await readCsv(`x,y\n${texts.map((text) => `${text},1\n`).join('')}`)
    return columns[0]!
  }

  test.each([
    ['numbers', ['1', '-2.5', '+3', '1e-3', '.5', '7.'], 'number', [1, -2.5, 3, 0.001, 0.5, 7]],
    ['spaces around numbers', [' 1', '2 '], 'number', [1, 2]],
    ['infinities', ['1', '-inf', 'Infinity'], 'number', [1, -Infinity, Infinity]],
    [
      'missing numbers',
      ['1', '', 'NA', 'NaN', 'null', '?', ' '],
      'number',
      [1, null, null, null, null, null, null],
    ],
    ['truth values', ['true', 'False', 'TRUE', 'NA'], 'boolean', [true, false, true, null]],
    ['days', ['2024-02-29', '1969-12-31', ''], 'date', [1709164800000, -86400000, null]],
    [
      'times',
      ['2024-01-01T00:00:00Z', '2024-01-01 02:30+02:30', '2024-01-01T00:00:00.25'],
      'date',
      [1704067200000, 1704067200000, 1704067200250],
    ],
    [
      'texts, of which only the empty one is missing',
      ['a', '', 'NA', 'null'],
      'string',
      ['a', null, 'NA', 'null'],
    ],
    ['several kinds', ['1', 'true', '2024-01-01'], 'string', ['1', 'true', '2024-01-01']],
    ['codes with leading zeros', ['02134', '10001'], 'string', ['02134', '10001']],
    ['a zero before the decimals', ['0.5', '0', '-0.25'], 'number', [0.5, 0, -0.25]],
    [
      'integers of which one is beyond 2^53',
      ['1', '9007199254740993', ''],
      'bigint',
      [1n, 9007199254740993n, null],
    ],
    ['integers beyond 64 bits', ['1', '12345678901234567890123'], 'string', ['1', '12345678901234567890123']],
    ['days that do not exist', ['2023-02-29', '2023-01-01'], 'string', ['2023-02-29', '2023-01-01']],
    ['nothing at all', ['', ''], 'number', [null, null]],
  ])('%s', async (_, texts, type, values) => {
    expect(await column(...texts)).toEqual({ name: 'x', type, values })
  })

  test('numbers are those that JavaScript reads, for all ways to write them', async () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    )
    const written = fc.tuple(
      number,
      fc.constantFrom('plain', 'fixed', 'exponent'),
      fc.integer({ min: 0, max: 20 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 20 }), async (numbers) => {
        const texts = numbers.map(([value, form, digits]) =>
          form === 'plain'
            ? String(value)
            : form === 'fixed'
              ? `${value.toFixed(digits)}.0`.replace(/(\.\d*)\.0$/, '$1')
              : value.toExponential(digits),
        )
        const { columns } = await readCsv(`x\n${texts.join('\n')}\n`, { types: { x: 'number' } }).catch(
          (reason) => {
            // Integers without a decimal point beyond 2^53.
            expect(reason.message).toContain('whose digits float64 holds')
            return { columns: [] }
          },
        )
        if (columns.length > 0) expect(columns[0]!.values).toEqual(texts.map(Number))
      }),
      { numRuns: 300 },
    )
  })

  test('times without a zone are the same in every time zone', async () => {
    const before = process.env.TZ
    try {
      for (const zone of ['America/New_York', 'Asia/Kolkata', 'UTC']) {
        process.env.TZ = zone
        const { columns } = await readCsv('t\n2024-03-10 02:30:00\n2024-06-01\n')
        expect(columns[0]!.values).toEqual([Date.UTC(2024, 2, 10, 2, 30), Date.UTC(2024, 5, 1)])
      }
    } finally {
      if (before === undefined) delete process.env.TZ
      else process.env.TZ = before
    }
  })

  test('dates are those that Date reads', async () => {
    const date = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    await fc.assert(
      fc.asyncProperty(fc.array(date, { minLength: 1 }), async (dates) => {
        const texts = dates.map((day) => day.toISOString())
        const { columns } = await readCsv(`t\n${texts.join('\n')}`)
        expect(columns[0]).toEqual({ name: 't', type: 'date', values: dates.map(Number) })
      }),
      { numRuns: 200 },
    )
  })

  test('a value that does not fit the type of the first rows is an error that names line and column', async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => `${i},a`)
    const reading = readCsv(`n,c\n${rows.join('\n')}\noops,b\n`)
    const { code, message, details } = await error(reading)
    expect(code).toBe('ERR_FORMAT')
    expect(message).toMatch(
      /line 10002, column 'n': 'oops' does not fit a number.*types: \{ "n": 'string' \}/,
    )
    expect(details).toMatchObject({ line: 10_002, row: 10_000, column: 0, name: 'n', received: 'oops' })
    const { columns } = await readCsv(`n,c\n${rows.join('\n')}\noops,b\n`, { types: { n: 'string' } })
    expect(columns[0]).toMatchObject({ type: 'string' })
    expect(columns[0]!.values.slice(-2)).toEqual(['9999', 'oops'])
  })

  test.each([
    ['9007199254740993', 'a number whose digits'],
    ['007', 'a number whose digits'],
  ])('later in a column of numbers %s is an error', async (text, message) => {
    const rows = '1\n'.repeat(10_000)
    expectError(await error(readCsv(`n\n${rows}${text}\n`)), 'ERR_FORMAT', message)
  })

  test('given types are kept', async () => {
    const options = { types: { a: 'number', b: 'string', c: 'bigint' } } as const
    const { columns } = await readCsv('a,b,c\n007,1,2\n', options)
    expect(columns.map(({ type, values }) => [type, values])).toEqual([
      ['number', [7]],
      ['string', ['1']],
      ['bigint', [2n]],
    ])
    expectError(
      await error(readCsv('a\nx\n', { types: { a: 'date' } })),
      'ERR_FORMAT',
      "column 'a': 'x' does not fit a date",
    )
    expectError(
      await error(readCsv('a\nx\n', { types: { b: 'date' } })),
      'ERR_ARGUMENT',
      "types: no column 'b' in the bytes; there is 'a'",
    )
  })

  test('texts of the option missing are missing in each column', async () => {
    const { columns } = await readCsv('a,b\n-999,x\n1,-999\n', { missing: ['-999'] })
    expect(columns.map(({ values }) => values)).toEqual([
      [null, 1],
      ['x', null],
    ])
  })
})

describe('the form of a CSV text', () => {
  const text = 'a,b\r\n"x, ""y""\r\nz",1\r\nü,2\r\n'
  const read = {
    rows: 2,
    columns: [
      { name: 'a', type: 'string', values: ['x, "y"\r\nz', 'ü'] },
      { name: 'b', type: 'number', values: [1, 2] },
    ],
  }

  test('does not depend on how the bytes are cut', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(lengths, async (cuts) => {
        expect(await readAll(inPieces(bytes(text), cuts), { format: 'csv' })).toEqual(read)
        expect(await readAll(inPieces(gzipSync(text), cuts), { format: 'csv' })).toEqual(read)
      }),
      { numRuns: 100 },
    )
  })

  test('has the separator of its first line, which may have line ends in quotes, however the bytes are cut', async () => {
    const text = bytes('"a\nb";"c,d"\n1;2\n')
    const read = {
      rows: 1,
      columns: [
        { name: 'a\nb', type: 'number', values: [1] },
        { name: 'c,d', type: 'number', values: [2] },
      ],
    }
    for (let cut = 1; cut <= text.length; cut++)
      expect(await readAll(inPieces(text, [cut]), { format: 'csv' })).toEqual(read)
  })

  test.each<[string, Uint8Array | string, object]>([
    ['LF', text.replaceAll('\r\n', '\n').replace('\nz', '\r\nz'), {}],
    ['CR alone', text.replaceAll('\r\n', '\r').replace('\rz', '\r\nz'), {}],
    ['no line end at the end', text.slice(0, -2), {}],
    ['a byte order mark', `\ufeff${text}`, {}],
    ['semicolons', text.replaceAll(',', ';').replace('x;', 'x,'), {}],
    ['tabs', text.replaceAll(',', '\t').replace('x\t', 'x,'), {}],
    ['another separator', text.replaceAll(',', '^').replace('x^', 'x,'), { separator: '^' }],
    ['other quotes', text.replaceAll('"', "'").replaceAll("''", '"'), { quote: "'" }],
    ['UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]), {}],
    ['big-endian UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le').swap16(), {}],
    ['Latin-1', Buffer.from(text, 'latin1'), { encoding: 'latin1' }],
    ['gzip', gzipSync(text), {}],
    ['gzip in two members', Buffer.concat([gzipSync(text.slice(0, 9)), gzipSync(text.slice(9))]), {}],
    ['empty lines', text.replace('1\r\n', '1\r\n\r\n\r\n'), {}],
  ])('%s', async (_, given, options) => {
    expect(await readCsv(given, options)).toEqual(read)
  })

  test('the rows in which types are found do not depend on how the bytes are cut', async () => {
    const wide = 'x'.repeat(1000)
    const rows = Array.from({ length: 4500 }, (_, i) => `${i},${wide}\n`).join('')
    // The text in the first column comes after 4 MiB.
    const all = bytes(`a,b\n${rows}late,${wide}\n`)
    for (const cut of [1000, 70_000, 5_000_000])
      expectError(
        await error(readAll(inPieces(all, [cut]), { format: 'csv' })),
        'ERR_FORMAT',
        "line 4502, column 'a': 'late' does not fit a number",
      )
    const early = bytes(`a,b\nearly,${wide}\n${rows}`)
    for (const cut of [1000, 70_000])
      expect((await readAll(inPieces(early, [cut]), { format: 'csv' })).columns[0]).toMatchObject({
        type: 'string',
      })
  })

  test('records of any texts are read back', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', 'ü', '😀', '"', ',', '\n', '\r', ' ', ';') })
    const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(field, field), { minLength: 1 }),
        fc.integer({ min: 1, max: 9 }),
        async (rows, cut) => {
          const csv = bytes(`a,b\n${rows.map((row) => row.map(quoted).join(',')).join('\n')}`)
          const options = { format: 'csv', types: { a: 'string', b: 'string' } } as const
          const { columns } = await readAll(inPieces(csv, [cut, 50]), options)
          expect(columns.map(({ values }) => values)).toEqual(
            [0, 1].map((i) => rows.map((row) => row[i as 0 | 1] || null)),
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a header of its own, or none', async () => {
    expect((await readCsv('1,2\n', { header: false })).columns.map(({ name }) => name)).toEqual([
      'column0',
      'column1',
    ])
    expect((await readCsv('1,2\n', { header: ['u', 'v'] })).columns.map(({ name }) => name)).toEqual([
      'u',
      'v',
    ])
  })

  test('an empty line is a missing value in a table of one column', async () => {
    expect((await readCsv('a\n1\n\n2\n')).columns[0]!.values).toEqual([1, null, 2])
  })

  test('columns named as members of objects are columns', async () => {
    const { columns } = await readCsv('__proto__,constructor,\n1,2,3\n', {
      types: { ['__proto__']: 'string' },
    })
    expect(columns).toEqual([
      { name: '__proto__', type: 'string', values: ['1'] },
      { name: 'constructor', type: 'number', values: [2] },
      { name: '', type: 'number', values: [3] },
    ])
  })

  test('10,000 columns', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`)
    const row = names.map((_, i) => (i % 3 === 0 ? `t${i}` : String(i))).join(',')
    const { rows, columns } = await readCsv(`${names.join(',')}\n${`${row}\n`.repeat(20)}`)
    expect(rows).toBe(20)
    expect(columns.length).toBe(10_000)
    expect(columns[9999]).toEqual({ name: 'c9999', type: 'string', values: new Array(20).fill('t9999') })
  })

  test('a header alone is a table without rows', async () => {
    expect(await readCsv('a,b\n')).toEqual({
      rows: 0,
      columns: [
        { name: 'a', type: 'number', values: [] },
        { name: 'b', type: 'number', values: [] },
      ],
    })
  })

  test.each([
    ['', 'it is empty'],
    ['\n\n', 'it is empty'],
    ['a,b\n1,2\n3\n', 'line 3: it has 1 fields; there are 2 columns'],
    ['a,b\n1,"x\ny"\n3,4,5\n', 'line 4: it has 3 fields'],
    ['a,b\n1,"2\n', 'line 2: a quotation mark is not closed'],
    ['a,b\n1,"2"x\n', 'line 2: text follows a closing quotation mark'],
    ['a,b,a\n1,2,3\n', "line 1, column 'a': the name stands twice"],
  ])('%j is refused', async (text, message) => {
    expectError(await error(readCsv(text)), 'ERR_FORMAT', message)
  })

  test('bytes that are not UTF-8 are refused with their line and column', async () => {
    const latin1 = Buffer.from('a,b\n1,x\n2,ü\n', 'latin1')
    expectError(await error(readCsv(latin1)), 'ERR_FORMAT', "line 3, column 'b': it is not UTF-8")
  })

  test('a quotation mark that is never closed is found within a few megabytes', async () => {
    let pieces = 0
    const endless = async function* () {
      yield bytes('a,b\n1,"')
      for (;;) {
        pieces++
        yield new Uint8Array(65_536).fill(0x61)
      }
    }
    expectError(
      await error(readAll(endless(), { format: 'csv' })),
      'ERR_FORMAT',
      'line 2: a row is longer than 4 MiB',
    )
    expect(pieces).toBeLessThan(100)
  })

  test('a damaged gzip file is refused', async () => {
    const packed = gzipSync('a,b\n'.repeat(5000))
    packed[packed.length >> 1]! ^= 0xff
    expectError(await error(readCsv(packed)), 'ERR_FORMAT', 'its gzip is damaged')
    expectError(
      await error(readCsv(packed.subarray(0, packed.length >> 2))),
      'ERR_FORMAT',
      'its gzip is damaged',
    )
  })
})

describe('a CSV file', () => {
  const path = join(folder, 'orders.csv')
  writeFileSync(path, `n,c\n${Array.from({ length: 30_000 }, (_, i) => `${i},c${i % 3}\n`).join('')}`)

  test('is read in batches, as often as it is iterated', async () => {
    const table = readTable(path)
    expect(table).toMatchObject({ name: `'${path}'`, onePass: false })
    for (let round = 0; round < 2; round++) {
      const batches: number[] = []
      let sum = 0
      for await (const { rows, columns } of table) {
        batches.push(rows)
        if (columns[0]!.type === 'number') for (const value of columns[0]!.values) sum += value
      }
      expect(batches.length).toBeGreaterThan(5)
      expect(sum).toBe((29_999 * 30_000) / 2)
    }
  })

  test('some columns, in another order, and some rows', async () => {
    const { rows, columns } = await readAll(path, { columns: ['c', 'n'], rows: 12_345 })
    expect(rows).toBe(12_345)
    expect(columns.map(({ name, values }) => [name, values.length, values.at(-1)])).toEqual([
      ['c', 12_345, 'c2'],
      ['n', 12_345, 12_344],
    ])
    expect((await readAll(path, { rows: 0 })).rows).toBe(0)
    expectError(await error(readAll(path, { columns: ['x'] })), 'ERR_ARGUMENT', "there are 'n', 'c'")
  })

  test('an abort ends the reading', async () => {
    const controller = new AbortController()
    const reading = async () => {
      for await (const _ of readTable(path, { signal: controller.signal })) controller.abort('enough')
    }
    await expect(reading()).rejects.toBe('enough')
  })

  test.each([
    [join(folder, 'absent.csv'), {}, 'ERR_ARGUMENT', 'cannot read'],
    [folder, { format: 'csv' }, 'ERR_ARGUMENT', 'it is not a regular file'],
  ] as const)('%s is refused', async (source, options, code, message) => {
    expectError(await error(readAll(source, options)), code, message)
  })

  test('a text is taken for a path, which a message shows in part, and in an array for a table', async () => {
    const text = `a,b\n${'1,2\n'.repeat(10_000)}`
    const refused = await error(readAll(text, { format: 'csv' }))
    expectError(refused, 'ERR_ARGUMENT', "path: cannot read 'a,b")
    expect((refused as Error).message.length).toBeLessThan(1000)
    expect((await readAll([text], { format: 'csv' })).columns.map(({ name }) => name)).toEqual(['a', 'b'])
  })

  test('a file whose name says no format needs one', () => {
    expect(() => readTable(join(folder, 'orders.dat'))).toThrow(
      /format: expected 'csv' \| 'jsonLines' \| 'parquet' \| 'arrow', unless the file ends in/,
    )
  })
})

describe('damaged and hostile CSV texts', () => {
  test('are read or refused, and nothing else', { timeout: 120_000 }, async () => {
    const piece = fc.constantFrom(
      'a',
      '1',
      '-2.5',
      '2024-01-01',
      'true',
      '"',
      '""',
      ',',
      ';',
      '\n',
      '\r\n',
      '\0',
      '\ufeff',
      'é',
      '__proto__',
      '1e999',
    )
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(piece, { maxLength: 60 }).map((all) => bytes(all.join(''))),
    )
    await fc.assert(
      fc.asyncProperty(hostile, fc.integer({ min: 1, max: 100 }), async (text, cut) => {
        try {
          const { rows, columns } = await readAll(inPieces(text, [cut]), { format: 'csv' })
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
