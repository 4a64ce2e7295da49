import type { CaseRows } from '../measuring/data.js'

/** One sparse autoencoder in training: sigmoid, squared loss, KL with the moving mean, Adam at a constant rate. */
export interface TrainingCase {
  readonly name: string
  readonly rows: CaseRows
  readonly inputs: number
  readonly hidden: number
  readonly batchSize: number
  /** ρ, β and λ of the cost. */
  readonly target: number
  readonly weight: number
  readonly weightDecay: number
  readonly learningRate: number
}

const digits = {
  rows: 'digits',
  inputs: 784,
  target: 0.1,
  weight: 3,
  weightDecay: 3e-3,
  learningRate: 1e-3,
} as const
const patches = {
  rows: 'patches',
  inputs: 64,
  hidden: 25,
  target: 0.01,
  weight: 3,
  weightDecay: 1e-4,
  learningRate: 1e-3,
} as const

export const trainingCases: readonly TrainingCase[] = [
  { name: 'digits', ...digits, hidden: 196, batchSize: 256 },
  { name: 'digits1k', ...digits, hidden: 1000, batchSize: 1000 },
  { name: 'patches', ...patches, batchSize: 10_000 },
  { name: 'small', ...patches, batchSize: 32 },
]

/** One row at a time through the encoder. */
export const encodeCase = {
  name: 'encode',
  shapes: [
    { inputs: 784, hidden: 196 },
    { inputs: 784, hidden: 1000 },
  ],
} as const

/** All principal components of the digits; verified with some of them. */
export const pcaCase = { name: 'pca', components: 30 } as const

/** Latency of a process while it trains. */
export const serverCase = { name: 'server' } as const

/** Every way of making a layer's products; not a case of `all`. */
export const productsName = 'products'

export const caseNames: readonly string[] = [
  ...trainingCases.map(({ name }) => name),
  encodeCase.name,
  pcaCase.name,
  serverCase.name,
]

/** How long and on how many threads to measure. */
export interface Effort {
  /** All windows of a case together. */
  readonly seconds: number
  /** The most threads offered. */
  readonly threads: number
}
