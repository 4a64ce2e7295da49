/** Training on a bag of words that stays sparse, beside the same in PyTorch: `npm run bench -- sparse`. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SparseAutoencoder, SparseMatrix } from '../../lib/index.js'
import { quantile, ratios } from '../measuring/statistics.js'
import { installed } from './folder.js'
import { Peer } from './peer.js'

export const sparseName = 'sparse'

/** The job; also what the two programs read from job.json. */
export const sparseJob = {
  rows: 20_000,
  inputs: 30_000,
  hidden: 256,
  batchSize: 256,
  learningRate: 1e-3,
  /** Of a row's columns, those that are not zero. */
  share: 0.003,
} as const

/** Steps after which the parameters of both are compared. */
const PROVED_STEPS = 3

/** ‖a − b‖ / ‖a − start‖: Adam divides small gradients by their own size, rounding included. */
const MOST_DISTANCE = 1e-3

const ROUNDS = 5

export interface SparseResult {
  readonly job: typeof sparseJob
  readonly threads: number
  /** Samples/s, the median of the rounds. */
  readonly layerwise: number
  readonly pytorch?: number
  /** Of the rounds, layerwise over PyTorch: the median. */
  readonly ratio?: number
  /** How far the parameters are apart after some steps, relative to how far they have come. */
  readonly distance?: number
  /** The most memory of each process, in MiB. */
  readonly memory: { readonly layerwise: number; readonly pytorch?: number }
  readonly versions?: Readonly<Record<string, unknown>>
}

/** Words by Zipf's law: column j is drawn with a probability that falls as 1 / (j + 20); counts are within 0 and 1. */
export function bagOfWords(rows: number, cols: number, share: number): SparseMatrix {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const span = Math.log((cols + 20) / 20)
  const perRow = Math.round(cols * share)
  const [indptr, indices, values] = [[0], [] as number[], [] as number[]]
  for (let i = 0; i < rows; i++) {
    const words = new Set<number>()
    while (words.size < perRow) words.add(Math.min(cols - 1, Math.floor(20 * Math.exp(random() * span) - 20)))
    for (const word of [...words].sort((a, b) => a - b)) {
      indices.push(word)
      values.push(0.25 + 0.75 * random())
    }
    indptr.push(indices.length)
  }
  return SparseMatrix.from({
    ...{ indptr, indices: Uint32Array.from(indices), values: Float32Array.from(values), rows, cols },
  })
}

/** Measures both in processes of their own, in turns; `seconds` for all turns together. */
export async function measureSparse(seconds: number, threads: number): Promise<SparseResult> {
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-sparse-'))
  const side = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const peers: Peer[] = []
  try {
    writeJob(folder)
    const tsx = fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url))
    const own = await Peer.start([process.execPath, tsx, side('./sparse-side.ts'), folder], threads)
    peers.push(own.peer)
    const python = join(installed, 'venv', 'bin', 'python')
    const other = existsSync(python)
      ? await Peer.start([python, side('./sparse_side.py'), folder], threads)
      : undefined
    if (other === undefined) console.error('bench: without PyTorch: npm run bench:peers -- --setup')
    else peers.push(other.peer)
    for (const peer of peers) await peer.ask('prove', { steps: PROVED_STEPS })
    const distance = other && provedDistance(folder)
    if (distance !== undefined && distance > MOST_DISTANCE) {
      throw new Error(`the two do not take the same steps: their parameters are ${distance} apart`)
    }
    const window = seconds / (ROUNDS * peers.length)
    const rates = peers.map(() => [] as number[])
    for (let round = 0; round < ROUNDS; round++) {
      for (const [k, peer] of peers.entries()) {
        const { samplesPerSecond } = await peer.ask<{ samplesPerSecond: number }>('train', {
          seconds: window,
        })
        rates[k]!.push(samplesPerSecond)
      }
    }
    const memory: number[] = []
    for (const peer of peers) memory.push((await peer.ask<{ mebibytes: number }>('memory')).mebibytes)
    const common = { job: sparseJob, threads, layerwise: quantile(rates[0]!, 0.5) }
    if (other === undefined) return { ...common, memory: { layerwise: memory[0]! } }
    return {
      ...common,
      pytorch: quantile(rates[1]!, 0.5),
      ratio: quantile(ratios(rates[0]!, rates[1]!), 0.5),
      distance: distance!,
      memory: { layerwise: memory[0]!, pytorch: memory[1]! },
      versions: other.versions,
    }
  } finally {
    for (const peer of peers) peer.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function writeJob(folder: string): void {
  const { rows, inputs, hidden, share } = sparseJob
  const x = bagOfWords(rows, inputs, share)
  const start = new SparseAutoencoder({ inputs, hidden, sparsity: { kind: 'none' }, weightDecay: 0 })
  writeFileSync(join(folder, 'job.json'), JSON.stringify(sparseJob))
  writeFileSync(join(folder, 'indptr.u32'), x.indptr)
  writeFileSync(join(folder, 'indices.u32'), x.indices)
  writeFileSync(join(folder, 'values.f32'), x.values)
  writeFileSync(join(folder, 'theta.f32'), start.parameters())
}

function provedDistance(folder: string): number {
  const read = (name: string) => {
    const bytes = readFileSync(join(folder, name))
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  }
  const [start, own, other] = ['theta.f32', 'theta_layerwise.f32', 'theta_pytorch.f32'].map(read)
  let [apart, moved] = [0, 0]
  for (let p = 0; p < start!.length; p++) {
    apart += (own![p]! - other![p]!) ** 2
    moved += (own![p]! - start![p]!) ** 2
  }
  return Math.sqrt(apart / moved)
}

export function sparseText({ job, threads, layerwise, memory, ...other }: SparseResult): string {
  const { rows, inputs, hidden, batchSize, share } = job
  const line = (name: string, rate: number, mebibytes: number) =>
    `  ${name.padEnd(10)} ${Math.round(rate).toLocaleString('en').padStart(8)} samples/s, ${Math.round(mebibytes)} MiB at most`
  const lines = [
    `sparse: ${rows} × ${inputs} rows, ${share * 100}% of them not 0, ${hidden} units, batches of ${batchSize}, ${threads} threads`,
    line('layerwise', layerwise, memory.layerwise),
  ]
  if (other.pytorch === undefined) return lines.join('\n')
  return [
    ...lines,
    line('PyTorch', other.pytorch, memory.pytorch!),
    `  ${other.ratio!.toFixed(2)} times PyTorch; after ${PROVED_STEPS} steps the parameters are ${other.distance!.toExponential(1)} of their way apart`,
    `  ${JSON.stringify(other.versions)}`,
  ].join('\n')
}
