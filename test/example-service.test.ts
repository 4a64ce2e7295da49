import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { Status } from '../examples/service/app.js'
import { addOrders, openDatabase } from '../examples/service/orders.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const script = fileURLToPath(new URL('../examples/service/process.ts', import.meta.url))
const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function folderWithOrders(): string {
  const folder = mkdtempSync(join(root, 'orders-'))
  const database = openDatabase(join(folder, 'orders.db'))
  addOrders(database, 500)
  database.close()
  return folder
}

function start(folder: string): ChildProcess {
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder], { stdio: [...stdio] })
  children.push(child)
  return child
}

/** Where it listens. */
async function addressOf(child: ChildProcess): Promise<string> {
  const [address] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  return address
}

async function statusOf(address: string): Promise<Status> {
  return (await (await fetch(`${address}/status`)).json()) as Status
}

test('the service ends well when it is told to, whatever a client still sends', {
  timeout: 60_000,
}, async () => {
  const child = start(folderWithOrders())
  const { hostname, port } = new URL(await addressOf(child))
  const client = connect(Number(port), hostname)
  client.on('error', () => {})
  client.write(
    'POST /score HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  )
  await setTimeout(200)
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('the service says why it could not learn, answers, and learns later', { timeout: 60_000 }, async () => {
  const folder = folderWithOrders()
  const address = await addressOf(start(folder))
  const other = openDatabase(join(folder, 'orders.db'))
  const learned = async () => {
    expect((await fetch(`${address}/learn`, { method: 'POST' })).status).toBe(202)
    let status: Status
    do {
      await setTimeout(10)
      status = await statusOf(address)
    } while (status.learned === 1 && status.problem === undefined)
    return status
  }
  other.exec('BEGIN EXCLUSIVE')
  expect(await learned()).toMatchObject({ learned: 1, problem: expect.stringContaining('locked') })
  other.exec('COMMIT')
  other.close()
  const status = await learned()
  expect(status).toEqual({ learned: 2, threshold: status.threshold })
})

test('the service starts again after it was killed while it read the orders', {
  timeout: 60_000,
}, async () => {
  const folder = folderWithOrders()
  // What the driver in WebAssembly leaves.
  mkdirSync(join(folder, 'orders.db.lock'))
  const child = start(folder)
  expect(await addressOf(child)).toMatch(/^http/)
  expect(readdirSync(folder).sort()).toEqual(['detector.safetensors', 'orders.db'])
})
