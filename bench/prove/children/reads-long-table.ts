/**
 * Reads a CSV stream of many rows, which is made while it is read, and fits an encoder to it:
 *
 *   node reads-long-table.mjs ROWS     says the most bytes that were resident
 */
import { readTable, TableEncoder } from '../../../lib/index.js'
import { must } from '../proof.js'

const count = Number(process.argv[2])
const LINES = 10_000
const kinds = ['book', 'lamp', 'chair', '']

function* csv(): Generator<string> {
  yield 'kind,amount,price,sold\n'
  for (let from = 0; from < count; from += LINES) {
    const lines = Array.from({ length: Math.min(LINES, count - from) }, (_, k) => {
      const i = from + k
      const date = new Date(Date.UTC(2020, 0, 1) + i * 1000).toISOString()
      return `${kinds[i % 4]},${i % 7 === 0 ? '' : i % 13},${(100 + 50 * Math.sin(i)).toFixed(2)},${date}\n`
    })
    yield lines.join('')
  }
}

/** A stream that is read once. */
const table = () => readTable(csv(), { format: 'csv' })
const encoder = await new TableEncoder({ numbers: 'robust' }).fit(table())
let rows = 0
for await (const batch of encoder.transformBatches(table())) rows += batch.rows
must(rows === count, `${rows} rows were read`)
console.log(JSON.stringify({ resident: process.resourceUsage().maxRSS * 1024 }))
