/** What a {@link Matrix} may be stored in. */
export type MatrixData = Float32Array | Float64Array | Uint8Array

/** How the numbers of a {@link Matrix} are scaled. */
export interface MatrixOptions {
  /** Factor on every number of a Uint8Array, finite and not 0: 1/255 for images. Default 1. */
  readonly scale?: number | undefined
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
