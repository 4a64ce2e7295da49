import type { Environment } from '../measuring/environment.js'
import type { Summary } from '../measuring/statistics.js'
import { type Figure, isMet } from '../server/figure.js'
import type { ServerResult } from '../server/server.js'
import type { CaseResult } from './case.js'
import type { TrainingCase } from './cases.js'
import type { CrossingResult } from './crossing.js'
import type { EncodeResult } from './encode.js'
import type { PcaResult } from './pca.js'
import type { ThreadsResult, TrainingResult } from './training.js'

/** All that `--json` prints. */
export interface Report {
  readonly environment: Environment
  readonly cases: readonly CaseResult[]
}

/** The report in plain text. `docs/benchmarks.md` defines every figure. */
export function reportText({ environment, cases }: Report): string {
  const parts = cases.map((result) => {
    if (result.kind === 'training') return trainingText(result)
    if (result.kind === 'server') return serverText(result)
    return result.kind === 'encode' ? encodeText(result) : pcaText(result)
  })
  return [environmentText(environment), ...parts].join('\n\n')
}

export function environmentText(e: Environment): string {
  return [
    `layerwise ${e.version} · commit ${e.commit} · ${e.date}`,
    `${e.cpu} · ${e.processors} processors · load ${e.load.toFixed(2)} before the first case`,
    `Node ${e.node} · OpenBLAS ${e.openblas}, kernel ${e.kernel} · vectors ${e.vectors}`,
  ].join('\n')
}

function trainingText({
  case: of,
  data,
  verified: v,
  rounds,
  windowSeconds,
  byThreads,
  scaling,
  crossing,
}: TrainingResult) {
  const lines = [
    title(of),
    `  ${count(data.rows)} rows, ${data.source}, ${data.storage} in memory; ${rounds} rounds of windows of ${windowSeconds.toFixed(2)} s`,
    `  verified: ${v.cost.toExponential(1)} (cost) and ${v.gradient.toExponential(1)} (gradient) from the oracle; ` +
      `cost ${v.before.toPrecision(4)} → ${v.after.toPrecision(4)} in ${v.steps} steps`,
    ...table(byThreads),
  ]
  const least = byThreads[0]!.used
  const most = byThreads.at(-1)!
  if (scaling) lines.push(`  scaling ${least} → ${most.used} threads: ${ratio(scaling)}`)
  else if (most.offered > most.used) lines.push(`  uses ${most.used} of ${most.offered} threads`)
  return [...lines, ...crossingLines(crossing)].join('\n')
}

function crossingLines({ used, starts, turns, ...of }: CrossingResult): string[] {
  const figures: readonly [string, string][] = [
    ['fit, samples/s', spread(of.fit, count)],
    ['in C++, samples/s', spread(of.native, count)],
    ['from Node against C++', ratio(of.share)],
    ['C++ against itself', ratio(of.nativeTwice)],
  ]
  return [
    `  from Node and in C++, ${used === 1 ? '1 thread' : `${used} threads`}: ${starts} start${starts === 1 ? '' : 's'}, ${turns} turns of each`,
    ...figures.map(([name, text]) => `  ${name.padEnd(31)}${text}`),
  ]
}

function title({ name, inputs, hidden, batchSize, target, weight, weightDecay, learningRate }: TrainingCase) {
  return (
    `${name}: ${inputs}-${hidden}-${inputs} sigmoid, squared loss, batch ${count(batchSize)}, Adam ${learningRate}, ` +
    `KL ρ ${target} β ${weight} (moving mean), λ ${weightDecay}`
  )
}

const figures: readonly [string, (of: ThreadsResult) => string][] = [
  ['samples/s, best', (of) => count(of.samplesPerSecond.best)],
  ['samples/s, median', (of) => spread(of.samplesPerSecond, count)],
  ['milliseconds a step', (of) => (1000 * of.secondsPerStep).toPrecision(3)],
  ['gemm GFLOP/s', (of) => spread(of.products, gflops)],
  ['2048³ sgemm, GFLOP/s', (of) => spread(of.limit, gflops)],
  ['own gemm calls alone, GFLOP/s', (of) => spread(of.plan, gflops)],
  ['share of 2048³ sgemm', (of) => ratio(of.shareOfLimit)],
  ['share of own gemm calls', (of) => ratio(of.shareOfPlan)],
  ['own gemm calls of 2048³', (of) => ratio(of.planShareOfLimit)],
]

function table(byThreads: readonly ThreadsResult[]): string[] {
  const head = ['', ...byThreads.map(({ used }) => (used === 1 ? '1 thread' : `${used} threads`))]
  const rows = figures.map(([name, text]) => [name, ...byThreads.map(text)])
  return [head, ...rows].map((cells) =>
    `  ${cells.map((cell, i) => cell.padEnd(i === 0 ? 31 : 34)).join('')}`.trimEnd(),
  )
}

function encodeText({ data, rounds, windowSeconds, shapes }: EncodeResult): string {
  return [
    `encode: encodeSync of one row, ${data.source}, ${data.storage}; ${rounds} rounds of windows of ${windowSeconds.toFixed(2)} s`,
    ...shapes.map(
      ({ inputs, hidden, verified, calls, p50, p99 }) =>
        `  ${inputs}-${hidden}`.padEnd(12) +
        `p50 ${spread(p50, micro)} µs · p99 ${spread(p99, micro)} µs · ${count(calls)} calls, ` +
        `activations ${verified.toExponential(1)} from the oracle`,
    ),
  ].join('\n')
}

function pcaText({ data, threads, rounds, verified, seconds, peers }: PcaResult): string {
  const line = (name: string, figures: string) => `  ${name.padEnd(24)}${figures}`
  const others = peers.map(({ name, version, seconds: theirs, times, distance }) =>
    line(
      `${name} ${version}`,
      `${spread(theirs, fine)} s · ${ratio(times)} times as long · variances ${distance.toExponential(1)} apart`,
    ),
  )
  return [
    `pca: all ${data.columns} components of ${count(data.rows)} rows, ${data.source}, ${data.storage}; ${threads} threads, ${rounds} round${rounds === 1 ? '' : 's'}`,
    `  verified: error and variance left out ${verified.toExponential(1)} apart`,
    line('Pca.fit', `${spread(seconds, fine)} s`),
    ...(others.length > 0
      ? others
      : ['  no Python with numpy to compare with (PYTHON names another than python3)']),
  ].join('\n')
}

function serverText({ figures }: ServerResult): string {
  const goalText = (of: Figure) => {
    if (of.goal === undefined) return ''
    const wanted = 'atLeast' in of.goal ? `at least ${of.goal.atLeast}` : `at most ${of.goal.atMost}`
    return `goal: ${wanted}${isMet(of) ? '' : ', MISSED'}`
  }
  const lines = figures.map((of) => {
    const value = of.value.values.length === 1 ? fine(of.value.median) : spread(of.value, fine)
    return `  ${of.name.padEnd(80)}${`${value} ${of.unit}`.padEnd(28)}${goalText(of)}`.trimEnd()
  })
  return ['server: how a process answers while it trains 784-196-784', ...lines].join('\n')
}

/** Median, and in brackets the least and the greatest. */
function spread({ median, range: [least, greatest] }: Summary, text: (value: number) => string): string {
  return `${text(median)} (${text(least)}–${text(greatest)})`
}

const ratio = (value: Summary) => spread(value, (one) => one.toFixed(2))
const count = (value: number) => Math.round(value).toLocaleString('en-US')
const gflops = (value: number) => value.toFixed(1)
const fine = (value: number) => value.toFixed(2)
const micro = (value: number) => value.toFixed(1)
