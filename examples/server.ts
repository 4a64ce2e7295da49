// A service: fastify responds with codes and anomaly scores of a saved model, refuses rows of a wrong width, stops computing when the
// client disconnects, and continues to respond while the model trains further. autocannon sends requests for two seconds, on loopback.
//
//   npm run examples -- server
//   npm run examples -- server --serve    only serves, on port 3000
import { mkdir } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { createRequire } from 'node:module'
import { setTimeout as setTimeoutAsync } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SparseAutoencoder } from '../lib/index.js'
import { mnist } from './demo/mnist.js'
import { type Counts, createApp } from './server/app.js'

interface Load {
  readonly requests: { readonly total: number }
  readonly latency: { readonly p50: number; readonly p99: number }
  readonly non2xx: number
  readonly errors: number
}

const autocannon = createRequire(import.meta.url)('autocannon') as (options: object) => Promise<Load>
const folder = fileURLToPath(new URL('output/', import.meta.url))

async function trainedModel(): Promise<string> {
  const path = `${folder}server.safetensors`
  await mkdir(folder, { recursive: true })
  const model = new SparseAutoencoder({
    inputs: 784,
    hidden: 64,
    sparsity: { kind: 'kl', target: 0.1, weight: 3 },
  })
  await model.fit((await mnist('t10k')).slice(0, 5000), { epochs: 2, batchSize: 100 })
  await model.save(path)
  return path
}

function post(url: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

function expectStatus(what: string, response: Response, status: number): void {
  if (response.status !== status) throw new Error(`${what}: status ${response.status} instead of ${status}`)
  console.log(`${what}: ${status}`)
}

/** A client that disconnects right after its request: the server must notice and stop computing. */
async function leave(url: string, rows: number[][], counts: Counts): Promise<void> {
  const body = JSON.stringify({ rows })
  for (let i = 0; i < 50 && counts.left === 0; i++) {
    const request = httpRequest(url, { method: 'POST', headers: { 'content-type': 'application/json' } })
    request.on('error', () => {})
    request.end(body, () => setTimeout(() => request.destroy(), i))
    await new Promise((resolve) => request.once('close', resolve))
    await setTimeoutAsync(50)
  }
  if (counts.left === 0) throw new Error('no request was stopped when its client left')
  console.log('a request of a disconnected client: stopped')
}

export async function main(): Promise<void> {
  const { values } = parseArgs({ options: { serve: { type: 'boolean', default: false } } })
  const model = await SparseAutoencoder.load(await trainedModel())
  const digits = await mnist('t10k')
  const counts = { left: 0 }
  const app = createApp(model, digits, counts)
  const address = await app.listen({ host: '127.0.0.1', port: values.serve ? 3000 : 0 })
  console.log(`listening at ${address}`)
  if (values.serve) return

  const rows = digits.slice(0, 16).toArray()
  expectStatus('rows of the right width', await post(`${address}/score`, { rows }), 200)
  expectStatus('rows too short', await post(`${address}/score`, { rows: [[1, 2]] }), 400)
  expectStatus('no rows', await post(`${address}/encode`, {}), 400)
  expectStatus('training begins', await post(`${address}/train`, {}), 202)
  expectStatus('a second training', await post(`${address}/train`, {}), 409)

  const request = { method: 'POST', headers: { 'content-type': 'application/json' } }
  for (const [path, body] of [
    ['encode', { rows: rows.slice(0, 1) }],
    ['score', { rows }],
  ] as const) {
    const load = await autocannon({
      url: `${address}/${path}`,
      ...request,
      body: JSON.stringify(body),
      connections: 4,
      duration: 1,
    })
    const { p50, p99 } = load.latency
    console.log(`/${path} while it trains: ${load.requests.total} answers, latency ${p50} ms, 99% ${p99} ms`)
    if (load.requests.total === 0 || load.non2xx > 0 || load.errors > 0) {
      throw new Error(`/${path}: ${load.non2xx} refusals, ${load.errors} errors`)
    }
  }
  await leave(
    `${address}/encode`,
    Array.from({ length: 1000 }, (_, i) => rows[i % rows.length]!),
    counts,
  )

  while (((await (await fetch(`${address}/train`)).json()) as { running: boolean }).running) {
    await setTimeoutAsync(100)
  }
  expectStatus('after the training', await post(`${address}/score`, { rows }), 200)
  await app.close()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
