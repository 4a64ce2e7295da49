import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import * as arrow from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { LayerwiseError, readTable, TableEncoder } from '../lib/index.js'
import { expectError } from './refusal.js'
import { inPieces, readAll, readColumns } from './table-sample.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const error = (reading: Promise<unknown>): Promise<unknown> =>
  reading.then(
    () => expect.fail('it was read'),
    (reason) => reason,
  )

describe('Parquet and DuckDB', () => {
  let instance: DuckDBInstance
  let connection: Awaited<ReturnType<DuckDBInstance['connect']>>
  const parquet = join(folder, "some [1]*'s.parquet")
  beforeAll(async () => {
    instance = await DuckDBInstance.create(':memory:')
    connection = await instance.connect()
    await connection.run(
      `COPY (SELECT range AS n, range % 3 AS k, 'c' || (range % 5) AS c FROM range(20000)) TO '${parquet.replaceAll("'", "''")}'`,
    )
  })
  afterAll(() => {
    connection.closeSync()
    instance.closeSync()
  })
  const query = (sql: string, parameters?: unknown[]) => ({ duckdb: connection, sql, parameters })

  test('types of a query', async () => {
    const sql = `SELECT * FROM (VALUES
      (1::TINYINT, 1.5::FLOAT, -2.5::DOUBLE, 7::BIGINT, 1e20::HUGEINT, 12.34::DECIMAL(9,2), true, 'a', 'x'::ENUM('x','y'),
       DATE '2024-02-29', TIMESTAMP '2024-01-01 00:00:00.0005', TIMESTAMPTZ '2024-01-01 02:00:00+02', TIMESTAMP_NS '1969-12-31 23:59:59.9995', [1, 2], NULL),
      (NULL, NULL, 'NaN'::DOUBLE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
    ) t(i8, f4, f8, i8b, huge, dec, b, s, e, d, ts, tz, ns, l, nothing)`
    const { values, types } = await readColumns(query(sql))
    expect(types).toEqual({
      ...{
        i8: 'number',
        f4: 'number',
        f8: 'number',
        i8b: 'bigint',
        huge: 'bigint',
        dec: 'decimal',
        b: 'boolean',
      },
      ...{
        s: 'string',
        e: 'string',
        d: 'date',
        ts: 'date',
        tz: 'date',
        ns: 'date',
        l: 'list',
        nothing: 'number',
      },
    })
    const first = Object.fromEntries(Object.entries(values).map(([name, [value]]) => [name, value]))
    expect(first).toMatchObject({
      i8: 1,
      f4: 1.5,
      f8: -2.5,
      i8b: 7n,
      huge: 10n ** 20n,
      dec: 1234n,
      b: true,
      s: 'a',
      e: 'x',
      nothing: null,
    })
    expect(first).toMatchObject({
      d: Date.UTC(2024, 1, 29),
      ts: Date.UTC(2024, 0, 1) + 0.5,
      tz: Date.UTC(2024, 0, 1),
      ns: -0.5,
    })
    for (const [, missing] of Object.values(values)) expect(missing).toBeNull()
  })

  test('missing values of long columns are at their places', async () => {
    const hole = (kind: string) =>
      `CASE WHEN range % 7 = 3 OR range BETWEEN 2040 AND 2110 THEN NULL ELSE range::${kind} END`
    const { values } = await readColumns(
      query(`SELECT ${hole('DOUBLE')} AS d, ${hole('INTEGER')} AS i, range::DOUBLE AS all FROM range(9000)`),
    )
    const expected = Array.from({ length: 9000 }, (_, i) =>
      i % 7 === 3 || (i >= 2040 && i <= 2110) ? null : i,
    )
    expect(values).toEqual({ d: expected, i: expected, all: Array.from(expected.keys()) })
  })

  test('times far from today keep their fractions of a millisecond', async () => {
    const sql =
      "SELECT TIMESTAMP '2262-01-01 00:00:00.000001' AS a, TIMESTAMP '0001-01-01 00:00:00.0005' AS b"
    const { values } = await readColumns(query(sql))
    expect(values).toEqual({ a: [Date.UTC(2262, 0, 1) + 0.001], b: [Date.parse('0001-01-01') + 0.5] })
  })

  test('a Parquet file whose name has characters of patterns, with some columns', async () => {
    const { rows, columns } = await readAll(parquet, { columns: ['c', 'n'], rows: 15_000 })
    expect(rows).toBe(15_000)
    expect(columns.map(({ name, type }) => [name, type])).toEqual([
      ['c', 'string'],
      ['n', 'bigint'],
    ])
    expect(columns[1]!.values).toEqual(Array.from({ length: 15_000 }, (_, i) => BigInt(i)))
    expect((await readAll(pathToFileURL(parquet))).rows).toBe(20_000)
  })

  test('queries can be read again, and take parameters', async () => {
    const table = readTable(query('SELECT range AS x FROM range(?)', [10]))
    for (let round = 0; round < 2; round++) {
      let rows = 0
      for await (const batch of table) rows += batch.rows
      expect(rows).toBe(10)
    }
  })

  test('a database by its path', async () => {
    const path = join(folder, 'orders.duckdb')
    const writing = await DuckDBInstance.create(path)
    const writer = await writing.connect()
    await writer.run('CREATE TABLE orders AS SELECT 5 AS price')
    writer.closeSync()
    writing.closeSync()
    expect((await readColumns({ duckdb: path, sql: 'FROM orders' })).values).toEqual({ price: [5] })
    expectError(
      await error(readAll({ duckdb: path, sql: 'DROP TABLE orders' })),
      'ERR_FORMAT',
      'DuckDB cannot read it',
    )
    expectError(
      await error(readAll({ duckdb: join(folder, 'no.duckdb'), sql: 'SELECT 1' })),
      'ERR_ARGUMENT',
      'cannot open the database',
    )
  })

  test('no rows', async () => {
    expect(await readAll(query("SELECT 1 AS a, 'x' AS b WHERE false"))).toMatchObject({
      rows: 0,
      columns: [{ name: 'a' }, { name: 'b', type: 'string' }],
    })
  })

  test.each([
    ['SELECT 1 AS a, 2 AS a', "column 'a': the name stands twice"],
    ['SELEC 1', 'Parser Error'],
    ["SELECT error('stop') FROM range(9)", 'Invalid Input Error: stop'],
  ])('the query %s is refused', async (sql, message) => {
    expectError(await error(readAll(query(sql))), 'ERR_FORMAT', message)
  })

  test('another type than that of the column is refused', async () => {
    expect((await readAll(query('SELECT 1 AS a'), { types: { a: 'bigint' } })).rows).toBe(1)
    expectError(
      await error(readAll(query('SELECT 1 AS a'), { types: { a: 'string' } })),
      'ERR_FORMAT',
      "column 'a': its type is number, not string",
    )
  })

  test('damaged Parquet files are refused, and nothing else', { timeout: 120_000 }, async () => {
    const whole = readFileSync(parquet)
    const path = join(folder, 'damaged.parquet')
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(damage, fc.option(fc.nat(whole.length - 1)), async (bytes, end) => {
        const damaged = Buffer.from(whole)
        for (const [at, value] of bytes) damaged[at < 600 ? at : whole.length - 1 - (at % 600)] = value
        writeFileSync(path, damaged.subarray(0, end ?? damaged.length))
        const reason = await readAll(path, { rows: 10 }).catch((thrown: unknown) => thrown)
        if (reason instanceof Error)
          expect(reason).toMatchObject({ name: 'LayerwiseError', code: 'ERR_FORMAT' })
      }),
      { numRuns: 150 },
    )
  })
})

describe('Arrow', () => {
  const { vectorFromArray, Table, tableToIPC, tableFromArrays } = arrow
  const decimals = () => {
    const builder = arrow.makeBuilder({ type: new arrow.Decimal(2, 20, 128), nullValues: [null] })
    for (const words of [[150, 0, 0, 0], null, [-25, -1, -1, -1]])
      builder.append(words && Uint32Array.from(words))
    return builder.finish().toVector()
  }
  const table = () =>
    new Table({
      i: vectorFromArray([1, null, 3], new arrow.Int32()),
      l: vectorFromArray([1n, null, 2n ** 60n], new arrow.Int64()),
      f: vectorFromArray([0.5, null, Number.NaN], new arrow.Float64()),
      b: vectorFromArray([true, null, false], new arrow.Bool()),
      s: vectorFromArray(['a', null, ''], new arrow.Utf8()),
      c: vectorFromArray(['x', null, 'x'], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
      d: vectorFromArray([new Date(86_400_000), null, new Date(0)], new arrow.DateDay()),
      t: vectorFromArray([new Date(5), null, new Date(-5)], new arrow.TimestampMicrosecond()),
      z: vectorFromArray([new Date(5), null, new Date(-5)], new arrow.TimestampMillisecond('Asia/Kolkata')),
      m: decimals(),
      a: vectorFromArray([[1], null, [2, 3]], new arrow.List(new arrow.Field('item', new arrow.Float64()))),
    })
  const values = {
    ...{ i: [1, null, 3], l: [1n, null, 2n ** 60n], f: [0.5, null, null], b: [true, null, false] },
    ...{
      s: ['a', null, null],
      c: ['x', null, 'x'],
      d: [86_400_000, null, 0],
      t: [5, null, -5],
      z: [5, null, -5],
      m: [150n, null, -25n],
    },
  }

  test.each<[string, () => Parameters<typeof readTable>[0]]>([
    ['a table', table],
    ['a record batch', () => table().batches[0]!],
    ['record batches', () => table().batches],
    ['a stream of record batches', () => table().batches.values()],
    [
      'a file',
      () => {
        const path = join(folder, 'table.arrow')
        writeFileSync(path, tableToIPC(table(), 'file'))
        return path
      },
    ],
    [
      'a file of the stream format',
      () => {
        const path = join(folder, 'stream.arrow')
        writeFileSync(path, tableToIPC(table(), 'stream'))
        return path
      },
    ],
  ])('%s: types and values', async (_, make) => {
    const read = await readColumns(make())
    expect(read.types).toEqual({
      i: 'number',
      l: 'bigint',
      f: 'number',
      b: 'boolean',
      s: 'string',
      c: 'string',
      d: 'date',
      t: 'date',
      z: 'date',
      m: 'decimal',
      a: 'list',
    })
    expect(read.values).toMatchObject(values)
    expect([...(read.values.a![2] as Iterable<number>)]).toEqual([2, 3])
  })

  test.each(['file', 'stream'] as const)('bytes of the %s format, whole or in pieces', async (form) => {
    const bytes = tableToIPC(table(), form)
    expect((await readColumns(bytes, { format: 'arrow' })).values).toMatchObject(values)
    expect((await readColumns(inPieces(bytes, [7, 100]), { format: 'arrow' })).values).toMatchObject(values)
  })

  test('a schema that changes amid a stream is an error that names the column', async () => {
    const first = tableFromArrays({ a: new Float64Array(3), b: new Float64Array(3) }).batches[0]!
    const second = tableFromArrays({ a: new Float64Array(3), c: new Float64Array(3) }).batches[0]!
    expectError(
      await error(readAll([first, second])),
      'ERR_FORMAT',
      "row 3, column 'b': the schema changes here: it was 'b' of number, and is 'c' of number",
    )
  })

  test('large batches are cut into the usual ones', async () => {
    const big = tableFromArrays({ a: Float64Array.from({ length: 100_000 }, (_, i) => i) })
    let [rows, batches] = [0, 0]
    for await (const batch of readTable(big)) {
      const { values } = batch.columns[0] as { values: Float64Array }
      expect(values[0]).toBe(rows)
      rows += batch.rows
      batches++
    }
    expect([rows, batches]).toEqual([100_000, 25])
  })

  test.each(['file', 'stream'] as const)(
    'files of the %s format that were cut anywhere are read or refused, and nothing else',
    async (form) => {
      const whole = tableToIPC(table(), form)
      for (let end = 0; end < whole.length; end += 3) {
        const reason = await readAll(whole.slice(0, end), { format: 'arrow' }).catch(
          (thrown: unknown) => thrown,
        )
        if (reason instanceof Error)
          expect(reason).toMatchObject({ name: 'LayerwiseError', code: 'ERR_FORMAT' })
      }
    },
  )

  test.each(['file', 'stream'] as const)(
    'damaged files of the %s format are read or refused, and nothing else',
    { timeout: 120_000 },
    async (form) => {
      const whole = tableToIPC(table(), form)
      const damage = fc.array(
        fc.tuple(fc.nat(whole.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255))),
        { minLength: 1, maxLength: 6 },
      )
      await fc.assert(
        fc.asyncProperty(damage, async (bytes) => {
          const damaged = whole.slice()
          for (const [at, value] of bytes) damaged[at] = value
          const reason = await readAll(damaged, { format: 'arrow' }).catch((thrown: unknown) => thrown)
          if (reason instanceof Error)
            expect(reason).toMatchObject({ name: 'LayerwiseError', code: 'ERR_FORMAT' })
        }),
        { numRuns: 5000 },
      )
    },
  )

  test('a file whose footer names its dictionaries as batches of rows is refused', async () => {
    const whole = Buffer.from(tableToIPC(table(), 'file'))
    const footer = whole.length - 10 - whole.readInt32LE(whole.length - 10)
    const root = footer + whole.readUInt32LE(footer)
    const [dictionaries, batches] = [2, 3].map((field) => root - whole.readInt32LE(root) + 4 + 2 * field)
    const of = whole.readUInt16LE(batches)
    whole.writeUInt16LE(whole.readUInt16LE(dictionaries!), batches)
    whole.writeUInt16LE(of, dictionaries!)
    await expect(readAll(new Uint8Array(whole), { format: 'arrow' })).rejects.toMatchObject({
      code: 'ERR_FORMAT',
    })
  })

  test('a record batch that claims more rows than it has memory for is refused', async () => {
    const [batch] = tableFromArrays({ a: new Float64Array(3) }).batches
    for (const numRows of [4, 2 ** 40]) {
      const vector = {
        length: numRows,
        data: [{ ...batch!.data.children[0]!, length: numRows, values: new Float64Array(3) }],
        get: () => 1,
      }
      const hostile = { schema: batch!.schema, numRows, getChildAt: () => vector }
      expectError(
        await error(readAll([hostile])),
        'ERR_FORMAT',
        `column 'a': it has no memory for ${numRows} rows`,
      )
    }
  })
})

describe('SQLite', () => {
  type Wasm = {
    Database: new (path?: string) => { exec(sql: string): void; prepare(sql: string): unknown; close(): void }
  }
  const { Database } = createRequire(import.meta.url)('node-sqlite3-wasm') as Wasm
  const database = new Database()
  database.exec('CREATE TABLE orders (id INTEGER, price REAL, color TEXT, big INTEGER, sold TEXT)')
  database.exec(
    "INSERT INTO orders VALUES (1, 2.5, 'red', 9007199254740993, '2024-01-01'), (2, NULL, NULL, 1, NULL), (3, 4, 'blue', 2, '2024-01-02')",
  )
  afterAll(() => database.close())

  const expected = {
    values: {
      id: [1, 2, 3],
      price: [2.5, null, 4],
      color: ['red', null, 'blue'],
      big: [9007199254740993n, 1n, 2n],
      sold: [Date.UTC(2024, 0, 1), null, Date.UTC(2024, 0, 2)],
    },
    types: { id: 'number', price: 'number', color: 'string', big: 'bigint', sold: 'date' },
  }

  test('types are found in the values of a query', async () => {
    const sql = 'SELECT * FROM orders ORDER BY id'
    expect(await readColumns({ sqlite: database, sql })).toEqual(expected)
    expect(
      (await readColumns({ sqlite: database, sql: 'SELECT id FROM orders WHERE id > ?', parameters: [1] }))
        .values,
    ).toEqual({ id: [2, 3] })
  })

  test('drivers that give arrays and names', async () => {
    // As better-sqlite3 and node:sqlite do.
    const rows = [
      [1n, 'a'],
      [2n ** 60n, null],
    ]
    const set: unknown[] = []
    const statement = {
      columns: () => [{ name: '__proto__' }, { name: 'b' }],
      raw: (on: boolean) => set.push(['raw', on]),
      safeIntegers: (on: boolean) => set.push(['safeIntegers', on]),
      iterate: (...parameters: unknown[]) => {
        set.push(parameters)
        return rows.values()
      },
    }
    const { columns } = await readAll({
      sqlite: { prepare: () => statement },
      sql: 'SELECT',
      parameters: [5],
    })
    expect(columns).toEqual([
      { name: '__proto__', type: 'bigint', values: [1n, 2n ** 60n] },
      { name: 'b', type: 'string', values: ['a', null] },
    ])
    expect(set).toEqual([['safeIntegers', true], ['raw', true], [5]])
    const twice = { ...statement, columns: () => [{ name: 'a' }, { name: 'a' }] }
    expectError(
      await error(readAll({ sqlite: { prepare: () => twice }, sql: 'SELECT' })),
      'ERR_FORMAT',
      'the name stands twice',
    )
  })

  test.each<[object, string, string]>([
    [{ sqlite: database, sql: 'SELEC' }, 'ERR_FORMAT', 'SQLite cannot run it'],
    [{ sqlite: database, sql: 5 }, 'ERR_ARGUMENT', 'source.sql: expected a string'],
    [{ sqlite: 5, sql: 'SELECT 1' }, 'ERR_ARGUMENT', 'source.sqlite: expected a database or a path'],
  ])('%o is refused', async (source, code, message) => {
    expectError(await error(readAll(source as never)), code, message)
  })

  test('a table of SQLite is encoded', async () => {
    const encoder = await new TableEncoder({ columns: { big: 'category', color: 'drop' } }).fit(
      readTable({
        sqlite: database,
        sql: 'SELECT * FROM orders',
      }),
    )
    expect(encoder.columns.map(({ column }) => column)).toContain('price')
  })
})

describe('a package that is not installed', () => {
  test('is named, with what needs it and how to install it', async () => {
    const module = await import('node:module')
    const spy = vi.spyOn(module.default, 'createRequire').mockImplementation(() => {
      return (() => {
        throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
      }) as never
    })
    try {
      for (const [source, name] of [
        [{ duckdb: ':memory:', sql: 'SELECT 1' }, '@duckdb/node-api'],
        [join(folder, 'table.arrow'), 'apache-arrow'],
      ] as const) {
        const reason = await error(readAll(source))
        expect(reason).toBeInstanceOf(LayerwiseError)
        expectError(
          reason,
          'ERR_LOAD',
          `needs the package ${name}, which is not installed: npm install ${name}`,
        )
      }
    } finally {
      spy.mockRestore()
    }
  })
})
