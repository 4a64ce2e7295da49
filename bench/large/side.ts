/**
 * layerwise doing a job of `bench/large/` from memory or from disk: requests and answers in JSON, one a line, as in `bench/peers/protocol.py`.
 *
 *   side.ts FOLDER memory|disk
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Dataset, type FitProgress, openDataset, Pca, SparseAutoencoder } from '../../lib/index.js'
import { fitWindow } from '../measuring/fit-window.js'
import { inMemory } from './in-memory.js'
import type { Job } from './job.js'
import { memory, mostMemory, readerSeconds } from './process.js'

const [folder = '', place = ''] = process.argv.slice(2)
const job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8')) as Job
const { inputs, hidden, batchSize, learningRate, target, weight, weightDecay } = job
const threads = Number(process.env.OMP_NUM_THREADS)
const whole: Dataset = await openDataset(job.dataset)
const rows = place === 'memory' ? await inMemory(job) : whole.slice(0, job.rows)
const before = memory()
const options = { batchSize, learningRate, threads }

function newModel(): SparseAutoencoder {
  const sparsity = { kind: 'kl', target, weight, average: 'batch' } as const
  return new SparseAutoencoder({ inputs, hidden, sparsity, weightDecay })
}
const model = newModel()

/** Trains for a while: how fast, and what its reader took of a processor meanwhile. */
async function train(on: typeof rows, seconds: number) {
  const seen: { at: number; used: number }[] = []
  const see = () => {
    const used = readerSeconds()
    if (used !== undefined) seen.push({ at: performance.now() / 1000, used })
  }
  const samplesPerSecond = await fitWindow(
    (window) => {
      const onProgress = (progress: FitProgress) => {
        window.onProgress(progress)
        see()
      }
      return model.fit(on, { ...window, ...options, shuffle: 'blocks', onProgress })
    },
    on.rows,
    batchSize,
    seconds,
  )
  const [first, last] = [seen[0], seen.at(-1)]
  const reader = first && last && last.at > first.at ? (last.used - first.used) / (last.at - first.at) : 0
  return { samplesPerSecond, reader }
}

interface Question {
  readonly seconds: number
  readonly rows: number
  readonly name: string
  readonly components: number
}

const answers: Record<string, (question: Question) => Promise<object>> = {
  start: async ({ name }) => {
    leave(name, newModel().parameters())
    return {}
  },
  // One epoch of the first rows, in their order or shuffled.
  prove: async ({ rows: count, name }) => {
    const proved = newModel()
    const shuffle = name === 'steps' ? false : 'blocks'
    await proved.fit(rows.slice(0, count), { ...options, epochs: 1, shuffle })
    leave(`${name}_${place}`, proved.parameters())
    return {}
  },
  train: ({ seconds }) => train(rows, seconds),
  trainWhole: ({ seconds }) => train(whole, seconds),
  pca: async ({ rows: count, components }) => {
    const start = performance.now()
    const pca = await new Pca({ components }).fit(rows.slice(0, count), { threads })
    const seconds = (performance.now() - start) / 1000
    return { seconds, variances: [...pca.explainedVariance] }
  },
  memory: async () => ({ before, most: mostMemory() }),
}

function leave(name: string, values: Float32Array): void {
  writeFileSync(join(folder, `${name}.f32`), values)
}

console.log('{}')
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...question } = JSON.parse(line)
  console.log(JSON.stringify(await answers[what]!(question)))
}
