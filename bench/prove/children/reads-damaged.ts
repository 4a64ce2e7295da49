/**
 * Has a reader read damaged files:
 *
 *   node reads-damaged.mjs READER FOLDER SEED FIRST COUNT
 *
 * FOLDER/number has the number of the file at work, which is FOLDER/damaged after a failure. Says how many were read and how many refused.
 */
import { openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { resourceUsage } from 'node:process'
import { LayerwiseError } from '../../../lib/index.js'
import { must, randomOf } from '../proof.js'
import { READERS } from '../readers.js'

/** What one file may take: milliseconds, and MiB. No good file has a thousandth of it. */
const MOST_MS = 10_000
const MOST_MIB = 256

const [name, folder, seed, first, count] = process.argv.slice(2) as [string, string, string, string, string]
const reader = READERS[name]!
const good = await reader.good(folder)
for (const bytes of good) await reader.read(bytes, folder).catch(mustBeRefusal)

function mustBeRefusal(error: unknown): string {
  must(error instanceof LayerwiseError, `it failed with ${(error as Error)?.stack}`)
  must(reader.codes.includes(error.code), `its code is ${error.code}: ${error.message}`)
  return error.code
}

const seen: Record<string, number> = { read: 0 }
const progress = openSync(join(folder, 'number'), 'w')
const peak = () => resourceUsage().maxRSS / 1024
let memory = peak()
for (let number = Number(first); number < Number(first) + Number(count); number++) {
  writeSync(progress, String(number).padEnd(16), 0)
  const bytes = await reader.mutate(good, randomOf(Number(seed), number))
  const start = performance.now()
  try {
    const outcome = await reader.read(bytes, folder).then(() => 'read', mustBeRefusal)
    seen[outcome] = (seen[outcome] ?? 0) + 1
    const took = performance.now() - start
    must(took < MOST_MS, `it took ${took.toFixed(0)} ms`)
    const now = peak()
    must(now - memory < MOST_MIB, `it took ${(now - memory).toFixed(0)} MiB`)
    memory = now
  } catch (error) {
    writeFileSync(join(folder, 'damaged'), bytes)
    throw new Error(`file ${number}: ${(error as Error).message}`, { cause: error })
  }
}
console.log(JSON.stringify(seen))
process.exit(0)
