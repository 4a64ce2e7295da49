/** Makes rows by their numbers: the same ones whichever slice is asked for. */
export interface RowMaker<T extends Uint8Array | Float32Array = Uint8Array | Float32Array> {
  readonly cols: number
  /** Rows `from` to `to` (not included), one after another. */
  make(from: number, to: number): T
}

/** What a thread needs to have a maker. */
export interface MakerOf<Options = unknown> {
  /** Address of a module of this folder that exports `maker`, a function of the options. */
  readonly module: string
  readonly options: Options
}
