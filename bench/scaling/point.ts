/**
 * One point of a sweep in its own process, started by `subject.ts`: creates rows, runs once to measure memory and check that training
 * lowers the cost, then times a window for each request.
 */
import { randomFillSync } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { type FitOptions, Matrix, SparseAutoencoder, StackedAutoencoder } from '../../lib/index.js'
import { fitWindow } from '../measuring/fit-window.js'
import { watchMemory } from './memory.js'
import type { Answer, Question } from './subject.js'
import type { Work } from './sweeps.js'

const work = JSON.parse(process.argv[2]!) as Work
const { kind, widths, batchSize, rows, threads } = work
const steady = { batchSize, threads, learningRate: 1e-4 }
const x = madeRows(rows, widths[0]!)
await setTimeout(50) // what was allocated while loading is given back
const peak = watchMemory()
const model = kind === 'fineTune' ? stack() : autoencoder()

/** Random bytes: a block of them again and again, beginning at another column each time. */
function madeRows(count: number, cols: number): Matrix<Uint8Array> {
  const data = new Uint8Array(count * cols)
  const block = randomFillSync(new Uint8Array(Math.min(data.length, 1_048_573)))
  for (let at = 0; at < data.length; at += block.length) data.set(block.subarray(0, data.length - at), at)
  return Matrix.from(data, count, cols, { scale: 1 / 255 })
}

function autoencoder() {
  const [inputs, hidden] = widths as [number, number]
  const model = new SparseAutoencoder({
    inputs,
    hidden,
    sparsity: { kind: 'kl', target: 0.1, weight: 3, average: 'moving' },
    weightDecay: 3e-3,
  })
  return {
    encode: () => model.encode(x, { threads }),
    train: (of: Matrix, options: FitOptions) => model.fit(of, options),
  }
}

function stack() {
  const [inputs, ...hidden] = widths as [number, ...number[]]
  const layers = hidden.map((units) => ({ hidden: units }))
  const model = new StackedAutoencoder({ inputs, layers, weightDecay: 3e-3 })
  return {
    encode: () => model.encode(x, { threads }),
    train: (of: Matrix, options: FitOptions) => model.fineTune(of, options),
  }
}

/** What is timed as a whole, once. */
async function call(): Promise<void> {
  if (kind === 'encode') await model.encode()
  else await model.train(x, { ...steady, epochs: 1 })
}

/** Memory of a first run: of the call that is timed, or of training through the ends of three epochs of two batches or more. */
async function open(): Promise<number | undefined> {
  if (kind === 'encode' || kind === 'epoch') {
    await call()
    return peak()
  }
  const some = x.slice(0, Math.min(rows, Math.max(512, 2 * batchSize)))
  const { epochs } = await model.train(some, { ...steady, epochs: 3 })
  const bytes = peak()
  const [first, last] = [epochs[0]!.cost.total, epochs.at(-1)!.cost.total]
  if (!(last < first)) throw new Error(`training does not learn: cost ${first}, then ${last}`)
  return bytes
}

/** Seconds a call, over as many as begin in a window. */
async function calls(seconds: number): Promise<number> {
  const start = performance.now()
  let count = 0
  let spent = 0
  do {
    await call()
    count++
    spent = (performance.now() - start) / 1000
  } while (spent < seconds)
  return spent / count
}

/** Seconds a sample, while a fit lasts. */
async function samples(seconds: number): Promise<number> {
  return (
    1 / (await fitWindow((options) => model.train(x, { ...steady, ...options }), rows, batchSize, seconds))
  )
}

const window = kind === 'encode' || kind === 'epoch' ? calls : samples

process.on('message', (question: Question) => {
  const answered = question.ask === 'open' ? open() : window(question.seconds)
  answered.then(
    (value) => process.send!({ value } satisfies Answer),
    (error: Error) => process.send!({ error: error.message } satisfies Answer),
  )
})
