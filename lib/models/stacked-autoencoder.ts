import { checkOptions, freezeDeep } from '../base/check.js'
import type { FloatArray, Precision } from '../base/precision.js'
import { show } from '../base/show.js'
import type { Dataset } from '../data/dataset.js'
import type { Classes } from '../data/labels.js'
import type { Matrix } from '../data/matrix.js'
import { formatError } from '../data/read-file.js'
import type { Rows } from '../data/rows.js'
import type { NativeLayer, NativeObjective, NativePenalty } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import type { RunOptions } from '../native/run-options.js'
import { costPenalties, type Sparsity, trainingAverage, trainingPenalties } from '../objective/sparsity.js'
import { takeFitRows } from '../training/fit-rows.js'
import type { TrainingHistory } from '../training/history.js'
import type { FitRows } from '../training/named-rows.js'
import { checkFitOptions, type FitOptions } from '../training/options.js'
import { plainObjective, type TrainingRequest } from '../training/request.js'
import { train } from '../training/train.js'
import { answerRows, type FolderOptions } from './answers.js'
import { Autoencoder } from './autoencoder.js'
import { type CodesBatch, codeBatches, type RowsOrBatches } from './batches.js'
import { CodeFolder } from './code-folder.js'
import { type CodeStore, codeStore, codesOf } from './codes.js'
import {
  checkEncodeOptions,
  checkLayerOptions,
  checkLayerOutOptions,
  type EncodeOptions,
  type OutOptions,
} from './encode-options.js'
import { forwardTask } from './forward.js'
import {
  checkCount,
  checkFits,
  type ModelContent,
  type ModelFile,
  type Restorer,
  readModel,
  readModelBytes,
} from './model-file.js'
import { checkEntries, roomFor } from './model-tensors.js'
import { Network, NUMBERED_FITS, type Start, type Stored } from './network.js'
import { copyScaler } from './network-model.js'
import { layersOf } from './sparse-autoencoder-options.js'
import {
  checkStackedSettings,
  layerSettings,
  STACKED_SETTINGS,
  type StackedAutoencoderOptions,
  type StackedSettings,
  withOutputs,
} from './stacked-autoencoder-options.js'
import { StackedClassifier } from './stacked-classifier.js'
import type { ToClassifierOptions } from './stacked-classifier-options.js'
import { checkStackedFit, type LayerFit, type StackedFitOptions } from './stacked-fit-options.js'
import { restoredScaler } from './stored-scaler.js'

/**
 * Autoencoders on top of each other: each layer is trained to reconstruct the activations of the layer below.
 *
 * {@link fit} trains greedily, one layer after another, while the others do not change. {@link fineTune} then trains all layers at once as
 * the unrolled network, encoders 1 … L followed by decoders L … 1. `decode`, `reconstruct`, `cost`, `layers` and `parameters` are those of
 * the unrolled network; its cost is
 *
 *   J = loss + λ/2 Σ‖W‖², and with `sparseFineTuning` the sparsity penalty of each encoder
 *
 * Source: Xue, "Inference of stacked sparse autoencoder", section IV.
 *
 * Methods that return promises compute off the JavaScript thread and only reject. During a training all others use the parameters of the
 * last finished epoch. Arguments must not be written or transferred until the promise settles; `fit` and `fineTune` copy rows of up to 256
 * MiB when they begin, and do not mind after that.
 */
export class StackedAutoencoder<P extends Precision = 'float32'> extends Autoencoder<P> {
  readonly #settings: StackedSettings<P>
  /** The number of greedy fits of each layer. */
  readonly #layerFits: number[]
  #trainedLayers = 0

  /**
   * Has seeded parameters at once, also before `fit`. Each layer has the initial weights of a SparseAutoencoder of its sizes and seed. They
   * are drawn on the calling thread, some 5 ns each; `load` draws none.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for an unknown option, a wrong type, a number out of its range, or a pair that does not go
   *   together; `layers[1].outputActivation` where a layer could not reconstruct the activations below it
   * @throws {@link LayerwiseError} `ERR_SHAPE` for no layers, more than 1,000 of them, or a scaler of another width, `ERR_STATE` for a
   *   scaler that is not fitted
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the parameters, `ERR_LOAD` without a usable addon
   */
  constructor(options: StackedAutoencoderOptions<P>)
  /** @internal Restores a saved model, which can be trained further. */
  constructor(options: StackedAutoencoderOptions<P>, stored: Stored<P>)
  constructor(options: StackedAutoencoderOptions<P>, stored?: Stored<P>) {
    const names = [...STACKED_SETTINGS, 'outputActivation', 'scaling', 'metadata']
    const given = checkOptions('options', options, names)
    const settings = checkStackedSettings<P>(withOutputs(given))
    const scaler = copyScaler(given.scaling, settings.inputs)
    const network = new Network(unrolled(settings), settings.precision, stored ?? starts(settings))
    super(network, settings.layers.length, scaler, given.metadata)
    this.#settings = freezeDeep(settings)
    this.#layerFits = settings.layers.map(() => 0)
  }

  override get kind(): 'StackedAutoencoder' {
    return 'StackedAutoencoder'
  }

  override get options(): StackedSettings<P> {
    return this.#settings
  }

  /**
   * Trains layer by layer, from the current parameters and with new optimizer state: layer 1 on `x`, each further one on the codes of the
   * layer below, which are those of `encode(x, { layer })` to the bit. Each layer equals the SparseAutoencoder of its options and seed,
   * trained alone on these codes. At any time only the codes of one layer are in memory, with room for the widest layer but the last, or in
   * files; of a Dataset they are computed again at each step: see `recompute` and `codes`.
   *
   * A fraction as `validation` is held out by each layer's own seed. Events have `phase: 'layer'` and `layer`, counted from 1; a record's
   * cost is that of the layer alone. `corruption` acts on the inputs of its layer.
   *
   * An abort leaves the layers below as they were trained, and the current layer at its last complete step; any other failure at its last
   * finished epoch. {@link trainedLayers} is the number of completely trained layers.
   *
   * @param x - rows of `inputs` numbers, in the range of the first layer's output activation
   * @param options - see {@link StackedFitOptions}; everything is checked before training begins
   * @returns a history for each layer, and with `fineTune` one more
   * @throws `signal.reason`, if the signal is aborted; the error of `onEpoch` or `onProgress`, if it throws
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad options and rows
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN, infinities and numbers the output activation cannot reach: row and column in `details`
   * @throws {@link LayerwiseError} `ERR_BUSY` while another training of this model runs
   * @throws {@link LayerwiseError} `ERR_DIVERGED` if a cost is no longer finite: epoch in `details`
   * @throws {@link LayerwiseError} `ERR_STATE` if the buffer of `x` is transferred while it is copied, or later where it is above 256 MiB
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the codes: see `recompute`, `codes`; `ERR_FILE` if files of rows or codes fail
   */
  async fit(x: Rows, options?: StackedFitOptions): Promise<TrainingHistory[]> {
    const { shared, layers, codes, fineTune } = checkStackedFit(options, layerSettings(this.#settings))
    const fitLayers = async (work: NativeWork) => {
      const rows = await takeFitRows({ x }, shared, this.rowForm, work)
      const histories: TrainingHistory[] = []
      const widths = this.#settings.layers.slice(0, -1).map(({ hidden }) => hidden)
      const store = codeStore(codes, rows, this.network.precision, Math.max(...widths))
      try {
        for (const [k, layer] of layers.entries()) {
          histories.push(
            shared.checkpoints?.finished(k) ?? (await this.#fitLayer(k, layer, rows, store, work)),
          )
          this.#trainedLayers = k + 1
        }
      } finally {
        if (store instanceof CodeFolder) await store.clear()
      }
      return histories
    }
    const histories = await this.exclusively('fit', shared, fitLayers, layers.length)
    return fineTune === undefined ? histories : [...histories, await this.fineTune(x, fineTune)]
  }

  /**
   * Trains all layers at once to reconstruct `x`, from the current parameters and with new optimizer state. Rows are not corrupted, and the
   * sparsity penalties are off unless `sparseFineTuning` is on. Events have `phase: 'fineTune'`; the mean activation of a record is that of
   * layer 1, or of the first layer that has a penalty.
   *
   * @param options - see {@link FitOptions}
   * @throws as {@link fit}
   */
  async fineTune(x: Rows, options?: FitOptions): Promise<TrainingHistory> {
    const settings = checkFitOptions(options)
    const penaltiesOf = (sparsity: Sparsity, k: number) =>
      trainingPenalties(
        sparsity,
        k,
        trainingAverage(`layers[${k}].sparsity`, sparsity, settings.batchSize === 0),
      )
    const objective = plainObjective(this.#objective(penaltiesOf), this.costObjective())
    const { seed } = this.#settings
    const phase = { phase: 'fineTune' } as const
    return this.trainWhole('fineTune', { x }, { phase, objective, seed, settings })
  }

  /**
   * Activations of the last encoding layer, [rows, its units], written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as in memory; `ERR_ARGUMENT`, `ERR_BUSY` for a folder that cannot be used; `ERR_FILE` if the disk is full
   */
  override async encode(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * Activations of the last encoding layer, [rows, its units].
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows or a bad `out`, `ERR_RANGE` for NaN and
   *   infinities, `ERR_STATE` for memory that is transferred during the call, `ERR_FILE` if the files of a dataset fail
   */
  override async encode(x: Rows, options?: OutOptions<P>): Promise<Matrix<FloatArray<P>>>
  /**
   * Activations of a layer, [rows, its units], written to a folder as a dataset.
   *
   * @param options - `layer`: which, counted from 1; default the last
   * @throws {@link LayerwiseError} as above; `ERR_ARGUMENT` also for no such layer
   */
  override async encode(x: Rows, options: EncodeOptions & FolderOptions): Promise<Dataset>
  /**
   * Activations of a layer, [rows, its units].
   *
   * @param options - `layer`: which, counted from 1; default the last
   * @throws {@link LayerwiseError} as above; `ERR_ARGUMENT` also for no such layer
   */
  override async encode(x: Rows, options?: EncodeOptions & OutOptions<P>): Promise<Matrix<FloatArray<P>>>
  override async encode(
    x: Rows,
    options?: EncodeOptions & (OutOptions<P> | FolderOptions),
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, range, place } = checkLayerOutOptions(options, this.encoder.to, this.precision, x)
    return answerRows(forwardTask(this.network, range, 'x', this.rowForm), x, run, place)
  }

  override encodeBatches(x: RowsOrBatches, options?: EncodeOptions): AsyncGenerator<CodesBatch<P>, void> {
    const { run, range } = checkLayerOptions(options, this.encoder.to)
    const task = forwardTask(this.network, range, 'x', this.rowForm)
    return codeBatches(() => task, x, run)
  }

  /**
   * Reconstructions from activations of the last encoding layer, [rows, inputs], in the units of x, written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  override async decode(codes: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * Reconstructions from activations of the last encoding layer, [rows, inputs], in the units of x.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  override async decode(codes: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>>
  /**
   * Reconstructions from activations of a layer, through the decoders from there down, [rows, inputs], in the units of x, written to a folder
   * as a dataset.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  override async decode(codes: Rows, options: EncodeOptions & FolderOptions): Promise<Dataset>
  /**
   * Reconstructions from activations of a layer, through the decoders from there down, [rows, inputs], in the units of x.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  override async decode(codes: Rows, options?: EncodeOptions): Promise<Matrix<FloatArray<P>>>
  override async decode(
    codes: Rows,
    options?: EncodeOptions | (EncodeOptions & FolderOptions),
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, range, to } = checkEncodeOptions(options, this.encoder.to)
    const { to: end } = this.decoder
    return answerRows(this.decoding({ from: end - range.to, to: end }), codes, run, { to })
  }

  /**
   * A classifier: a copy of the encoders with a softmax on the last of them. The decoders are dropped, and so are options of greedy
   * training such as `corruption`; sparsity penalties are kept with `sparseFineTuning` only. Training either model later does not affect
   * the other. On the calling thread, at the speed of memory.
   *
   * @param options - see {@link ToClassifierOptions}; weight decay is 0 unless given, independent of the stack's
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` as the constructor of StackedClassifier; `ERR_MEMORY` if there is no room
   */
  toClassifier<C extends Classes>(options: ToClassifierOptions<C>): StackedClassifier<P, C> {
    const { inputs, precision, seed, layers } = this.#settings
    const parameters = layers.map((_, k) => this.network.slice(k, k + 1).parameters)
    const encoders = layers.map((layer) => {
      const { hidden, activation, sparsity, seed } = layer
      return { hidden, activation, sparsity, seed }
    })
    const stack = { inputs, precision, seed, layers: encoders, scaling: this.scaler, parameters }
    return StackedClassifier.onto(stack, options)
  }

  /**
   * The number of layers, counted from the first, that the latest `fit` has trained completely; 0 before the first fit. Fewer than all
   * layers after an abort or a failure: the remaining layers are unchanged, trained on other codes or not at all. Saved with the model.
   */
  get trainedLayers(): number {
    return this.#trainedLayers
  }

  /**
   * Reads what {@link save} wrote. Its precision is the file's.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is no model file, is truncated or damaged, or has a model of another
   *   class
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
   */
  static async load(path: string | URL): Promise<StackedAutoencoder<Precision>> {
    return readModel(path, [StackedAutoencoder.restorer])
  }

  /**
   * Restores a model from the bytes of {@link toBytes}, or of a file. They are copied.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` as {@link load}; `ERR_ARGUMENT` for anything but a Uint8Array over an ordinary buffer,
   *   `ERR_STATE` if that is transferred during the call
   */
  static async fromBytes(bytes: Uint8Array): Promise<StackedAutoencoder<Precision>> {
    return readModelBytes(bytes, [StackedAutoencoder.restorer])
  }

  /** @internal */
  static readonly restorer: Restorer<StackedAutoencoder<Precision>> = {
    class: 'StackedAutoencoder',
    fields: ['layerFits', 'trainedLayers'],
    restore: (file) => {
      const settings = checkStackedSettings(checkOptions('options', file.options, STACKED_SETTINGS))
      const layers = unrolled(settings)
      checkEntries(file, layers, settings.precision)
      const scaling = restoredScaler(file, settings.inputs)
      const { layerFits, trainedLayers } = checkProgress(file, settings.layers.length)
      const { parameters, places } = roomFor(layers, settings.precision)
      const make = () => {
        const options = { ...settings, ...(scaling && { scaling }) }
        const model = new StackedAutoencoder<Precision>(options, { parameters, fits: file.fits })
        layerFits.forEach((fits, k) => {
          model.#layerFits[k] = fits
        })
        model.#trainedLayers = trainedLayers
        return model
      }
      return { places, make }
    },
  }

  /** @internal */
  protected override costObjective(): NativeObjective {
    return this.#objective(costPenalties)
  }

  /** @internal */
  protected override content(): ModelContent {
    const more = { layerFits: this.#layerFits, trainedLayers: this.#trainedLayers }
    return { ...super.content(), more }
  }

  async #fitLayer(
    k: number,
    { settings, objective }: LayerFit,
    rows: FitRows,
    store: CodeStore<P>,
    work: NativeWork,
  ): Promise<TrainingHistory> {
    const pair = [k, this.network.layers.length - 1 - k]
    const nextFit = () => {
      this.#trainedLayers = k
      const fit = this.#layerFits[k]!
      this.#layerFits[k] = (fit + 1) % NUMBERED_FITS
      return fit
    }
    const seen = k === 0 ? rows : await codesOf(this.network, k, rows, store, settings.run, work)
    const request: TrainingRequest = {
      phase: { phase: 'layer', layer: k + 1 },
      network: this.network.trainable(pair),
      nextFit,
      objective,
      seed: this.#settings.layers[k]!.seed,
      rows: seen,
      // With `recompute`, codes are never stored, so they cannot be checked; the constructor ensures that outputs can reach them.
      rowCheck: store === undefined && k > 0 ? 'none' : 'range',
      classes: undefined,
      settings,
    }
    return train(request, work)
  }

  /** Of the unrolled network. */
  #objective(penaltiesOf: (sparsity: Sparsity, k: number) => NativePenalty[]): NativeObjective {
    const { loss, weightDecay, sparseFineTuning, layers } = this.#settings
    const penalties = sparseFineTuning ? layers.flatMap(({ sparsity }, k) => penaltiesOf(sparsity, k)) : []
    return { loss, weightDecay: this.network.layers.map(() => weightDecay), penalties }
  }
}

/** Encoders 1 … L, then decoders L … 1. */
function unrolled(settings: StackedSettings<Precision>): NativeLayer[] {
  const pairs = layerSettings(settings).map(layersOf)
  return [...pairs.map(([encoder]) => encoder!), ...pairs.map(([, decoder]) => decoder!).reverse()]
}

/** Each pair has the initial weights that it would have alone. */
function starts({ layers }: StackedSettings<Precision>): Start[] {
  const of = (index: number) => layers.map(({ seed }) => ({ seed, index }))
  return [...of(0), ...of(1).reverse()]
}

function checkProgress(
  { name, more }: ModelFile,
  layers: number,
): { layerFits: number[]; trainedLayers: number } {
  const { layerFits, trainedLayers } = more
  if (!Array.isArray(layerFits) || layerFits.length !== layers) {
    throw formatError(name, `its layerFits are ${show(layerFits)} instead of an array of ${layers}`)
  }
  return {
    layerFits: layerFits.map((fits) => checkFits(name, 'layerFits', fits)),
    trainedLayers: checkCount(name, 'trainedLayers', trainedLayers, layers),
  }
}
