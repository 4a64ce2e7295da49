import { spawnSync } from 'node:child_process'
import { type Matrix, SparseAutoencoder } from '../../lib/index.js'
import { Limits, type Training } from '../measuring/limits.js'
import { quantile, ratios, summary } from '../measuring/statistics.js'
import type { Figure, JobResult } from './figures.js'
import { JobFolder, onnxruntime, python } from './folder.js'
import { chain, encodeShapes } from './jobs.js'
import { sourceOf } from './model.js'
import { Peer } from './peer.js'
import { proveCodes } from './proof.js'
import { bestVariant, ROUNDS, rounds } from './rounds.js'
import type { Effort } from './training.js'

type Shape = (typeof encodeShapes)[number]

/** One shape, opened on both sides and shown to give the same codes. */
interface Opened {
  readonly model: SparseAutoencoder
  readonly matrix: Matrix<Float32Array>
  readonly peer: Peer
  readonly name: string
}

/** As many rows as take turns: more than fit a core's caches would measure memory. */
const ROWS = 200
const PROVED = 1000

/** Microseconds of a call with one row. */
export function raceEncodingOne(effort: Effort): Promise<JobResult> {
  const title = `the encoder, one row a call, ${ROWS} rows in turn; p50 of a window's calls`
  return race(
    'encode1',
    title,
    effort,
    async ({ model, matrix, peer, name }, { inputs, hidden, one, bandwidth }) => {
      const limits = new Limits()
      const rows = Array.from({ length: ROWS }, (_, i) => matrix.slice(i, i + 1))
      // Weights of zero inputs are not read.
      const bytes = Math.round(4 * hidden * notZero(matrix.slice(0, ROWS)))
      const out = new Float32Array(hidden)
      const theirs = async (variant: string) =>
        (await peer.ask<{ p50: number }>('encodeOne', { variant, seconds: effort.seconds, rows: ROWS })).p50
      const { best, tried } = await bestVariant(['one', 'all'], theirs, 'less')
      const { values, repeated } = await rounds({
        ours: async () => p50((i) => model.encodeSync(rows[i % ROWS]!, out), effort.seconds),
        theirs: () => theirs(best),
        read: () => limits.read(bytes, effort.seconds),
      }).finally(() => limits.close())
      const figures: Figure[] = [
        { label: `${name}: layerwise, p50`, unit: 'µs', values: summary(values.ours, 'less') },
        { label: `${name}: onnxruntime-node, p50`, unit: 'µs', values: summary(values.theirs, 'less') },
        {
          label: `${name}: of the peer's`,
          unit: 'ratio',
          values: summary(ratios(values.ours, values.theirs), 'less'),
          goal: { atMost: one },
        },
        { label: `${name}: one thread reads as many weights`, unit: 'GB/s', values: summary(values.read) },
        {
          label: `${name}: the time that takes, of ours`,
          unit: 'ratio',
          values: summary(values.ours.map((micros, i) => bytes / (1e3 * micros * values.read[i]!))),
          ...(bandwidth !== undefined && bytes === 4 * inputs * hidden && { goal: { atLeast: bandwidth } }),
        },
      ]
      return { figures, tried, repeated }
    },
  )
}

/** Samples/s of all rows. */
export function raceEncoding(effort: Effort): Promise<JobResult> {
  const title = 'the encoder, all 60,000 rows'
  return race(
    'encode',
    title,
    effort,
    async ({ model, matrix, peer, name }, { inputs, hidden, all, limit }) => {
      // Threads of a session, and rows of a call.
      const variants = ['all 256', 'all 1000', 'all 10000', 'all 60000']
      const theirs = async (variant: string) => {
        const [session, rows] = variant.split(' ')
        const question = { variant: session, seconds: effort.seconds, rows: Number(rows) }
        return (await peer.ask<{ samplesPerSecond: number }>('encodeAll', question)).samplesPerSecond
      }
      const { best, tried } = await bestVariant(variants, theirs)
      const limits = new Limits()
      try {
        const { values, repeated } = await rounds({
          ours: () =>
            passes(() => model.encode(matrix, { threads: effort.threads }), matrix.rows, effort.seconds),
          theirs: () => theirs(best),
          limit: () => limits.limit(effort.threads, effort.seconds),
        })
        const productsOf = (rates: readonly number[]) =>
          rates.map((rate) => (rate * 2 * inputs * hidden) / 1e9)
        const products = productsOf(values.ours)
        const figures: Figure[] = [
          { label: `${name}: layerwise`, unit: 'samples/s', values: summary(values.ours) },
          {
            label: `${name}: onnxruntime-node, ${best.split(' ')[1]} rows a call`,
            unit: 'samples/s',
            values: summary(values.theirs),
          },
          {
            label: `${name}: times the peer`,
            unit: 'ratio',
            values: summary(ratios(values.ours, values.theirs)),
            goal: { atLeast: all },
          },
          {
            label: `${name}: the limit, times the peer`,
            unit: 'ratio',
            values: summary(ratios(values.limit, productsOf(values.theirs))),
          },
          {
            label: `${name}: share of the limit`,
            unit: 'ratio',
            values: summary(ratios(products, values.limit)),
            goal: { atLeast: limit },
          },
        ]
        return { figures, tried, repeated }
      } finally {
        limits.close()
      }
    },
  )
}

async function race(
  job: string,
  title: string,
  { seconds, threads, rows }: Effort,
  measure: (opened: Opened, shape: Shape) => Promise<{ figures: Figure[]; tried: object; repeated: number }>,
): Promise<JobResult> {
  const { source, matrix: stored } = await sourceOf('digits', rows)
  const matrix = stored as Matrix<Float32Array>
  const figures: Figure[] = []
  const proof: string[] = []
  let repeated = 0
  const peers: Record<string, unknown> = {}
  for (const shape of encodeShapes) {
    const { inputs, hidden } = shape
    const name = `${inputs}-${hidden}`
    const model = new SparseAutoencoder({ inputs, hidden })
    const folder = new JobFolder(training(shape), { source, matrix, labels: undefined }, model.parameters())
    let peer: Peer | undefined
    try {
      writeOnnx(folder)
      const started = await Peer.start(onnxruntime(folder), threads)
      peer = started.peer
      await peer.ask('prove', { variant: 'all', rows: PROVED })
      const codes = await model.encode(matrix.slice(0, PROVED))
      proof.push(proveCodes(name, folder.read('codes_peer.f32'), codes.data))
      const measured = await measure({ model, matrix, peer, name }, shape)
      figures.push(...measured.figures)
      repeated += measured.repeated
      Object.assign(peers, started.versions, { [name]: measured.tried })
    } finally {
      peer?.close()
      folder.remove()
    }
  }
  return {
    job,
    title: `${title}; ${source}, float32`,
    proof,
    peers,
    rounds: ROUNDS,
    repeated,
    windowSeconds: seconds,
    figures,
  }
}

/** The peers' form of a network; of its layers only the first is encoded with. */
function training({ inputs, hidden }: Shape): Training {
  const layers = chain([inputs, hidden, inputs], ['sigmoid', 'sigmoid'])
  return { layers, objective: { loss: 'squared', weightDecay: 0 }, batchSize: 1, learningRate: 1e-3 }
}

function writeOnnx(folder: JobFolder): void {
  const [program = '', ...args] = python('encoder_onnx.py', folder)
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 2, 2] })
  if (error) throw error
  if (status !== 0) throw new Error('encoder_onnx.py failed')
}

/** Numbers of a row that are not zero, on average. */
function notZero({ data, rows }: Matrix<Float32Array>): number {
  return data.reduce((count, value) => count + (value === 0 ? 0 : 1), 0) / rows
}

function p50(call: (i: number) => unknown, seconds: number): number {
  for (let i = 0; i < ROWS; i++) call(i)
  const times: number[] = []
  const end = performance.now() + 1000 * seconds
  for (let i = 0, now = performance.now(); now < end; i++) {
    call(i)
    const after = performance.now()
    times.push(1000 * (after - now))
    now = after
  }
  return quantile(times, 0.5)
}

async function passes(pass: () => Promise<unknown>, rows: number, seconds: number): Promise<number> {
  const start = performance.now()
  let done = 0
  let elapsed = 0
  while (elapsed < seconds) {
    await pass()
    done++
    elapsed = (performance.now() - start) / 1000
  }
  return (done * rows) / elapsed
}
