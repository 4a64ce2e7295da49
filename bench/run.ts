/**
 * Runs the benchmarks of `docs/benchmarks.md`.
 *
 *   npm run bench -- NAME [--json] [--seconds N] [--threads N] [--data float32|uint8] [--phases]
 *
 *   npm run bench -- anomaly --data FOLDER
 *   npm run bench -- tables [--rows N]
 *
 * NAME: digits, digits1k, patches, small, encode, pca, server or all of these, or products, or sparse. Everything but the report goes to standard
 * error.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runtime } from '../lib/index.js'
import { anomalyName, anomalyUsage, benchAnomaly } from './anomaly/run.js'
import type { CaseRequest, CaseResult } from './cases/case.js'
import { caseNames, productsName, trainingCases } from './cases/cases.js'
import { measurePhases, phasesText } from './cases/phases.js'
import { measureProducts, productsText } from './cases/products.js'
import { environmentText, reportText } from './cases/report.js'
import type { Storage } from './measuring/data.js'
import { environment } from './measuring/environment.js'
import { buildProgram } from './measuring/limits.js'
import { setUp } from './measuring/set-up.js'
import { measureSparse, sparseName, sparseText } from './peers/sparse.js'
import { benchTables, tablesName, tablesUsage } from './tables/run.js'

const usage = `npm run bench -- NAME [--json] [--seconds N] [--threads N] [--data float32|uint8] [--phases]
  NAME       ${caseNames.join(', ')} or all of these; or ${productsName}, ${sparseName}
  --json     one JSON document instead of text
  --seconds  to spend measuring a case, or the products of a vector level, default 60
  --threads  the most threads, default all this process may use
  --data     how the rows lie in memory, default float32
  --phases   where the time of a training step goes, instead
${anomalyUsage}
${tablesUsage}`

interface Options {
  readonly names: readonly string[]
  readonly json: boolean
  readonly seconds: number
  readonly threads: number | undefined
  readonly storage: Storage
  readonly phases: boolean
}

function options(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '60' },
      threads: { type: 'string' },
      data: { type: 'string', default: 'float32' },
      phases: { type: 'boolean', default: false },
    },
  })
  const [name = '', ...more] = positionals
  const names =
    name === 'all' ? caseNames : [...caseNames, productsName, sparseName].filter((known) => known === name)
  if (names.length === 0 || more.length > 0) throw new Error('expected one NAME')
  const seconds = Number(values.seconds)
  if (!(seconds > 0 && Number.isFinite(seconds))) throw new Error('--seconds: expected a number above 0')
  const threads = values.threads === undefined ? undefined : Number(values.threads)
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256))
    throw new Error('--threads: expected a whole number from 1 to 256')
  const storage = values.data
  if (storage !== 'float32' && storage !== 'uint8') throw new Error('--data: expected float32 or uint8')
  if (values.phases && !names.some((known) => trainingCases.some(({ name: training }) => training === known)))
    throw new Error(`--phases: expected a training, not ${name}`)
  if (name === productsName && (threads !== undefined || storage !== 'float32'))
    throw new Error('products: runs on one thread and takes no --data')
  return { names, json: values.json, seconds, threads, storage, phases: values.phases }
}

function runCase(request: CaseRequest): Promise<CaseResult> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL('./cases/case.ts', import.meta.url))
    const child = fork(script, [JSON.stringify(request)], { stdio: ['ignore', 2, 2, 'ipc'] })
    let result: CaseResult | undefined
    child.once('message', (message) => {
      result = message as CaseResult
    })
    child.once('error', reject)
    child.once('close', (status) => {
      if (status === 0 && result) resolve(result)
      else reject(new Error(`${request.name} failed, exit status ${status}`))
    })
  })
}

function parsed(): Options {
  try {
    return options()
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
    process.exit(2)
  }
}

async function measure({ names, json, seconds, threads, storage, phases }: Options): Promise<void> {
  setUp()
  if (phases) {
    const where = environment()
    const results = await measurePhases(names, storage, { seconds, threads: threads ?? runtime().threads })
    const text = () => [environmentText(where), ...results.map(phasesText)].join('\n\n')
    console.log(json ? JSON.stringify({ environment: where, phases: results }, null, 2) : text())
    return
  }
  if (names[0] === productsName) {
    const where = environment()
    const levels = measureProducts(seconds)
    console.log(json ? JSON.stringify({ environment: where, levels }, null, 2) : productsText(where, levels))
    return
  }
  if (names[0] === sparseName) {
    const where = environment()
    const result = await measureSparse(seconds, threads ?? runtime().threads)
    const text = () => [environmentText(where), sparseText(result)].join('\n\n')
    console.log(json ? JSON.stringify({ environment: where, sparse: result }, null, 2) : text())
    return
  }
  buildProgram()
  const report = { environment: environment(), cases: [] as CaseResult[] }
  for (const name of names) {
    console.error(`bench: ${name}`)
    report.cases.push(await runCase({ name, seconds, threads: threads ?? runtime().threads, storage }))
  }
  console.log(json ? JSON.stringify(report, null, 2) : reportText(report))
}

try {
  const [first, ...others] = process.argv.slice(2)
  if (first === anomalyName) {
    setUp()
    await benchAnomaly(others)
  } else if (first === tablesName) {
    setUp()
    await benchTables(others)
  } else await measure(parsed())
} catch (error) {
  console.error(`bench: ${(error as Error).message}`)
  process.exitCode = 1
}
