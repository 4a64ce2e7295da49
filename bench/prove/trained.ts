import { type FitOptions, Matrix, SparseAutoencoder } from '../../lib/index.js'
import { randomOf } from './proof.js'

const INPUTS = 100
const ROWS = 256

/** Rows that every process makes anew. */
export function trainingRows(): Matrix {
  const random = randomOf(7, 0)
  return Matrix.from(
    Float32Array.from({ length: ROWS * INPUTS }, () => random.next()),
    ROWS,
    INPUTS,
  )
}

export function trainedModel(): SparseAutoencoder {
  return new SparseAutoencoder({
    ...{ inputs: INPUTS, hidden: 200, seed: 3, sparsity: { kind: 'kl', target: 0.1, weight: 1 } },
  })
}

/** A training of some seconds. */
export const TRAINING = { epochs: 600, batchSize: 32, threads: 1 } as const

export function checkpointOptions(path: string): FitOptions {
  return { ...TRAINING, checkpoint: { path, everySeconds: 0 } }
}
