import { LayerwiseError } from '../base/errors.js'
import { show } from '../base/show.js'
import {
  checkpointArrays,
  type Kernels,
  modelEntries,
  placesInCheckpoint,
  type ReadHeader,
  readHeader,
} from '../checkpoint/checkpoint-file.js'
import { checkCheckpoint } from '../checkpoint/options.js'
import { isUnusable, wholeOlder } from '../checkpoint/series.js'
import { type ByteSource, checkPath, filePath, formatError, withFile } from '../data/read-file.js'
import type { Rows } from '../data/rows.js'
import { safetensorsFrom } from '../data/safetensors.js'
import { unlessAborted } from '../native/abort.js'
import { checkSignal } from '../native/run-options.js'
import { Checkpoints, type Interrupted, kernels } from '../training/checkpoints.js'
import type { TrainingHistory } from '../training/history.js'
import { type ModelReading, modelReading } from './model-file.js'
import { checkResumeOptions, type ResumeOptions, resumedOptions } from './resume-options.js'
import { type TrainableModel, trainableRestorers } from './trainable-models.js'

/** What an interrupted training came to. */
export interface ResumedTraining<H extends TrainingHistory | TrainingHistory[] = TrainingHistory> {
  /** The model, which is as though the training had not been interrupted. */
  readonly model: TrainableModel
  /** What the interrupted method would have returned: of all epochs; of a stack's `fit` a history for each layer. */
  readonly history: H
}

/** A checkpoint that was read. */
interface ReadCheckpoint {
  readonly model: TrainableModel
  readonly interrupted: Interrupted
}

/** The methods that train, as far as all models have them. */
type Trains = (rows: Rows, ...rest: unknown[]) => Promise<TrainingHistory | TrainingHistory[]>

/**
 * Goes on with a training whose checkpoint is at `path`, with the same bits as though it had not been interrupted, at any number of threads,
 * and goes on writing checkpoints there. A training that is over is returned as it is.
 *
 * At most 4 MiB of rows, labels and weights each are compared with those of the training: of larger ones 256 pieces, evenly spread.
 *
 * @param path - the file that `fit` or `fineTune` wrote with its option `checkpoint`; it may have been moved
 * @param rows - the rows that were trained on
 * @param options - what a file cannot hold; see {@link ResumeOptions}
 * @throws `signal.reason`, if the signal is aborted, after a checkpoint was written; the error of a callback, if it throws
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if the file cannot be read; for what the training had and is missing
 * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is no checkpoint, or a damaged one: the message names the older ones that are whole
 * @throws {@link LayerwiseError} `ERR_STATE` for other rows, labels, weights and validation rows; for another version or kernel
 * @throws {@link LayerwiseError} `ERR_BUSY` if another training writes the file
 * @throws {@link LayerwiseError} as the method that was interrupted
 */
export async function resumeTraining<H extends TrainingHistory | TrainingHistory[] = TrainingHistory>(
  path: string | URL,
  rows: Rows,
  options?: ResumeOptions,
): Promise<ResumedTraining<H>> {
  const given = checkResumeOptions(options)
  checkPath('path', path)
  const file = filePath('read', path)
  const { model, interrupted } = await readNewest(file)
  const { header } = interrupted
  checkKernels(file, header.kernels, given.acceptOtherKernel)
  const merged = resumedOptions(header, given, epochsDone(interrupted))
  const { checkpoint, ...asked } = merged
  const settings = checkCheckpoint({ ...(checkpoint as object), path: file })
  const checkpoints = new Checkpoints(
    settings,
    { options: plainOf(merged, header.options), carried: header.carried },
    interrupted,
  )
  await unlessAborted(given.onModel?.(model), checkSignal('signal', asked.signal))
  const train = (model as unknown as Record<string, Trains>)[header.method]!
  const { labels } = given.given
  const labeled = header.data.x.labels === undefined ? [] : [labels]
  const history = await train.call(model, rows, ...labeled, { ...asked, checkpoint: checkpoints })
  return { model, history: history as H }
}

/** Of the first part of a training. */
function epochsDone({ header, histories }: Interrupted): number {
  const columns = header.phases[0]?.columns.length ?? 0
  return columns === 0 ? 0 : histories[0]!.length / columns
}

/** Reads a checkpoint; if it is damaged, says which older ones are not. */
async function readNewest(path: string): Promise<ReadCheckpoint> {
  try {
    return await readCheckpoint(path)
  } catch (error) {
    if (!isUnusable(error)) throw error
    const { code, message, details } = error as LayerwiseError
    const isWhole = (file: string) =>
      readCheckpoint(file).then(
        () => true,
        () => false,
      )
    const older = await wholeOlder(path, isWhole)
    if (older.length === 0) throw error
    const names = older.map((file) => `'${file}'`).join(', ')
    throw new LayerwiseError(
      code,
      `${message}; older checkpoints beside it that are whole: ${names}`,
      details,
      error,
    )
  }
}

function readCheckpoint(path: string): Promise<ReadCheckpoint> {
  return withFile(path, checkpointFrom)
}

/**
 * The model and the training that a checkpoint holds.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is none, or a damaged one
 */
export async function checkpointFrom(file: ByteSource): Promise<ReadCheckpoint> {
  let read: ReadHeader | undefined
  let reading: ModelReading<TrainableModel> | undefined
  const { tensors } = await safetensorsFrom(file, async (entries, metadata) => {
    read = await readHeader(file.name, metadata)
    reading = await modelReading(file.name, modelEntries(entries), read.model, trainableRestorers)
    return placesInCheckpoint(reading.places)
  })
  const arrays = await checkpointArrays(file.name, read!, tensors)
  const { header } = read!
  const model = await reading!.make(arrays.model)
  const methods: readonly string[] = ['fit', 'fineTune']
  if (!methods.includes(header.method) || !(header.method in model)) {
    throw formatError(file.name, `its method is ${show(header.method)}, which a ${model.kind} does not have`)
  }
  return { model, interrupted: { header, ...arrays } }
}

function checkKernels(file: string, written: Kernels, accept: boolean): void {
  const now = kernels()
  const names = Object.keys(now) as (keyof Kernels)[]
  const others = names.filter((name) => now[name] !== written[name])
  if (accept || others.length === 0) return
  const told = others.map((name) => `${NAMES[name]} ${written[name]} instead of ${now[name]}`).join(', ')
  throw new LayerwiseError(
    'ERR_STATE',
    `'${file}': it was written with ${told}, whose bits differ; acceptOtherKernel: true goes on all the same`,
    { argument: 'acceptOtherKernel', expected: 'true', received: false },
  )
}

const NAMES: Readonly<Record<keyof Kernels, string>> = {
  version: 'layerwise',
  openblas: 'OpenBLAS',
  kernel: "OpenBLAS's kernel",
  vectors: 'vector level',
}

/** The options that the next checkpoint holds: those of the file, with the present number of epochs and what follows from it. */
function plainOf(merged: Record<string, unknown>, stored: CheckpointOptionsOfFile): Record<string, unknown> {
  const changed = ['epochs', 'batchSize', 'optimizer'].filter((name) => merged[name] !== undefined)
  return { ...stored, ...Object.fromEntries(changed.map((name) => [name, merged[name]])) }
}

type CheckpointOptionsOfFile = Interrupted['header']['options']
