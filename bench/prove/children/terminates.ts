/**
 * Terminates worker threads at random moments of their work:
 *
 *   node terminates.mjs WORKER FOLDER SEED FIRST COUNT
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { resumeTraining, SparseAutoencoder, writeDataset } from '../../../lib/index.js'
import { must, randomOf } from '../proof.js'
import { trainedModel, trainingRows } from '../trained.js'

const [program, folder, seed, first, count] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
]

const KINDS = [
  ...[
    'fit',
    'full batches',
    'fit from files',
    'encode',
    'read',
    'verify',
    'writeDataset',
    'checkpoints',
    'save',
    'resume',
  ],
]
/** The latest moment of a termination, in milliseconds. */
const LATEST = 80

const x = trainingRows()
await writeDataset(join(folder, 'data'), [x, x, x, x])
await trainedModel().fit(x, { epochs: 1, checkpoint: { path: join(folder, 'finished') } })
const model = new SparseAutoencoder({ inputs: x.cols, hidden: 50, seed: 1 })
const codes = await model.encode(x)

for (let round = Number(first); round < Number(first) + Number(count); round++) {
  const random = randomOf(Number(seed), round)
  const kind = KINDS[round % KINDS.length]!
  const worker = new Worker(program, { workerData: { kind, folder } })
  const failed = once(worker, 'error').then(([error]) => {
    throw new Error(`round ${round}: a worker that does ${kind} failed: ${(error as Error).stack}`)
  })
  failed.catch(() => {})
  await Promise.race([once(worker, 'message'), failed])
  await Promise.race([setTimeout(random.between(0, LATEST)), failed])
  await worker.terminate()
  // What the threads share works as before, and locks are free.
  const again = await model.encode(x)
  must(
    again.data.every((value, i) => value === codes.data[i]),
    `round ${round}: other codes after ${kind}`,
  )
  if (kind === 'writeDataset') {
    const written = await writeDataset(join(folder, 'written'), [x])
    must(written.rows === x.rows, `round ${round}: ${written.rows} rows were written`)
  }
  if (kind === 'checkpoints') {
    const controller = new AbortController()
    const reason = new Error('read')
    const options = { signal: controller.signal, onModel: () => controller.abort(reason) }
    await resumeTraining(join(folder, 'run'), x, options).catch((error: unknown) => {
      const isAbsent = (error as { cause?: { code?: string } }).cause?.code === 'ENOENT'
      if (error !== reason && !isAbsent) throw error
    })
  }
}
console.log(`${KINDS.length} kinds of work`)
process.exit(0)
