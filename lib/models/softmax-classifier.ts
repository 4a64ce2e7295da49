import { checkInteger, checkOptions, freezeDeep } from '../base/check.js'
import type { FloatArray, FloatInput, Precision } from '../base/precision.js'
import type { Dataset } from '../data/dataset.js'
import type { Classes, Labels } from '../data/labels.js'
import type { Matrix } from '../data/matrix.js'
import type { Rows, SingleRow } from '../data/rows.js'
import type { Scaler } from '../data/scaling/column-scaler.js'
import type { NativeObjective } from '../native/binding.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { TrainingHistory } from '../training/history.js'
import { checkFitOptions } from '../training/options.js'
import { plainObjective } from '../training/request.js'
import type { FolderOptions } from './answers.js'
import type { CodesBatch, RowsOrBatches } from './batches.js'
import { Classifier, type ClassifierFitOptions } from './classifier.js'
import {
  checkSoftmaxSettings,
  classifierObjective,
  SOFTMAX_SETTINGS,
  type SoftmaxOptions,
  type SoftmaxSettings,
  softmaxLayer,
} from './classifier-options.js'
import type { OutOptions } from './encode-options.js'
import type { MetadataOption } from './metadata.js'
import { type Restorer, readModel, readModelBytes } from './model-file.js'
import { Network, type Stored } from './network.js'
import { copyScaler } from './network-model.js'

/** Options of a SoftmaxClassifier. */
export interface SoftmaxClassifierOptions<P extends Precision = Precision, C extends Classes = Classes>
  extends SoftmaxOptions<C>,
    MetadataOption {
  /** Numbers a row, at least 1. */
  readonly inputs: number
  /** Number type of parameters, computation and results. Default `'float32'`. */
  readonly precision?: P | undefined
  /** Fixes first weights, shuffles and splits; a whole number of at least 0. Default 0. */
  readonly seed?: number | undefined
  /** A fitted scaler, copied, applied to every input and saved with the model. A Matrix's own `scale` is applied first. Default: none. */
  readonly scaling?: Scaler | undefined
}

/** All of them but `scaling` and `metadata`, with their defaults: saved as a model's options. */
export type SoftmaxClassifierSettings<P extends Precision, C extends Classes> = SoftmaxSettings<P, C> &
  Pick<SoftmaxClassifierOptions<P, C>, 'inputs'>

const SETTINGS = ['inputs', ...SOFTMAX_SETTINGS]

/**
 * One softmax layer: p(k | x) = e^zₖ / Σⱼ e^zⱼ, z = W x + b.
 *
 *   J = −(1/m) Σᵢ w(yᵢ) ln p(yᵢ | xᵢ) + λ/2 ‖W‖²
 *
 * w are the class weights, 1 unless given; the sum is divided by the number of rows, not by that of their weights. With `rowWeights` vᵢ each
 * term has the factor vᵢ too, and the sum is divided by Σ vᵢ. Computed by log-sum-exp, so that it is finite for logits of any size. Without
 * biases and with λ > 0 the minimum is unique.
 *
 * Source: UFLDL, "Softmax regression". Differs: it may have biases, which are not decayed.
 */
export class SoftmaxClassifier<
  P extends Precision = 'float32',
  C extends Classes = number,
> extends Classifier<P, C> {
  readonly #settings: SoftmaxClassifierSettings<P, C>

  /**
   * Has seeded parameters at once, also before `fit`. They are drawn on the calling thread, some 5 ns each; `load` draws none.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for an unknown option, a wrong type, a number out of its range, class names that are not
   *   all different
   * @throws {@link LayerwiseError} `ERR_SHAPE` for another number of class weights, a scaler of another width; `ERR_STATE` for one that is
   *   not fitted
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the parameters, `ERR_LOAD` without a usable addon
   */
  constructor(options: SoftmaxClassifierOptions<P, C>)
  /** @internal Restores a saved model, which can be trained further. */
  constructor(options: SoftmaxClassifierOptions<P, C>, stored: Stored<P>)
  constructor(options: SoftmaxClassifierOptions<P, C>, stored?: Stored<P>) {
    const given = checkOptions('options', options, [...SETTINGS, 'scaling', 'metadata'])
    const settings = checkSettings<P, C>(given)
    const { precision, seed, classes } = settings
    super(
      new Network(layersOf(settings), precision, stored ?? seed),
      copyScaler(given.scaling, settings.inputs),
      classes,
      given.metadata,
    )
    this.#settings = freezeDeep(settings)
  }

  override get kind(): 'SoftmaxClassifier' {
    return 'SoftmaxClassifier'
  }

  override get options(): SoftmaxClassifierSettings<P, C> {
    return this.#settings
  }

  /**
   * Trains on `x` and its labels, from the current parameters and with new optimizer state; a second call continues. In its history,
   * `meanActivation` is NaN: there are no hidden units.
   *
   * An abort takes effect between steps and leaves the parameters of the last complete step; any other failure leaves those of the last
   * finished epoch. The model can be used and trained further in every case.
   *
   * @param x - rows of `inputs` numbers
   * @param labels - the class of each row
   * @param options - see {@link ClassifierFitOptions}
   * @returns the measurements of each epoch, and why training ended
   * @throws `signal.reason`, if the signal is aborted; the error of `onEpoch` or `onProgress`, if it throws
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad options, rows and labels
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN and infinities, for wrong labels (the row in `details`), and training labels that
   *   are all of one class
   * @throws {@link LayerwiseError} `ERR_BUSY` while another fit of this model runs
   * @throws {@link LayerwiseError} `ERR_DIVERGED` if the cost is no longer finite: epoch in `details`
   * @throws {@link LayerwiseError} `ERR_STATE` if the buffer of `x` is transferred while it is copied, or later where it is above 256 MiB
   * @throws {@link LayerwiseError} `ERR_FILE` if a file of a Dataset fails meanwhile: the model keeps its last complete step
   */
  async fit(x: Rows, labels: Labels<C>, options?: ClassifierFitOptions<C>): Promise<TrainingHistory> {
    const settings = checkFitOptions(options)
    const { seed } = this.#settings
    const cost = this.costObjective()
    const objective = plainObjective(cost, cost)
    return this.trainWhole('fit', { x, labels }, { phase: undefined, objective, seed, settings })
  }

  /** The same as {@link predictProbabilities}: the model has no hidden layer, so class probabilities are its codes. Written to a folder. */
  override async encode(x: Rows, options: FolderOptions): Promise<Dataset>
  /** The same as {@link predictProbabilities}: the model has no hidden layer, so class probabilities are its codes. */
  override async encode(x: Rows, options?: OutOptions<P>): Promise<Matrix<FloatArray<P>>>
  override async encode(
    x: Rows,
    options?: OutOptions<P> | FolderOptions,
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    return this.predictProbabilities(x, options as OutOptions<P>)
  }

  override encodeBatches(x: RowsOrBatches, options?: RunOptions): AsyncGenerator<CodesBatch<P>, void> {
    return this.probabilityBatches(x, checkRunOptions(options))
  }

  /** The same as {@link predictProbabilitiesSync}. */
  override encodeSync(row: SingleRow, out?: FloatInput<P>): FloatArray<P> {
    return this.predictProbabilitiesSync(row, out)
  }

  /**
   * Reads what {@link save} wrote. Its precision and its classes are the file's.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is no model file, is truncated or damaged, or has a model of another
   *   class
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
   */
  static async load(path: string | URL): Promise<SoftmaxClassifier<Precision, Classes>> {
    return readModel(path, [SoftmaxClassifier.restorer])
  }

  /**
   * Restores a model from the bytes of {@link toBytes}, or of a file. They are copied.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` as {@link load}; `ERR_ARGUMENT` for anything but a Uint8Array over an ordinary buffer,
   *   `ERR_STATE` if that is transferred during the call
   */
  static async fromBytes(bytes: Uint8Array): Promise<SoftmaxClassifier<Precision, Classes>> {
    return readModelBytes(bytes, [SoftmaxClassifier.restorer])
  }

  /** @internal */
  static readonly restorer: Restorer<SoftmaxClassifier<Precision, Classes>> = SoftmaxClassifier.restorerOf({
    class: 'SoftmaxClassifier',
    settings: (options) => checkSettings(checkOptions('options', options, SETTINGS)),
    layers: layersOf,
    make: (settings, stored) => new SoftmaxClassifier<Precision, Classes>(settings, stored),
  })

  /** @internal */
  protected override costObjective(): NativeObjective {
    return classifierObjective(this.#settings, [this.#settings.weightDecay])
  }
}

function checkSettings<P extends Precision, C extends Classes>(
  given: Record<string, unknown>,
): SoftmaxClassifierSettings<P, C> {
  return { inputs: checkInteger('inputs', given.inputs), ...checkSoftmaxSettings<P, C>(given) }
}

function layersOf({ inputs, ...softmax }: SoftmaxClassifierSettings<Precision, Classes>) {
  return [softmaxLayer(inputs, softmax)]
}
