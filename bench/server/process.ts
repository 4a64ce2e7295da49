/**
 * A server that scores single rows and, on request, trains at the same time: started by `http.ts`, usually under `nice`.
 *
 * It sends its port and accepts the messages `train` and `rest`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Matrix, SparseAutoencoder } from '../../lib/index.js'
import { digits } from '../measuring/data.js'

const inputs = 784
const { matrix: images } = await digits('uint8')
const served = new SparseAutoencoder({ inputs, hidden: 196, seed: 1 })
const model = { inputs, hidden: 196, sparsity: { kind: 'kl', target: 0.1, weight: 3 }, seed: 2 } as const

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const row = Matrix.from(new Uint8Array(Buffer.concat(parts)), 1, inputs, { scale: 1 / 255 })
  const [error] = await served.reconstructionError(row)
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ error }))
}

const server = createServer((request, response) => {
  answer(request, response).catch((failure: Error) => {
    response.statusCode = 500
    response.end(failure.message)
  })
})

let stop: AbortController | undefined
process.on('message', (message) => {
  stop?.abort()
  stop = undefined
  if (message !== 'train') return
  const controller = new AbortController()
  stop = controller
  const { signal } = controller
  const trained = new SparseAutoencoder(model)
  trained.fit(images, { batchSize: 256, epochs: 1_000_000, signal }).catch((failure) => {
    if (!signal.aborted) throw failure
  })
})
process.once('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
