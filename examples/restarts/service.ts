// The service of examples/restarts.ts, started as a process: `service.ts FOLDER EPOCHS HIDDEN`. It prints its port.
//
// - It trains in the background, and writes a checkpoint into FOLDER now and then. If there is one when it starts, it goes on from there.
// - `POST /score { rows }` answers with anomaly scores by the parameters of the last complete epoch; before there are any, with 503.
// - `GET /train` says how far the training is.
// - SIGTERM ends it: the training is stopped after its current step and written, the last requests are answered, the exit status is 0.
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  type EpochEvent,
  LayerwiseError,
  resumeTraining,
  SparseAutoencoder,
  type TrainableModel,
} from '../../lib/index.js'
import { mnist } from '../demo/mnist.js'

const [folder = '.', epochs = '20', hidden = '64'] = process.argv.slice(2)
const checkpoint = join(folder, 'digits.checkpoint')
const published = join(folder, 'digits.safetensors')

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())

let model: SparseAutoencoder<'float32' | 'float64'> | undefined
const progress = { epoch: 0, cost: Number.NaN, running: true }

const serving = (restored: TrainableModel) => {
  if (restored.kind === 'SparseAutoencoder') model = restored
}
const onEpoch = ({ epoch, cost }: EpochEvent) => {
  Object.assign(progress, { epoch, cost: cost.total })
}

/** Goes on with the training that an earlier process began, or begins it. */
async function train(): Promise<void> {
  const digits = (await mnist('t10k')).slice(0, 5000)
  const { signal } = stop
  if (existsSync(checkpoint)) {
    await resumeTraining(checkpoint, digits, { signal, onEpoch, onModel: serving })
  } else {
    const fresh = new SparseAutoencoder({
      inputs: digits.cols,
      hidden: Number(hidden),
      sparsity: { kind: 'kl', target: 0.1, weight: 3 },
    })
    serving(fresh)
    const saving = { path: checkpoint, everySeconds: 30 }
    await fresh.fit(digits, { epochs: Number(epochs), batchSize: 100, signal, onEpoch, checkpoint: saving })
  }
  await model!.save(published)
}

async function readBody(request: IncomingMessage): Promise<{ rows: number[][] }> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return JSON.parse(Buffer.concat(pieces).toString()) as { rows: number[][] }
}

async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
  if (request.url === '/train') return { status: 200, body: progress }
  if (request.url !== '/score' || request.method !== 'POST')
    return { status: 404, body: { error: 'not found' } }
  if (model === undefined) return { status: 503, body: { error: 'no model yet' } }
  try {
    const { rows } = await readBody(request)
    return { status: 200, body: { scores: Array.from(await model.reconstructionError(rows)) } }
  } catch (error) {
    const refused = error instanceof LayerwiseError || error instanceof SyntaxError
    return { status: refused ? 400 : 500, body: { error: (error as Error).message } }
  }
}

const server = createServer((request, response) => {
  void answer(request).then(({ status, body }) => {
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    response.end(JSON.stringify(body))
  })
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))

try {
  await train()
  progress.running = false
  // Goes on serving until it is told to stop.
  if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
} catch (error) {
  // An abort has been written when it arrives here; anything else is an error of the service.
  if (error !== stop.signal.reason) throw error
}
server.close()
