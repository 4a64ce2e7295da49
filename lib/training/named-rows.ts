import type { NativeRows } from '../native/binding.js'

/** Rows, and the argument they came from. */
export interface NamedRows {
  readonly argument: string
  readonly rows: NativeRows
}

/** The caller's rows of a fit: their form is checked, and later changes of the caller's arrays have no effect. */
export interface FitRows {
  readonly training: NamedRows
  /** Rows to measure after each epoch, or the fraction of the training rows to hold out. */
  readonly validation: NamedRows | number | undefined
}
