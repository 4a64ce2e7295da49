/**
 * Has a reader read damaged files:
 *
 *   node reads-damaged.mjs READER FOLDER SEED FIRST COUNT
 *
 * FOLDER/input has the file at work and its number, as `Progress` writes it. Says how many were read and how many refused.
 */
import { join } from 'node:path'
import { outcomeOf } from '../outcome.js'
import { randomOf } from '../proof.js'
import { READERS } from '../readers.js'
import { Progress } from '../watch.js'

const [name, folder, seed, first, count] = process.argv.slice(2) as [string, string, string, string, string]
const reader = READERS[name]!
const good = await reader.good(folder)
for (const bytes of good) await outcomeOf(() => reader.read(bytes, folder), reader.codes)

const seen: Record<string, number> = { read: 0 }
const progress = new Progress(join(folder, 'input'))
for (let number = Number(first); number < Number(first) + Number(count); number++) {
  const bytes = reader.mutate(good, randomOf(Number(seed), number))
  progress.at(number, bytes)
  const outcome = await outcomeOf(() => reader.read(bytes, folder), reader.codes)
  seen[outcome] = (seen[outcome] ?? 0) + 1
}
console.log(JSON.stringify(seen))
process.exit(0)
