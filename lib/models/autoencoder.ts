import { tooLargeError } from '../base/data-errors.js'
import type { FloatArray, FloatInput, PlainFloat64Array, Precision } from '../base/precision.js'
import type { Matrix } from '../data/matrix.js'
import type { Rows, SingleRow } from '../data/rows.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import type { NativeObjective } from '../native/binding.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { Cost } from '../objective/cost.js'
import { checkOutOptions, type OutOptions } from './encode-options.js'
import { forward, forwardErrors, forwardSquares, type LayerRange } from './forward.js'
import { RowForward } from './forward-row.js'
import type { Network } from './network.js'
import { type CostOptions, NetworkModel } from './network-model.js'

/**
 * The common base of autoencoders: a network whose first layers encode and whose other layers decode.
 *
 * Methods that return promises compute off the JavaScript thread and only reject. During a training all others use the parameters of the
 * last finished epoch. Arguments must not be written or transferred until the promise settles.
 */
export abstract class Autoencoder<P extends Precision> extends NetworkModel<P> {
  /** @internal The layers that encode, those that decode, and all. */
  protected readonly encoder: LayerRange
  /** @internal */
  protected readonly decoder: LayerRange
  /** @internal */
  protected readonly whole: LayerRange
  #encodeRow: RowForward<P>
  #reconstructRow: RowForward<P>

  /** @internal The first `encoders` layers of the network encode. The scaler is the model's own, and fits its inputs. */
  protected constructor(
    network: Network<P>,
    encoders: number,
    scaler: ModelScaler | undefined,
    metadata: unknown,
  ) {
    super(network, scaler, metadata)
    this.encoder = { from: 0, to: encoders }
    this.decoder = { from: encoders, to: network.layers.length }
    this.whole = { from: 0, to: network.layers.length }
    this.#encodeRow = new RowForward(network, this.encoder, scaler)
    this.#reconstructRow = new RowForward(network, this.whole, scaler)
  }

  /** @internal What `cost` measures, exact over the rows it is given. */
  protected abstract costObjective(): NativeObjective

  override get classes(): undefined {
    return undefined
  }

  /** @internal */
  protected override get scaler(): ModelScaler | undefined {
    return super.scaler
  }

  /** @internal Sets the scaler of every input. */
  protected override set scaler(scaler: ModelScaler | undefined) {
    super.scaler = scaler
    this.#encodeRow = new RowForward(this.network, this.encoder, scaler)
    this.#reconstructRow = new RowForward(this.network, this.whole, scaler)
  }

  /** @internal Outputs must be able to reach the rows. */
  protected override get rowCheck(): 'range' {
    return 'range'
  }

  /**
   * Activations of the hidden units, [rows, hidden].
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows or a bad `out`, `ERR_RANGE` for NaN and
   *   infinities, `ERR_STATE` for memory that is transferred during the call
   */
  override async encode(x: Rows, options?: OutOptions<P>): Promise<Matrix<FloatArray<P>>> {
    const { run, out } = checkOutOptions(options, this.precision, x)
    return forward(this.network, this.encoder, 'x', x, this.rowForm, run, undefined, out)
  }

  /**
   * Activations of the hidden units for one row, on the calling thread: for single rows on a server's hot path. The first call stores a
   * transposed copy of the first layer's weights; the first call after a training renews it.
   *
   * @param row - `inputs` numbers, or a Matrix or SparseMatrix of one row
   * @param out - where to put them, [hidden], in the model's precision; default a new array
   * @returns `out`
   * @throws {@link LayerwiseError} as {@link encode} rejects
   */
  override encodeSync(row: SingleRow, out?: FloatInput<P>): FloatArray<P> {
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
    const form = { width: outputs, precision: this.network.precision, scaling: undefined }
    return forward(this.network, this.decoder, 'codes', codes, form, run, this.scaler)
  }

  /**
   * `x` encoded and decoded, [rows, inputs], in the units of x. Dense also for sparse rows: of many of them take slices.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstruct(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>> {
    const run = checkRunOptions(options)
    return forward(this.network, this.whole, 'x', x, this.rowForm, run, this.scaler)
  }

  /**
   * {@link reconstruct} of one row, on the calling thread: for single rows on a server's hot path. The first call stores a transposed copy
   * of the first layer's weights; the first call after a training renews it.
   *
   * @param row - `inputs` numbers, or a Matrix or SparseMatrix of one row
   * @param out - where to put them, [inputs], in the model's precision; default a new array
   * @returns `out`
   * @throws {@link LayerwiseError} as {@link encode} rejects
   */
  reconstructSync(row: SingleRow, out?: FloatInput<P>): FloatArray<P> {
    const answer = this.#reconstructRow.run('row', row, out)
    if (this.scaler === undefined) return answer
    const { shift, factor } = this.scaler
    for (let j = 0; j < answer.length; j++) {
      answer[j] = answer[j]! / factor[j]! + shift[j]!
      if (!Number.isFinite(answer[j])) throw tooLargeError('row', 0)
    }
    return answer
  }

  /**
   * Σⱼ (yⱼ − xⱼ)² of each row, for every loss, not halved, after scaling: an anomaly score.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionError(x: Rows, options?: RunOptions): Promise<PlainFloat64Array> {
    const run = checkRunOptions(options)
    return forwardErrors(this.network, this.whole, 'x', x, this.rowForm, run)
  }

  /**
   * {@link reconstructionError} of one row, on the calling thread: for single rows on a server's hot path. The first call stores a
   * transposed copy of the first layer's weights; the first call after a training renews it.
   *
   * @param row - `inputs` numbers, or a Matrix or SparseMatrix of one row
   * @throws {@link LayerwiseError} as {@link encode} rejects
   */
  reconstructionErrorSync(row: SingleRow): number {
    return this.#reconstructRow.error('row', row)
  }

  /**
   * The squares (yⱼ − xⱼ)² themselves, [rows, inputs]. Dense also for sparse rows: of many of them take slices.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionErrorPerFeature(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>> {
    const run = checkRunOptions(options)
    return forwardSquares(this.network, this.whole, 'x', x, this.rowForm, run)
  }

  /**
   * The cost J over the rows of `x`, exactly: mean activations are those of all rows.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_RANGE` as `fit`
   */
  async cost(x: Rows, options?: CostOptions<P>): Promise<Cost<P>> {
    return this.measure({ x }, options, this.costObjective())
  }
}
