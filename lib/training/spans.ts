import { ownCopy } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import type { Floats, NativeRows, NativeTrainingState, SpanPart, TrainingHandle } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import type { ConstraintRound } from './augmented-lagrangian.js'
import type { RateOf } from './schedule.js'

/** Native code comes back to JavaScript after about so long, to report progress. */
const SPAN_MS = 100

/** One that runs and one that waits: while JavaScript reads what a span did, the threads are at the next. */
const QUEUED = 2

/** A span goes on through at most so many epochs, however short they are. */
const SPAN_EPOCHS = 64

/** The epochs that the next span may train. */
export interface NextEpochs {
  /** The epoch whose end has not been read, counted from 1. */
  readonly epoch: number
  readonly learningRate: number
  /** The last of the epochs that may begin before the end of this one has been read; their learning rates follow from their numbers. */
  readonly last: number
  readonly rate: RateOf | undefined
  readonly constraint: ConstraintRound | undefined
}

/** What a span did in one epoch. */
export interface ReadPart extends SpanPart {
  /** The parameters that the span came to: with the last of its parts that ended an epoch or was stopped. Nobody writes them any more. */
  readonly parameters: Floats | undefined
  /** It is the last of its span's, that is, of about now. */
  readonly latest: boolean
}

interface Span {
  readonly parameters: Floats
  /** Whether the state after it was asked for. There is none if it had nothing left to do. */
  readonly saysState: boolean
  readonly parts: Promise<SpanPart[]>
}

/** A training job's spans of work in their order, handed over one ahead of the one that is read. */
export class Spans {
  readonly #job: TrainingHandle
  readonly #rows: NativeRows
  readonly #work: NativeWork
  readonly #array: () => Floats
  readonly #wantsState: () => boolean
  readonly #queued: Span[] = []
  readonly #read: ReadPart[] = []
  /** What native code says of the span that was handed over last. */
  #latest: Promise<unknown> | undefined
  #spare: Floats | undefined
  #ahead = false

  /**
   * @param rows - what the job trains on
   * @param array - makes an array that parameters fit in
   * @param wantsState - asked before each span, unless one before it is expected to say it: whether its last part shall say what the job is
   */
  constructor(
    job: TrainingHandle,
    rows: NativeRows,
    work: NativeWork,
    array: () => Floats,
    wantsState: () => boolean,
  ) {
    this.#job = job
    this.#rows = rows
    this.#work = work
    this.#array = array
    this.#wantsState = wantsState
  }

  /** Whether the job is some steps ahead of all parameters that were read: a span that ends within an epoch hands none over. */
  get ahead(): boolean {
    return this.#ahead
  }

  /** What was done next, in an epoch whose end has not been read. */
  async next(epochs: NextEpochs): Promise<ReadPart> {
    // Spans that wait for others may have nothing left to do; any more of them would not change.
    for (let spans = 0; spans <= 2 * QUEUED; spans++) {
      const part = this.#read.shift()
      if (part) return part
      this.#work.throwIfAborted()
      while (this.#queued.length < QUEUED) this.#submit(epochs)
      this.#read.push(...(await this.#parts(this.#queued.shift()!)))
    }
    throw new LayerwiseError('ERR_STATE', `training: nothing is left to do in epoch ${epochs.epoch}`)
  }

  /** Waits for what was handed over, and returns what is not read. */
  async settle(): Promise<ReadPart[]> {
    const unread = this.#read.splice(0)
    for (const span of this.#queued.splice(0)) unread.push(...(await this.#parts(span).catch(() => [])))
    return unread
  }

  /** What the job is, when all spans are settled; also after an abort. */
  async state(): Promise<NativeTrainingState> {
    const nothing = { epoch: 0, learningRates: new Float64Array(0), budgetMs: 0, state: true }
    const parameters = this.#spare ?? this.#array()
    // One that was stopped before it began is settled for its reader at once, for native code in its turn.
    await this.#latest?.catch(() => {})
    const work = new NativeWork(ownCopy({ threads: 1 }))
    try {
      const [part] = await work.read('x', this.#rows, (run) =>
        binding().trainSpan(this.#job, { ...run, ...nothing, parameters }),
      )
      return part!.state!
    } finally {
      work.release()
    }
  }

  #submit({ epoch, learningRate, last, rate, constraint }: NextEpochs): void {
    const parameters = this.#spare ?? this.#array()
    this.#spare = undefined
    // Those before it in the queue may leave it nothing of their own epochs.
    const epochs = Math.min(last - epoch + 1, SPAN_EPOCHS * (this.#queued.length + 1))
    const learningRates = new Float64Array(epochs)
    learningRates[0] = learningRate
    if (rate) for (let i = 1; i < epochs; i++) learningRates[i] = rate(epoch + i)
    const state = !this.#queued.some((span) => span.saysState) && this.#wantsState()
    const request = {
      ...{ epoch: epoch - 1, learningRates, parameters, budgetMs: SPAN_MS },
      ...(constraint && { constraint }),
      ...(state && { state }),
    }
    const parts = this.#work.read('x', this.#rows, (run) => {
      const native = binding().trainSpan(this.#job, { ...run, ...request })
      this.#latest = native
      return native
    })
    // What it fails with is told to whoever reads it.
    parts.catch(() => {})
    this.#queued.push({ parameters, parts, saysState: state })
  }

  async #parts(span: Span): Promise<ReadPart[]> {
    const parts = await span.parts
    const written = parts.findLastIndex(
      ({ epoch, cancelled, diverged }) => !diverged && (cancelled || epoch !== undefined),
    )
    if (written < 0) this.#spare = span.parameters
    if (parts.length > 0) this.#ahead = written < parts.length - 1 && !parts.at(-1)!.diverged
    return parts.map((part, i) => ({
      ...part,
      parameters: i === written ? span.parameters : undefined,
      latest: i === parts.length - 1,
    }))
  }
}
