import { argumentError, checkOptions, freezeDeep, ownCopy } from '../base/check.js'
import type { LayerwiseError } from '../base/errors.js'
import type { Precision } from '../base/precision.js'
import type { Rows } from '../data/rows.js'
import type { Scaler } from '../data/scaling/column-scaler.js'
import { columnMeans } from '../data/scaling/column-statistics.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import { StandardScaler } from '../data/scaling/standard-scaler.js'
import type { NativeObjective, NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { takeFitRows } from '../training/fit-rows.js'
import type { TrainingHistory } from '../training/history.js'
import type { FitRows, NamedRows } from '../training/named-rows.js'
import { checkFitOptions, type FitOptions, type FitSettings } from '../training/options.js'
import { plainObjective } from '../training/request.js'
import { holdOut } from '../training/split.js'
import { train } from '../training/train.js'
import { Autoencoder } from './autoencoder.js'
import {
  checkLinearSettings,
  LINEAR_SETTINGS,
  type LinearAutoencoderOptions,
  type LinearSettings,
  linearLayers,
  linearObjective,
} from './linear-autoencoder-options.js'
import { type Restorer, readModel, readModelBytes } from './model-file.js'
import { Network, type Stored } from './network.js'
import type { WholeRequest } from './network-model.js'

/**
 * An autoencoder without activations. Trained, its map is the projection on the leading principal directions of its data: see
 * {@link linearOptimum}, {@link principalAngles}, {@link principalAxes}.
 *
 *   tied    y = WᵀWx,  J = 1/(2m) Σᵢ‖yᵢ − xᵢ‖² + λ/2 ‖W‖² + β Σⱼ (ρ̂ⱼ − ρⱼ)²,  ρ̂ = (1/m) Σᵢ Wxᵢ
 *   untied  y = W₂(W₁x + b₁) + b₂,  J with λ/2 (‖W₁‖² + ‖W₂‖²) and ρ̂ = (1/m) Σᵢ (W₁xᵢ + b₁)
 *
 * On centred data the tied penalty is a constant, β‖ρ‖², and has no effect. On other data it rotates W to QW, Q orthogonal, which changes
 * no reconstruction, until ρ̂ points along ρ; the remaining difference of their lengths does change reconstructions.
 *
 * Source: Johnson & Ramsundar, section 4. Differs: the paper sums over rows and does not halve, J_JR = Σᵢ‖yᵢ − xᵢ‖² + β_JR‖ρ − ρ̂‖²; with
 * β_JR = 2mβ that is J_JR = 2mJ, so that the paper's β is given here as `weight: β_JR / (2m)`. Weight decay, centring and the untied
 * penalty are not in the paper's cost.
 *
 * Methods that return promises compute off the JavaScript thread and only reject. While `fit` runs, all others see the parameters of the
 * last finished epoch. Arguments must not be written or transferred until the promise settles.
 */
export class LinearAutoencoder<P extends Precision = 'float32'> extends Autoencoder<P> {
  readonly #settings: LinearSettings<P>

  /**
   * Has seeded parameters at once, also before `fit`. They are drawn on the calling thread, some 5 ns each; `load` draws none.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for an unknown option, a wrong type or a number out of its range; `ERR_SHAPE` for
   *   another number of targets than hidden units
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the parameters, `ERR_LOAD` without a usable addon
   */
  constructor(options: LinearAutoencoderOptions<P>)
  /** @internal Restores a saved model, which can be trained further. */
  constructor(options: LinearAutoencoderOptions<P>, stored: Stored<P>)
  constructor(options: LinearAutoencoderOptions<P>, stored?: Stored<P>) {
    const { metadata, ...given } = checkOptions('options', options, [...LINEAR_SETTINGS, 'metadata'])
    const settings = checkLinearSettings<P>(given)
    const network = new Network(linearLayers(settings), settings.precision, stored ?? settings.seed)
    super(network, 1, undefined, metadata)
    this.#settings = freezeDeep(settings)
  }

  override get kind(): 'LinearAutoencoder' {
    return 'LinearAutoencoder'
  }

  override get options(): LinearSettings<P> {
    return this.#settings
  }

  /** None: `center` subtracts {@link mean}. */
  override get scaling(): undefined {
    return undefined
  }

  /**
   * Trains on `x`, from the current parameters and with new optimizer state; a second call continues. With `center` the first fit uses the
   * mean of its training rows, without those held out; later fits keep it.
   *
   * To reach the optimum to the last digits, train in float64 with `{ kind: 'lbfgs', tolerance: 0 }`. Gradient descent, the paper's own, is
   * stable near the tied optimum for rates below 1/(2w), w the largest variance, and very slow near saddle points.
   *
   * @param x - rows of `inputs` numbers
   * @param options - see {@link FitOptions}
   * @returns the measurements of each epoch, and why training ended
   * @throws `signal.reason`, if the signal is aborted; the error of `onEpoch` or `onProgress`, if it throws
   * @throws {@link LayerwiseError} as {@link SparseAutoencoder.fit}
   */
  async fit(x: Rows, options?: FitOptions): Promise<TrainingHistory> {
    const settings = checkFitOptions(options)
    const average = settings.batchSize === 0 ? 'exact' : 'moving'
    const objective = plainObjective(linearObjective(this.#settings, average), this.costObjective())
    const { seed, center } = this.#settings
    const request = { phase: undefined, objective, seed, settings }
    return center ? this.#trainCentred(x, request) : this.trainWhole('fit', { x }, request)
  }

  /** The mean that `center` subtracts, [inputs]; undefined before the first fit, and without `center`. Read-only. */
  get mean(): Float64Array | undefined {
    return this.scaler?.shift
  }

  /**
   * Reads what `save` wrote. Its precision is the file's.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is no model file, is truncated or damaged, or has a model of another
   *   class
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
   */
  static async load(path: string | URL): Promise<LinearAutoencoder<Precision>> {
    return readModel(path, [LinearAutoencoder.restorer])
  }

  /**
   * Restores a model from the bytes of {@link toBytes}, or of a file. They are copied.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` as {@link load}; `ERR_ARGUMENT` for anything but a Uint8Array over an ordinary buffer,
   *   `ERR_STATE` if that is transferred during the call
   */
  static async fromBytes(bytes: Uint8Array): Promise<LinearAutoencoder<Precision>> {
    return readModelBytes(bytes, [LinearAutoencoder.restorer])
  }

  /** @internal */
  static readonly restorer: Restorer<LinearAutoencoder<Precision>> = LinearAutoencoder.restorerOf({
    class: 'LinearAutoencoder',
    settings: checkLinearSettings<Precision>,
    layers: linearLayers,
    make: ({ scaling, ...settings }, stored) => {
      if (scaling !== undefined && !settings.center)
        throw argumentError('scaler', 'none without center', scaling)
      const model = new LinearAutoencoder<Precision>(settings, stored)
      model.scaler = scaling
      return model
    },
  })

  /** @internal */
  protected override costObjective(): NativeObjective {
    return linearObjective(this.#settings, 'exact')
  }

  async #trainCentred(x: Rows, asked: WholeRequest): Promise<TrainingHistory> {
    const { network, rowForm, rowCheck } = this
    const { settings } = asked
    return this.exclusively('fit', settings, async (work) => {
      const plain = { ...rowForm, precision: 'float64', scaling: undefined } as const
      const taken = await takeFitRows({ x }, settings, plain, work)
      for (const given of [taken.training, taken.validation]) {
        if (typeof given === 'object' && given.rows.sparse !== undefined)
          throw sparseCentreError(given.argument)
      }
      const scaler = this.scaler ?? (await this.#centring(taken, settings, work))
      // The model stores the mean when training begins: a fit whose rows are refused stores none.
      const nextFit = () => {
        this.scaler = scaler
        return network.nextFit()
      }
      const rows = centred(taken, scaler)
      return await train({ ...asked, network, nextFit, rows, rowCheck, classes: undefined }, work)
    })
  }

  /** Subtraction of the mean of the training rows. */
  async #centring(
    { training, validation }: FitRows,
    settings: FitSettings,
    work: NativeWork,
  ): Promise<ModelScaler> {
    const { argument, rows } = training
    const between = () => work.throwIfAborted()
    const used =
      typeof validation === 'number'
        ? (await holdOut(argument, rows, validation, this.#settings.seed, settings, between)).training
        : rows
    const shift = await columnMeans(argument, used, between)
    return StandardScaler.fromJSON({
      kind: 'standard',
      shift: [...shift],
      factor: Array(shift.length).fill(1),
    })
  }
}

function centred({ training, validation }: FitRows, { shift, factor }: Scaler): FitRows {
  const less = ({ argument, rows }: NamedRows) => ({
    argument,
    rows: ownCopy<NativeRows>({ ...rows, scaling: ownCopy({ shift, factor }) }),
  })
  return {
    training: less(training),
    validation: validation === undefined || typeof validation === 'number' ? validation : less(validation),
  }
}

/** The refusal of sparse rows by a model that subtracts their mean. */
function sparseCentreError(argument: string): LayerwiseError {
  const expected = 'dense rows, since the model centres them (for sparse rows: center: false, or a Pca)'
  return argumentError(argument, expected, 'a SparseMatrix')
}
