import { freemem } from 'node:os'
import type { Limits } from '../measuring/limits.js'
import { type Summary, summary } from '../measuring/statistics.js'
import { type Growth, growth } from './growth.js'
import { Subject } from './subject.js'
import { flops, leastMemory, type Sweep, type SweepSeries, type Work } from './sweeps.js'

export interface Effort {
  readonly rounds: number
  /** Of one window. */
  readonly seconds: number
}

/** One size of a series. */
export interface Point {
  readonly at: number
  /** A call or a sample; the least is the best. */
  readonly seconds: Summary
  /** What the matrix products take at the sgemm rate. */
  readonly limit: number
  /** Limit over the best time. */
  readonly share: number
  /** Bytes at the peak of a first run, beyond the process with its rows. */
  readonly memory?: number
  /** Bytes it cannot do without. */
  readonly leastMemory: number
}

export interface SeriesResult {
  readonly label: string
  readonly points: readonly Point[]
  /** Of the best times. */
  readonly growth: Growth
}

export interface SweepResult {
  readonly name: string
  readonly varies: string
  readonly fixed: string
  readonly unit: Sweep['unit']
  /** GFLOP/s of 2048³ sgemm, by the number of threads. */
  readonly sgemm: readonly { readonly threads: number; readonly rate: Summary }[]
  readonly series: readonly SeriesResult[]
  /** Sizes left out, since this machine has too little memory free. */
  readonly omitted: readonly number[]
}

/** Rows of all processes of a sweep, copies and results may take this share of the free memory. */
const SHARE_OF_MEMORY = 0.1

/** Points after which sgemm has its turn, too. */
const SGEMM_EVERY = 3

/** All series of a sweep, one after the other. */
export async function measureSweep(
  sweep: Sweep,
  values: readonly number[],
  limits: Limits,
  effort: Effort,
): Promise<SweepResult> {
  const { name, varies, fixed, unit } = sweep
  const rates = new Map<number, number[]>()
  const fits = values.filter((value) => sweep.series.every(({ work }) => fitsMemory(work(value))))
  const timed = []
  for (const series of sweep.series) timed.push(await measureSeries(series, fits, rates, limits, effort))
  const sgemm = [...rates].map(([threads, values]) => ({ threads, rate: summary(values) }))
  const best = new Map(sgemm.map(({ threads, rate }) => [threads, rate.best]))
  return {
    ...{ name, varies, fixed, unit, sgemm },
    series: timed.map(({ label, points }) => seriesResult(label, points, best)),
    omitted: values.filter((value) => !fits.includes(value)),
  }
}

interface Timed {
  readonly at: number
  readonly work: Work
  readonly memory: number | undefined
  readonly times: number[]
}

/** Rounds in which all points and sgemm take turns, every second one the other way round. */
async function measureSeries(
  { label, work }: SweepSeries,
  values: readonly number[],
  rates: Map<number, number[]>,
  limits: Limits,
  { rounds, seconds }: Effort,
): Promise<{ label: string; points: Timed[] }> {
  const subjects: Subject[] = []
  try {
    const points: Timed[] = []
    const turns: (() => Promise<unknown>)[] = []
    for (const at of values) {
      const subject = new Subject(work(at))
      subjects.push(subject)
      const point: Timed = { at, work: work(at), memory: await subject.open(), times: [] }
      points.push(point)
      turns.push(async () => point.times.push(await subject.window(seconds)))
      const { threads } = point.work
      const next = values[points.length]
      if (points.length % SGEMM_EVERY > 0 && next !== undefined && work(next).threads === threads) continue
      const measured = rates.get(threads) ?? []
      rates.set(threads, measured)
      turns.push(async () => measured.push(await limits.limit(threads, seconds)))
    }
    for (let round = 0; round < rounds; round++) {
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn()
    }
    return { label, points }
  } finally {
    for (const subject of subjects) subject.close()
  }
}

function seriesResult(label: string, timed: readonly Timed[], rates: Map<number, number>): SeriesResult {
  const points = timed.map(({ at, work, memory, times }): Point => {
    const seconds = summary(times, 'less')
    const limit = flops(work) / (1e9 * rates.get(work.threads)!)
    return {
      ...{ at, seconds, limit, share: limit / seconds.best },
      ...(memory !== undefined && { memory }),
      leastMemory: leastMemory(work),
    }
  })
  const grown = growth(
    points.map(({ at }) => at),
    points.map(({ seconds }) => seconds.best),
    timed.map(({ work }) => flops(work) / work.threads),
  )
  return { label, points, growth: grown }
}

function fitsMemory({ rows, widths }: Work): boolean {
  return rows * widths[0]! < SHARE_OF_MEMORY * freemem()
}
