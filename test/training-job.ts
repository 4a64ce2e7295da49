import type { JobRequest, TrainingHandle } from '../lib/native/binding.js'
import { binding } from '../lib/native/load.js'

/** A training job without a model: by default gradient descent over all rows, in their order. */
export function openJob(
  request: Pick<JobRequest, 'layers' | 'objective' | 'parameters' | 'rows'> & Partial<JobRequest>,
): TrainingHandle {
  return binding().openTraining({
    batchSize: 0,
    shuffle: 'none',
    optimizer: { kind: 'gradientDescent' },
    seed: 0,
    fit: 0,
    form: 'fused',
    ...request,
  })
}

/** One with two hidden units, from parameters that are 0. */
export function openSmallJob(rows: JobRequest['rows'], options: Partial<JobRequest> = {}) {
  const inputs = rows.cols
  const parameters = new Float32Array(inputs * 2 + 2 + 2 * inputs + inputs)
  const job = openJob({
    layers: [
      { inputs, outputs: 2, activation: 'sigmoid' },
      { inputs: 2, outputs: inputs, activation: 'sigmoid' },
    ],
    objective: { loss: 'squared', weightDecay: [0, 0], penalties: [] },
    parameters,
    rows,
    ...options,
  })
  return { job, parameters }
}
