import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type FitOptions,
  Matrix,
  type ResumeOptions,
  resumeTraining,
  SparseAutoencoder,
  StackedAutoencoder,
} from '../../lib/index.js'
import { sealed } from './checkpoint-seal.js'
import { mutatedSafetensors } from './mutate.js'
import { must, randomOf } from './proof.js'
import type { Reader } from './reader.js'

const [ROWS, COLS] = [12, 3]
const random = randomOf(6, 0)
const x = Matrix.from(
  Float64Array.from({ length: ROWS * COLS }, () => random.next()),
  ROWS,
  COLS,
)

/** Epochs of a training, of which the last has not been trained. */
const EPOCHS = 3

/** The longest time for which a changed training is let go on, in milliseconds: its options may ask for any number of epochs. */
const LONGEST_MS = 1000

/** Checkpoints of trainings that were interrupted. */
async function interrupted(folder: string): Promise<Buffer[]> {
  const options = { inputs: COLS, hidden: 2 }
  const trainings: [SparseAutoencoder | StackedAutoencoder, FitOptions][] = [
    [new SparseAutoencoder(options), { epochs: EPOCHS }],
    [new StackedAutoencoder({ inputs: COLS, layers: [{ hidden: 3 }, { hidden: 2 }] }), { epochs: EPOCHS }],
    [new SparseAutoencoder(options), { optimizer: { kind: 'lbfgs', maxIterations: EPOCHS } }],
  ]
  const files: Buffer[] = []
  for (const [k, [model, how]] of trainings.entries()) {
    const path = join(folder, `good-${k}`)
    const controller = new AbortController()
    const onEpoch = ({ epoch }: { epoch: number }) => {
      if (epoch === EPOCHS - 1) controller.abort()
    }
    await model.fit(x, { ...how, signal: controller.signal, onEpoch, checkpoint: { path } }).catch(() => {})
    files.push(readFileSync(path))
  }
  return files
}

/** Goes on with what a file holds; an abort with this reason is no failure. */
async function resumed(bytes: Buffer, folder: string, reason: Error, options: ResumeOptions): Promise<void> {
  const path = join(folder, 'run')
  writeFileSync(path, bytes)
  try {
    const { model } = await resumeTraining(path, x, { onEpoch: null, ...options })
    must(model.parameters().every(Number.isFinite), 'a parameter is not finite')
  } catch (error) {
    if (error !== reason) throw error
  }
}

/** Reads all of the file, and trains nothing. */
export const checkpoint: Reader = {
  good: interrupted,
  mutate: (good, random) => {
    const bytes = mutatedSafetensors(good, random)
    return random.next() < 0.7 ? sealed(bytes) : bytes
  },
  read(bytes, folder) {
    const controller = new AbortController()
    const reason = new Error('read')
    const { signal } = controller
    return resumed(bytes, folder, reason, { signal, onModel: () => controller.abort(reason) })
  },
  codes: ['ERR_FORMAT', 'ERR_STATE', 'ERR_ARGUMENT'],
}

/** Reads the file, and trains to the end: the native code takes the state of the training apart. */
export const training: Reader = {
  good: interrupted,
  mutate: (good, random) => sealed(mutatedSafetensors(good, random)),
  async read(bytes, folder) {
    const controller = new AbortController()
    const reason = new Error('it is long')
    const timer = setTimeout(() => controller.abort(reason), LONGEST_MS)
    await resumed(bytes, folder, reason, { signal: controller.signal }).finally(() => clearTimeout(timer))
  },
  codes: ['ERR_FORMAT', 'ERR_STATE', 'ERR_ARGUMENT', 'ERR_RANGE', 'ERR_SHAPE', 'ERR_DIVERGED'],
}
