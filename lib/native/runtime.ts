import { availableParallelism } from 'node:os'
import { argumentError, checkInteger, checkOptions } from '../base/check.js'
import { version } from '../base/version.js'
import { cpuQuota } from './cpu-quota.js'
import { binding } from './load.js'

/** The core's pool has no more. */
const MOST_THREADS = 256

let configured: number | undefined
let counted: number | undefined

/** Versions and kernels in use: see {@link runtime}. */
export interface RuntimeInfo {
  /** Version of layerwise. */
  readonly version: string
  /** Version of OpenBLAS, e.g. `0.3.21`. */
  readonly openblas: string
  /** OpenBLAS's kernel for this processor, e.g. `SkylakeX`. Results are the same bits only for the same kernel. */
  readonly kernel: string
  /**
   * The reason for that kernel: OpenBLAS's own choice; the environment variable `OPENBLAS_CORETYPE`; or the name of OpenBLAS's own choice,
   * if that is below the processor's vector level or multiplies wrongly on it.
   */
  readonly kernelReason: string
  /** Vector instructions of layerwise's own loops. */
  readonly vectors: 'avx512' | 'avx2' | 'baseline' | 'neon'
  /** The number of threads of a call without its own `threads`. */
  readonly threads: number
}

/** Settings of every later call of this JavaScript thread. */
export interface ConfigureOptions {
  /** The number of threads of a call without its own `threads`: a whole number from 1 to 256. Default: see {@link configure}. */
  readonly threads: number
}

/**
 * Sets, for this JavaScript thread, the default number of threads of a call.
 *
 * Otherwise the environment variable `LAYERWISE_THREADS` is used, and without it the number of processors this process may use:
 * `os.availableParallelism()`, limited by a control group's CPU quota. The number of threads never changes a result, not by one bit.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything else
 */
export function configure(options: ConfigureOptions): void {
  const { threads } = checkOptions('options', options, ['threads'])
  configured = checkThreads('threads', threads)
}

/**
 * Versions, the kernels chosen for this processor, and the number of threads.
 *
 * @throws {@link LayerwiseError} `ERR_LOAD` if the native addon cannot be used
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if `LAYERWISE_THREADS` is not a whole number from 1 to 256
 */
export function runtime(): RuntimeInfo {
  return { version, ...binding().runtime(), threads: threadCount() }
}

/** The threads of one call: its own `threads` if given, else the configured or counted number. */
export function threadCount(threads?: number): number {
  return threads ?? configured ?? fromEnvironment() ?? countProcessors()
}

/** A valid number of threads. */
export function checkThreads(argument: string, threads: unknown): number {
  return checkInteger(argument, threads, 1, MOST_THREADS)
}

function fromEnvironment(): number | undefined {
  const text = process.env.LAYERWISE_THREADS
  if (text === undefined || text === '') return undefined
  const threads = /^\d+$/.test(text) ? Number(text) : 0
  if (threads >= 1 && threads <= MOST_THREADS) return threads
  throw argumentError('LAYERWISE_THREADS', `a whole number between 1 and ${MOST_THREADS}`, text)
}

/** A fraction of a processor is not counted: a throttled thread would delay all others. */
function countProcessors(): number {
  counted ??= Math.max(1, Math.min(availableParallelism(), Math.floor(cpuQuota()), MOST_THREADS))
  return counted
}
