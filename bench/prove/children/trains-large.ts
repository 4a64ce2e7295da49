/**
 * Trains on a file of many rows, most of which are holes:
 *
 *   node trains-large.mjs memory FOLDER ROWS     says the most bytes that were resident
 *   node trains-large.mjs late FOLDER ROWS       says where a NaN behind so many rows was found
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Dataset, type LayerwiseError, openDataset, SparseAutoencoder } from '../../../lib/index.js'
import { must } from '../proof.js'

const [what, folder, given] = process.argv.slice(2) as ['memory' | 'late', string, string]
const count = Number(given)
const path = join(folder, 'rows.raw')

/** A file of so many bytes with some of its own in it. */
function fileWithHoles(size: number, bytes: Uint8Array, position: number): void {
  const file = openSync(path, 'w')
  ftruncateSync(file, size)
  writeSync(file, bytes, 0, bytes.length, position)
  closeSync(file)
}

async function memory(): Promise<string> {
  const cols = 784
  fileWithHoles(count * cols, new Uint8Array(cols).fill(255), (count - 1) * cols)
  const rows = await openDataset(path, { raw: { type: 'uint8', cols }, scale: 1 / 255 })
  const model = new SparseAutoencoder({ inputs: cols, hidden: 25 })
  await model.fit(rows, { epochs: 1, batchSize: 1000 })
  const { rows: largest } = await model.reconstructionError(rows, { largest: 1 })
  must(largest[0] === count - 1, `the row with the largest error is ${largest[0]}`)
  return JSON.stringify({ resident: process.resourceUsage().maxRSS * 1024 })
}

async function late(): Promise<string> {
  const cols = 2
  const column = 1
  fileWithHoles(
    (count + 10) * cols * 4,
    new Uint8Array(Float32Array.of(NaN).buffer),
    (count * cols + column) * 4,
  )
  const rows: Dataset = await openDataset(path, { raw: { type: 'float32', cols } })
  const model = new SparseAutoencoder({ inputs: cols, hidden: 2 })
  const before = model.parameters()
  const error = await model.fit(rows, { epochs: 1, batchSize: 1000 }).then(
    () => undefined,
    (reason: LayerwiseError) => reason,
  )
  must(error?.code === 'ERR_RANGE', `fit ended by ${error}`)
  const { details } = error as LayerwiseError & { details: Record<string, unknown> }
  must(details.row === count && details.column === column, `the place is ${JSON.stringify(details)}`)
  must(details.file === path, `the file is ${details.file}`)
  const after = model.parameters()
  must(JSON.stringify(after) === JSON.stringify(before), 'the model has changed')
  return `named in row ${count}, column ${column}; the model is as it was`
}

console.log(await { memory, late }[what]())
