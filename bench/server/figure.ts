import { type Summary, summary } from '../measuring/statistics.js'

/** What one figure is to reach. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number }

/** One measured quantity, one value a round, and its goal, if it has one. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly value: Summary
  readonly goal: Goal | undefined
}

/** @param unit - empty for ratios */
export function figure(name: string, values: readonly number[], unit: string, goal?: Goal): Figure {
  return { name, unit, value: summary(values, goal && 'atLeast' in goal ? 'greater' : 'less'), goal }
}

/** By its median; undefined without a goal. */
export function isMet({ value, goal }: Figure): boolean | undefined {
  if (goal === undefined) return undefined
  return 'atLeast' in goal ? value.median >= goal.atLeast : value.median <= goal.atMost
}
