/**
 * Measures how cost grows; see `docs/benchmarks.md`.
 *
 *   npm run bench:scaling [-- NAME] [--json] [--quick]
 *
 * NAME: rows, hidden, inputs, batch, layers or threads; without it, all of them. Progress goes to standard error. A full run writes
 * `bench/scaling/results.jsonl`, the pictures, and the table of docs/benchmarks.md; `--quick` measures small sizes and writes nothing.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runtime } from '../../lib/index.js'
import { environment } from '../measuring/environment.js'
import { buildProgram, Limits } from '../measuring/limits.js'
import { setUp } from '../measuring/set-up.js'
import { measureSweep } from './measure.js'
import { pictureOf, reportText, type SweepRecord, withTable } from './report.js'
import { type Sweep, sweeps } from './sweeps.js'

const results = fileURLToPath(new URL('./results.jsonl', import.meta.url))
const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
const usage = `npm run bench:scaling [-- NAME] [--json] [--quick]
  NAME     ${sweeps(1)
    .map(({ name }) => name)
    .join(', ')}; without it all of them
  --json   one JSON document instead of text
  --quick  small sizes in short windows; writes nothing`

interface Options {
  readonly name: string | undefined
  readonly json: boolean
  readonly quick: boolean
}

function parsed(): Options {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
    })
    const [name, ...more] = positionals
    if (more.length > 0) throw new Error('expected at most one NAME')
    if (name !== undefined && !sweeps(1).some((sweep) => sweep.name === name)) {
      throw new Error(`there is no sweep ${name}`)
    }
    return { name, ...values }
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
    process.exit(2)
  }
}

async function measure({ name, json, quick }: Options): Promise<void> {
  setUp()
  buildProgram()
  const all = sweeps(runtime().threads)
  const limits = new Limits()
  const records: SweepRecord[] = []
  try {
    for (const sweep of all.filter((one) => name === undefined || one.name === name)) {
      console.error(`bench:scaling: ${sweep.name}`)
      const before = environment()
      const values = quick ? sweep.quick : sweep.values
      const effort = quick
        ? { rounds: 3, seconds: 0.1 }
        : { rounds: sweep.unit === 'call' ? 3 : 5, seconds: 0.5 }
      const record = { ...(await measureSweep(sweep, values, limits, effort)), environment: before }
      records.push(record)
      if (!json) console.log(`${reportText(record)}\n`)
      if (!quick) write(record, all)
    }
  } finally {
    limits.close()
  }
  if (json) console.log(JSON.stringify(records, null, 2))
}

/** The sweep among the results so far, one a line, and what the documentation shows of them. */
function write(record: SweepRecord, all: readonly Sweep[]): void {
  const lines = existsSync(results) ? readFileSync(results, 'utf8').trim().split('\n') : []
  const kept = lines.map((line) => JSON.parse(line) as SweepRecord)
  const records = all.flatMap(({ name }) => {
    const found = name === record.name ? record : kept.find((one) => one.name === name)
    return found ? [found] : []
  })
  writeFileSync(results, records.map((one) => `${JSON.stringify(one)}\n`).join(''))
  writeFileSync(`${docs}pictures/scaling-${record.name}.svg`, pictureOf(record))
  const page = `${docs}benchmarks.md`
  writeFileSync(page, withTable(readFileSync(page, 'utf8'), records))
}

const given = parsed()
try {
  await measure(given)
} catch (error) {
  console.error(`bench:scaling: ${(error as Error).stack}`)
  process.exitCode = 1
}
