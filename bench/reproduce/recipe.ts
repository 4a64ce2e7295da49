import type { EpochEvent, FitProgress } from '../../lib/index.js'

/** A published experiment, done again. */
export interface Recipe {
  readonly name: string
  /** What is trained, in a line. */
  readonly title: string
  /** The source of the published figures. */
  readonly source: string
  /** Data that set-up provides for it besides MNIST. */
  readonly needs?: '--fashion'
  readonly run: (trial: Trial) => Promise<Outcome>
}

/** How a recipe is to run. */
export interface Trial {
  /** A subset of the rows, few iterations and a loose goal. */
  readonly quick: boolean
  /**
   * Trains without the last sixth of the training rows and measures on these: for the choice of settings, which must not depend on the test
   * rows.
   */
  readonly validate: boolean
  /** Where Fashion-MNIST's files are, if not where their package puts them. */
  readonly folder: string | undefined
  /** A line of progress. */
  readonly say: (line: string) => void
  /** For a fit: shows how far it is. */
  readonly onProgress: (progress: FitProgress) => void
}

/** What a value must be for the goal to be reached. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number }

/** One number that a recipe found. */
export interface Figure {
  readonly label: string
  readonly value: number
  /** Behind the number. */
  readonly unit?: '%' | 's' | 'GFLOP/s'
  /** Behind the decimal point. Default 2. */
  readonly digits?: number
  /** The single values; `value` is their mean. */
  readonly values?: readonly number[]
  /** What was published. */
  readonly published?: string
  readonly goal?: Goal
}

export interface Outcome {
  readonly figures: readonly Figure[]
  /** Sentences to go with the figures. */
  readonly notes?: readonly string[]
  /** Pictures by the name of their file. Full runs keep them in `docs/pictures`. */
  readonly pictures?: Readonly<Record<string, string | Uint8Array>>
}

export function reached({ value, goal }: Figure): boolean {
  if (goal === undefined) return true
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
}

/** Evaluations of cost and gradient in each phase of training, and the seconds of all of it. */
export class Ledger {
  readonly evaluations = new Map<string, number>()
  /** [evaluations so far, cost] after each iteration of a phase. */
  readonly costs = new Map<string, (readonly [number, number])[]>()
  seconds = 0
  #between: () => Promise<void>
  #every: number
  #iterations = 0

  /** `between` is awaited after each `every` iterations, and its time not counted. */
  constructor(every = Infinity, between: () => Promise<void> = async () => {}) {
    this.#every = every
    this.#between = between
  }

  readonly onEpoch = async ({ phase, layer, evaluations, cost }: EpochEvent): Promise<void> => {
    const name = [phase ?? 'fit', ...(layer === undefined ? [] : [layer])].join(' ')
    const sum = (this.evaluations.get(name) ?? 0) + evaluations
    this.evaluations.set(name, sum)
    this.costs.set(name, [...(this.costs.get(name) ?? []), [sum, cost.total]])
    if (++this.#iterations % this.#every !== 0) return
    const start = performance.now()
    await this.#between()
    this.seconds -= (performance.now() - start) / 1000
  }

  async time<T>(training: () => Promise<T>): Promise<T> {
    const start = performance.now()
    const result = await training()
    this.seconds += (performance.now() - start) / 1000
    return result
  }
}
