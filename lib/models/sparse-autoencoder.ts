import { checkBoolean, checkOptions } from '../check.js'
import type { Matrix } from '../data/matrix.js'
import { type Rows, toRows } from '../data/rows.js'
import { checkScaler, type Scaler, scalerFromJSON } from '../data/scaler.js'
import type { NativeObjective, NativeRows } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import { type Cost, costParts } from '../objective/cost.js'
import { type Average, nativePenalties, trainingAverage } from '../objective/sparsity.js'
import { checkTargets } from '../objective/target-range.js'
import { allocate, type FloatArray, type Precision } from '../precision.js'
import type { TrainingHistory } from '../training/history.js'
import { checkFitOptions, type FitOptions } from '../training/options.js'
import { fitNetwork } from './fit-network.js'
import { forward, forwardErrors, forwardSquares } from './forward.js'
import { type Row, RowForward } from './forward-row.js'
import {
  checkEntries,
  flatParameters,
  type ModelFile,
  readModel,
  refuseAs,
  type Tensors,
  writeModel,
} from './model-file.js'
import { type Layer, Network } from './network.js'
import {
  checkSettings,
  SETTINGS,
  type Settings,
  type SparseAutoencoderOptions,
} from './sparse-autoencoder-options.js'

/** What `cost` may be told. */
export interface CostOptions<P extends Precision = Precision> extends RunOptions {
  /** Other parameters than the model's own; copied. */
  readonly parameters?: FloatArray<P>
  /** Whether the gradient is wanted too. Default false. */
  readonly gradient?: boolean
}

const ENCODER = { from: 0, to: 1 }
const DECODER = { from: 1, to: 2 }
const BOTH = { from: 0, to: 2 }

/**
 * One hidden layer that learns to reconstruct its input from few active units.
 *
 *   J = loss + λ/2 Σ‖W‖² + the sparsity penalty
 *
 * Source: Xue, "Inference of stacked sparse autoencoder", eq. 1–15.
 *
 * Methods that return promises compute off the JavaScript thread and only reject. While `fit` runs, all others see the parameters
 * of the last finished epoch. Arrays handed over must not be written or transferred until the promise settles; `fit` copies rows of up to
 * 256 MiB when it begins, and does not mind after that.
 */
export class SparseAutoencoder<P extends Precision = 'float32'> {
  readonly #settings: Settings<P>
  readonly #scaler: Scaler | undefined
  readonly #network: Network<P>
  readonly #encodeRow: RowForward<P>

  /**
   * Has seeded parameters at once; `fit` need not come first.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for an unknown option, a wrong type, a number out of its range, or a pair that does not go
   *   together: kl on relu or identity units, crossEntropy without sigmoid outputs
   * @throws {@link LayerwiseError} `ERR_SHAPE` for a scaler of another width, `ERR_STATE` for one that is not fitted
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the parameters, `ERR_LOAD` without a usable addon
   */
  constructor(options: SparseAutoencoderOptions<P>) {
    const given = checkOptions('options', options, [...SETTINGS, 'scaling'])
    this.#settings = checkSettings<P>(given)
    this.#scaler = copyScaler(given.scaling, this.#settings.inputs)
    const { precision, seed } = this.#settings
    this.#network = new Network(layersOf(this.#settings), precision, seed)
    this.#encodeRow = new RowForward(this.#network, ENCODER, this.#scaler)
  }

  /**
   * Trains on `x`, from the present parameters and with fresh optimizer state; said again, it goes on.
   *
   * An abort takes effect between steps and leaves the parameters of the last complete step; any other failure leaves those of the last
   * finished epoch. The model can be used and trained further in every case.
   *
   * @param x - rows of `inputs` numbers, in the range of the output activation
   * @param options - see {@link FitOptions}
   * @returns what each epoch measured, and why training ended
   * @throws `signal.reason`, if the signal is aborted; whatever `onEpoch` or `onProgress` throws
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad options and rows
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN, infinities and numbers the output activation cannot reach: row and column in `details`
   * @throws {@link LayerwiseError} `ERR_BUSY` while another fit of this model runs
   * @throws {@link LayerwiseError} `ERR_DIVERGED` if the cost is no longer finite: epoch in `details`
   * @throws {@link LayerwiseError} `ERR_STATE` if the buffer of `x` is transferred while it is copied, or later where it is above 256 MiB
   */
  async fit(x: Rows, options?: FitOptions): Promise<TrainingHistory> {
    const plan = checkFitOptions(options)
    const average = trainingAverage('sparsity', this.#settings.sparsity, plan.batchSize === 0)
    const fitting = {
      network: this.#network,
      seed: this.#settings.seed,
      objective: this.#objective(average),
      exactObjective: this.#objective('exact'),
      toRows: (argument: string, rows: Rows) => this.#toRows(argument, rows),
    }
    return fitNetwork(fitting, x, plan)
  }

  /**
   * Activations of the hidden units, [rows, hidden].
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows, `ERR_RANGE` for NaN and infinities
   */
  async encode(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>> {
    const run = checkRunOptions(options)
    return forward(this.#network, ENCODER, 'x', this.#toRows('x', x), run)
  }

  /**
   * Activations of the hidden units for one row, on the calling thread: for single rows on a server's hot path.
   *
   * @param row - `inputs` numbers, or a Matrix of one row. The array of a Matrix's `row(i)` lacks the Matrix's scale: use `slice(i, i + 1)`
   * @param out - where to put them, [hidden], in the model's precision; default a new array
   * @returns `out`
   * @throws {@link LayerwiseError} as {@link encode} rejects
   */
  encodeSync(row: Row, out?: FloatArray<P>): FloatArray<P> {
    return this.#encodeRow.run('row', row, out)
  }

  /**
   * Reconstructions from hidden activations, [rows, inputs], in the units of x.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async decode(codes: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>> {
    const run = checkRunOptions(options)
    const rows = toRows('codes', codes, this.#settings.hidden, this.#settings.precision)
    return forward(this.#network, DECODER, 'codes', rows, run, this.#scaler)
  }

  /**
   * `x` encoded and decoded, [rows, inputs], in the units of x.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstruct(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>> {
    const run = checkRunOptions(options)
    return forward(this.#network, BOTH, 'x', this.#toRows('x', x), run, this.#scaler)
  }

  /**
   * Σⱼ (yⱼ − xⱼ)² of each row, whatever the loss, not halved, after scaling: an anomaly score.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionError(x: Rows, options?: RunOptions): Promise<Float64Array> {
    const run = checkRunOptions(options)
    return forwardErrors(this.#network, BOTH, 'x', this.#toRows('x', x), run)
  }

  /**
   * The squares (yⱼ − xⱼ)² themselves, [rows, inputs].
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionErrorPerFeature(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>> {
    const run = checkRunOptions(options)
    return forwardSquares(this.#network, BOTH, 'x', this.#toRows('x', x), run)
  }

  /**
   * The cost J over the rows of `x`, exactly: mean activations are those of all rows.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_RANGE` as {@link fit}
   */
  async cost(x: Rows, options?: CostOptions<P>): Promise<Cost<P>> {
    const run = checkRunOptions(options, ['parameters', 'gradient'])
    const network = this.#network
    const parameters =
      run.parameters === undefined ? network.current : network.checked('parameters', run.parameters)
    const gradient = checkGradient(run.gradient)
      ? allocate(network.precision, parameters.length, 'gradient')
      : undefined
    const rows = this.#toRows('x', x)
    const work = new NativeWork(run)
    try {
      await checkTargets('x', rows, this.#settings.outputActivation, network.precision, work)
      const request = { layers: network.layers, objective: this.#objective('exact'), parameters, rows }
      const parts = await work.call('x', (native) =>
        binding().evaluate({ ...native, ...request, ...(gradient && { gradient }) }),
      )
      return { ...costParts(parts), ...(gradient && { gradient }) }
    } finally {
      work.release()
    }
  }

  /** Encoder and decoder: sizes, activation, and copies of weights and biases. */
  get layers(): readonly Layer<P>[] {
    return this.#network.layerCopies()
  }

  /** A copy of all parameters: W₁ b₁ W₂ b₂, each W row-major [outputs, inputs]. */
  parameters(): FloatArray<P> {
    return this.#network.copy()
  }

  /**
   * Replaces all parameters by a copy of `theta`, in the order of {@link parameters}.
   *
   * @throws {@link LayerwiseError} `ERR_BUSY` while a fit runs; `ERR_ARGUMENT` for another kind of array, `ERR_SHAPE` for another length,
   *   `ERR_RANGE` for NaN and infinities
   */
  setParameters(theta: FloatArray<P>): void {
    this.#network.set('theta', theta)
  }

  /**
   * Writes one safetensors file: weights and biases by name, everything else as JSON in its metadata. The file appears whole or not at all.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be written
   */
  async save(path: string | URL): Promise<void> {
    await writeModel(path, {
      class: 'SparseAutoencoder',
      options: { ...this.#settings },
      scaler: this.#scaler?.toJSON() ?? null,
      fits: this.#network.fits,
      layers: this.layers,
    })
  }

  /**
   * Reads what {@link save} wrote. Its precision is the file's.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is not one of ours, is cut or damaged, or holds a model of another class
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
   */
  static async load(path: string | URL): Promise<SparseAutoencoder<Precision>> {
    return readModel(path, SparseAutoencoder.restorer, 'SparseAutoencoder')
  }

  /** @internal Checks what a file says, and returns what makes the model of its arrays. */
  static restorer(file: ModelFile): (tensors: Tensors) => SparseAutoencoder<Precision> {
    const settings = refuseAs(file, () => checkSettings(checkOptions('options', file.options, SETTINGS)))
    const layers = layersOf(settings)
    checkEntries(file, layers, settings.precision)
    const scaling = refuseAs(file, () =>
      file.scaler === null ? undefined : copyScaler(scalerFromJSON(file.scaler), settings.inputs),
    )
    return (tensors) =>
      refuseAs(file, () => {
        const model = new SparseAutoencoder<Precision>({ ...settings, ...(scaling && { scaling }) })
        const theta = flatParameters(tensors, layers, settings.precision)
        model.#network.set('parameters', theta, file.fits)
        return model
      })
  }

  #toRows(argument: string, x: Rows): NativeRows {
    return toRows(argument, x, this.#settings.inputs, this.#settings.precision, this.#scaler)
  }

  #objective(average: Average): NativeObjective {
    const { loss, weightDecay, sparsity } = this.#settings
    return { loss, weightDecay: [weightDecay, weightDecay], penalties: nativePenalties(sparsity, 0, average) }
  }
}

function layersOf({ inputs, hidden, activation, outputActivation }: Settings<Precision>) {
  return [
    { inputs, outputs: hidden, activation },
    { inputs: hidden, outputs: inputs, activation: outputActivation },
  ]
}

/** A scaler of the model's own: the caller's may be fitted anew. */
function copyScaler(scaling: unknown, inputs: number): Scaler | undefined {
  if (scaling === undefined) return undefined
  return scalerFromJSON(checkScaler('scaling', scaling, inputs).toJSON())
}

function checkGradient(value: unknown): boolean {
  return value !== undefined && checkBoolean('gradient', value)
}
