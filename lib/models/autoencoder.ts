import { checkBoolean } from '../check.js'
import type { Matrix } from '../data/matrix.js'
import { type Rows, toRows } from '../data/rows.js'
import { checkScaler, type Scaler, scalerFromJSON } from '../data/scaler.js'
import type { NativeObjective, NativeRows } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { Activation } from '../objective/activation.js'
import { type Cost, costParts } from '../objective/cost.js'
import type { Average } from '../objective/sparsity.js'
import { checkTargets } from '../objective/target-range.js'
import { allocate, type FloatArray, type Precision } from '../precision.js'
import type { TrainingHistory } from '../training/history.js'
import type { FitPlan } from '../training/options.js'
import type { Recipe } from '../training/train.js'
import { fitNetwork } from './fit-network.js'
import { forward, forwardErrors, forwardSquares, type Span } from './forward.js'
import { type Row, RowForward } from './forward-row.js'
import { type ModelDescription, writeModel } from './model-file.js'
import type { Layer, Network } from './network.js'

/** What `cost` may be told. */
export interface CostOptions<P extends Precision = Precision> extends RunOptions {
  /** Other parameters than the model's own; copied. */
  readonly parameters?: FloatArray<P>
  /** Whether the gradient is wanted too. Default false. */
  readonly gradient?: boolean
}

/**
 * What every autoencoder does once it has a network of which the first layers encode and the others decode.
 *
 * Methods that return promises compute off the JavaScript thread and only reject. While a training runs, all others see the parameters
 * of the last finished epoch. Arrays handed over must not be written or transferred until the promise settles.
 */
export abstract class Autoencoder<P extends Precision> {
  /** @internal */
  protected readonly network: Network<P>
  /** @internal The layers that encode, those that decode, and all. */
  protected readonly encoder: Span
  /** @internal */
  protected readonly decoder: Span
  /** @internal */
  protected readonly whole: Span
  #scaler: Scaler | undefined
  #encodeRow: RowForward<P>

  /** @internal The first `encoders` layers of the network encode. The scaler is the model's own, and fits its inputs. */
  protected constructor(network: Network<P>, encoders: number, scaler: Scaler | undefined) {
    this.network = network
    this.encoder = { from: 0, to: encoders }
    this.decoder = { from: encoders, to: network.layers.length }
    this.whole = { from: 0, to: network.layers.length }
    this.#scaler = scaler
    this.#encodeRow = new RowForward(network, this.encoder, scaler)
  }

  /** @internal The cost, its mean activations taken as `average` says where the model leaves that open. */
  protected abstract objective(average: Average): NativeObjective

  /** @internal What `save` writes. */
  protected abstract describe(): ModelDescription

  /** @internal */
  protected get scaler(): Scaler | undefined {
    return this.#scaler
  }

  /** @internal Every input goes through this one from now on. */
  protected set scaler(scaler: Scaler | undefined) {
    this.#scaler = scaler
    this.#encodeRow = new RowForward(this.network, this.encoder, scaler)
  }

  /** @internal Rows as the network sees them. */
  protected toRows(argument: string, x: Rows): NativeRows {
    const { inputs } = this.network.layers[0]!
    return toRows(argument, x, inputs, this.network.precision, this.#scaler)
  }

  /** @internal Trains all layers at once. */
  protected async trainWhole(
    x: Rows,
    plan: FitPlan,
    recipe: Omit<Recipe, 'exactObjective'>,
  ): Promise<TrainingHistory> {
    const fitting = { ...recipe, exactObjective: this.objective('exact'), targets: this.targets }
    return fitNetwork(this.network, fitting, (argument, rows) => this.toRows(argument, rows), x, plan)
  }

  /** @internal The activation that must reach the inputs. */
  protected get targets(): Activation {
    return this.network.layers.at(-1)!.activation as Activation
  }

  /**
   * Activations of the hidden units, [rows, hidden].
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows, `ERR_RANGE` for NaN and infinities
   */
  async encode(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>> {
    const run = checkRunOptions(options)
    return forward(this.network, this.encoder, 'x', this.toRows('x', x), run)
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
    const { outputs } = this.network.layers[this.encoder.to - 1]!
    const rows = toRows('codes', codes, outputs, this.network.precision)
    return forward(this.network, this.decoder, 'codes', rows, run, this.scaler)
  }

  /**
   * `x` encoded and decoded, [rows, inputs], in the units of x.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstruct(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>> {
    const run = checkRunOptions(options)
    return forward(this.network, this.whole, 'x', this.toRows('x', x), run, this.scaler)
  }

  /**
   * Σⱼ (yⱼ − xⱼ)² of each row, whatever the loss, not halved, after scaling: an anomaly score.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionError(x: Rows, options?: RunOptions): Promise<Float64Array> {
    const run = checkRunOptions(options)
    return forwardErrors(this.network, this.whole, 'x', this.toRows('x', x), run)
  }

  /**
   * The squares (yⱼ − xⱼ)² themselves, [rows, inputs].
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionErrorPerFeature(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>> {
    const run = checkRunOptions(options)
    return forwardSquares(this.network, this.whole, 'x', this.toRows('x', x), run)
  }

  /**
   * The cost J over the rows of `x`, exactly: mean activations are those of all rows.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_RANGE` as `fit`
   */
  async cost(x: Rows, options?: CostOptions<P>): Promise<Cost<P>> {
    const run = checkRunOptions(options, ['parameters', 'gradient'])
    const network = this.network
    const parameters =
      run.parameters === undefined ? network.parameters : network.checked('parameters', run.parameters)
    const gradient = checkGradient(run.gradient)
      ? allocate(network.precision, parameters.length, 'gradient')
      : undefined
    const rows = this.toRows('x', x)
    const work = new NativeWork(run)
    try {
      await checkTargets('x', rows, this.targets, network.precision, work)
      const request = { layers: network.layers, objective: this.objective('exact'), parameters, rows }
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
    return this.network.layerCopies()
  }

  /** A copy of all parameters: W₁ b₁ W₂ b₂, each W row-major [outputs, inputs]. */
  parameters(): FloatArray<P> {
    return this.network.copy()
  }

  /**
   * Replaces all parameters by a copy of `theta`, in the order of {@link parameters}.
   *
   * @throws {@link LayerwiseError} `ERR_BUSY` while a fit runs; `ERR_ARGUMENT` for another kind of array, `ERR_SHAPE` for another length,
   *   `ERR_RANGE` for NaN and infinities
   */
  setParameters(theta: FloatArray<P>): void {
    this.network.set('theta', theta)
  }

  /**
   * Writes one safetensors file: weights and biases by name, everything else as JSON in its metadata. The file appears whole or not at all.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be written
   */
  async save(path: string | URL): Promise<void> {
    await writeModel(path, this.describe())
  }
}

/** A scaler of the model's own: the caller's may be fitted anew. */
export function copyScaler(scaling: unknown, inputs: number): Scaler | undefined {
  if (scaling === undefined) return undefined
  return scalerFromJSON(checkScaler('scaling', scaling, inputs).toJSON())
}

function checkGradient(value: unknown): boolean {
  return value !== undefined && checkBoolean('gradient', value)
}
