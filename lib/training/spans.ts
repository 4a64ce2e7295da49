import type { Floats, SpanRequest, SpanResult, TrainingHandle } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import type { ConstraintRound } from './augmented-lagrangian.js'

/** Native code comes back to JavaScript after about so long, to report progress. */
const SPAN_MS = 50

/** One that runs and one that waits: while JavaScript reads what a span did, the threads are at the next. */
const QUEUED = 2

/** What an epoch is trained with, and the array that receives its parameters. */
export interface EpochSettings {
  readonly learningRate: number
  readonly parameters: Floats
}

/** What spans are asked for. */
export interface SpanPlan {
  /** Counted from 1. */
  readonly epoch: number
  readonly settings: EpochSettings
  /** Of the epoch after it, if that may begin before the end of this one has been read. */
  readonly next: EpochSettings | undefined
  readonly constraint: ConstraintRound | undefined
}

/** A training job's spans of work in their order, handed over one ahead of the one that is read. */
export class Spans {
  readonly #job: TrainingHandle
  readonly #work: NativeWork
  readonly #queued: { readonly plan: SpanPlan; readonly result: Promise<SpanResult | null> }[] = []

  constructor(job: TrainingHandle, work: NativeWork) {
    this.#job = job
    this.#work = work
  }

  /** The next span of an epoch whose end has not been read. */
  async read(plan: SpanPlan): Promise<SpanResult> {
    for (;;) {
      while (this.#queued.length < QUEUED) this.#submit(plan)
      const result = await this.#queued.shift()?.result
      if (result) return result
    }
  }

  /**
   * Waits for what was handed over and is not read.
   *
   * @returns the parameters that it came to, if it came to the end of an epoch or was stopped
   */
  async settle(): Promise<Floats | undefined> {
    let last: Floats | undefined
    for (const { plan, result } of this.#queued.splice(0)) {
      const span = await result.catch(() => null)
      const written = span && !span.diverged && (span.cancelled || span.epoch !== undefined)
      if (written) last = (span.ofNext ? plan.next : plan.settings)?.parameters
    }
    return last
  }

  #submit(plan: SpanPlan): void {
    const { epoch, settings, next, constraint } = plan
    const request: Omit<SpanRequest, 'threads' | 'cancel'> = {
      epoch: epoch - 1,
      ...settings,
      budgetMs: SPAN_MS,
      ...(next && { next }),
      ...(constraint && { constraint }),
    }
    const result = this.#work.call('x', (run) => binding().trainSpan(this.#job, { ...run, ...request }))
    // What it fails with is told to whom reads it.
    result.catch(() => {})
    this.#queued.push({ plan, result })
  }
}
