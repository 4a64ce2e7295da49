/**
 * Trains on data sets larger than memory and measures what reading them costs; see `docs/large.md`.
 *
 *   npm run bench:large -- [--data NAME] [--rows N] [--cold] [--peers] [--seconds N] [--threads N] [--folder F] [--json] [--quick]
 *
 * Everything but the report goes to standard error.
 */
import { parseArgs } from 'node:util'
import { openDataset, runtime } from '../../lib/index.js'
import { environment } from '../measuring/environment.js'
import { setUp } from '../measuring/set-up.js'
import { type JobResult, table } from '../peers/figures.js'
import { CACHE, madeOnce } from '../synthetic/made-once.js'
import { type Effort, measureShape } from './measure.js'
import { measurePca } from './pca.js'
import { type LargeTable, largeTables } from './tables.js'

const tableNames = largeTables.map(({ name }) => name)
const usage = `npm run bench:large -- [--data NAME] [--rows N] [--cold] [--peers] [--seconds N] [--threads N] [--folder F] [--json] [--quick]
  --data     ${tableNames.join(', ')}; default all
  --rows     of each, default ${largeTables.map(({ name, rows }) => `${name} ${rows.toLocaleString('en')}`).join(', ')}
  --cold     also from a disk whose pages the system has forgotten
  --peers    also PyTorch's DataLoader and scikit-learn's IncrementalPCA on the same files
  --seconds  of a window, default 10
  --threads  of everyone, default all this process may use
  --folder   where the data sets are kept, default build-large/
  --json     one JSON document instead of text
  --quick    20,000 rows and two rounds of one second: shows that it runs`

const QUICK = { rows: 20_000, seconds: 1 }

interface Options extends Effort {
  readonly tables: readonly LargeTable[]
  readonly rows: number | undefined
  readonly folder: string
  readonly json: boolean
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      rows: { type: 'string' },
      cold: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      threads: { type: 'string' },
      folder: { type: 'string', default: CACHE },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
    },
  })
  const { data, cold, peers, folder, json, quick } = values
  const tables = largeTables.filter(({ name }) => data === undefined || name === data)
  if (tables.length === 0) throw new Error(`--data: expected one of ${tableNames.join(', ')}`)
  const rows = values.rows === undefined ? (quick ? QUICK.rows : undefined) : Number(values.rows)
  if (rows !== undefined && !(Number.isInteger(rows) && rows >= 10_000 && rows < 2 ** 31))
    throw new Error('--rows: expected a whole number from 10,000 to 2,147,483,647')
  const seconds = values.seconds === undefined ? (quick ? QUICK.seconds : 10) : Number(values.seconds)
  if (!(seconds > 0 && Number.isFinite(seconds))) throw new Error('--seconds: expected a number above 0')
  const threads = values.threads === undefined ? runtime().threads : Number(values.threads)
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= 256))
    throw new Error('--threads: expected a whole number from 1 to 256')
  return { tables, rows, cold, peers, folder, json, quick, seconds, threads }
}

function parsed(): Options {
  try {
    return options()
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
    process.exit(2)
  }
}

async function measure(of: LargeTable, given: Options): Promise<JobResult[]> {
  const say = (line: string) => console.error(`bench:large: ${line}`)
  const path = await madeOnce(of, given.rows ?? of.rows, { folder: given.folder, say })
  const dataset = await openDataset(path)
  const results: JobResult[] = []
  // What was measured before a failure is still printed.
  const attempt = async (name: string, part: () => Promise<JobResult>) => {
    say(name)
    try {
      results.push(await part())
    } catch (error) {
      say(`${name} failed: ${(error as Error).message}`)
      process.exitCode = 1
    }
  }
  for (const shape of of.shapes) {
    const name = `${of.name} ${of.cols}-${shape.hidden}`
    await attempt(name, () => measureShape(of, shape, { dataset, path }, given))
  }
  if (given.peers && of.pca) {
    await attempt(`${of.name} pca`, () => measurePca(of, { dataset, path }, given))
  }
  await dataset.close()
  return results
}

function text(where: object, results: readonly JobResult[]): string {
  const about = results.flatMap(({ title, proof, peers, rounds, repeated, windowSeconds }) => [
    `${title}; ${rounds} rounds of windows of ${windowSeconds} s, ${repeated} more were not quiet`,
    ...[...proof, ...Object.entries(peers).map(([name, one]) => `${name}: ${JSON.stringify(one)}`)].map(
      (line) => `  ${line}`,
    ),
  ])
  const environmentLine = Object.entries(where).map(([name, value]) => `${name} ${value}`)
  return [environmentLine.join(' · '), about.join('\n'), table(results)].join('\n\n')
}

async function main(given: Options): Promise<void> {
  setUp('--data')
  const where = { ...environment(), threads: given.threads }
  const results: JobResult[] = []
  for (const of of given.tables) results.push(...(await measure(of, given)))
  console.log(given.json ? JSON.stringify({ environment: where, results }, null, 2) : text(where, results))
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
try {
  await main(parsed())
} catch (error) {
  console.error(`bench:large: ${(error as Error).message}`)
  process.exitCode = 1
}
