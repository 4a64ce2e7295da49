import { setTimeout } from 'node:timers/promises'
import { Matrix, Pca, type Rows, SparseAutoencoder } from '../../lib/index.js'
import { digits } from '../measuring/data.js'
import { quantile } from '../measuring/statistics.js'
import { type Figure, figure } from './figure.js'

const inputs = 784
const hidden = 196
const LOOPS = 3
const LOOP_ROWS = 2000
const ABORTS = 10
const ROUNDS = 3

const FITS: readonly { name: string; rows: number; columns: number; components?: number }[] = [
  { name: 'Pca.fit of 2,500 × 2,000', rows: 2500, columns: 2000 },
  { name: 'Pca.fit of 400 × 3,000, 500 components', rows: 400, columns: 3000, components: 500 },
]

/** Latency of calls beside long ones in the same process. */
export async function figuresBeside(seconds: number): Promise<readonly Figure[]> {
  const { matrix: images } = await digits('uint8')
  const window = seconds / 12
  const one = () => scores(images, window)
  const besideTraining = async (batchSize: number) =>
    scoreFigures(`training, batch ${batchSize}`, await whileTraining(images, batchSize, one))
  return [
    ...scoreFigures('nothing', await one()),
    ...(await besideTraining(256)),
    ...(await besideTraining(4096)),
    ...(await besidePca(images)),
    figure('rate of training beside three loops of encoding, of alone', await shares(images, window), '', {
      atLeast: 0.3,
    }),
    ...(await abortsBesideAll(images)),
    figure('two-thread call after one of 24 threads, of before', await afterManyThreads(images), '', {
      atMost: 1.2,
    }),
  ]
}

function scoreFigures(beside: string, waited: readonly number[]): Figure[] {
  const name = `score of one row beside ${beside}`
  const goal = beside === 'nothing' ? undefined : { atMost: 3 }
  return [
    figure(`${name}: p50`, [quantile(waited, 0.5)], 'ms', goal),
    figure(`${name}: p99`, [quantile(waited, 0.99)], 'ms'),
  ]
}

const model = () => new SparseAutoencoder({ inputs, hidden, seed: 1 })

/** Calls repeatedly, with pauses in which other work can run. */
async function waits(call: () => Promise<unknown>, goesOn: () => boolean): Promise<number[]> {
  const all: number[] = []
  do {
    const start = performance.now()
    await call()
    all.push(performance.now() - start)
    await setTimeout(2)
  } while (goesOn())
  return all
}

function scores(images: Matrix, seconds: number): Promise<number[]> {
  const scorer = model()
  const row = images.slice(0, 1)
  const end = performance.now() + 1000 * seconds
  return waits(
    () => scorer.reconstructionError(row),
    () => performance.now() < end,
  )
}

async function whileTraining<T>(x: Rows, batchSize: number, measure: () => Promise<T>): Promise<T> {
  return aborted(
    (signal) => model().fit(x, { batchSize, epochs: 1_000_000, signal }),
    async () => {
      await setTimeout(500)
      return measure()
    },
  )
}

/** Something endless, for as long as something else takes. */
async function aborted<T>(
  endless: (signal: AbortSignal) => Promise<unknown>,
  measure: () => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const { signal } = controller
  const end = endless(signal).catch((failure) => {
    if (failure !== signal.reason) throw failure
  })
  try {
    return await measure()
  } finally {
    controller.abort()
    await end
  }
}

async function besidePca(images: Matrix): Promise<Figure[]> {
  const encoder = model()
  const row = images.slice(0, 1)
  const figures: Figure[] = []
  for (const { name, rows, columns, components } of FITS) {
    const x = Matrix.from(
      Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i)),
      rows,
      columns,
    )
    await encoder.encode(row)
    let over = false
    const fit = new Pca({ components }).fit(x).finally(() => {
      over = true
    })
    const all = await waits(
      () => encoder.encode(row),
      () => !over,
    )
    await fit
    figures.push(
      figure(`encode of one row beside ${name}: p50`, [quantile(all, 0.5)], 'ms'),
      figure(`encode of one row beside ${name}: longest`, [Math.max(...all)], 'ms', { atMost: 20 }),
    )
  }
  return figures
}

/** Endless loops of encoding. */
function loops(images: Matrix): (signal: AbortSignal) => Promise<unknown> {
  const encoder = model()
  const rows = images.slice(0, LOOP_ROWS)
  return (signal) =>
    Promise.all(
      Array.from({ length: LOOPS }, async () => {
        for (;;) await encoder.encode(rows, { signal })
      }),
    )
}

async function shares(images: Matrix, window: number): Promise<number[]> {
  let seen = 0
  const onProgress = ({ epoch, step, steps }: { epoch: number; step: number; steps: number }) => {
    seen = (epoch - 1 + step / steps) * images.rows
  }
  const rate = async () => {
    await setTimeout(300)
    const [from, start] = [seen, performance.now()]
    await setTimeout(1000 * window)
    return (seen - from) / (performance.now() - start)
  }
  return aborted(
    (signal) => model().fit(images, { batchSize: 256, epochs: 1_000_000, signal, onProgress }),
    async () => {
      const all: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const alone = await rate()
        all.push((await aborted(loops(images), rate)) / alone)
      }
      return all
    },
  )
}

async function abortsBesideAll(images: Matrix): Promise<Figure[]> {
  const calls: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
    fit: (signal) => model().fit(images, { epochs: 1_000_000, signal }),
    'fit, batch 4,096': (signal) => model().fit(images, { batchSize: 4096, epochs: 1_000_000, signal }),
    'fit, all rows': (signal) => model().fit(images, { batchSize: 'all', epochs: 1_000_000, signal }),
    encode: (signal) => model().encode(images, { signal }),
    cost: (signal) => model().cost(images, { signal }),
    'Pca.fit': (signal) => new Pca().fit(images, { signal }),
  }
  const latencies = async () => {
    const figures: Figure[] = []
    for (const [of, call] of Object.entries(calls)) {
      const all: number[] = []
      for (let i = 0; i < ABORTS; i++) {
        const controller = new AbortController()
        const outcome = call(controller.signal).catch(() => {})
        await setTimeout(50 + 10 * i)
        const start = performance.now()
        controller.abort()
        await outcome
        all.push(performance.now() - start)
      }
      const name = `abort of ${of} beside training and three loops of encoding: longest`
      figures.push(figure(name, [Math.max(...all)], 'ms', { atMost: 100 }))
    }
    return figures
  }
  return whileTraining(images, 256, () => aborted(loops(images), latencies))
}

async function afterManyThreads(images: Matrix): Promise<number[]> {
  const encoder = model()
  const rows = images.slice(0, LOOP_ROWS)
  const median = async () => {
    const all: number[] = []
    for (let i = 0; i < 50; i++) {
      const start = performance.now()
      await encoder.encode(rows, { threads: 2 })
      all.push(performance.now() - start)
    }
    return quantile(all, 0.5)
  }
  await median()
  const ratios: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = await median()
    await encoder.encode(images.slice(0, 20_000), { threads: 24 })
    ratios.push((await median()) / before)
  }
  return ratios
}
