/**
 * The one contract between TypeScript and the addon. TypeScript has checked every argument before it crosses here;
 * the addon rechecks only what could corrupt memory (pointer, length, shape) and reports that as a plain error with a `code`.
 *
 * Off-thread calls return promises. Arrays handed over are pinned until the promise settles, and must not be written meanwhile.
 */
import { ownCopy } from '../base/check.js'

export type Floats = Float32Array | Float64Array
/** `softmax` is for the last layer only, with the loss `logLoss`. */
export type ActivationName = 'sigmoid' | 'tanh' | 'relu' | 'satlin' | 'identity' | 'softmax'
/** How the addon numbers activations where a name would take too long. */
export const ACTIVATION_NUMBERS = {
  sigmoid: 0,
  tanh: 1,
  relu: 2,
  satlin: 3,
  identity: 4,
  softmax: 5,
} as const satisfies Record<ActivationName, number>

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

/** What the addon reads of a scaler, or of more than that, as it is now. */
export function nativeScaling(scaling: NativeScaling): NativeScaling {
  const { shift, factor } = scaling
  const centre = Object.hasOwn(scaling, 'centre') ? scaling.centre : undefined
  const clipped = Object.hasOwn(scaling, 'clipped') ? scaling.clipped : undefined
  return ownCopy({ shift, factor, ...(centre && { centre }), ...(clipped && { clipped }) })
}

/** Rows to read. A value is `data[i, j] * scale`, scaled. */
export interface NativeRows {
  data: Float32Array | Float64Array | Uint8Array
  rows: number
  cols: number
  scale: number
  /** The rows to use, in this order; all in their own order if absent. */
  order?: Uint32Array
  scaling?: NativeScaling
  /** Each row of `data`'s class, for the loss `logLoss`: one a row of `data`, whatever the order. */
  labels?: Uint32Array
  /** Layers the rows go through first, block by block: the network then sees their outputs. These layers do not learn. */
  through?: { layers: readonly NativeLayer[]; parameters: Floats }
}

export interface NativeLayer {
  inputs: number
  outputs: number
  activation: ActivationName
  /** False: the layer has no b in the parameters. Absent: true. */
  biases?: boolean
  /** It uses the matrix of this earlier layer, transposed, and has none of its own in the parameters. */
  tied?: number
  /** Its own W is stored [inputs, outputs]. Forward only: this is what a tied layer looks like alone. */
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
  /** With `logLoss`: what a row of each class counts, one a class. Absent: 1. */
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
 * What every computing call needs. `flags[0]` set to 1 makes it stop at the next step or block and reject with code `CANCELLED`. The
 * addon sets `flags[1]` to 1 when it begins; where `flags[0]` is 1 by then it touches nothing, and rejects when its turn comes.
 */
export interface NativeRun {
  threads: number
  flags: Int32Array
}

export interface ForwardRequest extends NativeRun {
  /** The layers to go through, and the flat parameters of just these. */
  layers: readonly NativeLayer[]
  parameters: Floats
  rows: NativeRows
  /**
   * `outputs`: out is [rows, outputs of the last layer]; `squares`: [rows, the same], squared differences from the rows;
   * `errors`: a Float64Array of their sums, one a row; `classes`: a Uint32Array, which output of each row is largest (the first of equals).
   */
  result: 'outputs' | 'squares' | 'errors' | 'classes'
  out: Floats | Uint32Array
  /** With `outputs`: the scaling that is undone. */
  unscale?: NativeScaling
}

export interface CostParts {
  loss: number
  weightDecay: number
  sparsity: number
  /** With `logLoss`: rows whose label is the most probable class. */
  correct: number
  /** Mean output of the first penalised layer, or of the first layer; Float64Array [outputs]. */
  meanActivation: Float64Array
}

export interface EvaluateRequest extends NativeRun {
  layers: readonly NativeLayer[]
  objective: NativeObjective
  parameters: Floats
  rows: NativeRows
  /** A bound on the size of the numbers in the rows. Where sums might overflow float32, all is computed in float64 and rounded. */
  largest?: number
  gradient?: Floats
  /** With `logLoss`: receives the first of the most probable classes of each row; the number of classes where outputs are not finite. */
  predicted?: Uint32Array
}

export type NativeOptimizer =
  | { kind: 'gradientDescent' }
  | { kind: 'momentum'; momentum: number }
  | { kind: 'adam'; beta1: number; beta2: number; epsilon: number }
  | { kind: 'lbfgs'; history: number; tolerance: number }

export interface TrainingRequest {
  layers: readonly NativeLayer[]
  objective: NativeObjective
  /** Copied: the job has parameters of its own. */
  parameters: Floats
  rows: NativeRows
  /** Rows a step; 0 means all, with the exact mean activation. Must be 0 for lbfgs. */
  batchSize: number
  shuffle: boolean
  optimizer: NativeOptimizer
  seed: number
  /** How many fits this model had before: part of the key of the shuffles. */
  fit: number
  /** `fused` updates each block of parameters while its gradient is hot, `split` finishes the gradient first. Same bits. */
  form: 'fused' | 'split'
  corruption?: NativeCorruption
  /** Not for lbfgs. */
  weightConstraint?: NativeWeightConstraint
}

export interface SpanRequest extends NativeRun {
  /** The first of the epochs it may be of, counted from 0: keys the shuffle. It goes on in that which is not over when its turn comes. */
  epoch: number
  /** Of `epoch` and the epochs after it which the span may go on to, constant over each; ignored by lbfgs, but for their number. */
  learningRates: Float64Array
  /** Return to JavaScript after about so much time. */
  budgetMs: number
  /** Receives the parameters of the last epoch that was done, or of the last step where the span was cancelled; otherwise untouched. */
  parameters: Floats
  /**
   * Weight and multipliers of the penalty of kind `constraint`, taken over where `round` is not the last one's: lbfgs then starts afresh
   * from where it is. Absent: as they were.
   */
  constraint?: { round: number; weight: number; multipliers: Float64Array }
}

/** What a span did in one epoch. */
export interface SpanPart {
  /** From when the span was handed over, or what was before this part ended if that was later, to its end. */
  seconds: number
  /** Steps finished in this epoch so far, of how many. For lbfgs both are 1 when the iteration is done. */
  steps: number
  stepsInEpoch: number
  /** Mean cost over the rows seen so far in this epoch; for a whole epoch, the parts of it. */
  loss: number
  weightDecay: number
  sparsity: number
  /** With `logLoss`: rows of those seen so far whose label was the most probable class. */
  correct: number
  cancelled: boolean
  /** A non-finite cost or parameter appeared; the job is over and `parameters` was not written by this part. */
  diverged: boolean
  /** Present when the epoch (iteration) is done. */
  epoch?: {
    /** Norm of the last gradient of the epoch. */
    gradientNorm: number
    meanActivation: Float64Array
    /** Evaluations of cost and gradient: 1 a step, several for a line search. */
    evaluations: number
    /** lbfgs only: why it ends here. */
    stopped?: 'tolerance' | 'precision'
  }
}

/** A training job: native memory that lives from `openTraining` to `closeTraining`, or until collected. */
export type TrainingHandle = object & { readonly training: unique symbol }

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
   * Puts `values` into a random order, a function of their number and (seed, stream, index): the places `from` to `to` (not included), where
   * those before `from` have theirs from calls before.
   */
  shuffle(values: Uint32Array, from: number, to: number, seed: number, stream: number, index: number): void
  /**
   * Asks the system for huge pages under `bytes`, which rows are about to be written to. Returns how many bytes there are from their
   * start to the next address that `unit` divides.
   */
  prepareRows(bytes: Uint8Array, unit: number): number
  forward(request: ForwardRequest): Promise<void>
  /**
   * One row through the layers on the calling thread, with as little to unpack as can be.
   * `shape`: inputs, then (outputs, activation, 1 or 0 for biases, the layer it is tied to or −1) of each layer, activations numbered as in
   * {@link ACTIVATION_NUMBERS}.
   * `turned` holds the first layer's matrix transposed, and is made anew if `renew` says so.
   * `errors`, of one number, receives the sum of squared differences between `out` and the row.
   * Returns 0; 1 if a value of the row is not finite, 2 if an answer is too large to be held.
   */
  forwardRow(
    shape: Int32Array,
    parameters: Floats,
    row: Float32Array | Float64Array | Uint8Array,
    scale: number,
    scaling: NativeScaling | undefined,
    out: Floats,
    turned: Floats,
    renew: boolean,
    errors: Float64Array | undefined,
  ): number
  evaluate(request: EvaluateRequest): Promise<CostParts>
  openTraining(request: TrainingRequest): TrainingHandle
  /**
   * A job holds two spans at most: one that runs and one that waits, of which nobody knows yet where it will begin. Resolves to what was
   * done, epoch by epoch: to nothing, where all those epochs were over or there was nothing more to be done.
   */
  trainSpan(job: TrainingHandle, request: SpanRequest): Promise<SpanPart[]>
  /**
   * Takes no more spans, and frees its memory once those that it has are settled. `parameters` receives those of the last complete
   * step, where no span is being computed, there was a step, and they are finite: then true.
   */
  closeTraining(job: TrainingHandle, parameters?: Floats): boolean
  /** The first value (after scale and scaling) that is not finite or lies outside [low, high]; null if there is none. */
  scan(
    request: NativeRun & { rows: NativeRows; low: number; high: number },
  ): Promise<{ row: number; column: number; value: number } | null>
  /**
   * Mean and covariance s² Σ(x−μ)(x−μ)ᵀ/m, accumulated in float64 over blocks of rows. Resolves to s, a power of two: 1 unless squares could
   * overflow or vanish.
   */
  covariance(
    request: NativeRun & { rows: NativeRows; mean: Float64Array; covariance: Float64Array },
  ): Promise<number>
  /** Symmetric n × n: eigenvalues falling, eigenvectors as rows of unit length whose largest entry is positive. */
  eigen(
    request: NativeRun & { matrix: Float64Array; n: number; values: Float64Array; vectors: Float64Array },
  ): Promise<void>
  /**
   * Mean, and the `count` leading eigenvectors of the covariance, ordered and signed as those of {@link eigen}; the covariance is not formed.
   * `count` is at most half of the columns. Resolves to the trace of the covariance, which like
   * `values` is s² times what it is of the rows, and s, as {@link covariance} has it; to null where the directions could not be told apart.
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
