import { argumentError, checkOptions } from '../base/check.js'
import { checkThreads } from './runtime.js'

/** Options of every computing call. */
export interface RunOptions {
  /** Stops the call when it is aborted: the call rejects with `signal.reason` itself. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined
  /**
   * Threads for this call, from 1 to 256. Default: see {@link configure}. Changes no result. A training and other calls at the same time
   * each have their own threads.
   */
  readonly threads?: number | undefined
}

/** Options of a call with `signal`, `threads` and perhaps more. */
export function checkRunOptions(
  value: unknown,
  more: readonly string[] = [],
): RunOptions & Record<string, unknown> {
  // A copy: later changes of the caller's object have no effect.
  const given = checkOptions('options', value, ['signal', 'threads', ...more])
  checkSignal('signal', given.signal)
  if (given.threads !== undefined) checkThreads('threads', given.threads)
  return given
}

/** An AbortSignal, or nothing. */
export function checkSignal(argument: string, value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined
  // Recognised by its members: a test runner's environment has its own class AbortSignal.
  const { aborted, addEventListener, removeEventListener } = (value ?? {}) as Partial<AbortSignal>
  const isSignal =
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  if (!isSignal) throw argumentError(argument, 'an AbortSignal', value)
  return value as AbortSignal
}
