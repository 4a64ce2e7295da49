/**
 * One job with the library of the checkout of this file: sends its results, then, for each received number of seconds, samples/s over that
 * time.
 */
import { runtime, SparseAutoencoder } from '../../lib/index.js'
import { digits } from '../measuring/data.js'
import { modelOf, rowsOf } from '../peers/model.js'
import { window } from '../peers/training.js'
import { type AgainstJob, againstJobs } from './jobs.js'

/** The first message of a process. */
export interface Started {
  readonly openblas: string
  readonly kernel: string
  readonly vectors: string
  /** Of a training the cost at its start and after some steps; of encoding some codes. */
  readonly answers: readonly number[]
}

interface Subject {
  readonly answers: readonly number[]
  /** Samples/s over this many seconds. */
  readonly run: (seconds: number) => Promise<number>
}

const VERIFYING = { batches: 20, mostRows: 20_000, epochs: 2 }
const ROWS = 200
/** Between two readings of the clock. */
const CALLS = 1000

async function subjectOf(job: AgainstJob, threads: number): Promise<Subject> {
  if (!('training' in job)) return encoding(job)
  const { training } = job.training
  const { batchSize, learningRate } = training
  const rows = await rowsOf(job.training, 'float32')
  const model = modelOf(job.training, rows)
  const few = Math.min(VERIFYING.batches * batchSize, VERIFYING.mostRows)
  const before = await model.cost(few, false)
  await model.fit(few, { epochs: VERIFYING.epochs, batchSize, learningRate, threads, shuffle: false })
  const after = await model.cost(few, false)
  return {
    answers: [before.total, after.total],
    run: (seconds) => window(model, training, rows.matrix.rows, { seconds, threads }),
  }
}

async function encoding({ inputs, hidden }: { inputs: number; hidden: number }): Promise<Subject> {
  const { matrix } = await digits('float32')
  const model = new SparseAutoencoder({ inputs, hidden })
  const rows = Array.from({ length: ROWS }, (_, i) => matrix.slice(i, i + 1))
  const out = new Float32Array(hidden)
  return {
    answers: rows.slice(0, 10).flatMap((row) => [...model.encodeSync(row)]),
    run: async (seconds) => {
      const start = performance.now()
      let calls = 0
      let passed = 0
      while (passed < seconds) {
        for (let i = 0; i < CALLS; i++) model.encodeSync(rows[calls++ % ROWS]!, out)
        passed = (performance.now() - start) / 1000
      }
      return calls / passed
    },
  }
}

const [name, threads] = process.argv.slice(2)
const subject = await subjectOf(againstJobs.find((job) => job.name === name)!, Number(threads))
const { openblas, kernel, vectors } = runtime()
process.send!({ openblas, kernel, vectors, answers: subject.answers } satisfies Started)
process.on('message', async (seconds: number) => {
  process.send!(await subject.run(seconds))
})
