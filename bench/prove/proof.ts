import { createRequire } from 'node:module'
import { RowRandom } from '../synthetic/random.js'

/** A proof that cannot be made on this machine. */
export class Skipped extends Error {}

/** Which of its rounds a proof runs, and from what they are made. */
export interface Rounds {
  readonly seed: number
  /** The number of the first round. */
  readonly from: number
  readonly count: number
}

/** What was seen, in one line. A broken promise is thrown. */
export type Seen = string

/** A promise of the library, and the loop that tries to break it. */
export interface Proof {
  readonly name: string
  /** What is promised. */
  readonly promise: string
  /** What a round is, in the plural. */
  readonly rounds: string
  /** Rounds of the long run, and of the quick one; 0: only the long run makes this proof. */
  readonly count: number
  readonly quick: number
  /** @throws {@link Skipped} where the machine lacks what it needs */
  prove(rounds: Rounds): Promise<Seen>
}

/** The random numbers of one round: they depend on the seed and its number alone, so that any round can be run again by itself. */
export function randomOf(seed: number, round: number): RowRandom {
  const random = new RowRandom(seed)
  random.begin(round)
  return random
}

/** Runs the rounds one after another. What breaks one is thrown with its number. */
export async function eachRound(
  { seed, from, count }: Rounds,
  one: (round: number, random: RowRandom) => Promise<void>,
): Promise<void> {
  for (let round = from; round < from + count; round++) {
    try {
      await one(round, randomOf(seed, round))
    } catch (error) {
      if (error instanceof Skipped) throw error
      throw new Error(`round ${round}: ${(error as Error).message}`, { cause: error })
    }
  }
}

/** @throws {@link Skipped} if a package that a proof reads with is not installed */
export function mustHave(name: string | undefined): void {
  if (name === undefined) return
  try {
    createRequire(import.meta.url).resolve(name)
  } catch {
    throw new Skipped(`${name} is not installed`)
  }
}

/** @throws if it does not hold */
export function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise)
}
