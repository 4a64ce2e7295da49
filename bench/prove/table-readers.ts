import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ReadTableOptions, readTable, TableEncoder, type TableSource } from '../../lib/index.js'
import { mutated, mutatedJsonFile } from './mutate.js'
import { must } from './proof.js'
import { type Reader, readsJson } from './reader.js'

/** Reads a table to its end: each of its columns must have all rows. */
async function readsTable(source: TableSource, options: ReadTableOptions = {}): Promise<void> {
  for await (const { rows, columns } of readTable(source, options)) {
    for (const { values, name, type } of columns) {
      if (type !== 'list')
        must(values.length === rows, `${values.length} values of '${name}' in ${rows} rows`)
    }
  }
}

const ofTexts = (format: 'csv' | 'jsonLines', texts: readonly string[]): Reader => ({
  good: async () => texts.map((text) => Buffer.from(text)),
  mutate: mutated,
  read: (bytes) => readsTable(bytes, { format }),
  codes: ['ERR_FORMAT', 'ERR_RANGE'],
})

export const csv = ofTexts('csv', [
  'n,c,d\n1,red,2024-01-10\n2.5,"a ""b"", c",2024-02-29\n,,\n-3e5,x,2024-12-31T10:00:00Z\n',
  'a;b\r\n1;true\r\n2;false\r\n"3\r\n";NA\r\n',
  '\ufeffone\ttwo\n1\t2\n3\t4\n',
])

export const jsonLines = ofTexts('jsonLines', [
  '{"n":1,"c":"red","t":true}\n{"n":2.5,"c":null}\n{"t":false,"n":-1e300}\n',
  '{"a":[1,2],"b":{"c":1}}\r\n\r\n{"a":[3],"b":{"c":"\\ud83d\\ude00"}}\n',
])

/** A table as CSV, with a column of each type that is encoded. */
export function orders(rows: number): Buffer {
  const lines = Array.from({ length: rows }, (_, i) => {
    const missing = i % 7 === 3
    return `${i / 3},${missing ? '' : `c${i % 3}`},${i % 2 === 0},2024-01-${String(1 + (i % 28)).padStart(2, '0')}`
  })
  return Buffer.from(`n,c,t,d\n${lines.join('\n')}\n`)
}

export const encoder: Reader = {
  async good() {
    const options = [{}, { columns: { n: 'log', c: { kind: 'hash', buckets: 4 }, d: 'drop' } }] as const
    const encoders = options.map((one) => new TableEncoder(one).fit(readTable(orders(30), { format: 'csv' })))
    return (await Promise.all(encoders)).map((one) => Buffer.from(JSON.stringify(one)))
  },
  mutate: mutatedJsonFile,
  read: readsJson((value) => TableEncoder.fromJSON(value)),
  codes: ['ERR_FORMAT'],
}

export const arrowFile: Reader = {
  needs: 'apache-arrow',
  async good() {
    const { tableFromArrays, tableToIPC } = await import('apache-arrow')
    const table = tableFromArrays({
      n: Float64Array.of(1, 2.5, -3),
      i: Int32Array.of(1, 2, 3),
      b: [true, null, false],
      c: ['red', null, 'green'],
      d: [new Date(0), null, new Date(86_400_000)],
    })
    return (['file', 'stream'] as const).map((form) => Buffer.from(tableToIPC(table, form)))
  },
  mutate: mutated,
  read: (bytes) => readsTable(bytes, { format: 'arrow' }),
  codes: ['ERR_FORMAT', 'ERR_RANGE'],
}

export const parquetFile: Reader = {
  needs: '@duckdb/node-api',
  async good(folder) {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const path = join(folder, 'good.parquet')
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const rows =
      "SELECT range AS n, range / 3 AS f, 'c' || (range % 5) AS c, DATE '2024-01-01' AS d FROM range(50)"
    await connection.run(`COPY (${rows}) TO '${path}'`)
    connection.closeSync()
    return [readFileSync(path)]
  },
  mutate: mutated,
  async read(bytes, folder) {
    const path = join(folder, 'x.parquet')
    writeFileSync(path, bytes)
    await readsTable(path)
  },
  codes: ['ERR_FORMAT', 'ERR_RANGE'],
}
