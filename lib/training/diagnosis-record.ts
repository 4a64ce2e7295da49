import type { CostParts } from '../objective/cost.js'

/** How many units of a layer are of little use, on the training rows that were looked at. */
export interface UnitCounts {
  /** All units of the layer. */
  readonly all: number
  /** Units with the same output for all rows, such as a relu unit that is always 0. */
  readonly dead: number
  /** Units that are not dead, but whose output is for all rows that of another unit, to a hundredth of its range. */
  readonly identical: number
  /** Units of bounded activations whose output is for 99% of the rows within a thousandth of an end of its range: they hardly learn any more. */
  readonly saturated: number
}

/** How well principal components reconstruct the same rows, which they are computed from. */
export interface PcaReconstruction {
  /** As many as the narrowest layer of the autoencoder has units, or as there are columns. */
  readonly components: number
  /** R² over all columns, as that of the autoencoder: no linear code of so many numbers reaches more on these rows. */
  readonly rSquared: number
}

/** How well an autoencoder reconstructs the rows that it was trained on. */
export interface Reconstruction {
  /**
   * R², 1 − Σ(x − y)² ÷ Σ(x − mean)² over all columns, after scaling: 1 is without error, 0 as good as the column means, below 0 worse. Constant
   * columns are left out; null if all are constant.
   */
  readonly rSquared: number | null
  /** R² of each column; null for a constant one. */
  readonly perColumn: readonly (number | null)[]
  /** Training rows that it was measured on: all, or up to 2,048 spread over them. */
  readonly rows: number
  /** With `comparePca`: the same by principal components. Absent where {@link rSquared} is null, or the leading ones cannot be separated. */
  readonly pca?: PcaReconstruction
}

/** Parts of a cost as fractions of it. */
export type CostShares = Omit<CostParts, 'total'>

/** What a training came to, beside its parameters. */
export interface TrainingDiagnosis {
  /** Of an autoencoder, or of a layer of one; absent for a layer that is trained with `recompute`. */
  readonly reconstruction?: Reconstruction
  /** Of each hidden layer that encodes, from the input on; absent as `reconstruction` is. */
  readonly units?: readonly UnitCounts[]
  /** The parts of the last epoch's cost. */
  readonly costShares: CostShares
  /** What is probably wrong, in sentences, and what can be done; empty if nothing is. */
  readonly warnings: readonly string[]
}

/** The diagnosis in a history: plain data. */
export function diagnosisOf({
  reconstruction,
  units,
  costShares,
  warnings,
}: TrainingDiagnosis): TrainingDiagnosis {
  return { ...(reconstruction && { reconstruction }), ...(units && { units }), costShares, warnings }
}
