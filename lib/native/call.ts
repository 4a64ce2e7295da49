import { notFiniteError } from '../data/slices.js'
import { type ErrorCode, LayerwiseError } from '../errors.js'
import { threadCount } from '../runtime.js'
import type { NativeRun } from './binding.js'
import type { RunOptions } from './run-options.js'

/** What native code says of a call it gave up. */
interface NativeFailure {
  readonly code: string
  readonly message: string
  readonly row?: number
  readonly column?: number
  readonly value?: number
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
 * A span of native work, from its first call to its last: how many threads it may use, and the flag that stops it.
 * The flag follows the caller's AbortSignal until {@link release}.
 */
export class NativeWork {
  readonly run: NativeRun
  readonly #signal: AbortSignal | undefined

  /** Throws `signal.reason` if the signal was aborted before. */
  constructor(options: RunOptions) {
    this.run = { threads: threadCount(options.threads), cancel: new Int32Array(1) }
    this.#signal = options.signal
    this.throwIfAborted()
    this.#signal?.addEventListener('abort', this.stop, { once: true })
  }

  /** Stops its native calls, for good. */
  readonly stop = (): void => {
    Atomics.store(this.run.cancel, 0, 1)
  }

  get aborted(): boolean {
    return this.#signal?.aborted ?? false
  }

  /** Throws `signal.reason` if the caller has aborted. */
  throwIfAborted(): void {
    if (this.#signal?.aborted) throw this.#signal.reason
  }

  /** Awaits one native call. What it fails with becomes ours, with the caller's stack; `argument` names the rows it reads. */
  async call<T>(argument: string, start: (run: NativeRun) => Promise<T>): Promise<T> {
    try {
      return await start(this.run)
    } catch (failure) {
      if (isNativeFailure(failure)) {
        if (failure.code === 'CANCELLED') this.throwIfAborted()
        if (CODES.includes(failure.code)) throw translated(argument, failure)
      }
      throw failure
    }
  }

  /** Awaits something that cannot be stopped; an abort leaves it to itself and throws `signal.reason`. */
  async until(waited: unknown): Promise<void> {
    const signal = this.#signal
    if (signal === undefined) {
      await waited
      return
    }
    let leave = () => {}
    const aborted = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason)
    })
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    try {
      await Promise.race([waited, aborted])
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  release(): void {
    this.#signal?.removeEventListener('abort', this.stop)
  }
}

/** One native call as a span of its own. */
export async function nativeCall<T>(
  argument: string,
  options: RunOptions,
  start: (run: NativeRun) => Promise<T>,
): Promise<T> {
  const work = new NativeWork(options)
  try {
    return await work.call(argument, start)
  } finally {
    work.release()
  }
}

function translated(argument: string, failure: NativeFailure): LayerwiseError {
  const { code, row, column, value } = failure
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
