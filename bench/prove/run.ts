/**
 * Tries to break what docs/reliability.md promises; `npm run prove`.
 *
 *   npm run prove                           all proofs, with the counts of the long run: hours
 *   npm run prove -- --quick                all that take seconds: about a minute, as CI does
 *   npm run prove -- NAME …                 those whose name contains one of these words
 *   npm run prove -- NAME --count N         another number of rounds
 *   npm run prove -- NAME --seed S --from R --count 1      one round again
 *   npm run prove -- --counts FILE          where to write { passed, failed, skipped }
 *
 * Prints a line for each proof as it ends, and all as a table of Markdown at the end. Status 1 if a promise was broken.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { environment } from '../measuring/environment.js'
import { type Proof, Skipped } from './proof.js'
import { PROOFS } from './proofs.js'

interface Result {
  readonly proof: Proof
  readonly count: number
  readonly seconds: number
  readonly outcome: 'held' | 'BROKEN' | 'skipped'
  readonly seen: string
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    count: { type: 'string' },
    counts: { type: 'string' },
  },
})
const [seed, from] = [whole('seed', values.seed), whole('from', values.from)]
const asked = values.count === undefined ? undefined : whole('count', values.count)

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) throw new Error(`--${name}: ${text}`)
  return value
}

async function resultOf(proof: Proof, count: number): Promise<Result> {
  const start = performance.now()
  const result = (outcome: Result['outcome'], seen: string): Result => {
    return { proof, count, seconds: (performance.now() - start) / 1000, outcome, seen }
  }
  try {
    return result('held', await proof.prove({ seed, from, count }))
  } catch (error) {
    if (error instanceof Skipped) return result('skipped', error.message)
    const again = `npm run prove -- '${proof.name}' --seed ${seed} --from ${from} --count ${count}`
    console.error(error)
    return result('BROKEN', `seed ${seed}, ${(error as Error).message}; again: ${again}`)
  }
}

const chosen = PROOFS.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
)
if (chosen.length === 0)
  throw new Error(`no proof has such a name: ${PROOFS.map(({ name }) => name).join(', ')}`)

const { commit, date, cpu, processors, node, vectors } = environment()
console.log(`${date}, commit ${commit}, ${processors} × ${cpu}, Node ${node}, vector level ${vectors}\n`)
const results: Result[] = []
for (const proof of chosen) {
  const count = asked ?? (values.quick ? proof.quick : proof.count)
  if (count === 0) continue
  const result = await resultOf(proof, count)
  const { outcome, seconds, seen } = result
  console.log(`${outcome.padEnd(7)} ${seconds.toFixed(1).padStart(7)} s  ${proof.name}: ${seen}`)
  results.push(result)
}

console.log(`\nseed ${seed}\n\n| Proof | Rounds | Seconds | Outcome | Seen |\n|---|---|---|---|---|`)
for (const { proof, count, seconds, outcome, seen } of results) {
  const rounds = `${count.toLocaleString('en')} ${proof.rounds}`
  console.log(`| ${proof.name} | ${rounds} | ${seconds.toFixed(0)} | ${outcome} | ${seen.split('\n')[0]} |`)
}
const of = (outcome: Result['outcome']) => results.filter((result) => result.outcome === outcome).length
const counts = { passed: of('held'), failed: of('BROKEN'), skipped: of('skipped') }
if (values.counts !== undefined) {
  mkdirSync(dirname(values.counts), { recursive: true })
  writeFileSync(values.counts, `${JSON.stringify(counts)}\n`)
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0)
