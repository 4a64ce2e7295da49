// A service that survives restarts: it trains in the background and serves meanwhile; SIGTERM, as every deployment sends it, interrupts the
// training, which goes on in the next process with the bits that an uninterrupted one would have had.
//
//   npm run examples -- restarts              starts, stops and starts it again; with a short training
//   npm run examples -- restarts --hidden=8000    with 150 MB of parameters and moments
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SparseAutoencoder } from '../lib/index.js'
import { mnist } from './demo/mnist.js'

interface Progress {
  readonly epoch: number
  readonly running: boolean
}

interface Service {
  readonly process: ChildProcess
  readonly address: string
}

async function start(folder: string, epochs: number, hidden: number): Promise<Service> {
  const script = fileURLToPath(new URL('restarts/service.ts', import.meta.url))
  const given = [script, folder, String(epochs), String(hidden)]
  const child = spawn(process.execPath, ['--import', 'tsx', ...given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout! })
  const [port] = (await once(lines, 'line')) as [string]
  return { process: child, address: `http://127.0.0.1:${port}` }
}

async function progressOf({ address }: Service): Promise<Progress> {
  return (await (await fetch(`${address}/train`)).json()) as Progress
}

async function until(service: Service, reached: (progress: Progress) => boolean): Promise<Progress> {
  for (;;) {
    const progress = await progressOf(service)
    if (reached(progress)) return progress
    await setTimeout(20)
  }
}

/** Sends SIGTERM, and waits for the end. */
async function stop({ process: child }: Service): Promise<number> {
  const before = performance.now()
  child.kill('SIGTERM')
  const [status] = (await once(child, 'exit')) as [number | null]
  const took = performance.now() - before
  if (status !== 0) throw new Error(`the service ended with status ${status}`)
  return took
}

async function score({ address }: Service, rows: number[][]): Promise<number[]> {
  const response = await fetch(`${address}/score`, { method: 'POST', body: JSON.stringify({ rows }) })
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`)
  return ((await response.json()) as { scores: number[] }).scores
}

export async function main(): Promise<void> {
  const { values } = parseArgs({ options: { hidden: { type: 'string', default: '64' } } })
  const [epochs, hidden] = [30, Number(values.hidden)]
  const folder = await mkdtemp(join(tmpdir(), 'restarts-'))
  const rows = (await mnist('t10k')).slice(0, 3).toArray()
  try {
    let service = await start(folder, epochs, hidden)
    await until(service, ({ epoch }) => epoch >= 2)
    console.log(
      `while it trains it answers: ${(await score(service, rows)).map((one) => one.toFixed(1)).join(', ')}`,
    )
    const { epoch } = await progressOf(service)
    const took = await stop(service)
    const bytes = (await stat(join(folder, 'digits.checkpoint'))).size
    console.log(
      `SIGTERM in epoch ${epoch + 1}: exit status 0 after ${took.toFixed(0)} ms, ${(bytes / 1e6).toFixed(1)} MB written`,
    )

    service = await start(folder, epochs, hidden)
    const first = await until(service, (progress) => progress.epoch > 0 || !progress.running)
    if (first.epoch <= epoch) throw new Error(`it began again: its first epoch was ${first.epoch}`)
    console.log(`started again, its first epoch was ${first.epoch}`)
    await until(service, ({ running }) => !running)
    await stop(service)

    const whole = new SparseAutoencoder({
      inputs: 784,
      hidden,
      sparsity: { kind: 'kl', target: 0.1, weight: 3 },
    })
    await whole.fit((await mnist('t10k')).slice(0, 5000), { epochs, batchSize: 100 })
    const interrupted = await SparseAutoencoder.load(join(folder, 'digits.safetensors'))
    const [a, b] = [whole, interrupted].map((model) => Buffer.from(model.parameters().buffer))
    if (!a!.equals(b!)) throw new Error('the parameters are not those of an uninterrupted training')
    console.log('its parameters are those of an uninterrupted training, bit for bit')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
