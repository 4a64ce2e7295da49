/**
 * How late timers come while a model trains: the event loop's delay, beside that of an idle process and of one with busy threads of no use.
 *
 *   npx tsx bench/event-loop.ts [--seconds 30]
 *
 * A timer of 1 ms is started repeatedly; its delay is the time beyond 1 ms. One process for each case.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Matrix, SparseAutoencoder } from '../lib/index.js'

const CASES = ['idle', 'busy threads', 'training', 'full batches'] as const
type Case = (typeof CASES)[number]

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, case: { type: 'string' } },
})
const seconds = Number(values.seconds)

/** Delays in milliseconds, until `stop` returns true. */
async function delays(stop: () => boolean): Promise<number[]> {
  const seen: number[] = []
  while (!stop()) {
    const start = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 1))
    seen.push(performance.now() - start - 1)
  }
  return seen.sort((a, b) => a - b)
}

function report(name: string, sorted: number[]): void {
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(2)
  console.log(
    `${name.padEnd(14)} p50 ${at(0.5)}  p99 ${at(0.99)}  p99.9 ${at(0.999)}  max ${at(1)} ms  (${sorted.length} timers)`,
  )
}

async function measure(name: Case): Promise<void> {
  const end = performance.now() + seconds * 1000
  const over = () => performance.now() >= end
  if (name === 'idle') return report(name, await delays(over))
  if (name === 'busy threads') {
    const workers = Array.from(
      { length: availableParallelism() },
      () => new Worker('for (;;);', { eval: true }),
    )
    report(name, await delays(over))
    await Promise.all(workers.map((worker) => worker.terminate()))
    return
  }
  const rows = 20_000
  const inputs = 784
  const data = Float32Array.from({ length: rows * inputs }, (_, i) => (i * 0.618034) % 1)
  const model = new SparseAutoencoder({
    inputs,
    hidden: 196,
    sparsity: { kind: 'kl', target: 0.1, weight: 3 },
  })
  const abort = new AbortController()
  const how =
    name === 'training' ? { epochs: 1e6 } : ({ optimizer: { kind: 'lbfgs', maxIterations: 1e6 } } as const)
  const fit = model.fit(Matrix.from(data, rows, inputs), { ...how, signal: abort.signal }).catch((reason) => {
    if (reason !== abort.signal.reason) throw reason
  })
  report(name, await delays(over))
  abort.abort()
  await fit
}

if (values.case !== undefined) {
  await measure(values.case as Case)
} else {
  console.log(`delay of a 1 ms timer over ${seconds} s`)
  for (const name of CASES) {
    const args = ['--import', 'tsx', fileURLToPath(import.meta.url), `--case=${name}`, `--seconds=${seconds}`]
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
    if (status !== 0) process.exitCode = 1
  }
}
