import type { StorageType } from '../base/storage-type.js'

/** A Float16Array, where the runtime and TypeScript's library know one. */
type Float16Data = typeof globalThis extends {
  /** The class. */
  Float16Array: {
    /** What an array of it is. */
    readonly prototype: infer A
  }
}
  ? A
  : never

/** A typed array whose class says what its numbers are. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | Float16Data

/** What a {@link Matrix} may be stored in. A Uint16Array holds integers, or the bits of half-width floats: the option `type` says which. */
export type MatrixData = NumberArray | Uint16Array

/** How the numbers of a {@link Matrix} are scaled. */
export interface MatrixOptions {
  /** Factor on every number of integers and 16-bit floats, finite and not 0: 1/255 for images. Default 1. */
  readonly scale?: number | undefined
  /**
   * What the numbers of a Uint16Array are, which does not say it itself: `'uint16'`, or the bits of `'float16'` or `'bfloat16'`. Required
   * there; of all other arrays the class says it, and the option, if it is given, says the same. Default: what the class says.
   */
  readonly type?: StorageType | undefined
}

/** The properties of a Matrix. */
export interface MatrixLike<D extends MatrixData = MatrixData> extends MatrixOptions {
  /** The numbers as stored, row-major, before `scale`; `rows * cols` of them. */
  readonly data: D
  /** Rows, at least 0. */
  readonly rows: number
  /** Columns, at least 1. */
  readonly cols: number
}
