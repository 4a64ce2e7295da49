/**
 * Compares the speed of the package with an older commit, on this machine:
 *
 *   npm run bench:against -- COMMIT [JOB…] [--rounds N] [--seconds N] [--threads N] [--json]
 *
 * The commit is built in a separate folder. A process of each build trains the same job, in alternating windows, A B B A. In half of the
 * rounds the old process was started first, in the other half the new one. Fails if the interval of a job's ratios is wholly below 0.98, or
 * the results differ.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runtime } from '../../lib/index.js'
import { buildAside } from '../measuring/aside.js'
import { environment } from '../measuring/environment.js'
import { message } from '../measuring/message.js'
import { setUp } from '../measuring/set-up.js'
import { medianInterval, ratios, type Summary, summary } from '../measuring/statistics.js'
import { againstJobs } from './jobs.js'
import type { Started } from './side.js'

const usage = `npm run bench:against -- COMMIT [JOB…] [--rounds N] [--seconds N] [--threads N] [--json]
  JOB        ${againstJobs.map(({ name }) => name).join(', ')}; default all
  --rounds   default 15
  --seconds  of a window, default 1
  --threads  default all this process may use`

/** A build is as fast as the other from here on. */
const AS_FAST = 0.98
/** The two may sum the same products in other orders. */
const MOST_RELATIVE_DIFFERENCE = 1e-4

interface Effort {
  readonly rounds: number
  readonly seconds: number
  readonly threads: number
}

interface Result {
  readonly job: string
  readonly before: Summary
  readonly now: Summary
  /** The present rate over the old one, round by round. */
  readonly ratio: Summary
  /** The 95% confidence interval of the median of the ratios. */
  readonly interval: readonly [number, number]
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Rates of both builds, round by round. */
async function compare(job: string, aside: string, { rounds, seconds, threads }: Effort): Promise<Result> {
  const rates = { before: [] as number[], now: [] as number[] }
  const sides = ['before', 'now'] as const
  const start = async (side: keyof typeof rates) => {
    const checkout = side === 'now' ? root : aside
    const child = fork(`${checkout}/bench/against/side.ts`, [job, `${threads}`], {
      cwd: checkout,
      env: { ...process.env, ...(side === 'before' && { LAYERWISE_BINARY: '' }) },
    })
    return { child, started: await message<Started>(child) }
  }
  for (const order of [sides, sides.toReversed()]) {
    const children = new Map<keyof typeof rates, ChildProcess>()
    const answers: (readonly number[])[] = []
    try {
      for (const side of order) {
        const { child, started } = await start(side)
        children.set(side, child)
        answers.push(started.answers)
      }
      checkAnswers(job, answers[0]!, answers[1]!)
      const end = order === sides ? Math.ceil(rounds / 2) : rounds
      for (let round = rates.now.length; round < end; round++) {
        for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
          const child = children.get(side)!
          child.send(seconds)
          rates[side].push(await message<number>(child))
        }
      }
    } finally {
      for (const child of children.values()) child.kill()
    }
  }
  const ratio = summary(ratios(rates.now, rates.before))
  return {
    job,
    before: summary(rates.before),
    now: summary(rates.now),
    ratio,
    interval: medianInterval(ratio.values),
  }
}

/** @throws Error unless the two computed the same */
function checkAnswers(job: string, one: readonly number[], other: readonly number[]): void {
  const far = one.findIndex((value, i) => !(Math.abs(value / other[i]! - 1) <= MOST_RELATIVE_DIFFERENCE))
  if (one.length !== other.length || far !== -1)
    throw new Error(`${job}: the two builds do not compute the same: ${one[far]} and ${other[far]}`)
}

function text({ job, before, now, ratio, interval }: Result): string {
  const [low, high] = interval.map((value) => value.toFixed(3))
  const rates = `${Math.round(before.median)} → ${Math.round(now.median)} samples/s`
  return `${job}: ${ratio.median.toFixed(3)} (${low} to ${high}) of before, ${rates}${isSlower(interval) ? ': SLOWER' : ''}`
}

function isSlower([, high]: Result['interval']): boolean {
  return high < AS_FAST
}

function parsed() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '15' },
      seconds: { type: 'string', default: '1' },
      threads: { type: 'string', default: `${runtime().threads}` },
      json: { type: 'boolean', default: false },
    },
  })
  const [commit, ...names] = positionals
  const [rounds, seconds, threads] = [values.rounds, values.seconds, values.threads].map(Number) as [
    number,
    number,
    number,
  ]
  const unknown = names.find((name) => !againstJobs.some((job) => job.name === name))
  if (commit === undefined) throw new Error('which COMMIT?')
  if (unknown !== undefined) throw new Error(`unknown JOB ${unknown}`)
  if (!(Number.isInteger(rounds) && rounds >= 2))
    throw new Error('--rounds: expected a whole number of at least 2')
  if (!(seconds > 0 && Number.isFinite(seconds))) throw new Error('--seconds: expected a number above 0')
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= 256))
    throw new Error('--threads: expected a whole number from 1 to 256')
  const jobs = names.length > 0 ? names : againstJobs.map(({ name }) => name)
  return { commit, jobs, json: values.json, effort: { rounds, seconds, threads } }
}

async function main(): Promise<void> {
  setUp()
  const { commit: name, jobs, json, effort } = parsed()
  const { commit, path } = buildAside(name)
  const results: Result[] = []
  for (const job of jobs) {
    const result = await compare(job, path, effort)
    results.push(result)
    if (!json) console.log(text(result))
  }
  if (json)
    console.log(JSON.stringify({ environment: environment(), against: commit, ...effort, results }, null, 2))
  if (results.some(({ interval }) => isSlower(interval))) process.exitCode = 1
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
try {
  await main()
} catch (error) {
  console.error(`bench:against: ${(error as Error).message}\n${usage}`)
  process.exitCode = 2
}
