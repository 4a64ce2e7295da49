import { runtime } from '../../lib/index.js'
import { buildProgram, Limits } from '../measuring/limits.js'
import { quantile } from '../measuring/statistics.js'

/** What the machine's sgemm does, measured again and again in the course of a run. */
export class Sgemm {
  readonly #limits: Limits
  readonly #rates: number[] = []

  constructor() {
    buildProgram()
    this.#limits = new Limits()
  }

  /** Multiplies 2048³ matrices for a second, on as many threads as training uses. */
  readonly measure = async (): Promise<void> => {
    this.#rates.push(await this.#limits.limit(runtime().threads, 1))
  }

  /** GFLOP/s: the median of what was measured. */
  get rate(): number {
    return quantile(this.#rates, 0.5)
  }

  get rates(): readonly number[] {
    return this.#rates
  }

  close(): void {
    this.#limits.close()
  }
}
