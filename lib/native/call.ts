import {
  indexError,
  inFile,
  notFiniteError,
  startsError,
  tooLargeError,
  transferredError,
} from '../base/data-errors.js'
import { type ErrorCode, LayerwiseError } from '../base/errors.js'
import { onAbort } from './abort.js'
import { type BadValue, isAttached, type NativeRows, type NativeRun } from './binding.js'
import type { RunOptions } from './run-options.js'
import { threadCount } from './runtime.js'

/** Places in {@link NativeRun}'s flags. */
const STOP = 0
const BEGUN = 1

/** The error of native code for a failed call. */
interface NativeFailure extends Partial<BadValue> {
  readonly code: string
  readonly message: string
  /** The place is in the result, not in the rows. */
  readonly ofResults?: boolean
  /** The file that failed, or that holds the row. */
  readonly file?: string
  /** The system's name of what failed, such as `EIO`. */
  readonly errno?: string
}

const CODES: readonly string[] = [
  'ERR_ARGUMENT',
  'ERR_SHAPE',
  'ERR_RANGE',
  'ERR_STATE',
  'ERR_BUSY',
  'ERR_DIVERGED',
  'ERR_FORMAT',
  'ERR_FILE',
  'ERR_MEMORY',
  'ERR_LOAD',
] satisfies ErrorCode[]

/**
 * A sequence of native calls: the number of threads, and cancellation. It follows the caller's AbortSignal until {@link release}.
 */
export class NativeWork {
  readonly #threads: number
  readonly #signal: AbortSignal | undefined
  readonly #unfollow: (() => void) | undefined
  /** The flags of calls that are not settled. */
  readonly #flags = new Set<Int32Array>()
  /** Callbacks of pending waits, called when the work is stopped. */
  readonly #waiting = new Set<() => void>()
  #stopped = false

  /** Throws `signal.reason` if the signal was aborted before. */
  constructor(options: RunOptions) {
    this.#threads = threadCount(options.threads)
    this.#signal = options.signal
    this.throwIfAborted()
    this.#unfollow = this.#signal && onAbort(this.#signal, () => this.stop())
  }

  /** Stops its native calls permanently. Calls that have not begun reject at once. */
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
   * Awaits one native call. Its error is converted to a LayerwiseError with the caller's stack; `argument` names the rows it reads.
   *
   * After an abort it throws `signal.reason`: at once if native code has not begun (it then never will), else when it has stopped. So
   * arguments of the call are no longer used after this has settled.
   */
  async call<T>(argument: string, start: (run: NativeRun) => Promise<T>, cols = 0, firstRow = 0): Promise<T> {
    const flags = Int32Array.of(Number(this.#stopped), 0)
    this.#flags.add(flags)
    try {
      const native = start({ threads: this.#threads, flags })
      return await this.#unlessStopped(native, () => Atomics.load(flags, BEGUN) === 0)
    } catch (failure) {
      if (isNativeFailure(failure)) {
        if (failure.code === 'CANCELLED') this.throwIfAborted()
        if (CODES.includes(failure.code)) throw translated(argument, failure, cols, firstRow)
      }
      throw failure
    } finally {
      this.#flags.delete(flags)
    }
  }

  /**
   * The same for a call that reads `rows`. Memory that the caller transferred during the call may have been read after it was freed, so
   * neither a result nor an error can be trusted.
   *
   * @param firstRow - the number of their first row, where they are a part of the caller's
   */
  async read<T>(
    argument: string,
    rows: NativeRows,
    start: (run: NativeRun) => Promise<T>,
    firstRow = 0,
  ): Promise<T> {
    const outcome = await this.call(argument, start, rows.cols, firstRow).then(
      (value) => () => value,
      (failure: unknown) => () => {
        throw failure
      },
    )
    if (!this.aborted && !isAttached(rows)) throw transferredError(argument)
    return outcome()
  }

  /** Awaits something that cannot be stopped; after an abort its result is ignored, and this throws `signal.reason`. */
  async until(waited: unknown): Promise<void> {
    await this.#unlessStopped(waited, () => true)
  }

  release(): void {
    this.#unfollow?.()
  }

  /** Awaits something; when the work is stopped, throws `signal.reason` instead if `mayLeave` allows it. */
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

/** A single native call that reads these rows. */
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

function translated(
  argument: string,
  failure: NativeFailure,
  cols: number,
  firstRow: number,
): LayerwiseError {
  const { code, row, column, value, fault, ofResults, file } = failure
  // Rows of files are numbered as the caller has them.
  const number = row === undefined || file !== undefined ? row : firstRow + row
  if (code !== 'ERR_RANGE' || number === undefined || (!ofResults && column === undefined)) {
    const details = {
      argument,
      ...(file !== undefined && { file }),
      ...(row !== undefined && { row: number }),
    }
    return new LayerwiseError(code as ErrorCode, `${argument}: ${failure.message}`, details, failure)
  }
  if (!ofResults) {
    const bad = { row: number, column: column!, value: value ?? NaN, ...(fault && { fault }) }
    return badValueError(argument, bad, cols, file)
  }
  const error = tooLargeError(argument, number, value, column)
  return file === undefined ? error : inFile(error, file)
}

/** The error for a value that is not finite, or for indices of sparse rows that are wrong; in this file, if the rows are in files. */
export function badValueError(
  argument: string,
  bad: BadValue,
  cols: number,
  file?: string | undefined,
): LayerwiseError {
  const { row, column, value, fault } = bad
  if (fault === 'index') return indexError(argument, row, column, cols)
  if (fault === 'starts') return startsError(argument, row)
  const error = notFiniteError(argument, value, row, column)
  return file === undefined ? error : inFile(error, file)
}

function isNativeFailure(failure: unknown): failure is NativeFailure {
  return (
    failure !== null &&
    typeof failure === 'object' &&
    !(failure instanceof LayerwiseError) &&
    typeof (failure as Partial<NativeFailure>).code === 'string'
  )
}
