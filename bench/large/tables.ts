import type { CorrelatedOptions } from '../synthetic/correlated.js'
import type { DeformedOptions } from '../synthetic/deformed-digits.js'
import type { Table } from '../synthetic/made-once.js'

/** A sparse autoencoder of one hidden layer that is trained on a table. */
export interface Shape {
  readonly hidden: number
  readonly batchSize: number
  /** ρ, β and λ. */
  readonly target: number
  readonly weight: number
  readonly weightDecay: number
}

/** A large data set with the shapes that are trained on it. */
export interface LargeTable extends Table {
  /** Unless told otherwise. */
  readonly rows: number
  readonly shapes: readonly Shape[]
  /** Whether its principal components are found too. */
  readonly pca?: true
}

const module = (name: string) => new URL(`../synthetic/${name}.ts`, import.meta.url).href
const deformed = (options: DeformedOptions) => ({ module: module('deformed-digits'), options })
const correlated = (options: CorrelatedOptions) => ({ module: module('correlated'), options })

const DIGITS = { target: 0.1, weight: 3, weightDecay: 3e-3 }
const NARROW = { target: 0.1, weight: 0.3, weightDecay: 1e-4 }
const PATCHES = { cols: 64, rows: 10_000_000, shapes: [{ ...NARROW, hidden: 25, batchSize: 10_000 }] }

export const largeTables: readonly LargeTable[] = [
  {
    name: 'digits',
    maker: deformed({}),
    cols: 784,
    type: 'uint8',
    scale: 1 / 255,
    rows: 8_100_000,
    pca: true,
    shapes: [
      { ...DIGITS, hidden: 196, batchSize: 256 },
      { ...DIGITS, hidden: 1000, batchSize: 1000 },
    ],
  },
  {
    name: 'higgs',
    maker: correlated({ cols: 28, factors: 8 }),
    cols: 28,
    type: 'float32',
    rows: 10_500_000,
    shapes: [{ ...NARROW, hidden: 14, batchSize: 1000 }],
  },
  { ...PATCHES, name: 'patches', type: 'float32', maker: correlated({ cols: 64, factors: 12 }) },
  {
    ...PATCHES,
    name: 'patches8',
    type: 'uint8',
    scale: 1 / 255,
    maker: correlated({ cols: 64, factors: 12, type: 'uint8' }),
  },
  {
    name: 'activations',
    maker: correlated({ cols: 1536, factors: 64 }),
    cols: 1536,
    type: 'float16',
    rows: 1_000_000,
    pca: true,
    shapes: [{ ...NARROW, hidden: 384, batchSize: 256 }],
  },
]
