import { join } from 'node:path'
import { installed, type JobFolder, python } from './folder.js'
import type { TrainingJob } from './jobs.js'
import { Peer } from './peer.js'
import { prove, type Reached } from './proof.js'
import { bestVariant } from './rounds.js'

/** A package that can do a job, in its variants: ways of writing the same steps. */
export interface Entry {
  readonly name: 'torch' | 'jax' | 'scikit-learn'
  readonly script: string
  readonly variants: readonly string[]
  /** Environment of its processes, besides the limits on threads. */
  readonly env?: NodeJS.ProcessEnv
}

/** A peer's response to `train`. */
interface Window {
  readonly samplesPerSecond: number
  /** Time that its threads computed over the time that went by. */
  readonly processors: number
}

export const torchEnvironment = { TORCHINDUCTOR_CACHE_DIR: join(installed, 'inductor') }

/** Weight decay as a term of the cost, or in what Adam adds to the gradient; without decay both are the same. */
function withDecay(variants: readonly string[], { training }: TrainingJob): string[] {
  if (training.objective.weightDecay === 0) return [...variants]
  return variants.flatMap((variant) => [variant, `${variant}, decay in Adam`])
}

export const sklearnEntry: Entry = {
  name: 'scikit-learn',
  script: 'sklearn_peer.py',
  variants: ['MLPRegressor'],
}

export function entries(job: TrainingJob): Entry[] {
  const torch = withDecay(['eager', 'compile'], job)
  const jax = withDecay(['W [in, out]', 'W [out, in]'], job)
  return [
    { name: 'torch', script: 'torch_peer.py', variants: torch, env: torchEnvironment },
    { name: 'jax', script: 'jax_peer.py', variants: jax, env: { JAX_PLATFORMS: 'cpu' } },
  ]
}

/** A package in the race: each of its variants on each number of threads, proved; then the fastest of them. */
export class Contender {
  readonly name: string
  readonly #entry: Entry
  readonly #peers: Peer[] = []
  readonly #runs = new Map<string, (seconds: number) => Promise<number>>()
  readonly #processors: Record<string, number> = {}
  #about: Record<string, unknown> = {}
  #best = ''

  constructor(entry: Entry) {
    this.name = entry.name
    this.#entry = entry
  }

  /** The variant that races. */
  get best(): string {
    return this.#best
  }

  /** Versions, samples/s of each variant in its trial, and how many processors it kept busy last. */
  get about(): Record<string, unknown> {
    return { ...this.#about, processors: this.#processors }
  }

  /**
   * Starts a process for each number of threads, and shows that all variants take our steps.
   *
   * @param threads - the first as many as everyone is offered
   * @returns what to print of the proofs
   */
  async enter(
    folder: JobFolder,
    threads: readonly number[],
    start: Float32Array,
    ours: Reached,
  ): Promise<string[]> {
    const { script, variants, env } = this.#entry
    const proof: string[] = []
    for (const [i, count] of threads.entries()) {
      const { peer, versions } = await Peer.start(python(script, folder), count, env)
      this.#peers.push(peer)
      if (i === 0) this.#about = versions
      for (const variant of variants) {
        const name = i === 0 ? variant : `${variant}, ${count} thread${count === 1 ? '' : 's'}`
        proof.push(`${this.name}, ${name}: ${await prove(peer, variant, folder, start, ours)}`)
        this.#runs.set(name, async (seconds) => {
          const { samplesPerSecond, processors } = await peer.ask<Window>('train', { variant, seconds })
          this.#processors[name] = processors
          return samplesPerSecond
        })
      }
    }
    return proof
  }

  /** Tries all variants, two windows each. */
  async choose(seconds: number): Promise<void> {
    const window = (name: string) => this.#runs.get(name)!(seconds)
    const { best, tried } = await bestVariant([...this.#runs.keys()], window)
    this.#best = best
    this.#about = { ...this.#about, tried }
  }

  /** Samples/s of the best variant. */
  window(seconds: number): Promise<number> {
    return this.#runs.get(this.#best)!(seconds)
  }

  close(): void {
    for (const peer of this.#peers) peer.close()
  }
}
