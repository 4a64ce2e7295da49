/** A made-up table in every form that readTable reads. */

import { once } from 'node:events'
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import type { TableSource } from '../../lib/index.js'

/** What is read, and what must come out of it. */
export interface Source {
  readonly name: string
  readonly make: () => TableSource
  readonly rows: number
  readonly columns: number
}

const COLORS = ['red', 'green', 'blue', 'violet', 'a colour with a longer name']

/** Rows of 24 numbers, of which one in 50 is missing, 4 texts and 2 times. */
export class Rows {
  readonly names = Array.from({ length: 30 }, (_, j) => `c${j}`)
  #state = 1

  next(): (number | string | null)[] {
    return this.names.map((_, j) => {
      if (j < 24)
        return this.#random() < 0.02 ? null : Number((this.#random() * 1000 - 200).toFixed((j % 6) + 1))
      if (j < 28) return COLORS[Math.floor(this.#random() * COLORS.length)]!
      return new Date(1.7e12 + Math.floor(this.#random() * 1e10)).toISOString()
    })
  }

  #random(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return this.#state / 2 ** 32
  }
}

/** Writes the files into an empty folder. */
export async function sourcesIn(folder: string, rows: number): Promise<readonly Source[]> {
  const csv = join(folder, 'rows.csv')
  const lines = join(folder, 'rows.jsonl')
  const { names } = new Rows()
  await writeRows(csv, rows, (row) => row.join(','), `${names.join(',')}\n`)
  await writeRows(lines, rows, (row) =>
    JSON.stringify(Object.fromEntries(row.map((value, j) => [names[j]!, value]))),
  )
  writeFileSync(`${csv}.gz`, gzipSync(readFileSync(csv), { level: 1 }))
  const parquet = join(folder, 'rows.parquet')
  const many = rows * 10
  await writeParquet(parquet, many)
  const arrow = tableFromArrays(
    Object.fromEntries(
      names.map((name, j) => [name, Float64Array.from({ length: rows }, (_, i) => i * (j + 1))]),
    ),
  )
  const ipc = join(folder, 'rows.arrow')
  writeFileSync(ipc, tableToIPC(arrow, 'file'))
  const generator = new Rows()
  const objects = Array.from({ length: rows }, () =>
    Object.fromEntries(generator.next().map((value, j) => [names[j]!, value])),
  )
  const ten = `SELECT ${Array.from({ length: 10 }, (_, j) => `range * ${j + 1} / 7.0::DOUBLE AS c${j}`).join(', ')} FROM range(${many})`
  return [
    { name: 'CSV', make: () => csv, rows, columns: 30 },
    { name: 'CSV, gzip', make: () => `${csv}.gz`, rows, columns: 30 },
    { name: 'JSON lines', make: () => lines, rows, columns: 30 },
    { name: 'objects', make: () => objects, rows, columns: 30 },
    { name: 'Arrow in memory', make: () => arrow, rows, columns: 30 },
    { name: 'Arrow IPC file', make: () => ipc, rows, columns: 30 },
    { name: 'Parquet', make: () => parquet, rows: many, columns: 10 },
    { name: 'query of DuckDB', make: () => ({ duckdb: ':memory:', sql: ten }), rows: many, columns: 10 },
  ]
}

async function writeRows(
  path: string,
  rows: number,
  text: (row: (number | string | null)[]) => string,
  header = '',
): Promise<void> {
  const stream = createWriteStream(path)
  stream.write(header)
  const generator = new Rows()
  for (let i = 0; i < rows; i++) if (!stream.write(`${text(generator.next())}\n`)) await once(stream, 'drain')
  stream.end()
  await once(stream, 'finish')
}

/** Eight columns of numbers, half of them with missing values, one of texts and one of times. */
async function writeParquet(path: string, rows: number): Promise<void> {
  const numbers = Array.from({ length: 8 }, (_, j) =>
    j % 2 === 0
      ? `range / ${j + 3}.0::DOUBLE AS c${j}`
      : `CASE WHEN range % 10 > 0 THEN range / ${j + 3}.0::DOUBLE END AS c${j}`,
  )
  const others = ["'category ' || (range % 7) AS s", "TIMESTAMP '2024-01-01' + INTERVAL (range) SECOND AS t"]
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT ${[...numbers, ...others].join(', ')} FROM range(${rows})) TO '${path.replaceAll("'", "''")}'`,
  )
  connection.closeSync()
  instance.closeSync()
}
