/**
 * The contract between TypeScript and the addon. TypeScript checks every argument before the call; the addon checks again only what could
 * corrupt memory (pointer, length, shape) and reports that as a plain error with a `code`.
 *
 * Off-thread calls return promises. Arguments are pinned until the promise settles, and must not be written until then.
 */
import { ownCopy } from '../base/check.js'
import type { StorageType } from '../base/storage-type.js'

export type Floats = Float32Array | Float64Array

/** All but `logLoss` compare outputs with the rows themselves; `logLoss` is −ln of the label's probability, of softmax outputs. */
export type LossName = 'squared' | 'euclidean' | 'absolute' | 'crossEntropy' | 'logLoss'
export type AverageName = 'exact' | 'batch' | 'moving'

/**
 * Column by column, value = (x − shift[j]) · factor[j], brought into `clipped`, less centre[j]; and back,
 * x = (value + centre[j]) / factor[j] + shift[j]. In float64, rounded once to the precision that computes.
 */
export interface NativeScaling {
  readonly shift: Float64Array
  readonly factor: Float64Array
  /** 0 if absent. */
  readonly centre?: Float64Array | undefined
  /** [low, high]; not finite numbers stay so. Absent: values are not clipped. */
  readonly clipped?: readonly [low: number, high: number] | undefined
}

/** The current numbers of one or more scalers, for the addon. */
export function nativeScaling(scaling: NativeScaling): NativeScaling {
  const { shift, factor } = scaling
  const centre = Object.hasOwn(scaling, 'centre') ? scaling.centre : undefined
  const clipped = Object.hasOwn(scaling, 'clipped') ? scaling.clipped : undefined
  return ownCopy({ shift, factor, ...(centre && { centre }), ...(clipped && { clipped }) })
}

/** Numbers of rows; halves as their bits, in a Uint16Array. */
export type NativeData = Floats | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array

/** Where the stored values of sparse rows are: row `i` has those from `indptr[i]` to `indptr[i + 1]`, in the columns `indices`. */
export interface NativeSparse {
  indptr: Uint32Array
  indices: Uint32Array
  /** Their number, to notice memory that was transferred away. */
  stored: number
}

/** Rows of one file. */
export interface NativeSegment {
  /** Absolute. */
  readonly path: string
  /** Where its first row begins, in bytes. */
  readonly offset: number
  /** How many rows. */
  readonly rows: number
  /** The file as it was opened, `dev:ino:size:mtimeNs` in decimal. Another file at this path, or a changed one, is refused. */
  readonly identity: string
}

/** Rows that stay in files, and are read when they are used. */
export interface NativeFiles {
  /** Row-major numbers of `NativeRows.type`, little-endian, without gaps, from `offset` on. The rows are those of all segments, in this order. */
  segments: readonly NativeSegment[]
  /** Pairs [begin, end) of rows of the segments, rising: the rows in use, in this order. Absent: all. */
  ranges?: Float64Array
  /**
   * Values, after scale and scaling, that are refused outside of it while rows are read, with the first bad place. They are looked at until each
   * row was read once. Absent: nothing is refused.
   */
  within?: readonly [low: number, high: number]
}

/** Rows to read. A value is `data[i, j] * scale`, scaled. */
export interface NativeRows {
  /** Row-major, [rows, cols]; with `sparse` only the stored values, which are floats of 32 or 64 bits. */
  data: NativeData
  /** What the numbers of `data` are. */
  type: StorageType
  rows: number
  cols: number
  scale: number
  /** Rows are stored without their zeros, `scale` is 1, and `scaling` maps 0 to 0. Absent: dense rows. */
  sparse?: NativeSparse
  /**
   * Rows are in files: `data` is an empty array of their kind, `rows` is the number of rows of all segments, by which labels and weights go, and
   * `order` and `sparse` are absent. Rejects with `ERR_FILE` (`file`, `row`, `errno`) where a file cannot be read or is no longer the one that was
   * opened, with `ERR_RANGE` (`file`, `row`, `column`, `value`) for a value outside of `within`.
   */
  files?: NativeFiles
  /** The rows to use, in this order; all rows in their own order if absent. */
  order?: Uint32Array
  scaling?: NativeScaling
  /** The class of each row of `data`, for the loss `logLoss`: by row of `data`, independent of `order`. */
  labels?: Uint32Array
  /**
   * The weight of each row of `data`, at least 0, by row of `data`, independent of `order`; over the rows in use not all 0. Means over rows
   * become weighted means. Absent: 1.
   */
  weights?: Float64Array
  /** Frozen layers that are computed first, block by block: the network's input is their output. They are not trained. */
  through?: { layers: readonly NativeLayer[]; parameters: Floats }
}

/** Whether the memory of these rows is still there: an array whose buffer was transferred away has no numbers. */
export function isAttached({ data, rows, cols, sparse, files }: NativeRows): boolean {
  if (files !== undefined) return true
  if (sparse === undefined) return data.length === rows * cols
  const { indptr, indices, stored } = sparse
  return data.length === stored && indices.length === stored && indptr.length === rows + 1
}

/** The file that holds a row; undefined of rows in memory. */
export function fileOfRow({ files }: NativeRows, row: number): string | undefined {
  let end = 0
  return files?.segments.find((segment) => {
    end += segment.rows
    return row < end
  })?.path
}

/** A value that a call refuses. */
export interface BadValue {
  row: number
  column: number
  value: number
  /**
   * Of sparse rows: `column` is beyond the columns or not above the one before it (`index`), or the row's start or end is beyond the values
   * or falls (`starts`).
   */
  fault?: 'index' | 'starts'
  /** Of rows of files: the file. */
  file?: string
}

export interface NativeLayer {
  inputs: number
  outputs: number
  /** A name of the table in `lib/objective/activation.ts`; or `softmax`, for the last layer only, with the loss `logLoss`. */
  activation: string
  /** False: the layer has no b in the parameters. Absent: true. */
  biases?: boolean
  /** It uses the matrix of this earlier layer, transposed, and has no matrix in the parameters. */
  tied?: number
  /** Its W is stored as [inputs, outputs]. Forward only, for a tied layer without the layer it is tied to. */
  transposed?: boolean
}

/**
 * A penalty on the outputs of one layer. `kl`, `l2`: on their means; `l1`: on themselves, where target and average do not matter;
 * `constraint` (first layer only): Σ μⱼ(ρ̂ⱼ − ρ) + weight/2 Σ(ρ̂ⱼ − ρ)², the augmented Lagrangian of ρ̂ = ρ, its multipliers μ 0 until a
 * span sets them.
 */
export interface NativePenalty {
  layer: number
  kind: 'kl' | 'l2' | 'l1' | 'constraint'
  /** ρ of all units, or of each. */
  target: number | Float64Array
  weight: number
  average: AverageName
}

export interface NativeObjective {
  loss: LossName
  /** λ of each layer's weights. */
  weightDecay: readonly number[]
  penalties: readonly NativePenalty[]
  /** With `logLoss`: the weight of a row of each class. Absent: 1. */
  classWeights?: Float64Array
}

/** Noise on the inputs of a training step; the loss is against the clean rows. Drawn by (seed, fit, epoch, row, column). */
export interface NativeCorruption {
  kind: 'masking' | 'gaussian' | 'saltAndPepper'
  /** Probability that a value becomes 0 (`masking`) or, half of the time each, low or high (`saltAndPepper`); standard deviation of `gaussian`. */
  amount: number
  low: number
  high: number
}

/** Projection after each step: ‖W‖² ≤ max over all weight matrices together (`frobenius`), or over each row of each (`unit`). */
export interface NativeWeightConstraint {
  kind: 'frobenius' | 'unit'
  max: number
}

/**
 * Arguments of every computing call. Setting `flags[0]` to 1 stops it at the next step or block; it rejects with code `CANCELLED`. The
 * addon sets `flags[1]` to 1 when it begins; if `flags[0]` is already 1, it touches no data and only rejects.
 */
export interface NativeRun {
  threads: number
  flags: Int32Array
}

export interface ForwardRequest extends NativeRun {
  /** The layers to compute, and the flat parameters of these layers only. */
  layers: readonly NativeLayer[]
  parameters: Floats
  rows: NativeRows
  /**
   * `outputs`: out is [rows, outputs of the last layer]; `squares`: [rows, the same], squared differences from the rows;
   * `errors`: a Float64Array of their sums, one a row; `classes`: a Uint32Array, which output of each row is largest (the first of equals).
   */
  result: 'outputs' | 'squares' | 'errors' | 'classes'
  out: Floats | Uint32Array
  /** With `outputs`: the scaling to invert. */
  unscale?: NativeScaling
}

export interface CostParts {
  loss: number
  weightDecay: number
  sparsity: number
  /**
   * With `logLoss`: rows whose label is the most probable class. Of rows with weights the sum of these, scaled so that all together weigh as
   * many as there are.
   */
  correct: number
  /** Mean output of the first penalised layer, or of the first layer; Float64Array [outputs]. */
  meanActivation: Float64Array
}

export interface EvaluateRequest extends NativeRun {
  layers: readonly NativeLayer[]
  objective: NativeObjective
  parameters: Floats
  rows: NativeRows
  /** A bound on the size of the numbers in the rows. If sums might overflow float32, everything is computed in float64 and rounded. */
  largest?: number
  gradient?: Floats
  /** With `logLoss`: receives the first of the most probable classes of each row; the number of classes if outputs are not finite. */
  predicted?: Uint32Array
}

export type NativeOptimizer =
  | { kind: 'gradientDescent' }
  | { kind: 'momentum'; momentum: number }
  | { kind: 'adam'; beta1: number; beta2: number; epsilon: number }
  | { kind: 'lbfgs'; history: number; tolerance: number }

/**
 * What a training job is at a step, beside what it was opened with: vectors and whole numbers by name. A job that is opened with the same
 * layers, objective, options and rows, and with this, goes on with the same bits, at any number of threads.
 */
export type NativeTrainingState = Readonly<Record<string, Floats | number>>

export interface JobRequest {
  layers: readonly NativeLayer[]
  objective: NativeObjective
  /** Copied: the job has its own parameters. */
  parameters: Floats
  rows: NativeRows
  /** Rows a step; 0 means all, with the exact mean activation. Must be 0 for lbfgs. */
  batchSize: number
  /** The order of the rows in each epoch: their own, random, or random within windows of random blocks (`rows/block_shuffle.h`). */
  shuffle: 'none' | 'rows' | 'blocks'
  /** About how many bytes of rows a window of `blocks` has; absent: 128 MiB. */
  windowBytes?: number
  optimizer: NativeOptimizer
  seed: number
  /** The number of earlier fits of this model: part of the key of the shuffles. */
  fit: number
  /** `fused` updates each block of parameters while its gradient is in the cache, `split` finishes the gradient first. Same bits. */
  form: 'fused' | 'split'
  corruption?: NativeCorruption
  /** Not for lbfgs. */
  weightConstraint?: NativeWeightConstraint
  /** Largest norm of a step's gradient, decay included, whatever the `form`; absent: any. Not for lbfgs. */
  clipNorm?: number
  /**
   * Where to go on from, instead of from the start. Must not be written before the first span is settled, which rejects with `ERR_STATE`
   * if this is not the state of such a job.
   */
  state?: NativeTrainingState
}

export interface SpanRequest extends NativeRun {
  /**
   * The first epoch that it may belong to, counted from 0: keys the shuffle. The span starts in the first unfinished epoch; queued spans
   * may already have finished earlier ones.
   */
  epoch: number
  /**
   * Learning rates of `epoch` and of the following epochs that the span may reach, constant within an epoch; lbfgs uses only their number.
   */
  learningRates: Float64Array
  /** Return to JavaScript after about this time. */
  budgetMs: number
  /** Receives the parameters of the last finished epoch, or of the last step if the span was cancelled; otherwise not written. */
  parameters: Floats
  /**
   * Weight and multipliers of the penalty of kind `constraint`, used if `round` has changed: lbfgs then restarts from its current
   * parameters. Absent: unchanged.
   */
  constraint?: { round: number; weight: number; multipliers: Float64Array }
  /**
   * Whether the last part of what was done says what the job is after it. With this and no learning rates no step is taken, and the state is all
   * that the one part says. Absent: no.
   */
  state?: boolean
}

/** The work of a span in one epoch. */
export interface SpanPart {
  /** From the later of the call and the end of the previous part, to the end of this part. */
  seconds: number
  /** Finished steps of this epoch, and their total number. For lbfgs both are 1 when the iteration is done. */
  steps: number
  stepsInEpoch: number
  /** Mean cost over the rows processed so far in this epoch; for a complete epoch, its parts. */
  loss: number
  weightDecay: number
  sparsity: number
  /** With `logLoss`: the number of processed rows whose label was the most probable class, or their weights, as in {@link CostParts}. */
  correct: number
  cancelled: boolean
  /** A non-finite cost or parameter appeared; the job is over and `parameters` was not written by this part. */
  diverged: boolean
  /** Present when the epoch (iteration) is done. */
  epoch?: {
    /** Norm of the last gradient of the epoch, before it is clipped. */
    gradientNorm: number
    meanActivation: Float64Array
    /** Evaluations of cost and gradient: 1 a step, several for a line search. */
    evaluations: number
    /** lbfgs only: why it ended. */
    stopped?: 'tolerance' | 'precision'
  }
  /** Of the job after the last part, if asked for and that did not diverge. */
  state?: NativeTrainingState
}

/** A training job: native memory that lives from `openTraining` to `closeTraining`, or until collected. */
export type TrainingHandle = object & { readonly training: unique symbol }

/** A lock of the kernel's on a file: held until it is unlocked, collected, or the process ends. */
export type LockHandle = object & { readonly lock: unique symbol }

export interface Runtime {
  openblas: string
  kernel: string
  kernelReason: string
  vectors: 'avx512' | 'avx2' | 'baseline' | 'neon'
}

export interface Binding {
  runtime(): Runtime
  /** Fills `out` with numbers uniform on [low, high), the same for the same (seed, stream, index) in both precisions but for rounding. */
  uniform(out: Floats, low: number, high: number, seed: number, stream: number, index: number): void
  /**
   * Shuffles `values`; the order is a function of their number and (seed, stream, index). This call fills the places `from` to `to` (not
   * included); places before `from` were filled by earlier calls.
   */
  shuffle(values: Uint32Array, from: number, to: number, seed: number, stream: number, index: number): void
  /**
   * Requests huge pages for `bytes`, before rows are written to it. Returns the number of bytes from its start to the next address that
   * `unit` divides.
   */
  prepareRows(bytes: Uint8Array, unit: number): number
  /** CRC32C of the bytes, on one of Node's threads. `seed`: the checksum of the bytes before them, 0 of none. */
  checksum(bytes: Uint8Array, seed: number): Promise<number>
  /**
   * Fills `out` with the least and the largest of at least one number, of halves with their bits, and with the index of the first that is not
   * finite, or −1; such numbers are left out. `type` is numbered as in `STORAGE_TYPES`. On the calling thread, at the speed of memory.
   */
  extremes(numbers: NativeData, type: number, out: Float64Array): void
  /**
   * Locks a file that serves only as a lock, and creates it: until {@link unlockFile}, or the end of the process. Resolves to null if another
   * process, or another lock of this one, holds it. No child process inherits it.
   */
  lockFile(path: string): Promise<LockHandle | null>
  /** Removes the file and ends the lock. */
  unlockFile(lock: LockHandle): Promise<void>
  forward(request: ForwardRequest): Promise<void>
  /**
   * Computes the layers for one row on the calling thread, with the fewest arguments to convert. `shape`: inputs, then (outputs,
   * activation, 1 or 0 for biases, the layer it is tied to or −1) of each layer, activations numbered as in `activationNumber`.
   * `type`: the storage type of the row, numbered as in `STORAGE_TYPES`. `transposed` holds the first layer's matrix transposed, and is
   * computed again if `renew` is true. `errors`, of one number, receives the sum of squared differences between `out` and the row.
   * `columns`: those of a sparse row, whose values `row` holds. Returns 0; 1 if a value of the row is not finite, 2 if an answer is too
   * large to be held, 3 if a column of a sparse row is beyond the columns or not above the one before it.
   */
  forwardRow(
    shape: Int32Array,
    parameters: Floats,
    row: NativeData,
    type: number,
    scale: number,
    scaling: NativeScaling | undefined,
    out: Floats,
    transposed: Floats,
    renew: boolean,
    errors: Float64Array | undefined,
    columns?: Uint32Array,
  ): number
  evaluate(request: EvaluateRequest): Promise<CostParts>
  openTraining(request: JobRequest): TrainingHandle
  /**
   * A job has at most two spans: a running one and a queued one, whose start is not known yet. Resolves to its work, epoch by epoch: empty
   * if all its epochs were already finished or training had ended.
   */
  trainSpan(job: TrainingHandle, request: SpanRequest): Promise<SpanPart[]>
  /**
   * Accepts no more spans, and frees its memory when its spans are settled. If no span is being computed, there was a step, and the
   * parameters are finite, `parameters` receives those of the last complete step, and the result is true.
   */
  closeTraining(job: TrainingHandle, parameters?: Floats): boolean
  /** The first value (after scale and scaling) that is not finite or lies outside [low, high]; null if there is none. */
  scan(request: NativeRun & { rows: NativeRows; low: number; high: number }): Promise<BadValue | null>
  /**
   * Mean and covariance s² Σ(x−μ)(x−μ)ᵀ/m, accumulated in float64 over blocks of rows. Resolves to s, a power of two: 1 unless squares
   * could overflow or underflow.
   */
  covariance(
    request: NativeRun & { rows: NativeRows; mean: Float64Array; covariance: Float64Array },
  ): Promise<number>
  /** Symmetric n × n: eigenvalues falling, eigenvectors as rows of unit length whose largest entry is positive. */
  eigen(
    request: NativeRun & { matrix: Float64Array; n: number; values: Float64Array; vectors: Float64Array },
  ): Promise<void>
  /**
   * Mean, and the `count` leading eigenvectors of the covariance, ordered and signed as those of {@link eigen}; the covariance is not
   * formed. `count` is at most half of the columns. Resolves to the trace of the covariance, which like `values` is s² times what it is of
   * the rows, and s, as {@link covariance} has it; to null if the directions could not be separated.
   */
  leadingDirections(
    request: NativeRun & {
      rows: NativeRows
      count: number
      mean: Float64Array
      values: Float64Array
      vectors: Float64Array
    },
  ): Promise<{ total: number; scale: number } | null>
}
