import { strangersSeconds } from './strangers.js'

export const ROUNDS = 7

/** The share of one processor that others may use within a round: threads of the kernel alone take up to 0.04 where much memory is read. */
const QUIET = 0.08
/** Rounds begun for each that counts, at most. */
const PATIENCE = 3

/** A subject of the race: a name and the measurement of one window. */
export type Subjects = Readonly<Record<string, () => Promise<number>>>

/**
 * One window of each subject in a round, every second round in reverse order. A round in which other processes used the processors is
 * repeated, whatever its result: a peer whose threads spin while they wait is much slower then.
 *
 * @param others - CPU seconds that they have used so far
 * @throws Error if the machine stays busy
 */
export async function rounds<S extends Subjects>(
  subjects: S,
  count = ROUNDS,
  others: () => number | undefined = strangersSeconds,
): Promise<{ values: Record<keyof S, number[]>; repeated: number }> {
  const names = Object.keys(subjects) as (keyof S)[]
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<keyof S, number[]>
  let begun = 0
  for (let round = 0; round < count; begun++) {
    if (begun === PATIENCE * count)
      throw new Error('other processes use this machine: too few rounds were quiet')
    const at = performance.now()
    const before = others()
    const found = new Map<keyof S, number>()
    for (const name of round % 2 === 0 ? names : names.toReversed()) found.set(name, await subjects[name]!())
    const used = (others() ?? 0) - (before ?? 0)
    if (used > (QUIET * (performance.now() - at)) / 1000) continue
    for (const [name, value] of found) values[name].push(value)
    round++
  }
  return { values, repeated: begun - count }
}

/**
 * Which variant of a peer is best, by the best of two windows of each.
 *
 * @param window - one window of a variant
 */
export async function bestVariant(
  variants: readonly string[],
  window: (variant: string) => Promise<number>,
  better: 'greater' | 'less' = 'greater',
  others?: () => number | undefined,
): Promise<{ best: string; tried: Record<string, number> }> {
  const sign = better === 'greater' ? 1 : -1
  const { values } = await rounds(
    Object.fromEntries(variants.map((variant) => [variant, () => window(variant)])),
    2,
    others,
  )
  const tried = Object.fromEntries(
    variants.map((variant) => [variant, sign * Math.max(...values[variant]!.map((value) => sign * value))]),
  )
  const best = variants.reduce((a, b) => (sign * tried[b]! > sign * tried[a]! ? b : a))
  return { best, tried }
}
