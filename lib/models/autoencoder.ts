import { tooLargeError } from '../base/data-errors.js'
import type { FloatArray, FloatInput, PlainFloat64Array, Precision } from '../base/precision.js'
import type { Dataset } from '../data/dataset.js'
import type { Matrix } from '../data/matrix.js'
import type { Rows, SingleRow } from '../data/rows.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import type { NativeObjective } from '../native/binding.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { Cost } from '../objective/cost.js'
import {
  answerErrors,
  answerRows,
  checkErrorOptions,
  checkFolderOptions,
  type FolderOptions,
  type LargestOptions,
} from './answers.js'
import {
  type CodesBatch,
  codeBatches,
  type ErrorsBatch,
  errorBatches,
  type RowsOrBatches,
} from './batches.js'
import { checkOutOptions, type OutOptions } from './encode-options.js'
import { type ForwardTask, forwardTask, type LayerRange } from './forward.js'
import { RowForward } from './forward-row.js'
import type { LargestErrors } from './largest.js'
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
   * Activations of the hidden units, [rows, hidden], written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as in memory; `ERR_ARGUMENT`, `ERR_BUSY` for a folder that cannot be used; `ERR_FILE` if the disk is full
   */
  override async encode(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * Activations of the hidden units, [rows, hidden].
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows or a bad `out`, `ERR_RANGE` for NaN and
   *   infinities, `ERR_STATE` for memory that is transferred during the call, `ERR_FILE` if the files of a dataset fail
   */
  override async encode(x: Rows, options?: OutOptions<P>): Promise<Matrix<FloatArray<P>>>
  override async encode(
    x: Rows,
    options?: OutOptions<P> | FolderOptions,
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, place } = checkOutOptions(options, this.precision, x)
    return answerRows(this.#task(this.encoder), x, run, place)
  }

  override encodeBatches(x: RowsOrBatches, options?: RunOptions): AsyncGenerator<CodesBatch<P>, void> {
    const task = this.#task(this.encoder)
    return codeBatches(() => task, x, checkRunOptions(options))
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
   * Reconstructions from hidden activations, [rows, inputs], in the units of x, written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async decode(codes: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * Reconstructions from hidden activations, [rows, inputs], in the units of x.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async decode(codes: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>>
  async decode(codes: Rows, options?: RunOptions | FolderOptions): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, to } = checkFolderOptions(options)
    return answerRows(this.decoding(this.decoder), codes, run, { to })
  }

  /** @internal What decodes the activations that go into the first of these layers. */
  protected decoding(range: LayerRange): ForwardTask<P> {
    const { inputs: width } = this.network.layers[range.from]!
    const form = { width, precision: this.network.precision, scaling: undefined }
    return forwardTask(this.network, range, 'codes', form, this.scaler)
  }

  /**
   * `x` encoded and decoded, [rows, inputs], in the units of x, written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstruct(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * `x` encoded and decoded, [rows, inputs], in the units of x. Dense also for sparse rows: of many of them take slices.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstruct(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>>
  async reconstruct(x: Rows, options?: RunOptions | FolderOptions): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, to } = checkFolderOptions(options)
    return answerRows(forwardTask(this.network, this.whole, 'x', this.rowForm, this.scaler), x, run, { to })
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
   * {@link reconstructionError} of each row, written to a folder as a dataset of one column, in float64.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionError(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * The rows with the largest {@link reconstructionError}, in memory for so many.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionError(x: Rows, options: LargestOptions): Promise<LargestErrors>
  /**
   * Σⱼ (yⱼ − xⱼ)² of each row, for every loss, not halved, after scaling: an anomaly score.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionError(x: Rows, options?: RunOptions): Promise<PlainFloat64Array>
  async reconstructionError(
    x: Rows,
    options?: RunOptions | FolderOptions | LargestOptions,
  ): Promise<PlainFloat64Array | Dataset | LargestErrors> {
    return answerErrors(this.#task(this.whole), x, checkErrorOptions(options))
  }

  /**
   * {@link reconstructionError} batch by batch, for rows longer than memory, also for those that come only once.
   *
   * @param x - rows, or batches of them: see {@link encodeBatches}
   * @throws {@link LayerwiseError} (while it is iterated) as {@link encode}
   */
  reconstructionErrorBatches(x: RowsOrBatches, options?: RunOptions): AsyncGenerator<ErrorsBatch, void> {
    const task = this.#task(this.whole)
    return errorBatches(() => task, x, checkRunOptions(options))
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
   * The squares (yⱼ − xⱼ)² themselves, [rows, inputs], written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionErrorPerFeature(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * The squares (yⱼ − xⱼ)² themselves, [rows, inputs]. Dense also for sparse rows: of many of them take slices.
   *
   * @throws {@link LayerwiseError} as {@link encode}
   */
  async reconstructionErrorPerFeature(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>>
  async reconstructionErrorPerFeature(
    x: Rows,
    options?: RunOptions | FolderOptions,
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, to } = checkFolderOptions(options)
    return answerRows(this.#task(this.whole), x, run, { to }, 'squares')
  }

  /**
   * The cost J over the rows of `x`, exactly: mean activations are those of all rows.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_RANGE`, `ERR_FILE` as `fit`
   */
  async cost(x: Rows, options?: CostOptions<P>): Promise<Cost<P>> {
    return this.measure({ x }, options, this.costObjective())
  }

  #task(range: LayerRange): ForwardTask<P> {
    return forwardTask(this.network, range, 'x', this.rowForm)
  }
}
