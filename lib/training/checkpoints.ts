import { constants } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { ownCopy } from '../base/check.js'
import { LayerwiseError, messageOf } from '../base/errors.js'
import { memoryError } from '../base/precision.js'
import {
  type Checkpoint,
  type CheckpointHeader,
  checkpointParts,
  type Kernels,
  type ModelParts,
  type PhaseEntry,
} from '../checkpoint/checkpoint-file.js'
import { checkFingerprints, type Fingerprints, fingerprintOf } from '../checkpoint/fingerprint.js'
import { type LockedFile, lockCheckpoint } from '../checkpoint/lock.js'
import type { CheckpointSettings } from '../checkpoint/options.js'
import { Series } from '../checkpoint/series.js'
import { brokenFileError } from '../data/file-rows.js'
import { formatError } from '../data/read-file.js'
import type { Floats, NativeOptimizer, NativeTrainingState } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { runtime } from '../native/runtime.js'
import { diagnosisOf, type TrainingDiagnosis } from './diagnosis-record.js'
import type { TrainingHistory, TrainingPhase } from './history.js'
import { recordsOf, tableOf } from './history-table.js'
import type { FitRows } from './named-rows.js'
import type { RunState } from './run-state.js'

/** What the native state's entries are called in a file. */
const JOB = 'job.'

/**
 * Refuses a training of which a part of the state would not fit one array, as those that are read from a file must.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if it would not
 */
export function checkStateSize(
  optimizer: NativeOptimizer,
  { length, BYTES_PER_ELEMENT: size }: Floats,
): void {
  const numbers = length * (optimizer.kind === 'lbfgs' ? optimizer.history : 1)
  if (numbers > constants.MAX_LENGTH) {
    throw memoryError('checkpoint', numbers, size, new RangeError('Invalid typed array length'))
  }
}

/** What was asked for in the call that began a training. */
export interface AskedOptions {
  /** Those that are plain values. */
  readonly options: Readonly<Record<string, unknown>>
  /** The names of the others. */
  readonly carried: readonly string[]
}

/** A training whose checkpoint was read. */
export interface Interrupted {
  readonly header: CheckpointHeader
  readonly histories: readonly Float64Array[]
  readonly state: NativeTrainingState
}

/** What a training is at a step. */
export interface Moment {
  readonly phase: TrainingPhase | undefined
  readonly fit: number
  readonly batchSize: number
  readonly state: RunState
  readonly job: NativeTrainingState
  /** If it is over. */
  readonly history?: TrainingHistory
}

/** Where a training goes on. */
export interface Resumption {
  /** The end of it was written. */
  readonly isOver: boolean
  readonly fit: number
  /** Of the epochs with a record. */
  readonly epochs: TrainingHistory['epochs']
  /** Entries of {@link RunState}. */
  readonly entries: NativeTrainingState
  readonly job: NativeTrainingState
}

/** The model that is being trained, and by which of its methods. */
interface Training {
  readonly method: string
  /** How many networks the method trains, one after another. */
  readonly phaseCount: number
  readonly model: () => ModelParts
}

/** The checkpoints of one training: of one call of `fit` or `fineTune`, however often it is interrupted. */
export class Checkpoints {
  readonly #settings: CheckpointSettings
  readonly #asked: AskedOptions
  readonly #interrupted: Interrupted | undefined
  readonly #run: string
  readonly #series: Series
  readonly #phases: PhaseEntry[]
  readonly #histories: Float64Array[]
  #training: Training | undefined
  #data: Fingerprints | undefined
  #unlock: LockedFile['unlock'] | undefined
  /** The write that goes on, and what one failed with. */
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #written = performance.now()
  #steps = 0
  #epochs = 0

  constructor(settings: CheckpointSettings, asked: AskedOptions, interrupted?: Interrupted) {
    this.#settings = settings
    this.#asked = asked
    this.#interrupted = interrupted
    this.#run = interrupted?.header.run ?? randomUUID()
    this.#series = new Series(this.#run, settings.keep)
    this.#phases = [...(interrupted?.header.phases ?? [])]
    this.#histories = [...(interrupted?.histories ?? [])]
  }

  static is(value: unknown): value is Checkpoints {
    return value !== null && typeof value === 'object' && #run in value
  }

  /** Says what is trained. */
  open(training: Training): void {
    this.#training = training
  }

  /**
   * Locks the file, and takes the fingerprints of the data, which must be those of the interrupted training.
   *
   * @throws {@link LayerwiseError} `ERR_BUSY` if another training writes the file, `ERR_STATE` if it must not be replaced, or for other data
   */
  async begin({ training, validation }: FitRows, work: NativeWork): Promise<void> {
    const between = () => work.throwIfAborted()
    const { file, unlock } = await lockCheckpoint(this.#settings.path)
    this.#unlock = unlock
    await this.#series.open(file)
    const { argument, rows } = training
    const given = ownCopy<Fingerprints>({
      x: await fingerprintOf(argument, rows, between),
      ...(typeof validation === 'object' && {
        validation: await fingerprintOf(validation.argument, validation.rows, between),
      }),
    })
    if (this.#interrupted) checkFingerprints(this.#interrupted.header.data, given)
    this.#data = given
    this.#written = performance.now()
  }

  /** Awaits what is being written, and gives the file free. */
  async close(): Promise<void> {
    await this.#writing
    await this.#unlock?.()
  }

  /** The history of a part of the training that was over before it was interrupted, if it was and there are others. */
  finished(index: number): TrainingHistory | undefined {
    const entry = this.#interrupted?.header.phases[index]
    if (entry?.stopped === undefined || this.#training?.phaseCount === 1) return undefined
    return this.reading(() => {
      const { stopped, bestEpoch, of, columns, diagnosis } = entry
      const epochs = recordsOf({ columns, numbers: this.#histories[index]! })
      const last = { epochs, stopped: stopped as TrainingHistory['stopped'] }
      const best = bestEpoch !== undefined && { bestEpoch }
      return { ...of, ...last, ...best, ...(diagnosis as unknown as TrainingDiagnosis) }
    })
  }

  /** Where this part of the training goes on, if it had begun. */
  resumption(phase: TrainingPhase | undefined): Resumption | undefined {
    const index = this.#indexOf(phase)
    const entry = this.#interrupted?.header.phases[index]
    if (entry === undefined) return undefined
    const job: Record<string, NativeTrainingState[string]> = {}
    const entries: typeof job = {}
    for (const [name, value] of Object.entries(this.#interrupted!.state)) {
      if (name.startsWith(JOB)) job[name.slice(JOB.length)] = value
      else entries[name] = value
    }
    const { fit, columns, stopped } = entry
    const epochs = this.reading(() => recordsOf({ columns, numbers: this.#histories[index]! }))
    return { isOver: stopped !== undefined, fit, epochs, entries, job }
  }

  /** Runs what reads entries of the file: what is wrong with them is an error of the file. */
  reading<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      const { name, message } = error as Error
      if (name !== 'TypeError') throw error
      throw formatError(this.#settings.path, message, error)
    }
  }

  /** Steps and epochs that were done. */
  done(steps: number, epochs: number): void {
    this.#steps += steps
    this.#epochs += epochs
  }

  /**
   * Whether the state after the next span is wanted, for {@link write}.
   *
   * @throws what the last write failed with
   */
  wantsState(): boolean {
    if (this.#failure) throw this.#failure.error
    return this.#writing === undefined && this.#isDue()
  }

  #isDue(): boolean {
    const { everySeconds, everySteps = Infinity, everyEpochs = Infinity } = this.#settings
    const seconds = (performance.now() - this.#written) / 1000
    return seconds >= everySeconds || this.#steps >= everySteps || this.#epochs >= everyEpochs
  }

  /** Begins to write a checkpoint, beside the training. */
  write(moment: Moment): void {
    this.#steps = 0
    this.#epochs = 0
    const checkpoint = this.#checkpointOf(moment)
    const write = async () => {
      const parts = await checkpointParts(checkpoint)
      // Parameters that are no longer finite are those of a training that is about to diverge.
      if (parts !== undefined) await this.#writeParts(parts)
      this.#written = performance.now()
    }
    const before = this.#writing ?? Promise.resolve()
    const writing = before.then(write).then(
      () => {},
      (error: unknown) => {
        this.#failure ??= { error }
      },
    )
    this.#writing = writing
    void writing.then(() => {
      if (this.#writing === writing) this.#writing = undefined
    })
  }

  async #writeParts(parts: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#series.write(parts)
    } catch (error) {
      if (!(error instanceof LayerwiseError)) throw error
      throw brokenFileError(
        this.#settings.path,
        `this checkpoint cannot be written (${messageOf(error.cause)})`,
        error.cause,
      )
    }
  }

  /**
   * Writes a checkpoint and awaits it.
   *
   * @throws what it failed with
   */
  async writeNow(moment: Moment): Promise<void> {
    this.write(moment)
    await this.#writing
    if (this.#failure) throw this.#failure.error
  }

  #checkpointOf(moment: Moment): Checkpoint {
    const { phase, fit, batchSize, state, job, history } = ownCopy(moment)
    const index = this.#indexOf(phase)
    const { columns, numbers } = tableOf(state.epochs)
    const over = history && { stopped: history.stopped, diagnosis: diagnosisOf(history) }
    const best = history?.bestEpoch === undefined ? undefined : { bestEpoch: history.bestEpoch }
    this.#phases[index] = { fit, batchSize, of: { ...phase }, columns, ...over, ...best }
    this.#histories[index] = numbers
    const named = Object.entries(job).map(([name, value]) => [JOB + name, value] as const)
    const { options, carried } = this.#asked
    const { method, phaseCount, model } = this.#training!
    return {
      header: {
        run: this.#run,
        ...{ method, options, carried, phaseCount, data: this.#data! },
        phases: this.#phases.slice(0, index + 1),
      },
      kernels: kernels(),
      model: model(),
      histories: this.#histories.slice(0, index + 1),
      state: { ...state.entries(), ...Object.fromEntries(named) },
    }
  }

  #indexOf(phase: TrainingPhase | undefined): number {
    return (phase?.layer ?? 1) - 1
  }
}

/** Those in use. */
export function kernels(): Kernels {
  const { version, openblas, kernel, vectors } = runtime()
  return { version, openblas, kernel, vectors }
}
