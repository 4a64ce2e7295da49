import { notFiniteError, tooLargeError, transferredError } from '../base/data-errors.js'
import { type ErrorCode, LayerwiseError } from '../base/errors.js'
import { onAbort } from './abort.js'
import type { NativeRows, NativeRun } from './binding.js'
import type { RunOptions } from './run-options.js'
import { threadCount } from './runtime.js'

/** Places in {@link NativeRun}'s flags. */
const STOP = 0
const BEGUN = 1

/** What native code says of a call it gave up. */
interface NativeFailure {
  readonly code: string
  readonly message: string
  readonly row?: number
  readonly column?: number
  readonly value?: number
  /** The place is in what was to be answered, not in the rows. */
  readonly ofResults?: boolean
}

const CODES: readonly string[] = [
  'ERR_ARGUMENT',
  'ERR_SHAPE',
  'ERR_RANGE',
  'ERR_STATE',
  'ERR_BUSY',
  'ERR_DIVERGED',
  'ERR_FORMAT',
  'ERR_MEMORY',
  'ERR_LOAD',
] satisfies ErrorCode[]

/**
 * A span of native work, from its first call to its last: how many threads it may use, and what stops it.
 * It follows the caller's AbortSignal until {@link release}.
 */
export class NativeWork {
  readonly #threads: number
  readonly #signal: AbortSignal | undefined
  readonly #unfollow: (() => void) | undefined
  /** The flags of calls that are not settled. */
  readonly #flags = new Set<Int32Array>()
  /** What waits for something, each told when the work is stopped. */
  readonly #waiting = new Set<() => void>()
  #stopped = false

  /** Throws `signal.reason` if the signal was aborted before. */
  constructor(options: RunOptions) {
    this.#threads = threadCount(options.threads)
    this.#signal = options.signal
    this.throwIfAborted()
    this.#unfollow = this.#signal && onAbort(this.#signal, () => this.stop())
  }

  /** Stops its native calls, for good. Those that have not begun reject at once. */
  stop(): void {
    this.#stopped = true
    for (const flags of this.#flags) Atomics.store(flags, STOP, 1)
    for (const leave of [...this.#waiting]) leave()
  }

  get aborted(): boolean {
    return this.#signal?.aborted ?? false
  }

  /** Throws `signal.reason` if the caller has aborted. */
  throwIfAborted(): void {
    if (this.#signal?.aborted) throw this.#signal.reason
  }

  /**
   * Awaits one native call. What it fails with becomes ours, with the caller's stack; `argument` names the rows it reads.
   *
   * After an abort it throws `signal.reason`: at once where native code has not begun and so never will, else when that has
   * stopped. So what the call was given is not touched any more once this has settled.
   */
  async call<T>(argument: string, start: (run: NativeRun) => Promise<T>): Promise<T> {
    const flags = Int32Array.of(Number(this.#stopped), 0)
    this.#flags.add(flags)
    try {
      const native = start({ threads: this.#threads, flags })
      return await this.#unlessStopped(native, () => Atomics.load(flags, BEGUN) === 0)
    } catch (failure) {
      if (isNativeFailure(failure)) {
        if (failure.code === 'CANCELLED') this.throwIfAborted()
        if (CODES.includes(failure.code)) throw translated(argument, failure)
      }
      throw failure
    } finally {
      this.#flags.delete(flags)
    }
  }

  /**
   * The same where `rows` are read. Memory of the caller's that was transferred away meanwhile may have been read after it was freed, so that
   * whatever came of it, result or failure, is not to be trusted.
   */
  async read<T>(argument: string, rows: NativeRows, start: (run: NativeRun) => Promise<T>): Promise<T> {
    const outcome = await this.call(argument, start).then(
      (value) => () => value,
      (failure: unknown) => () => {
        throw failure
      },
    )
    if (!this.aborted && rows.data.length !== rows.rows * rows.cols) throw transferredError(argument)
    return outcome()
  }

  /** Awaits something that cannot be stopped; an abort leaves it to itself and throws `signal.reason`. */
  async until(waited: unknown): Promise<void> {
    await this.#unlessStopped(waited, () => true)
  }

  release(): void {
    this.#unfollow?.()
  }

  /** Awaits something; once the work is stopped throws `signal.reason` instead, if `mayLeave` says so then. */
  async #unlessStopped<T>(waited: T | Promise<T>, mayLeave: () => boolean): Promise<T> {
    let leave = () => {}
    const stopped = new Promise<never>((_, reject) => {
      leave = () => mayLeave() && reject(this.aborted ? this.#signal!.reason : new Error('stopped'))
    })
    this.#waiting.add(leave)
    if (this.#stopped) leave()
    try {
      return await Promise.race([waited, stopped])
    } finally {
      this.#waiting.delete(leave)
    }
  }
}

/** One native call as a span of its own, which reads these rows. */
export async function nativeRead<T>(
  argument: string,
  rows: NativeRows,
  options: RunOptions,
  start: (run: NativeRun) => Promise<T>,
): Promise<T> {
  const work = new NativeWork(options)
  try {
    return await work.read(argument, rows, start)
  } finally {
    work.release()
  }
}

function translated(argument: string, failure: NativeFailure): LayerwiseError {
  const { code, row, column, value, ofResults } = failure
  if (code === 'ERR_RANGE' && row !== undefined && ofResults)
    return tooLargeError(argument, row, value, column)
  if (code === 'ERR_RANGE' && row !== undefined && column !== undefined) {
    return notFiniteError(argument, value ?? NaN, row, column)
  }
  return new LayerwiseError(code as ErrorCode, `${argument}: ${failure.message}`, { argument }, failure)
}

function isNativeFailure(failure: unknown): failure is NativeFailure {
  return (
    failure !== null &&
    typeof failure === 'object' &&
    !(failure instanceof LayerwiseError) &&
    typeof (failure as Partial<NativeFailure>).code === 'string'
  )
}
