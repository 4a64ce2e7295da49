import type { Environment } from '../measuring/environment.js'
import type { Growth } from './growth.js'
import type { Point, SeriesResult, SweepResult } from './measure.js'
import { type Line, loglog } from './picture.js'

/** A sweep, with where and when it was measured. */
export interface SweepRecord extends SweepResult {
  readonly environment: Environment
}

const MEBIBYTE = 2 ** 20
const COLOURS = ['#0072b2', '#d55e00'] as const

/** For a terminal: every point. */
export function reportText(record: SweepRecord): string {
  const { name, varies, fixed, series, omitted } = record
  return [
    `${name}: how time and memory grow with ${varies}; ${fixed}`,
    ...series.flatMap((one) => [...table(record, one), `  ${growthText(one.growth)}`]),
    ...(omitted.length > 0 ? [`  left out, too little memory free: ${omitted.map(count).join(', ')}`] : []),
    sgemmText(record),
  ].join('\n')
}

function table({ varies, unit }: SweepRecord, { label, points, growth }: SeriesResult): string[] {
  const time = unit === 'call' ? 'ms a call' : 'µs a sample'
  const head = [`${label}: ${varies}`, time, 'median', 'limit', 'share', 'beside linear', 'MiB', 'MiB least']
  const scale = unit === 'call' ? 1e3 : 1e6
  const rows = points.map(({ at, seconds, limit, share, memory, leastMemory }, i) => [
    count(at),
    ...[seconds.best, seconds.median, limit].map((value) => (scale * value).toPrecision(3)),
    share.toFixed(2),
    percent(growth.beside[i]!),
    memory === undefined ? '' : mebibytes(memory),
    mebibytes(leastMemory),
  ])
  return [head, ...rows].map((cells) =>
    `  ${cells.map((cell, k) => (k === 0 ? cell.padEnd(30) : cell.padStart(k === 5 ? 15 : 11))).join('')}`.trimEnd(),
  )
}

export function growthText({ over, slope, workSlope, deviations }: Growth): string {
  const named = deviations.map(({ at, by }) => `${count(at)} (${percent(by)})`)
  return (
    `slope ${slope.toFixed(2)} over ${count(over[0])} to ${count(over[1])}, of the work ${workSlope.toFixed(2)}; ` +
    (named.length === 0 ? 'all within 20% of linear' : `over 20% from linear: ${named.join(', ')}`)
  )
}

function sgemmText({ sgemm }: SweepRecord): string {
  const rates = sgemm.map(({ threads, rate: { best, median } }) => {
    return `${best.toFixed(0)} GFLOP/s (median ${median.toFixed(0)}) on ${threads} ${threads === 1 ? 'thread' : 'threads'}`
  })
  return `  2048³ sgemm: ${rates.join(', ')}`
}

/** Time and memory side by side. */
export function pictureOf(record: SweepRecord): string {
  const { name, varies, fixed, unit, series, environment: e } = record
  const time = series.flatMap((one, i): Line[] => {
    const colour = COLOURS[i]!
    const marked = one.growth.deviations.map(({ at }) => at)
    return [
      { label: one.label, colour, points: along(one, ({ seconds }) => seconds.best), marked },
      { label: 'sgemm limit', colour, points: along(one, ({ limit }) => limit), dashed: true },
    ]
  })
  const memory = series.flatMap((one, i): Line[] => {
    const colour = COLOURS[i]!
    const measured = one.points.some((point) => point.memory !== undefined)
    return [
      ...(measured
        ? [{ label: one.label, colour, points: along(one, (point) => point.memory! / MEBIBYTE) }]
        : []),
      {
        label: 'at least',
        colour,
        points: along(one, (point) => point.leastMemory / MEBIBYTE),
        dashed: true,
      },
    ]
  })
  const seconds = unit === 'call' ? 'seconds a call' : 'seconds a sample'
  return loglog(
    `Time and memory by ${varies}`,
    [
      { title: `Time: ${fixed}`, xLabel: varies, yLabel: seconds, lines: time },
      { title: 'Memory beyond the rows', xLabel: varies, yLabel: 'MiB at the peak', lines: memory },
    ],
    [
      'Dashed: the matrix products at the rate of 2048³ sgemm; the bytes it cannot do without. A ring: over 20% from linear.',
      `npm run bench:scaling -- ${name}: ${machine(e)}, ${e.date.slice(0, 10)}, commit ${e.commit}`,
    ],
  )
}

function along({ points }: SeriesResult, cost: (point: Point) => number): [number, number][] {
  return points.map((point) => [point.at, cost(point)])
}

const MARKS = ['<!-- bench:scaling -->', '<!-- /bench:scaling -->'] as const

/** A document with the table of all sweeps, and their pictures, between the two comments that mark its place. */
export function withTable(document: string, records: readonly SweepRecord[]): string {
  const [begin, end] = MARKS.map((mark) => document.indexOf(mark)) as [number, number]
  if (begin < 0 || end < begin) throw new Error(`no place marked ${MARKS.join(' … ')}`)
  const rows = records.flatMap(({ varies, fixed, series }) =>
    series.map(({ label, growth: { over, slope, workSlope, deviations }, points }) => {
      const last = points.at(-1)!
      return [
        `${varies} (${fixed}), ${label}`,
        `${count(points[0]!.at)} to ${count(last.at)}`,
        `${slope.toFixed(2)}, work ${workSlope.toFixed(2)} (from ${count(over[0])})`,
        [points[0]!, last].map(({ share }) => percentage(share)).join(' → '),
        last.memory === undefined ? '' : `${mebibytes(last.memory)} (${mebibytes(last.leastMemory)})`,
        deviations.map(({ at, by }) => `${count(at)}: ${percent(by)}`).join('; ') || 'none',
      ]
    }),
  )
  const head = [
    'growing, and what is timed',
    'sizes',
    'slope',
    'share of sgemm',
    'MiB at the end (at least)',
    'over 20% from linear',
  ]
  const lines = [head, head.map((_, k) => (k === 0 || k === 5 ? '---' : '---:')), ...rows]
  const pictures = records.map(
    ({ name, varies }) => `![Time and memory by ${varies}](pictures/scaling-${name}.svg)\n`,
  )
  const sources = new Set(
    records.map(({ environment: e }) => `${machine(e)}, ${e.date.slice(0, 10)}, commit ${e.commit}`),
  )
  const text = [
    ...lines.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    `Measured on: ${[...sources].join('; ')}.`,
    '',
    ...pictures,
  ]
  return `${document.slice(0, begin + MARKS[0].length)}\n${text.join('\n')}${document.slice(end)}`
}

function machine({ cpu, processors }: Environment): string {
  return `${cpu}, ${processors} ${processors === 1 ? 'processor' : 'processors'}`
}

const count = (value: number) => value.toLocaleString('en-US')
const mebibytes = (bytes: number) => (bytes / MEBIBYTE).toPrecision(3)
const percent = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(0)}%`
const percentage = (share: number) => `${(100 * share).toFixed(0)}%`
