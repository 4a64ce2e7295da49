import { evaluationFlopsPerRow } from '../measuring/flops.js'

/**
 * What one process measures at one point of a sweep.
 *
 * `encode`: `encode` of all rows, timed as a whole; `epoch`: `fit` of one epoch, timed as a whole; `train`: training within `fit`, and
 * `fineTune` that within `fineTune` of a stack, both by the sample.
 */
export interface Work {
  readonly kind: 'encode' | 'epoch' | 'train' | 'fineTune'
  /** Of the input and of each hidden layer. */
  readonly widths: readonly number[]
  readonly batchSize: number
  readonly rows: number
  readonly threads: number
}

/** One curve of a sweep. */
export interface SweepSeries {
  readonly label: string
  readonly work: (value: number) => Work
}

export interface Sweep {
  readonly name: string
  /** What grows. */
  readonly varies: string
  /** All else. */
  readonly fixed: string
  /** What a time is taken of. */
  readonly unit: 'call' | 'sample'
  readonly series: readonly SweepSeries[]
  readonly values: readonly number[]
  /** Fewer and smaller values, for a run of some seconds. */
  readonly quick: readonly number[]
}

/** All sweeps, on up to this many threads. */
export function sweeps(threads: number): readonly Sweep[] {
  const digits: Work = { kind: 'train', widths: [784, 196], batchSize: 256, rows: 16_384, threads }
  const shape = '784-196-784, batch 256'
  return [
    {
      name: 'rows',
      varies: 'rows',
      fixed: shape,
      unit: 'call',
      series: [
        { label: 'fit, one epoch', work: (rows) => ({ ...digits, kind: 'epoch', rows }) },
        { label: 'encode', work: (rows) => ({ ...digits, kind: 'encode', rows }) },
      ],
      values: [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
      quick: [1000, 10_000],
    },
    {
      name: 'hidden',
      varies: 'hidden units',
      fixed: '784 inputs, batch 256',
      unit: 'sample',
      series: [{ label: 'fit', work: (hidden) => ({ ...digits, widths: [784, hidden] }) }],
      values: doublings(16, 16_384),
      quick: [16, 256],
    },
    {
      name: 'inputs',
      varies: 'inputs',
      fixed: '196 hidden units, batch 256',
      unit: 'sample',
      series: [
        {
          label: 'fit',
          work: (inputs) => ({ ...digits, widths: [inputs, 196], rows: Math.min(16_384, 2 ** 26 / inputs) }),
        },
      ],
      values: doublings(16, 16_384),
      quick: [16, 256],
    },
    {
      name: 'batch',
      varies: 'rows a batch',
      fixed: '784-196-784',
      unit: 'sample',
      series: [{ label: 'fit', work: (batchSize) => ({ ...digits, batchSize, rows: 65_536 }) }],
      values: doublings(1, 16_384),
      quick: [1, 256],
    },
    {
      name: 'layers',
      varies: 'layers that encode',
      fixed: 'all 256 wide, unrolled, batch 256',
      unit: 'sample',
      series: [
        {
          label: 'fineTune',
          work: (layers) => ({ ...digits, kind: 'fineTune', widths: Array(layers + 1).fill(256) }),
        },
      ],
      values: [1, 2, 3, 4, 5, 6, 7, 8],
      quick: [1, 4],
    },
    {
      name: 'threads',
      varies: 'threads',
      fixed: '784-1000-784, batch 1,000',
      unit: 'sample',
      series: [
        {
          label: 'fit',
          work: (count) => ({ ...digits, widths: [784, 1000], batchSize: 1000, threads: count }),
        },
      ],
      values: threadCounts(threads),
      quick: threadCounts(threads),
    },
  ]
}

/** Floating-point operations of the matrix products in what is timed: in one call, or for one sample. */
export function flops({ kind, widths, rows }: Work): number {
  if (kind === 'encode') return 2 * rows * widths[0]! * widths[1]!
  const unrolled = [...widths, ...widths.toReversed().slice(1)]
  return evaluationFlopsPerRow(unrolled) * (kind === 'epoch' ? rows : 1)
}

/** Numbers that are trained: weights and biases of the unrolled network. */
export function parameters({ widths }: Work): number {
  const pairs = widths.slice(1).map((upper, l) => [widths[l]!, upper] as const)
  return pairs.reduce((sum, [lower, upper]) => sum + 2 * lower * upper + lower + upper, 0)
}

/**
 * Bytes that no way of computing it can do without: the codes that `encode` returns; in training the parameters and Adam's two means,
 * float32.
 */
export function leastMemory(work: Work): number {
  return work.kind === 'encode' ? 4 * work.rows * work.widths[1]! : 12 * parameters(work)
}

function doublings(from: number, to: number): number[] {
  return Array.from({ length: Math.log2(to / from) + 1 }, (_, i) => from * 2 ** i)
}

/** 1, 2, 4, … and the most. */
export function threadCounts(most: number): number[] {
  const powers = doublings(1, 2 ** Math.floor(Math.log2(most)))
  return powers.at(-1) === most ? powers : [...powers, most]
}
