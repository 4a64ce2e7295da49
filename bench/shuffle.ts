/**
 * What a shuffle by blocks costs in the worst case: digits sorted by class, so that the rows of a block are alike, in windows that are small
 * beside the data. Prints the cost over all rows after training, relative to that of the full shuffle with the same seed.
 *
 *   npx tsx bench/shuffle.ts [--epochs N] [--seeds N] [--hidden N] [--threads N] [--only TEXT]
 *
 * --only: the orders whose name contains TEXT, beside the full shuffle.
 */
import { parseArgs } from 'node:util'
import type { Floats, JobRequest, NativeRows, NativeTrainingState } from '../lib/native/binding.js'
import { binding } from '../lib/native/load.js'
import { trainingDigits } from './synthetic/mnist.js'

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '6' },
    seeds: { type: 'string', default: '5' },
    hidden: { type: 'string', default: '64' },
    threads: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
  },
})
const epochs = Number(values.epochs)
const seeds = Number(values.seeds)
const hidden = Number(values.hidden)
const threads = Number(values.threads)
const [ROWS, COLS, RATE] = [60_000, 784, 3e-3]
/** Streams of random numbers without another use: see `Stream` in the native core. */
const [BLOCKS, PLACES] = [1001, 1002]

/** An order of the rows in an epoch. */
interface Order {
  readonly name: string
  readonly batch: number
  /** Of the core's own shuffles. */
  readonly shuffle?: Partial<JobRequest>
  /** Of others: blocks of so many rows, so many of them a window. */
  readonly blocks?: readonly [rows: number, window: number]
  /** The windows themselves are in the order of the rows. */
  readonly sorted?: boolean
}

const FULL = 'all rows'
const MIB = 2 ** 20
const orders: readonly Order[] = [
  ...[256, 1000].flatMap((batch) => [
    { name: FULL, batch, shuffle: { shuffle: 'rows' } as const },
    { name: 'all rows in another order', batch, shuffle: { shuffle: 'rows', fit: 1 } as const },
    ...[8, 2].map((mib) => ({
      name: `by blocks, windows of ${mib} MiB`,
      batch,
      shuffle: { shuffle: 'blocks', windowBytes: mib * MIB } as const,
    })),
    { name: '64 rows a block, 160 blocks a window', batch, blocks: [64, 160] as const },
    { name: '167 rows a block, 64 blocks a window', batch, blocks: [167, 64] as const },
    { name: '167 rows a block, 16 blocks a window', batch, blocks: [167, 16] as const },
  ]),
  { name: 'neighbours alone, 10,240 rows a window', batch: 256, blocks: [167, 64], sorted: true },
]

const rows = sortedDigits()
const layers = [
  { inputs: COLS, outputs: hidden, activation: 'sigmoid' },
  { inputs: hidden, outputs: COLS, activation: 'sigmoid' },
]
const parameterCount = 2 * COLS * hidden + hidden + COLS

console.log(`784-${hidden}-784, ${epochs} epochs, ${seeds} seeds, digits sorted by class`)
const full = new Map<number, number[]>()
for (const order of orders.filter(({ name }) => name === FULL || name.includes(values.only))) {
  const costs: number[] = []
  for (let seed = 0; seed < seeds; seed++) costs.push(await trained(order, seed))
  if (order.name === FULL) full.set(order.batch, costs)
  const excess = costs.map((cost, seed) => 100 * (cost / full.get(order.batch)![seed]! - 1))
  const mean = excess.reduce((sum, one) => sum + one, 0) / seeds
  const signed = (value: number) => `${value >= 0 ? '+' : ''}${value.toFixed(3)}%`
  console.log(
    `batch ${order.batch}, ${order.name}: ${signed(mean)} (${excess.map(signed).join(', ')}), cost ${costs[0]!.toFixed(4)}`,
  )
}

function sortedDigits(): NativeRows {
  const { images, labels } = trainingDigits()
  const data = new Uint8Array(ROWS * COLS)
  let written = 0
  for (let digit = 0; digit < 10; digit++) {
    for (let row = 0; row < ROWS; row++) {
      if (labels[row] !== digit) continue
      data.set(images.subarray(row * COLS, (row + 1) * COLS), COLS * written++)
    }
  }
  return { data, type: 'uint8', rows: ROWS, cols: COLS, scale: 1 / 255 }
}

/** The cost over all rows after the last epoch. */
async function trained(order: Order, seed: number): Promise<number> {
  const objective = {
    loss: 'squared',
    weightDecay: [3e-5, 3e-5],
    penalties: [{ layer: 0, kind: 'kl', target: 0.1, weight: 0.1, average: 'moving' }],
  } as const
  const parameters: Floats = new Float32Array(parameterCount)
  binding().uniform(parameters.subarray(0, 2 * COLS * hidden), -0.08, 0.08, seed, 0, 0)
  let state: NativeTrainingState | undefined
  for (let epoch = 0; epoch < epochs; epoch++) {
    const job = binding().openTraining({
      ...{
        layers,
        objective,
        parameters: parameters.slice(),
        batchSize: order.batch,
        shuffle: 'none',
        ...order.shuffle,
      },
      rows: order.blocks === undefined ? rows : { ...rows, order: orderOf(order, seed, epoch) },
      optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      ...{ seed, fit: order.shuffle?.fit ?? 0, form: 'fused' },
      ...(state && { state }),
    })
    const learningRates = Float64Array.of((RATE / 2) * (1 + Math.cos((Math.PI * epoch) / epochs)))
    const run = { threads, flags: new Int32Array(2), epoch, learningRates, budgetMs: 1e9, parameters }
    const parts = await binding().trainSpan(job, { ...run, state: true })
    state = parts.at(-1)!.state!
    binding().closeTraining(job)
  }
  const exact = {
    ...objective,
    penalties: objective.penalties.map((one) => ({ ...one, average: 'exact' as const })),
  }
  const cost = await binding().evaluate({
    ...{ threads, flags: new Int32Array(2), layers, objective: exact, parameters, rows },
  })
  return cost.loss + cost.weightDecay + cost.sparsity
}

/** Blocks in a random order, or in their own, and the rows of each window shuffled. */
function orderOf({ blocks, sorted }: Order, seed: number, epoch: number): Uint32Array {
  const [length, most] = blocks!
  const count = Math.ceil(ROWS / length)
  const numbers = Uint32Array.from({ length: count }, (_, block) => block)
  if (!sorted) binding().shuffle(numbers, 0, count, seed, BLOCKS, epoch)
  const order = new Uint32Array(ROWS)
  let placed = 0
  for (let from = 0; from < count; from += most) {
    const begin = placed
    for (const block of numbers.subarray(from, from + most)) {
      for (let row = block * length; row < Math.min(ROWS, (block + 1) * length); row++) order[placed++] = row
    }
    const window = order.subarray(begin, placed)
    binding().shuffle(window, 0, window.length, seed, PLACES, epoch * count + from)
  }
  return order
}
