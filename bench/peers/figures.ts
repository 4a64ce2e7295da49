import type { Summary } from '../measuring/statistics.js'

/** What a figure has to reach. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number }

/** One figure of a job, over its rounds. */
export interface Figure {
  readonly label: string
  readonly unit: 'samples/s' | 'GFLOP/s' | 'GB/s' | 'MiB' | 's' | 'ms' | 'µs' | 'ratio' | 'cost'
  readonly values: Summary
  readonly goal?: Goal
}

/** What a job gave. */
export interface JobResult {
  readonly job: string
  /** What was done, in words. */
  readonly title: string
  /** How it was shown that all do the same work. */
  readonly proof: readonly string[]
  /** Versions and settings of the peers. */
  readonly peers: Readonly<Record<string, unknown>>
  readonly rounds: number
  /** Rounds that were discarded because other processes used the machine. */
  readonly repeated: number
  readonly windowSeconds: number
  readonly figures: readonly Figure[]
}

/** Whether the median reaches it. */
export function reached(goal: Goal, { median }: Summary): boolean {
  return 'atLeast' in goal ? median >= goal.atLeast : median <= goal.atMost
}

const digits: Record<Figure['unit'], (value: number) => string> = {
  'samples/s': (value) => Math.round(value).toLocaleString('en-US'),
  'GFLOP/s': (value) => value.toFixed(1),
  'GB/s': (value) => value.toFixed(1),
  MiB: (value) => value.toFixed(0),
  s: (value) => value.toFixed(2),
  ms: (value) => value.toFixed(1),
  µs: (value) => value.toFixed(1),
  ratio: (value) => value.toFixed(value < 9.995 ? 2 : 1),
  cost: (value) => value.toFixed(4),
}

const HEAD = ['job', 'figure', 'unit', 'best', 'median', 'least–greatest', 'goal', '']

/** One row a figure, aligned by spaces. */
export function table(results: readonly JobResult[]): string {
  const rows = results.flatMap(({ job, figures }) =>
    figures.map(({ label, unit, values, goal }) => {
      const text = digits[unit]
      const [least, greatest] = values.range
      return [
        job,
        label,
        unit === 'ratio' ? '' : unit,
        text(values.best),
        text(values.median),
        `${text(least)}–${text(greatest)}`,
        goal ? goalText(goal) : '',
        goal ? (reached(goal, values) ? 'reached' : 'missed') : '',
      ]
    }),
  )
  const all = [HEAD, ...rows]
  const widths = HEAD.map((_, i) => Math.max(...all.map((cells) => cells[i]!.length)))
  return all
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function goalText(goal: Goal): string {
  return 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`
}
