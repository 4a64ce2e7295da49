/**
 * Compares layerwise and its peers on the same work; see `docs/benchmarks.md`, "The race".
 *
 *   npm run bench:peers -- --setup
 *   npm run bench:peers -- [JOB…] [--json] [--seconds N] [--threads N] [--rows dense]
 *
 * Without a JOB all run, one after another. Everything but the report goes to standard error.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { runtime } from '../../lib/index.js'
import { environment } from '../measuring/environment.js'
import { buildProgram } from '../measuring/limits.js'
import { setUp } from '../measuring/set-up.js'
import { raceEncoding, raceEncodingOne } from './encoding.js'
import { type JobResult, table } from './figures.js'
import { installed } from './folder.js'
import { jobNames, lbfgsJob, sklearnJob, trainingJobs } from './jobs.js'
import { raceLbfgs } from './lbfgs.js'
import { measureCut, measureScaling, measureStorage } from './own.js'
import { setUpPeers } from './setup.mjs'
import { type Effort, raceTraining } from './training.js'

const usage = `npm run bench:peers -- [JOB…] [--json] [--seconds N] [--threads N] [--rows dense] [--setup]
  JOB        ${jobNames.join(', ')}; default all
  --json     one JSON document instead of text
  --seconds  of a window, default 1
  --threads  of everyone, default all this process may use
  --rows     dense: random numbers instead of digits and their patches, to see what is owed to the zeros of the digits
  --setup    install the peers, about 6 GB, and nothing else`

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '1' },
      threads: { type: 'string' },
      rows: { type: 'string' },
      setup: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.find((name) => !jobNames.includes(name))
  if (unknown !== undefined) throw new Error(`unknown JOB ${unknown}`)
  const seconds = Number(values.seconds)
  if (!(seconds > 0 && Number.isFinite(seconds))) throw new Error('--seconds: expected a number above 0')
  const threads = values.threads === undefined ? undefined : Number(values.threads)
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256))
    throw new Error('--threads: expected a whole number from 1 to 256')
  if (values.rows !== undefined && values.rows !== 'dense') throw new Error('--rows: expected dense')
  const rows = values.rows === undefined ? ('float32' as const) : ('dense' as const)
  const names = positionals.length > 0 ? positionals : jobNames.filter((name) => takes(name, rows))
  const useless = names.find((name) => !takes(name, rows))
  if (useless !== undefined) throw new Error(`${useless}: has no rows that could be dense`)
  return { names, json: values.json, seconds, threads, rows, setup: values.setup }
}

/** Products alone run on random numbers anyway, and bytes are compared with the same rows. */
function takes(name: string, rows: Effort['rows']): boolean {
  return rows !== 'dense' || !['uint8', 'cut'].includes(name)
}

function parsed() {
  try {
    return options()
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
    process.exit(2)
  }
}

function race(name: string, effort: Effort): Promise<JobResult> {
  const others: Record<string, (effort: Effort) => Promise<JobResult>> = {
    [lbfgsJob.name]: raceLbfgs,
    encode1: raceEncodingOne,
    encode: raceEncoding,
    uint8: measureStorage,
    threads: measureScaling,
    cut: measureCut,
  }
  const training = [...trainingJobs, sklearnJob].find((job) => job.name === name)
  return training ? raceTraining(training, effort) : others[name]!(effort)
}

function text(report: { environment: object; results: readonly JobResult[] }): string {
  const about = report.results.flatMap(({ job, title, proof, peers, rounds, repeated, windowSeconds }) => [
    `${job}: ${title}; ${rounds} rounds of windows of ${windowSeconds} s, ${repeated} more were not quiet`,
    ...[...proof, JSON.stringify(peers)].map((line) => `  ${line}`),
  ])
  const where = Object.entries(report.environment).map(([name, value]) => `${name} ${value}`)
  return [where.join(' · '), about.join('\n'), table(report.results)].join('\n\n')
}

async function main(): Promise<void> {
  const { names, json, seconds, threads: given, rows, setup } = parsed()
  if (setup) return setUpPeers()
  if (!existsSync(installed)) throw new Error('the peers are not installed: npm run bench:peers -- --setup')
  setUp()
  buildProgram()
  const threads = given ?? runtime().threads
  const report = { environment: { ...environment(), threads }, results: [] as JobResult[] }
  for (const name of names) {
    console.error(`bench:peers: ${name}`)
    report.results.push(await race(name, { seconds, threads, rows }))
  }
  console.log(json ? JSON.stringify(report, null, 2) : text(report))
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
try {
  await main()
} catch (error) {
  console.error(`bench:peers: ${(error as Error).message}`)
  process.exitCode = 1
}
