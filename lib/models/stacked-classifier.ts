import { type Complete, checkOptions, freezeDeep } from '../base/check.js'
import type { FloatArray, FloatInput, Precision } from '../base/precision.js'
import type { Dataset } from '../data/dataset.js'
import type { Classes, Labels } from '../data/labels.js'
import type { Matrix } from '../data/matrix.js'
import type { Rows, SingleRow } from '../data/rows.js'
import type { Scaler } from '../data/scaling/column-scaler.js'
import type { NativeObjective } from '../native/binding.js'
import { checkRunOptions } from '../native/run-options.js'
import { checkpointsOf } from '../training/asked-options.js'
import { takeFitRows } from '../training/fit-rows.js'
import type { TrainingHistory } from '../training/history.js'
import { checkFitOptions, FIT_OPTIONS } from '../training/options.js'
import { plainObjective, type TrainingRequest } from '../training/request.js'
import { train } from '../training/train.js'
import { answerRows, type FolderOptions } from './answers.js'
import { type CodesBatch, codeBatches, type RowsOrBatches } from './batches.js'
import { Classifier, type ClassifierFitOptions } from './classifier.js'
import { classifierObjective } from './classifier-options.js'
import { CodeFolder, type CodeOptions, checkCodeOptions } from './code-folder.js'
import { codeStore, codesOf } from './codes.js'
import {
  checkLayerOptions,
  checkLayerOutOptions,
  type EncodeOptions,
  type OutOptions,
} from './encode-options.js'
import { forwardTask, type LayerRange } from './forward.js'
import { RowForward } from './forward-row.js'
import { type Restorer, readModel, readModelBytes } from './model-file.js'
import { Network, type Stored } from './network.js'
import { copyScaler } from './network-model.js'
import {
  type ClassifierLayerOptions,
  checkStackedClassifierSettings,
  costObjectiveOf,
  layersOf,
  STACKED_CLASSIFIER_SETTINGS,
  type StackedClassifierOptions,
  type StackedClassifierSettings,
  startsOf,
  TO_CLASSIFIER_OPTIONS,
  type ToClassifierOptions,
  trainingObjectiveOf,
} from './stacked-classifier-options.js'
import { checkShuffled } from './stacked-fit-options.js'

/** How to train the softmax of a StackedClassifier. */
export type StackedClassifierFitOptions<C extends Classes = Classes> = ClassifierFitOptions<C> & CodeOptions

/** The parts of a stack that a classifier uses. */
export interface Encoders<P extends Precision> {
  readonly inputs: number
  readonly layers: readonly Complete<ClassifierLayerOptions>[]
  readonly precision: P
  readonly seed: number
  readonly scaling: Scaler | undefined
  /** Of each layer. */
  readonly parameters: readonly FloatArray<P>[]
}

/**
 * Layers of units, and a softmax over classes on the last of them: created from a trained stack by its `toClassifier`, or with random
 * weights.
 *
 *   J = −(1/m) Σᵢ w(yᵢ) ln p(yᵢ | xᵢ) + λ/2 ‖W‖²
 *
 * W is the softmax's matrix, or with `decay: 'all'` every layer's; w are the class weights. With `sparseFineTuning` the sparsity penalty
 * of each layer is part of J. {@link fit} trains the softmax on the codes of the layers below, {@link fineTune} all layers together.
 *
 * Source: Xue, "Inference of stacked sparse autoencoder", section IV; UFLDL, "Fine-tuning stacked autoencoders".
 */
export class StackedClassifier<
  P extends Precision = 'float32',
  C extends Classes = number,
> extends Classifier<P, C> {
  readonly #settings: StackedClassifierSettings<P, C>
  readonly #encoder: LayerRange
  readonly #encodeRow: RowForward<P>

  /**
   * Creates a classifier with seeded random parameters, for instance to train by `fineTune` only. They are drawn on the calling thread,
   * some 5 ns each; `load` draws none.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for an unknown option, a wrong type, a number out of its range, class names that are not
   *   all different, a layer's `sparsity` without `sparseFineTuning`, kl on units other than sigmoid, tanh and satlin
   * @throws {@link LayerwiseError} `ERR_SHAPE` for no layers, more than 1,000 of them, another number of class weights, a scaler of another
   *   width; `ERR_STATE` for one that is not fitted
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the parameters, `ERR_LOAD` without a usable addon
   */
  constructor(options: StackedClassifierOptions<P, C>)
  /** @internal Restores a saved model; or creates one from copies of the parameters of each layer. */
  constructor(options: StackedClassifierOptions<P, C>, start: Stored<P> | readonly FloatArray<P>[])
  constructor(options: StackedClassifierOptions<P, C>, start?: Stored<P> | readonly FloatArray<P>[]) {
    const given = checkOptions('options', options, [...STACKED_CLASSIFIER_SETTINGS, 'scaling', 'metadata'])
    const settings = checkStackedClassifierSettings<P, C>(given)
    const scaler = copyScaler(given.scaling, settings.inputs)
    const stored = start !== undefined && Object.hasOwn(start, 'parameters') ? start : undefined
    const copied = stored === undefined ? ((start as readonly FloatArray<P>[] | undefined) ?? []) : []
    const starts = [...copied, ...startsOf(settings).slice(copied.length)]
    const network = new Network(layersOf(settings), settings.precision, stored ?? starts)
    super(network, scaler, settings.classes, given.metadata)
    this.#settings = freezeDeep(settings)
    this.#encoder = { from: 0, to: settings.layers.length }
    this.#encodeRow = new RowForward(network, this.#encoder, scaler)
  }

  override get kind(): 'StackedClassifier' {
    return 'StackedClassifier'
  }

  override get options(): StackedClassifierSettings<P, C> {
    return this.#settings
  }

  /** @internal A classifier on a copy of a stack's encoders. */
  static onto<P extends Precision, C extends Classes>(
    { parameters, layers: encoders, scaling, ...stack }: Encoders<P>,
    options: ToClassifierOptions<C>,
  ): StackedClassifier<P, C> {
    const given = checkOptions('options', options, TO_CLASSIFIER_OPTIONS)
    const { seed = stack.seed, ...softmax } = given as unknown as ToClassifierOptions<C>
    const layers = encoders.map(({ sparsity, ...layer }) =>
      softmax.sparseFineTuning === true ? { ...layer, sparsity } : layer,
    )
    const whole = { ...softmax, ...stack, layers, seed, ...(scaling && { scaling }) }
    return new StackedClassifier<P, C>(whole, parameters)
  }

  /**
   * Trains the softmax alone, on the codes of the layers below, whose bits do not change; from the current parameters and with new
   * optimizer state. Weight decay is that of the softmax, for every `decay`; there is no sparsity penalty. Events have `phase: 'softmax'`;
   * `meanActivation` is NaN, since no hidden units are trained.
   *
   * An abort takes effect between steps and leaves the parameters of the last complete step; any other failure leaves those of the last
   * finished epoch. The model can be used and trained further in every case.
   *
   * @param x - rows of `inputs` numbers
   * @param labels - the class of each row
   * @param options - see {@link StackedClassifierFitOptions}
   * @returns the measurements of each epoch, and why training ended
   * @throws `signal.reason`, if the signal is aborted; the error of `onEpoch` or `onProgress`, if it throws
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad options, rows and labels
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN and infinities, for labels that are none (the row in `details`), and labels to train on
   *   that are all of one class
   * @throws {@link LayerwiseError} `ERR_BUSY` while another training of this model runs
   * @throws {@link LayerwiseError} `ERR_DIVERGED` if the cost is no longer finite: epoch in `details`
   * @throws {@link LayerwiseError} `ERR_STATE` if the buffer of `x` is transferred while it is copied, or later where it is above 256 MiB
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the codes: see `recompute`, `codes`; `ERR_FILE` if files of rows or codes fail
   */
  async fit(x: Rows, labels: Labels<C>, options?: StackedClassifierFitOptions<C>): Promise<TrainingHistory> {
    const given = checkRunOptions(options, [...FIT_OPTIONS, 'recompute', 'codes'])
    const codes = checkCodeOptions(given)
    const { recompute, codes: _, checkpoint, ...rest } = given
    const checkpoints = checkpointsOf({ ...given, codes: codes.codes })
    const settings = { ...checkFitOptions(rest), checkpoints }
    checkShuffled(settings, codes)
    const { network, rowForm } = this
    const { to: top } = this.#encoder
    const cost = classifierObjective(this.#settings, [this.#settings.weightDecay])
    return this.exclusively('fit', settings, async (work) => {
      const rows = await takeFitRows({ x, labels }, settings, rowForm, work)
      const width = network.layers[top - 1]!.outputs
      const store = codeStore(codes, rows, network.precision, width)
      const request = async (): Promise<TrainingRequest> => ({
        phase: { phase: 'softmax' },
        network: network.trainable([top]),
        nextFit: () => network.nextFit(),
        objective: plainObjective(cost, cost),
        seed: this.#settings.seed,
        rows: await codesOf(network, top, rows, store, settings.run, work),
        rowCheck: store === undefined ? 'none' : 'finite',
        classes: this.classes,
        settings,
      })
      try {
        return await train(await request(), work)
      } finally {
        if (store instanceof CodeFolder) await store.clear()
      }
    })
  }

  /**
   * Trains all layers together by backpropagation, from the current parameters and with new optimizer state. Events have `phase:
   * 'fineTune'`; `meanActivation` is that of layer 1, or of the first layer that has a penalty.
   *
   * @param options - see {@link ClassifierFitOptions}
   * @throws as {@link fit}; `ERR_ARGUMENT` also for a layer's `sparsity.average` that does not go with the optimizer
   */
  async fineTune(x: Rows, labels: Labels<C>, options?: ClassifierFitOptions<C>): Promise<TrainingHistory> {
    const settings = checkFitOptions(options)
    const training = trainingObjectiveOf(this.#settings, settings.batchSize === 0)
    const objective = plainObjective(training, this.costObjective())
    const { seed } = this.#settings
    const phase = { phase: 'fineTune' } as const
    return this.trainWhole('fineTune', { x, labels }, { phase, objective, seed, settings })
  }

  /**
   * Activations of the last layer below the softmax, [rows, its units], written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as in memory; `ERR_ARGUMENT`, `ERR_BUSY` for a folder that cannot be used; `ERR_FILE` if the disk is full
   */
  override async encode(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * Activations of the last layer below the softmax, [rows, its units].
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows or a bad `out`, `ERR_RANGE` for NaN and
   *   infinities, `ERR_STATE` for memory that is transferred during the call, `ERR_FILE` if the files of a dataset fail
   */
  override async encode(x: Rows, options?: OutOptions<P>): Promise<Matrix<FloatArray<P>>>
  /**
   * Activations of a layer, [rows, its units], written to a folder as a dataset.
   *
   * @param options - `layer`: which, counted from 1; default the last below the softmax
   * @throws {@link LayerwiseError} as above; `ERR_ARGUMENT` also for no such layer
   */
  override async encode(x: Rows, options: EncodeOptions & FolderOptions): Promise<Dataset>
  /**
   * Activations of a layer, [rows, its units].
   *
   * @param options - `layer`: which, counted from 1; default the last below the softmax
   * @throws {@link LayerwiseError} as above; `ERR_ARGUMENT` also for no such layer
   */
  override async encode(x: Rows, options?: EncodeOptions & OutOptions<P>): Promise<Matrix<FloatArray<P>>>
  override async encode(
    x: Rows,
    options?: EncodeOptions & (OutOptions<P> | FolderOptions),
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, range, place } = checkLayerOutOptions(options, this.#encoder.to, this.precision, x)
    return answerRows(forwardTask(this.network, range, 'x', this.rowForm), x, run, place)
  }

  override encodeBatches(x: RowsOrBatches, options?: EncodeOptions): AsyncGenerator<CodesBatch<P>, void> {
    const { run, range } = checkLayerOptions(options, this.#encoder.to)
    const task = forwardTask(this.network, range, 'x', this.rowForm)
    return codeBatches(() => task, x, run)
  }

  /**
   * Activations of the last layer below the softmax for one row, on the calling thread: for single rows on a server's hot path. The first
   * call stores a transposed copy of the first layer's weights; the first call after a training renews it.
   *
   * @param row - `inputs` numbers, or a Matrix or SparseMatrix of one row
   * @param out - where to put them, in the model's precision; default a new array
   * @returns `out`
   * @throws {@link LayerwiseError} as {@link encode} rejects
   */
  override encodeSync(row: SingleRow, out?: FloatInput<P>): FloatArray<P> {
    return this.#encodeRow.run('row', row, out)
  }

  /**
   * Reads what {@link save} wrote. Its precision and its classes are the file's.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is no model file, is truncated or damaged, or has a model of another
   *   class
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
   */
  static async load(path: string | URL): Promise<StackedClassifier<Precision, Classes>> {
    return readModel(path, [StackedClassifier.restorer])
  }

  /**
   * Restores a model from the bytes of {@link toBytes}, or of a file. They are copied.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` as {@link load}; `ERR_ARGUMENT` for anything but a Uint8Array over an ordinary buffer,
   *   `ERR_STATE` if that is transferred during the call
   */
  static async fromBytes(bytes: Uint8Array): Promise<StackedClassifier<Precision, Classes>> {
    return readModelBytes(bytes, [StackedClassifier.restorer])
  }

  /** @internal */
  static readonly restorer: Restorer<StackedClassifier<Precision, Classes>> = StackedClassifier.restorerOf({
    class: 'StackedClassifier',
    settings: (options) =>
      checkStackedClassifierSettings(checkOptions('options', options, STACKED_CLASSIFIER_SETTINGS)),
    layers: layersOf,
    make: (settings, stored) => new StackedClassifier<Precision, Classes>(settings, stored),
  })

  /** @internal */
  protected override costObjective(): NativeObjective {
    return costObjectiveOf(this.#settings)
  }
}
