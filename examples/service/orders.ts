import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'

/** Columns that the detector learns from. */
export const COLUMNS = ['sold', 'color', 'weight', 'price', 'express'] as const

/** What is used of a database here, and what readTable uses; better-sqlite3 has both too. */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): unknown
  close(): void
}

/** By Node's own driver where it has one, else by one in WebAssembly, whose lock is a folder: a killed process leaves it, and no other uses this database. */
export function openDatabase(path: string): Database {
  const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => unknown }
  const own = getBuiltinModule?.('node:sqlite') as
    | { DatabaseSync: new (path: string) => Database }
    | undefined
  if (own !== undefined) return new own.DatabaseSync(path)
  const wasm = createRequire(import.meta.url)('node-sqlite3-wasm') as {
    Database: new (path: string) => Database
  }
  rmSync(`${path}.lock`, { recursive: true, force: true })
  return new wasm.Database(path)
}

const COLORS = ['red', 'green', 'blue'] as const

/** Orders whose price follows weight, color and express, but for one in a hundred. */
export function addOrders(database: Database, count: number): void {
  let state = 7
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const rows = Array.from({ length: count }, (_, i) => {
    const color = Math.floor(random() * COLORS.length)
    const weight = 1 + random() * 9
    const express = random() < 0.3 ? 1 : 0
    const usual = weight * (1 + color) + 5 * express + random()
    const price = random() < 0.01 ? usual * 2.5 : usual
    const sold = new Date(Date.UTC(2024, 0, 1) + i * 7_200_000).toISOString()
    return `('${sold}', '${COLORS[color]}', ${weight.toFixed(2)}, ${price.toFixed(2)}, ${express})`
  })
  database.exec(
    'CREATE TABLE orders (sold TEXT, color TEXT, weight REAL, price REAL, express INTEGER);' +
      `INSERT INTO orders VALUES ${rows.join(', ')}`,
  )
}
