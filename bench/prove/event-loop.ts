import { fileURLToPath } from 'node:url'
import { endsWell, start } from './child.js'
import { must, type Proof } from './proof.js'

/** The longest turn that a call may take, in milliseconds of the thread's processor time. */
const MOST_MS = 5

/** Another process may cost this one its caches in a measurement, hardly in all. */
const ATTEMPTS = 3

interface Turn {
  readonly name: string
  readonly ms: number
}

async function longestTurns(rows: number, names: readonly string[]): Promise<Turn[]> {
  const program = fileURLToPath(new URL('../longest-block.ts', import.meta.url))
  const child = start(program, [`--rows=${rows}`, ...names], { node: ['--expose-gc', '--import', 'tsx'] })
  const lines = (await endsWell(child)).split('\n').slice(1)
  return lines.map((line) => {
    const [, name, ms] = /^(.*?)\s+[\d.]+ ms\s+([\d.]+) without/.exec(line)!
    return { name: name!, ms: Number(ms) }
  })
}

export const eventLoop: Proof = {
  name: 'event loop',
  promise: `no call that returns a promise takes more than ${MOST_MS} ms of the event loop at once, collections of garbage aside, with a million rows`,
  rounds: 'rows',
  count: 1_000_000,
  quick: 0,
  async prove({ count }) {
    const least = new Map<string, number>()
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const late = [...least].filter(([, ms]) => ms > MOST_MS).map(([name]) => name)
      if (attempt > 1 && late.length === 0) break
      for (const { name, ms } of await longestTurns(count, late))
        if (ms < (least.get(name) ?? Number.POSITIVE_INFINITY)) least.set(name, ms)
    }
    const sorted = [...least].sort(([, a], [, b]) => b - a)
    const said = sorted.slice(0, 3).map(([name, ms]) => `${name} ${ms}`)
    const seen = `of ${sorted.length} calls the longest turns, in ms: ${said.join(', ')}`
    must(sorted[0]![1] <= MOST_MS, seen)
    return seen
  },
}
