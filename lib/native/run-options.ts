import { argumentError, checkOptions } from '../base/check.js'
import { checkThreads } from './runtime.js'

/** What every call that computes may be told. */
export interface RunOptions {
  /** Stops the call when it is aborted: the call rejects with `signal.reason` itself. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined
  /**
   * Threads for this call, from 1 to 256. Default: see {@link configure}. Changes no result. A training and other calls beside it have
   * threads of their own each.
   */
  readonly threads?: number | undefined
}

/** Options of a call that knows `signal`, `threads` and perhaps more. */
export function checkRunOptions(
  value: unknown,
  more: readonly string[] = [],
): RunOptions & Record<string, unknown> {
  // A copy: what the caller does with the object while the call runs does not matter.
  const given = checkOptions('options', value, ['signal', 'threads', ...more])
  checkSignal('signal', given.signal)
  if (given.threads !== undefined) checkThreads('threads', given.threads)
  return given
}

function checkSignal(argument: string, value: unknown): void {
  if (value === undefined) return
  // By its members: a test runner's environment has a class AbortSignal of its own.
  const { aborted, addEventListener, removeEventListener } = (value ?? {}) as Partial<AbortSignal>
  const isSignal =
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  if (!isSignal) throw argumentError(argument, 'an AbortSignal', value)
}
