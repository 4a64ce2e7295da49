import { SparseAutoencoder } from '../../lib/index.js'
import type { Training } from '../measuring/limits.js'
import type { TrainingCase } from './cases.js'

/** The autoencoder of a case. */
export function modelOf({ inputs, hidden, target, weight, weightDecay }: TrainingCase): SparseAutoencoder {
  const sparsity = { kind: 'kl', target, weight, average: 'moving' } as const
  return new SparseAutoencoder({ inputs, hidden, sparsity, weightDecay })
}

/** What the limits are to train. */
export function trainingOf({ inputs, hidden, batchSize, learningRate, ...of }: TrainingCase): Training {
  const { target, weight, weightDecay } = of
  const activation = 'sigmoid'
  return {
    layers: [
      { inputs, outputs: hidden, activation },
      { inputs: hidden, outputs: inputs, activation },
    ],
    objective: { loss: 'squared', weightDecay, penalty: { average: 'moving', target, weight } },
    batchSize,
    learningRate,
  }
}
