import { checkOptions, freezeDeep } from '../base/check.js'
import type { Precision } from '../base/precision.js'
import type { Rows } from '../data/rows.js'
import type { NativeObjective } from '../native/binding.js'
import type { TrainingHistory } from '../training/history.js'
import { checkFitOptions, type FitOptions } from '../training/options.js'
import { Autoencoder } from './autoencoder.js'
import { type Restorer, readModel, readModelBytes } from './model-file.js'
import { Network, type Stored } from './network.js'
import { copyScaler } from './network-model.js'
import {
  checkSettings,
  layerCost,
  layerObjective,
  layersOf,
  SETTINGS,
  type Settings,
  type SparseAutoencoderOptions,
} from './sparse-autoencoder-options.js'

/**
 * One hidden layer that learns to reconstruct its input from few active units.
 *
 *   J = loss + λ/2 Σ‖W‖² + the sparsity penalty
 *
 * Source: Xue, "Inference of stacked sparse autoencoder", eq. 1–15.
 *
 * Methods that return promises compute off the JavaScript thread and only reject. During `fit` all others use the parameters of the last
 * finished epoch. Arguments must not be written or transferred until the promise settles; `fit` copies rows of up to 256 MiB when it
 * begins, and later changes to these have no effect.
 */
export class SparseAutoencoder<P extends Precision = 'float32'> extends Autoencoder<P> {
  readonly #settings: Settings<P>

  /**
   * Has seeded parameters at once, also before `fit`. They are drawn on the calling thread, some 5 ns each; `load` draws none.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for an unknown option, a wrong type, a number out of its range, or a pair that does not go
   *   together: kl on units other than sigmoid, tanh and satlin, crossEntropy without sigmoid outputs, saltAndPepper on outputs other
   *   than sigmoid, tanh and satlin
   * @throws {@link LayerwiseError} `ERR_SHAPE` for a scaler of another width, `ERR_STATE` for one that is not fitted
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the parameters, `ERR_LOAD` without a usable addon
   */
  constructor(options: SparseAutoencoderOptions<P>)
  /** @internal Restores a saved model, which can be trained further. */
  constructor(options: SparseAutoencoderOptions<P>, stored: Stored<P>)
  constructor(options: SparseAutoencoderOptions<P>, stored?: Stored<P>) {
    const given = checkOptions('options', options, [...SETTINGS, 'scaling', 'metadata'])
    const settings = checkSettings<P>(given)
    const scaler = copyScaler(given.scaling, settings.inputs)
    const network = new Network(layersOf(settings), settings.precision, stored ?? settings.seed)
    super(network, 1, scaler, given.metadata)
    this.#settings = freezeDeep(settings)
  }

  override get kind(): 'SparseAutoencoder' {
    return 'SparseAutoencoder'
  }

  override get options(): Settings<P> {
    return this.#settings
  }

  /**
   * Trains on `x`, from the current parameters and with new optimizer state; a second call continues.
   *
   * An abort takes effect between steps and leaves the parameters of the last complete step; any other failure leaves those of the last
   * finished epoch. The model can be used and trained further in every case.
   *
   * @param x - rows of `inputs` numbers, in the range of the output activation
   * @param options - see {@link FitOptions}
   * @returns the measurements of each epoch, and why training ended
   * @throws `signal.reason`, if the signal is aborted; the error of `onEpoch` or `onProgress`, if it throws
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad options and rows
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN, infinities and numbers the output activation cannot reach: row and column in `details`
   * @throws {@link LayerwiseError} `ERR_BUSY` while another fit of this model runs
   * @throws {@link LayerwiseError} `ERR_DIVERGED` if the cost is no longer finite: epoch in `details`
   * @throws {@link LayerwiseError} `ERR_STATE` if the buffer of `x` is transferred while it is copied, or later where it is above 256 MiB
   * @throws {@link LayerwiseError} `ERR_FILE` if a file of a Dataset fails meanwhile: the model keeps its last complete step
   */
  async fit(x: Rows, options?: FitOptions): Promise<TrainingHistory> {
    const settings = checkFitOptions(options)
    const { seed } = this.#settings
    const objective = layerObjective(this.#settings, settings)
    return this.trainWhole('fit', { x }, { phase: undefined, objective, seed, settings })
  }

  /**
   * Reads what {@link save} wrote. Its precision is the file's.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is no model file, is truncated or damaged, or has a model of another
   *   class
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
   */
  static async load(path: string | URL): Promise<SparseAutoencoder<Precision>> {
    return readModel(path, [SparseAutoencoder.restorer])
  }

  /**
   * Restores a model from the bytes of {@link toBytes}, or of a file. They are copied.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` as {@link load}; `ERR_ARGUMENT` for anything but a Uint8Array over an ordinary buffer,
   *   `ERR_STATE` if that is transferred during the call
   */
  static async fromBytes(bytes: Uint8Array): Promise<SparseAutoencoder<Precision>> {
    return readModelBytes(bytes, [SparseAutoencoder.restorer])
  }

  /** @internal */
  static readonly restorer: Restorer<SparseAutoencoder<Precision>> = SparseAutoencoder.restorerOf({
    class: 'SparseAutoencoder',
    settings: (options) => checkSettings(checkOptions('options', options, SETTINGS)),
    layers: layersOf,
    make: (settings, stored) => new SparseAutoencoder<Precision>(settings, stored),
  })

  /** @internal */
  protected override costObjective(): NativeObjective {
    return layerCost(this.#settings)
  }
}
