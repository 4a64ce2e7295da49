import type { Cell } from './cells.js'
import {
  type ColumnPlan,
  type EncodedColumn,
  limited,
  type Surprise,
  type TableValue,
} from './encoded-column.js'

/** What was found about a column of numbers or dates. */
export interface NumberFit {
  readonly name: string
  readonly isDate: boolean
  /** With a unit the column is sign(x) · log(1 + |x| / unit), before it is centred. */
  readonly unit?: number | undefined
  /** Absent where it is constant. */
  readonly scaling?: NumberScaling | undefined
  /** The value of a constant column; absent where all values are missing. */
  readonly constant?: number | undefined
  /** The means of sine and cosine of each cycle that is not constant. */
  readonly cycles: readonly CycleFit[]
  /** Whether values are missing in some rows, not in all. */
  readonly hasMissing: boolean
}

/** (x − center) / spread, and what stands for missing values: the mean or median, so 0, unless the numbers are not scaled. */
export interface NumberScaling {
  readonly center: number
  readonly spread: number
  readonly fill: number
}

/** A part of a cycle that is not constant, and its mean, which stands for missing dates. */
export interface CycleFit {
  readonly cycle: Cycle
  readonly part: 'sine' | 'cosine'
  readonly mean: number
}

/** What repeats in dates, in UTC. */
export type Cycle = 'day' | 'week' | 'year'

const DAY = 86_400_000
/** Mean length of a year of the Gregorian calendar. */
const YEAR = 365.2425 * DAY
/** 1970-01-01 was a Thursday: weeks begin on the Monday before it. */
const PERIODS: Readonly<Record<Cycle, readonly [length: number, start: number]>> = {
  day: [DAY, 0],
  week: [7 * DAY, -3 * DAY],
  year: [YEAR, 0],
}

/** All parts of cycles, in the order of their columns. */
export const CYCLE_PARTS = (['day', 'week', 'year'] as const).flatMap((cycle) =>
  (['sine', 'cosine'] as const).map((part) => ({ cycle, part })),
)

/** Where a time lies within a cycle, as a sine or cosine. */
export function cycleOf(time: number, cycle: Cycle, part: 'sine' | 'cosine'): number {
  const [length, start] = PERIODS[cycle]
  const share = (time - start) / length
  const angle = 2 * Math.PI * (share - Math.floor(share))
  return part === 'sine' ? Math.sin(angle) : Math.cos(angle)
}

/** sign(x) · log(1 + |x| / unit). */
export function logOf(value: number, unit: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value) / unit)
}

/** Numbers and dates, encoded as {@link NumberFit} says. */
export class NumberPlan implements ColumnPlan {
  readonly name: string
  readonly cells = 'number'
  readonly columns: readonly EncodedColumn[]
  readonly fit: NumberFit

  constructor(fit: NumberFit) {
    const { name: column, scaling, cycles, hasMissing } = fit
    this.name = column
    this.fit = fit
    this.columns = [
      ...(scaling === undefined ? [] : [{ name: column, column, kind: 'number' as const }]),
      ...cycles.map(({ cycle, part }) => ({
        name: `${column} (${cycle}, ${part})`,
        column,
        kind: 'cycle' as const,
      })),
      ...(hasMissing ? [{ name: `${column} (missing)`, column, kind: 'missing' as const }] : []),
    ]
  }

  get reason(): string | undefined {
    if (this.columns.length > 0) return undefined
    const { constant, isDate } = this.fit
    if (constant === undefined) return 'all values are missing'
    return `constant: ${isDate ? shownTime(constant) : constant}`
  }

  encode(cell: Cell, out: { [index: number]: number }, at: number): Surprise | undefined {
    const { unit, scaling, constant, cycles, hasMissing } = this.fit
    const value = cell as number
    let to = at
    if (Number.isNaN(value)) {
      if (scaling !== undefined) out[to++] = scaling.fill
      for (const { mean } of cycles) out[to++] = mean
      if (hasMissing) out[to] = 1
      return hasMissing || (constant === undefined && scaling === undefined) ? undefined : 'missing'
    }
    if (scaling !== undefined) {
      const x = unit === undefined ? value : logOf(value, unit)
      out[to++] = limited((x - scaling.center) / scaling.spread)
    }
    for (const { cycle, part } of cycles) out[to++] = cycleOf(value, cycle, part)
    if (hasMissing) out[to] = 0
    if (scaling !== undefined) return undefined
    return constant === undefined || !isNear(value, constant) ? 'moved' : undefined
  }

  decode(codes: ArrayLike<number>, at: number): TableValue {
    const { isDate, unit, scaling, constant, hasMissing } = this.fit
    if (hasMissing && codes[at + this.columns.length - 1]! > 0.5) return null
    if (scaling === undefined && constant === undefined) return null
    const x = scaling === undefined ? constant! : codes[at]! * scaling.spread + scaling.center
    const value =
      unit === undefined || scaling === undefined ? x : Math.sign(x) * Math.expm1(Math.abs(x)) * unit
    return isDate ? new Date(value) : value
  }

  toJSON(): object {
    const { name, isDate, unit, scaling, constant, cycles, hasMissing } = this.fit
    return { kind: 'number', name, isDate, unit, scaling, constant, cycles, hasMissing }
  }
}

/** Whether a value is that of a constant column, but for rounding. */
function isNear(value: number, constant: number): boolean {
  return Math.abs(value - constant) <= 6 * Number.EPSILON * Math.max(Math.abs(value), Math.abs(constant))
}

/** Sources have times that Date does not. */
function shownTime(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? `${time} ms` : date.toISOString()
}
