import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { digits } from '../measuring/data.js'
import { quantile } from '../measuring/statistics.js'
import { type Figure, figure } from './figure.js'
import { Load } from './load.js'

/** How niced the server is started: what is nicer than the process must then be nicer than this. */
const NICE = 10
const ROUNDS = 3

/** After training was begun or stopped. */
const SETTLE_MS = 500

/** A server under load, idle and training by turns. */
export async function figuresOfHttp(seconds: number): Promise<readonly Figure[]> {
  const { matrix } = await digits('uint8')
  const { child, port } = await startServer()
  const load = new Load(port, (matrix.data as Uint8Array).subarray(0, matrix.cols))
  const stretch = seconds / (4 * ROUNDS)
  const of = { rate: [], idleP99: [], answered: [], p99: [], saturated: [] } as Record<string, number[]>
  try {
    await load.saturate(1)
    for (let round = 0; round < ROUNDS; round++) {
      const idle = await load.saturate(stretch)
      const half = idle.rate / 2
      const calm = await load.ask(half, stretch)
      child.send('train')
      await setTimeout(SETTLE_MS)
      const busy = await load.ask(half, stretch)
      const full = await load.saturate(stretch)
      child.send('rest')
      await setTimeout(SETTLE_MS)
      of.rate!.push(idle.rate)
      of.idleP99!.push(quantile(calm.waits, 0.99))
      of.answered!.push(busy.answered)
      of.p99!.push(quantile(busy.waits, 0.99))
      of.saturated!.push(full.rate / idle.rate)
    }
  } finally {
    load.close()
    child.disconnect()
  }
  const served = `server under nice ${NICE}`
  return [
    figure(`${served}, idle: answers at saturation`, of.rate!, '/s'),
    figure(`${served}, idle: p99 at half of that`, of.idleP99!, 'ms'),
    figure(`${served}, training: answered of half of that`, of.answered!, '', { atLeast: 0.98 }),
    figure(`${served}, training: p99 at half of that`, of.p99!, 'ms'),
    figure(`${served}, training: answers at saturation, of idle`, of.saturated!, '', { atLeast: 0.7 }),
  ]
}

async function startServer(): Promise<{ child: ChildProcess; port: number }> {
  const script = fileURLToPath(new URL('./process.ts', import.meta.url))
  const child = spawn('nice', ['-n', String(NICE), process.execPath, '--import', 'tsx', script], {
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  const failed = once(child, 'close').then(() => {
    throw new Error('the server did not start')
  })
  failed.catch(() => {})
  const [port] = (await Promise.race([once(child, 'message'), failed])) as [number]
  return { child, port }
}
