/**
 * Has a reader read inputs that are changed again and again, as long as they reach other code of it:
 *
 *   node guided-counted.mjs TARGET FOLDER SEED COUNT
 *
 * The program has counters (counted.ts). FOLDER/input has the input at work and its number, as `Progress` writes it. Says what was seen.
 */
import { join } from 'node:path'
import { Corpus } from '../corpus.js'
import { TARGETS } from '../guided-targets.js'
import { mutated } from '../mutate.js'
import { outcomeOf } from '../outcome.js'
import { must, randomOf } from '../proof.js'
import { Progress } from '../watch.js'

const [name, folder, seed, count] = process.argv.slice(2) as [string, string, string, string]
const target = TARGETS[name]!
const corpus = new Corpus((globalThis as unknown as { branchCounters: Uint8Array }).branchCounters)
const progress = new Progress(join(folder, 'input'))
const seen: Record<string, number> = { read: 0 }

/** Objects whose members all others have. */
const shared: readonly object[] = [Object.prototype, Array.prototype, Function.prototype]
const members = () => shared.reduce((sum, prototype) => sum + Reflect.ownKeys(prototype).length, 0)
const before = members()

async function read(number: number, input: Buffer): Promise<void> {
  progress.at(number, input)
  corpus.begin()
  const outcome = await outcomeOf(() => target.read(input), target.codes)
  corpus.end(input)
  seen[outcome] = (seen[outcome] ?? 0) + 1
  must(members() === before, 'a prototype that all objects share has changed')
}

const seeds = await target.seeds(folder)
const longest = 2 * Math.max(...seeds.map(({ length }) => length))
for (const [i, input] of seeds.entries()) await read(i, input)
const { reached: atFirst } = corpus

for (let number = seeds.length; number < Number(count); number++) {
  const random = randomOf(Number(seed), number)
  const files = [corpus.pick(random), corpus.pick(random)]
  let input: Buffer
  try {
    input = target.mutate(files, random)
  } catch {
    // What knows the structure of a format cannot change a file that has lost it.
    input = mutated(files, random)
  }
  await read(number, input.subarray(0, longest))
}
console.log(JSON.stringify({ seen, atFirst, reached: corpus.reached, kept: corpus.inputs.length }))
process.exit(0)
