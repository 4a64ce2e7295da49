// A service that says which orders are strange, and why. Its detector learns from the orders in a SQLite database and is kept in a file; posted orders are
// scored, the strangest are explained, and a new detector is learned in the background while the old one answers. A database and the requests are made here.
//
//   npm run examples -- service
//   npm run examples -- service --serve    only serves, until SIGTERM or Ctrl+C
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Answer, Status } from './service/app.js'
import { addOrders, openDatabase } from './service/orders.js'

interface Service {
  readonly process: ChildProcess
  readonly address: string
}

/** Starts the service, as a process of its own. */
async function start(folder: string): Promise<Service> {
  const script = fileURLToPath(new URL('service/process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [address] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  return { process: child, address }
}

async function post(url: string, body: object): Promise<{ status: number; body: unknown }> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: await response.json() }
}

async function statusOf(address: string): Promise<Status> {
  return (await (await fetch(`${address}/status`)).json()) as Status
}

function shown(value: unknown): string {
  return typeof value === 'number' ? value.toFixed(2) : String(value)
}

function claim(statement: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${statement}`)
}

const usual = {
  sold: '2024-11-05T10:00:00Z',
  color: 'red',
  weight: 4,
  price: 4.5,
  express: 0,
}

async function use({ address, process: child }: Service): Promise<void> {
  const strange = { ...usual, weight: 2, price: 30 }
  const unseen = { ...usual, color: 'purple' }
  const scored = await post(`${address}/score`, { rows: [usual, strange, unseen] })
  claim('orders are scored', scored.status === 200)
  const answers = scored.body as Answer[]
  for (const [i, order] of [usual, strange, unseen].entries()) {
    const { score, isAnomaly, because } = answers[i]!
    const { color, weight, price } = order
    console.log(
      `${color}, ${weight} kg, ${price} EUR: score ${score.toFixed(1)}${isAnomaly ? ', strange' : ''}`,
    )
    for (const { column, value, expected } of because ?? [])
      console.log(`  ${column} is ${shown(value)}, expected about ${shown(expected)}`)
  }
  claim('only the strange ones are', answers.map(({ isAnomaly }) => isAnomaly).join() === 'false,true,true')
  claim('an unseen color is named', answers[2]!.because?.[0]?.column === 'color')

  const { color: _, ...incomplete } = usual
  for (const row of [{ ...usual, weight: 'heavy' }, { ...usual, sold: 'yesterday' }, incomplete]) {
    const { status, body } = await post(`${address}/score`, { rows: [usual, row] })
    console.log(`${status} ${JSON.stringify(body)}`)
    claim('a bad order is refused', status === 400)
  }

  const before = await statusOf(address)
  claim('learning begins', (await post(`${address}/learn`, {})).status === 202)
  claim('a second learning is refused', (await post(`${address}/learn`, {})).status === 409)
  let slowest = 0
  let requests = 0
  for (let status = before; status.learned === before.learned; status = await statusOf(address)) {
    claim(`it learns: ${status.problem}`, status.problem === undefined)
    const begun = performance.now()
    await post(`${address}/score`, { rows: [usual] })
    slowest = Math.max(slowest, performance.now() - begun)
    requests++
    await setTimeout(5)
  }
  console.log(
    `learned again: ${requests} orders were scored meanwhile, the slowest in ${slowest.toFixed(0)} ms`,
  )

  claim('learning begins again', (await post(`${address}/learn`, {})).status === 202)
  const begun = performance.now()
  child.kill('SIGTERM')
  const [status] = (await once(child, 'exit')) as [number | null]
  console.log(
    `SIGTERM while it learns: exit status ${status} after ${(performance.now() - begun).toFixed(0)} ms`,
  )
  claim('it ends well', status === 0)
}

/** Until it is told to end; signals are passed on. */
async function serve({ process: child }: Service): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal))
  await once(child, 'exit')
}

export async function main(): Promise<void> {
  const { values } = parseArgs({ options: { serve: { type: 'boolean', default: false } } })
  const folder = await mkdtemp(join(tmpdir(), 'layerwise-service-'))
  let service: Service | undefined
  try {
    const database = openDatabase(join(folder, 'orders.db'))
    addOrders(database, 4000)
    database.close()
    service = await start(folder)
    console.log(`listening at ${service.address}`)
    if (values.serve) await serve(service)
    else await use(service)
  } finally {
    service?.process.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
