import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Matrix, writeDataset } from '../../lib/index.js'
import { rowsInOrder } from './in-order.js'
import type { MakerOf } from './maker.js'

/** Where data sets are kept unless told otherwise; version control ignores it. */
export const CACHE = fileURLToPath(new URL('../../build-large', import.meta.url))

/** Rows that are made by number, and how they are stored. */
export interface Table {
  readonly name: string
  readonly maker: MakerOf
  readonly cols: number
  readonly type: 'uint8' | 'float16' | 'float32'
  /** Default 1. */
  readonly scale?: number
}

/** Bytes of a number. */
const WIDTH = { uint8: 1, float16: 2, float32: 4 }
/** Bytes that stay free on the disk. */
const SPARE = 2 ** 30
/** To be raised when a maker changes what it makes. */
const EDITION = 1

export function bytesOf({ cols, type }: Table, rows: number): number {
  return rows * cols * WIDTH[type]
}

/**
 * The folder of a data set with the first rows of a table: made by all cores if it is not there, under another name until it is whole.
 *
 * @param say - told how far it is
 * @throws Error with what is missing if the disk has too little room
 */
export async function madeOnce(
  table: Table,
  rows: number,
  {
    folder = CACHE,
    say = () => {},
  }: { readonly folder?: string; readonly say?: (line: string) => void } = {},
): Promise<string> {
  const path = join(folder, `${table.name}-${rows}-${fingerprint(table)}`)
  if (existsSync(path)) return path
  await mkdir(folder, { recursive: true })
  await checkRoom(folder, bytesOf(table, rows), rows)
  const unfinished = `${path}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  say(
    `makes ${rows.toLocaleString('en')} rows of ${table.name}, ${gigabytes(bytesOf(table, rows))}, in ${folder}`,
  )
  const { type, scale = 1 } = table
  await writeDataset(unfinished, batches(table, rows, say), { type, scale })
  await rename(unfinished, path)
  return path
}

async function* batches(table: Table, rows: number, say: (line: string) => void): AsyncGenerator<Matrix> {
  const { maker, cols, scale = 1 } = table
  const start = performance.now()
  let [made, told] = [0, start]
  for await (const data of rowsInOrder(maker, 0, rows)) {
    const count = data.length / cols
    yield Matrix.from(data, count, cols, data instanceof Uint8Array ? { scale } : {})
    made += count
    if (performance.now() - told < 10_000) continue
    told = performance.now()
    const rate = made / ((told - start) / 1000)
    say(`${((100 * made) / rows).toFixed(0)}% of ${table.name}, ${((rows - made) / rate).toFixed(0)} s to go`)
  }
}

async function checkRoom(folder: string, bytes: number, rows: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const [free, needed] = [bavail * bsize, bytes + SPARE]
  if (free >= needed) return
  throw new Error(
    `${folder}: ${rows} rows need ${gigabytes(needed)} with what stays free, and ${gigabytes(free)} are free: ` +
      `${gigabytes(needed - free)} are missing; name another --folder, or fewer --rows`,
  )
}

/** What the rows depend on, besides their number. */
function fingerprint({ maker, cols, type, scale = 1 }: Table): string {
  const module = [basename(dirname(maker.module)), basename(maker.module)].join('/')
  const depends = JSON.stringify([EDITION, module, maker.options, cols, type, scale])
  return createHash('sha256').update(depends).digest('hex').slice(0, 12)
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 1)} GB`
}
