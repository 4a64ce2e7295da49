import { argumentError, checkBoolean, checkFunction, checkInteger, checkOptions } from '../base/check.js'
import type { CheckpointHeader } from '../checkpoint/checkpoint-file.js'
import type { Classes, Labels } from '../data/labels.js'
import type { RowWeights } from '../data/row-weights.js'
import type { Rows } from '../data/rows.js'
import type { RunOptions } from '../native/run-options.js'
import type { EpochEvent, FitProgress } from '../training/history.js'
import type { WeightedRows } from '../training/options.js'
import type { LabeledRows } from './classifier.js'
import type { TrainableModel } from './trainable-models.js'

/** What a checkpoint cannot hold of the training of one layer. */
export interface ResumedLayer {
  /** The layer's learning rate, where it is a function of the epoch. Default: the file has it. */
  readonly learningRate?: ((epoch: number) => number) | undefined
}

/**
 * What a checkpoint cannot hold. Whatever of it the training had must be given again: the same data, and functions that do the same.
 * `null` says that a callback or a signal is no longer wanted.
 */
export interface ResumeOptions<C extends Classes = Classes> extends Pick<RunOptions, 'threads'> {
  /** Of a classifier: the class of each row. Default: a training without labels. */
  readonly labels?: Labels<C> | undefined
  /** Rows to measure after each epoch, as `fit` was given them. Default: there are none, or they are a fraction of the rows, as the file has it. */
  readonly validation?: Rows | WeightedRows | LabeledRows<C> | undefined
  /** The weight of each row. Default: the training had none. */
  readonly rowWeights?: RowWeights | undefined
  /** The learning rate, where it is a function of the epoch. Default: the file has it. */
  readonly learningRate?: ((epoch: number) => number) | undefined
  /** Of a stack's `fit`: what its layers have of their own. Default: the file has it. */
  readonly layers?: readonly ResumedLayer[] | undefined
  /** Of a stack: another folder for the codes of its layers. Default: the folder that the training had, if it had one. */
  readonly codes?: string | URL | undefined
  /** Stops the training, as in `fit`. Default: the training had none. */
  readonly signal?: AbortSignal | null | undefined
  /** As in `fit`. It is not called again for epochs that are over. Default: the training had none. */
  readonly onEpoch?: ((event: EpochEvent) => void | Promise<void>) | null | undefined
  /** As in `fit`. Default: the training had none. */
  readonly onProgress?:
    | ((progress: FitProgress) => void)
    | ((progress: FitProgress) => Promise<void>)
    | null
    | undefined
  /** Called with the model before training goes on, and awaited. From then on the model can be used and saved. Default: none. */
  readonly onModel?: ((model: TrainableModel) => void | Promise<void>) | undefined
  /**
   * Epochs, or iterations of L-BFGS, of the whole training. A schedule that depends on their number follows the new one. Not for the layers
   * of a stack. At least those that are done. Default: what `fit` was told.
   */
  readonly epochs?: number | undefined
  /**
   * Whether to go on although the version of layerwise, that of OpenBLAS, its kernel or the vector level are not those of the checkpoint. The
   * numbers are then not those of an uninterrupted training to the bit. Default false.
   */
  readonly acceptOtherKernel?: boolean | undefined
}

/** Options that are data or functions of the training; the others are of this call alone. */
const DATA = ['labels', 'validation', 'rowWeights', 'learningRate']
const OPTIONAL = ['signal', 'onEpoch', 'onProgress']
const NAMES = [...DATA, ...OPTIONAL, 'layers', 'codes', 'threads', 'onModel', 'epochs', 'acceptOtherKernel']

/** Checked as far as that is possible without the file. */
export interface GivenResumeOptions {
  readonly given: Readonly<Record<string, unknown>>
  readonly onModel: ResumeOptions['onModel']
  readonly epochs: number | undefined
  readonly acceptOtherKernel: boolean
}

/** @throws {@link LayerwiseError} `ERR_ARGUMENT` for unknown options and wrong types */
export function checkResumeOptions(options: unknown): GivenResumeOptions {
  const { onModel, epochs, acceptOtherKernel = false, ...given } = checkOptions('options', options, NAMES)
  checkFunction('learningRate', given.learningRate as ResumeOptions['learningRate'])
  return {
    given,
    onModel: checkFunction('onModel', onModel as ResumeOptions['onModel']),
    epochs: epochs === undefined ? undefined : checkInteger('epochs', epochs),
    acceptOtherKernel: checkBoolean('acceptOtherKernel', acceptOtherKernel),
  }
}

/**
 * The options of the method that goes on: those of the file, and those that it cannot hold.
 *
 * @param done - how many epochs it has
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` naming what the training had and is missing, what it had not, and fewer epochs than it has
 */
export function resumedOptions(
  { options, carried, data, phases, phaseCount }: CheckpointHeader,
  { given, epochs }: GivenResumeOptions,
  done: number,
): Record<string, unknown> {
  const expected = data.x.labels === undefined ? carried : ['labels', ...carried]
  for (const name of expected) {
    if (givenAt(given, name) === undefined) throw argumentError(name, missing(name), undefined)
  }
  for (const name of DATA) {
    if (given[name] !== undefined && !expected.includes(name)) {
      throw argumentError(
        name,
        'nothing, since the training was begun without it or its file has it',
        given[name],
      )
    }
  }
  checkLayers(given.layers, options.layers, carried)
  const { labels: _, layers, ...own } = given
  const wanted = Object.entries(own).filter(([, value]) => value !== null)
  const merged = { ...options, ...Object.fromEntries(wanted) }
  if (options.layers !== undefined) merged.layers = withRates(options.layers, layers)
  if (epochs === undefined) return merged
  if (phaseCount > 1)
    throw argumentError('epochs', 'nothing, since each layer of a stack has its own', epochs)
  if (epochs < done) throw argumentError('epochs', `at least ${done}, which are done`, epochs)
  return withEpochs(merged, epochs, phases[0]!.batchSize)
}

function missing(name: string): string {
  const whether = OPTIONAL.includes(name) ? ', or null for none' : ''
  return `what the training was begun with, which its file cannot hold${whether}`
}

/** Refuses options of layers that the training had not, or that its file has. */
function checkLayers(given: unknown, stored: unknown, carried: readonly string[]): void {
  if (given === undefined) return
  if (!Array.isArray(stored))
    throw argumentError('layers', 'nothing, since the training was begun without it', given)
  if (!Array.isArray(given) || given.length > stored.length)
    throw argumentError('layers', `an array of at most ${stored.length} layers`, given)
  for (const [k, layer] of given.entries()) {
    const name = `layers[${k}]`
    const { learningRate } = checkOptions(name, layer, ['learningRate'])
    if (learningRate === undefined) continue
    if (!carried.includes(`${name}.learningRate`))
      throw argumentError(`${name}.learningRate`, 'nothing, since its file has it', learningRate)
    checkFunction(`${name}.learningRate`, learningRate as ResumedLayer['learningRate'])
  }
}

function givenAt(given: GivenResumeOptions['given'], name: string): unknown {
  const [, k] = /^layers\[(\d+)\]\.learningRate$/.exec(name) ?? []
  if (k === undefined) return given[name]
  const layers = given.layers as ResumeOptions['layers']
  return Array.isArray(layers) ? layers[Number(k)]?.learningRate : undefined
}

function withRates(stored: unknown, given: unknown): unknown[] {
  const layers = stored as readonly object[]
  const rates = (Array.isArray(given) ? given : []) as readonly { learningRate?: unknown }[]
  return layers.map((layer, k) => {
    const learningRate = rates[k]?.learningRate
    return learningRate === undefined ? layer : { ...layer, learningRate }
  })
}

/** With another number of epochs, but with the same rows in each step. */
function withEpochs(
  options: Record<string, unknown>,
  epochs: number,
  batchSize: number,
): Record<string, unknown> {
  const { optimizer } = options as { optimizer?: { kind?: unknown } }
  if (optimizer?.kind !== 'lbfgs')
    return { ...options, epochs, batchSize: batchSize === 0 ? 'all' : batchSize }
  return { ...options, optimizer: { ...optimizer, maxIterations: epochs } }
}
