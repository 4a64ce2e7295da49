/** What the rows of `fit` are: known to be normal, or unlabelled rows that may hold anomalies. */
export type TrainedOn = 'clean' | 'mixed'

/** How the autoencoders of a detector are made and trained. */
export interface Recipe {
  /** Stacks with different seeds, whose scores are averaged. */
  readonly members: number
  /** Units of the encoders, relu; the outputs are identity. */
  readonly hidden: readonly number[]
  /** Epochs of the layers one by one; 0: only all layers together. */
  readonly layerEpochs: number
  /** Epochs of all layers together. */
  readonly epochs: number
  /** Small tables are gone through more often, until this many steps of all layers together. */
  readonly minSteps: number
  readonly batchSize: number
  /** The fraction of the rows that are learned from: those nearest to the centre. */
  readonly kept: number
}

/**
 * Chosen by cross-validation over 20 public tables: `npm run bench -- anomaly` prints the candidates, the choice on ten tables and its figures on
 * the other ten, and `docs/defaults.md` has them.
 *
 * Contaminated rows are few epochs long and leave out a third of the rows: an autoencoder that is trained longer, or on all rows,
 * reconstructs their anomalies too.
 */
export const recipes: Readonly<Record<TrainedOn, Recipe>> = {
  clean: {
    members: 2,
    hidden: [64, 32],
    layerEpochs: 0,
    epochs: 20,
    minSteps: 2000,
    batchSize: 32,
    kept: 1,
  },
  mixed: { members: 1, hidden: [64, 32], layerEpochs: 0, epochs: 10, minSteps: 0, batchSize: 32, kept: 0.65 },
}
