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

/** What was wrong, in parts a program can read. */
export interface ErrorDetails {
  /** The argument or option, as the caller wrote it: `sparsity.target`, `x`. */
  readonly argument?: string
  /** What would have been accepted. */
  readonly expected?: string
  /** What came instead. */
  readonly received?: unknown
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

/** Every error thrown or rejected by layerwise, except an abort, which rejects with `signal.reason` itself. */
export class LayerwiseError extends Error {
  /** Always `'LayerwiseError'`. */
  override readonly name = 'LayerwiseError'
  /** The permanent reason; messages may be reworded. */
  readonly code: ErrorCode
  /** What was wrong, in parts a program can read. */
  readonly details: ErrorDetails

  /** Made by layerwise itself; `cause` is the error underneath, if there is one. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}
