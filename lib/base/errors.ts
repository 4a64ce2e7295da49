import { keep } from './show.js'

/**
 * The permanent codes of layerwise's errors. Messages may be reworded; codes never change. `docs/errors.md` has a row for each.
 */
export type ErrorCode =
  | 'ERR_ARGUMENT'
  | 'ERR_SHAPE'
  | 'ERR_RANGE'
  | 'ERR_STATE'
  | 'ERR_BUSY'
  | 'ERR_DIVERGED'
  | 'ERR_FORMAT'
  | 'ERR_FILE'
  | 'ERR_MEMORY'
  | 'ERR_LOAD'

/** The parts of an error for programs. Short and plain, so that they can be logged. */
export interface ErrorDetails {
  /** The argument or option, as the caller wrote it: `sparsity.target`, `x`. */
  readonly argument?: string
  /** What would have been accepted. */
  readonly expected?: string
  /**
   * What was received, absent if undefined: numbers, booleans and null themselves; strings, cut at 200 characters; for anything else a text
   * with kind, size and first entries.
   */
  readonly received?: string | number | boolean | null
  /** First offending row of the data, counted from 0. */
  readonly row?: number
  /** First offending column of the data, counted from 0. */
  readonly column?: number
  /** The file that failed, or that holds the offending row. */
  readonly file?: string
  /** First offending line of a text, counted from 1. */
  readonly line?: number
  /** The name of the first offending column of a table. */
  readonly name?: string
  /** Epoch (or L-BFGS iteration) at which training diverged, counted from 1. */
  readonly epoch?: number
}

/** The message of an error, for any thrown value. */
export function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown }
  return typeof message === 'string' ? message : String(error)
}

/** The same, with the received value before conversion. */
interface GivenDetails extends Omit<ErrorDetails, 'received'> {
  /** Anything: {@link ErrorDetails.received} is made from it. */
  readonly received?: unknown
}

/** Every error thrown or rejected by layerwise, except an abort, which rejects with `signal.reason` itself. */
export class LayerwiseError extends Error {
  /** Always `'LayerwiseError'`. */
  override readonly name = 'LayerwiseError'
  /** The permanent reason; messages may be reworded. */
  readonly code: ErrorCode
  /** What was wrong, in parts a program can read. */
  readonly details: ErrorDetails

  /** For layerwise itself; `cause` is the underlying error, if there is one. */
  constructor(code: ErrorCode, message: string, details: GivenDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    const { received, ...rest } = details
    this.details = received === undefined ? rest : { ...rest, received: keep(received) }
  }
}
