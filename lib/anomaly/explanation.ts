import type { TableValue } from '../tables/encoding/encoded-column.js'
import { type ColumnNames, type NamedColumns, nameOf } from './columns.js'
import type { Member } from './member.js'

/** What one column, or the columns of one group, have to do with the score of a row. Plain data. */
export interface ExplainedColumn {
  /** Name of the column or group. */
  readonly column: string
  /** Its value in the row, in the terms of the table, if it is one; of a group of several columns the name of the one with the largest value. */
  readonly value: TableValue
  /** What the detector expects from the other columns alone, in the units of the rows; of a group the name of the column with the largest. */
  readonly expected: TableValue
  /** How much the score would fall if the value were the expected one; below 0 where it would rise. */
  readonly effect: number
  /**
   * Its reconstruction error within the whole row, in squared spreads (standard deviations); of a group the sum over its columns. A score is the
   * mean of error ÷ typical error over all columns.
   */
  readonly error: number
  /** The mean of that over the rows that the detector learned from. */
  readonly typicalError: number
}

/** How numbers are said. */
export interface Said {
  /** The value in the row. */
  readonly value: (entry: NamedColumns) => TableValue
  /** Another value. */
  readonly expected: (entry: NamedColumns, numbers: (column: number) => number) => TableValue
}

/** Numbers as they are, and the name of the largest of several columns. */
export function saidAsNumbers(row: Float64Array, names: ColumnNames): Said {
  const expected = ({ columns }: NamedColumns, numbers: (column: number) => number) =>
    columns.length > 1 ? nameOf(names, largest(columns, numbers)) : numbers(columns[0]!)
  return { value: (entry) => expected(entry, (j) => row[j]!), expected }
}

/** Options of `explain`. */
export interface ExplainOptions {
  /** How many columns or groups are examined, at least 1: those with the largest error relative to the typical one. Default 32. */
  readonly most?: number | undefined
}

/**
 * The columns with the largest effect on the score, the largest first.
 *
 * A wrong value spoils the reconstruction of columns that depend on it, so that errors alone may blame these. So each column is hidden, that is
 * replaced by its mean; what is then reconstructed is expected from the others; with this in its place the row is scored again.
 */
export function explanationOf(
  row: Float64Array,
  members: readonly Member[],
  named: readonly NamedColumns[],
  said: Said,
  most: number,
): ExplainedColumn[] {
  const { shift, factor, clipped } = members[0]!.network.scaling!
  const [low, high] = clipped!
  const scaled = row.map((value, j) => Math.min(high, Math.max(low, (value - shift[j]!) * factor[j]!)))
  const score = scaledScore(scaled, members)
  const errors = columnErrors(scaled, members)
  const relative = ({ columns }: NamedColumns) =>
    columns.reduce((sum, j) => sum + errors.found[j]! / errors.typical[j]!, 0)
  const examined = named
    .map((entry) => ({ entry, relative: relative(entry) }))
    .sort((a, b) => b.relative - a.relative)
    .slice(0, most)
  const explained = examined.map(({ entry }): ExplainedColumn => {
    const { columns } = entry
    const changed = scaled.slice()
    for (const j of columns) changed[j] = 0
    const others = reconstruction(changed, members)
    for (const j of columns) changed[j] = others[j]!
    const expected = (j: number) => others[j]! / factor[j]! + shift[j]!
    const sum = (numbers: Float64Array) => columns.reduce((total, j) => total + numbers[j]!, 0)
    return {
      column: entry.name,
      value: said.value(entry),
      expected: said.expected(entry, expected),
      effect: score - scaledScore(changed, members),
      error: sum(errors.found),
      typicalError: sum(errors.typical),
    }
  })
  return explained.sort((a, b) => b.effect - a.effect)
}

/** The score of a scaled row: that of the network in typical errors, up to rounding. */
function scaledScore(scaled: Float64Array, members: readonly Member[]): number {
  let score = 0
  for (const member of members) {
    const output = member.reconstructScaled(scaled)
    for (let j = 0; j < scaled.length; j++) score += (scaled[j]! - output[j]!) ** 2 / member.typical[j]!
  }
  return score / scaled.length / members.length
}

/** The mean reconstruction of the members. */
function reconstruction(scaled: Float64Array, members: readonly Member[]): Float64Array {
  const mean = new Float64Array(scaled.length)
  for (const member of members) {
    const output = member.reconstructScaled(scaled)
    for (let j = 0; j < mean.length; j++) mean[j]! += output[j]! / members.length
  }
  return mean
}

/** Mean errors of the members, and mean typical errors. */
function columnErrors(scaled: Float64Array, members: readonly Member[]) {
  const [found, typical] = [new Float64Array(scaled.length), new Float64Array(scaled.length)]
  for (const member of members) {
    const output = member.reconstructScaled(scaled)
    for (let j = 0; j < scaled.length; j++) {
      found[j]! += (scaled[j]! - output[j]!) ** 2 / members.length
      typical[j]! += member.typical[j]! / members.length
    }
  }
  return { found, typical }
}

function largest(columns: readonly number[], value: (column: number) => number): number {
  return columns.reduce((best, column) => (value(column) > value(best) ? column : best))
}
