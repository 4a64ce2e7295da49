import { keep } from './show.js'

/**
 * The permanent reasons for which layerwise refuses or gives up. Messages may be reworded; codes never change.
 * `docs/errors.md` has a row for each.
 */
export type ErrorCode =
  | 'ERR_ARGUMENT'
  | 'ERR_SHAPE'
  | 'ERR_RANGE'
  | 'ERR_STATE'
  | 'ERR_BUSY'
  | 'ERR_DIVERGED'
  | 'ERR_FORMAT'
  | 'ERR_MEMORY'
  | 'ERR_LOAD'

/** What was wrong, in parts a program can read. Short and plain, so that it can be logged whole. */
export interface ErrorDetails {
  /** The argument or option, as the caller wrote it: `sparsity.target`, `x`. */
  readonly argument?: string
  /** What would have been accepted. */
  readonly expected?: string
  /**
   * What came instead, absent where it was undefined: numbers, booleans and null themselves; texts, cut at 200 characters; of anything else
   * what it is, its size and its first entries, as a text.
   */
  readonly received?: string | number | boolean | null
  /** First offending row of the data, counted from 0. */
  readonly row?: number
  /** First offending column of the data, counted from 0. */
  readonly column?: number
  /** Epoch (or L-BFGS iteration) at which training diverged, counted from 1. */
  readonly epoch?: number
}

/** What an error says, whatever kind of object was thrown. */
export function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown }
  return typeof message === 'string' ? message : String(error)
}

/** The same as a check knows it. */
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

  /** Made by layerwise itself; `cause` is the error underneath, if there is one. */
  constructor(code: ErrorCode, message: string, details: GivenDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    const { received, ...rest } = details
    this.details = received === undefined ? rest : { ...rest, received: keep(received) }
  }
}
