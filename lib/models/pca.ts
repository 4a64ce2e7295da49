import { checkOptions, freezeDeep, ownCopy } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import type { FloatArray, FloatInput, PlainFloat64Array, Precision } from '../base/precision.js'
import type { Dataset } from '../data/dataset.js'
import { Matrix } from '../data/matrix.js'
import type { RowWeightsOption } from '../data/row-weights.js'
import { type FittingRows, ownWidth, type Rows, type SingleRow } from '../data/rows.js'
import type { Scaler } from '../data/scaling/column-scaler.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import { asSparseMatrix, type SparseMatrix } from '../data/sparse-matrix.js'
import { takeRows } from '../data/take-rows.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import {
  answerErrors,
  answerRows,
  checkErrorOptions,
  checkFolderOptions,
  collectErrors,
  type FolderOptions,
  type LargestOptions,
} from './answers.js'
import { BaseModel } from './base-model.js'
import {
  type CodesBatch,
  codeBatches,
  type ErrorsBatch,
  errorBatches,
  type RowsOrBatches,
} from './batches.js'
import { checkOutOptions, type OutOptions } from './encode-options.js'
import { centred, type FittedPca, fittedPca, madeOnce } from './fitted-pca.js'
import { type ForwardTask, forwardTask } from './forward.js'
import type { LargestErrors } from './largest.js'
import { type ModelContent, type Restorer, readModel, readModelBytes, type Tensors } from './model-file.js'
import { copyScaler } from './network-model.js'
import { checkPcaTensors, pcaTensors, storedComponents } from './pca-file.js'
import { checkPcaSettings, PCA_SETTINGS, type PcaOptions, type PcaSettings } from './pca-options.js'
import { principalComponents } from './principal-components.js'
import { type Projection, projection } from './projection.js'
import { rowNorms } from './row-norms.js'
import { restoredScaler } from './stored-scaler.js'
import { uncentred } from './uncentred.js'

/** Options of `fit` of a Pca. */
export interface PcaFitOptions extends RunOptions, RowWeightsOption {}

/**
 * Principal component analysis: the directions of greatest variance about the mean, exactly.
 *
 * Mean and covariance XᵀX/m are accumulated in float64 over blocks of rows; results are deterministic, with fixed signs: the entry of
 * largest absolute value in each component is positive. A variance of at most max(m, n) · 2.2e-16 times the largest is regarded as rounding
 * and reported as 0.
 *
 * Source: Jolliffe, "Principal Component Analysis", chapter 2; whitening and ZCA: Bell & Sejnowski 1997, UFLDL tutorial "PCA Whitening".
 * Differs: divided by m, the number of rows, not by m − 1.
 *
 * Methods that return promises compute off the JavaScript thread and only reject; arguments must not be written or transferred until the
 * promise settles.
 */
export class Pca<P extends Precision = 'float32'> extends BaseModel<P> {
  readonly #settings: PcaSettings<P>
  readonly #scaler: ModelScaler | undefined
  #fitted: FittedPca<P> | undefined

  /**
   * Has no components yet: call `await pca.fit(x)` first.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for an unknown option, a wrong type, a number out of its range, or `epsilon` without `whiten`
   * @throws {@link LayerwiseError} `ERR_STATE` for a scaler that is not fitted
   */
  constructor(options?: PcaOptions<P>) {
    const given = checkOptions('options', options, [...PCA_SETTINGS, 'scaling', 'metadata'])
    super(given.metadata)
    this.#settings = freezeDeep(checkPcaSettings<P>(given))
    const { scaling } = given as { scaling?: Scaler }
    this.#scaler = copyScaler(scaling, scaling?.inputs ?? 0)
  }

  override get kind(): 'Pca' {
    return 'Pca'
  }

  override get options(): PcaSettings<P> {
    return this.#settings
  }

  /** Columns of the rows it was fitted on. `ERR_STATE` before `fit`. */
  override get inputs(): number {
    return this.#known().mean.length
  }

  override get precision(): P {
    return this.#settings.precision
  }

  override get classes(): undefined {
    return undefined
  }

  override get scaling(): ModelScaler | undefined {
    return this.#scaler
  }

  /**
   * Computes mean and components of the rows of `x`. A second `fit` starts again; one that rejects does not change the model.
   *
   * Components beyond the rank of the data (at most m − 1) have variance 0; they complete the others to an orthonormal set, and are
   * otherwise arbitrary.
   *
   * @param x - a Matrix, a Dataset or an array of rows: training data only
   * @param options - `rowWeights`: mean and covariance become Σwᵢxᵢ/Σwᵢ and Σwᵢ(xᵢ−μ)(xᵢ−μ)ᵀ/Σwᵢ
   * @throws `signal.reason`, if the signal is aborted
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows, fewer columns than components, or more than 2,000 columns without
   *   a number of components
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN and infinities (row and column in `details`),
   *   values whose squares overflow or vanish, and a spread that the precision cannot hold
   * @throws {@link LayerwiseError} `ERR_DIVERGED` if, for more than 2,000 columns, the leading directions cannot be separated from the
   *   rest
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for components or covariance
   */
  async fit(x: FittingRows | SparseMatrix, options?: PcaFitOptions): Promise<this> {
    const run = checkRunOptions(options, ['rowWeights'])
    const { components } = ownCopy(this.#settings)
    const between = () => run.signal?.throwIfAborted()
    const width = asSparseMatrix('x', x)?.cols ?? ownWidth(x as FittingRows)
    const form = { width, precision: 'float64', scaling: this.#scaler } as const
    const rows = await takeRows({ x, rowWeights: run.rowWeights }, { ...form, classes: undefined }, between)
    const found = await principalComponents('x', rows, components, run)
    this.#fitted = await fittedPca(found, this.#settings, this.#scaler, 'x')
    return this
  }

  /**
   * Rows along the components, [rows, components]; with `whiten: 'zca'` [rows, columns]. Written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as in memory; `ERR_ARGUMENT`, `ERR_BUSY` for a folder that cannot be used; `ERR_FILE` if the disk is full
   */
  async transform(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * Rows along the components, [rows, components]; with `whiten: 'zca'` [rows, columns].
   *
   * @throws {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows or a bad `out`,
   *   `ERR_RANGE` for NaN and infinities, `ERR_FILE` if the files of a dataset fail
   */
  async transform(x: Rows, options?: OutOptions<P>): Promise<Matrix<FloatArray<P>>>
  async transform(
    x: Rows,
    options?: OutOptions<P> | FolderOptions,
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, place } = checkOutOptions(options, this.precision, x)
    return answerRows(await this.#task(this.#known(), x, 'into'), x, run, place)
  }

  /**
   * {@link transform} for one row, on the calling thread: for single rows on a server's hot path.
   *
   * @param row - as many numbers as there are columns, or a Matrix of one row; not a SparseMatrix, which {@link transform} takes
   * @param out - where to put them, in the model's precision; default a new array
   * @returns `out`
   * @throws {@link LayerwiseError} as {@link transform} rejects
   */
  transformSync(row: SingleRow, out?: FloatInput<P>): FloatArray<P> {
    return this.#known().transformRow.run('row', row, out)
  }

  /** The same as {@link transform}, under the common name of all models. Written to a folder. */
  override async encode(x: Rows, options: FolderOptions): Promise<Dataset>
  /** The same as {@link transform}, under the common name of all models. */
  override async encode(x: Rows, options?: OutOptions<P>): Promise<Matrix<FloatArray<P>>>
  override async encode(
    x: Rows,
    options?: OutOptions<P> | FolderOptions,
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    return this.transform(x, options as OutOptions<P>)
  }

  override encodeBatches(x: RowsOrBatches, options?: RunOptions): AsyncGenerator<CodesBatch<P>, void> {
    const fitted = this.#known()
    return codeBatches((rows) => this.#task(fitted, rows, 'into'), x, checkRunOptions(options))
  }

  /** The same as {@link transformSync}, under the common name of all models. */
  override encodeSync(row: SingleRow, out?: FloatInput<P>): FloatArray<P> {
    return this.transformSync(row, out)
  }

  /**
   * The inverse of {@link transform}, [rows, columns], in the units of x, written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as {@link transform}
   */
  async inverseTransform(codes: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * The inverse of {@link transform}, [rows, columns], in the units of x: the part outside the components is lost, and with ε = 0 the part
   * in directions without variance.
   *
   * @throws {@link LayerwiseError} as {@link transform}
   */
  async inverseTransform(codes: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>>
  async inverseTransform(
    codes: Rows,
    options?: RunOptions | FolderOptions,
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, to } = checkFolderOptions(options)
    const { network, back, centring } = this.#known()
    const { inputs } = network.layers[back.from]!
    const form = { width: inputs, precision: this.#settings.precision, scaling: undefined }
    return answerRows(forwardTask(network, back, 'codes', form, centring), codes, run, { to })
  }

  /**
   * {@link reconstructionError} of each row, written to a folder as a dataset of one column, in float64.
   *
   * @throws {@link LayerwiseError} as {@link transform}
   */
  async reconstructionError(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * The rows with the largest {@link reconstructionError}, in memory for so many.
   *
   * @throws {@link LayerwiseError} as {@link transform}
   */
  async reconstructionError(x: Rows, options: LargestOptions): Promise<LargestErrors>
  /**
   * Σⱼ (yⱼ − xⱼ)² of each row, y being transformed and transformed back, after scaling: an anomaly score. Its mean over the fitted rows is
   * the sum of the variances of the omitted components.
   *
   * @throws {@link LayerwiseError} as {@link transform}
   */
  async reconstructionError(x: Rows, options?: RunOptions): Promise<PlainFloat64Array>
  async reconstructionError(
    x: Rows,
    options?: RunOptions | FolderOptions | LargestOptions,
  ): Promise<PlainFloat64Array | Dataset | LargestErrors> {
    const asked = checkErrorOptions(options)
    return answerErrors(await this.#task(this.#known(), x, 'whole'), x, asked)
  }

  /**
   * {@link reconstructionError} batch by batch, for rows longer than memory, also for those that come only once.
   *
   * @param x - rows, or batches of them: see {@link encodeBatches}
   * @throws {@link LayerwiseError} (while it is iterated) as {@link transform}
   */
  reconstructionErrorBatches(x: RowsOrBatches, options?: RunOptions): AsyncGenerator<ErrorsBatch, void> {
    const fitted = this.#known()
    return errorBatches((rows) => this.#task(fitted, rows, 'whole'), x, checkRunOptions(options))
  }

  /**
   * {@link reconstructionError} of one row, on the calling thread: for single rows on a server's hot path.
   *
   * @param row - as many numbers as there are columns, or a Matrix of one row; not a SparseMatrix, which {@link reconstructionError} takes
   * @throws {@link LayerwiseError} as {@link transform} rejects
   */
  reconstructionErrorSync(row: SingleRow): number {
    return this.#known().reconstructRow.error('row', row)
  }

  /**
   * The squares (yⱼ − xⱼ)² themselves, [rows, columns], written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as {@link transform}
   */
  async reconstructionErrorPerFeature(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * The squares (yⱼ − xⱼ)² themselves, [rows, columns]. Dense also for sparse rows: of many of them take slices.
   *
   * @throws {@link LayerwiseError} as {@link transform}
   */
  async reconstructionErrorPerFeature(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>>
  async reconstructionErrorPerFeature(
    x: Rows,
    options?: RunOptions | FolderOptions,
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, to } = checkFolderOptions(options)
    return answerRows(await this.#task(this.#known(), x, 'whole'), x, run, { to }, 'squares')
  }

  /**
   * {@link mahalanobis} of each row, written to a folder as a dataset of one column, in float64.
   *
   * @throws {@link LayerwiseError} as in memory; `ERR_ARGUMENT`, `ERR_BUSY` for a folder that cannot be used; `ERR_FILE` if the disk is full
   */
  async mahalanobis(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * The rows with the largest {@link mahalanobis} distances, as `errors`, in memory for so many.
   *
   * @throws {@link LayerwiseError} as for all rows
   */
  async mahalanobis(x: Rows, options: LargestOptions): Promise<LargestErrors>
  /**
   * The Mahalanobis distance of each row from the mean, within the components that were kept: √(Σᵢ zᵢ²/wᵢ), zᵢ being its coordinates along
   * them and wᵢ their variances; an anomaly score for the part within the components; {@link reconstructionError} measures the part
   * outside. For normally distributed data its square follows a χ² distribution with as many degrees of freedom as there are components
   * with a variance. A component without variance is ignored, as in a pseudo-inverse, and `whiten` and `epsilon` have no effect. Computed
   * in float64 in every precision.
   *
   * Differs from scikit-learn's `mahalanobis`, which returns the square.
   *
   * @throws {@link LayerwiseError} as {@link transform}; `ERR_RANGE` also for rows whose distance overflows
   */
  async mahalanobis(x: Rows, options?: RunOptions): Promise<PlainFloat64Array>
  async mahalanobis(
    x: Rows,
    options?: RunOptions | FolderOptions | LargestOptions,
  ): Promise<PlainFloat64Array | Dataset | LargestErrors> {
    const asked = checkErrorOptions(options)
    const fitted = this.#known()
    const whitening = madeOnce(fitted.whitening, 'made', () =>
      projection(fitted, 'pca', 0, 'float64', 'explainedVariance'),
    )
    const sparse = asSparseMatrix('x', x) !== undefined
    const { network, into } = await (sparse
      ? madeOnce(fitted.uncentred, 'whitening', async () => uncentred(await whitening, fitted.mean))
      : whitening)
    const form = { ...(sparse ? fitted.sparseForm : fitted.rowForm), precision: 'float64' } as const
    return collectErrors(rowNorms(forwardTask(network, into, 'x', form), x, asked.run), x, asked)
  }

  /** V, unit vectors in the order of falling variance, one a row: [components, columns]. Read-only. `ERR_STATE` before `fit`. */
  get components(): Matrix<PlainFloat64Array> {
    const { directions, variances, mean } = this.#known()
    return Matrix.from(directions, variances.length, mean.length)
  }

  /** The variances wᵢ along them, eigenvalues of XᵀX/m about the mean, [components]. Read-only. `ERR_STATE` before `fit`. */
  get explainedVariance(): PlainFloat64Array {
    return this.#known().variances
  }

  /**
   * The variances as fractions of {@link totalVariance}, [components]; 0 if all rows were equal. A new array at each call. `ERR_STATE`
   * before `fit`.
   */
  get explainedVarianceRatio(): PlainFloat64Array {
    const { variances, totalVariance } = this.#known()
    return variances.map((variance) => (totalVariance > 0 ? variance / totalVariance : 0))
  }

  /** The sum of the variances in all directions, including components not kept. `ERR_STATE` before `fit`. */
  get totalVariance(): number {
    return this.#known().totalVariance
  }

  /** μ, [columns], after scaling. Read-only. `ERR_STATE` before `fit`. */
  get mean(): PlainFloat64Array {
    return this.#known().mean
  }

  /** @internal */
  protected override content(): ModelContent {
    return { scaler: this.#scaler, fits: 1, tensors: pcaTensors(this.#known()) }
  }

  /**
   * Reads what {@link save} wrote. Its precision is the file's.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is no model file, is truncated or damaged, or has a model of another
   *   class
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
   */
  static async load(path: string | URL): Promise<Pca<Precision>> {
    return readModel(path, [Pca.restorer])
  }

  /**
   * Restores a model from the bytes of {@link toBytes}, or of a file. They are copied.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` as {@link load}; `ERR_ARGUMENT` for anything but a Uint8Array over an ordinary buffer,
   *   `ERR_STATE` if that is transferred during the call
   */
  static async fromBytes(bytes: Uint8Array): Promise<Pca<Precision>> {
    return readModelBytes(bytes, [Pca.restorer])
  }

  /** @internal */
  static readonly restorer: Restorer<Pca<Precision>> = {
    class: 'Pca',
    restore: (file) => {
      const options = checkOptions('options', file.options, PCA_SETTINGS)
      const n = checkPcaTensors(file, checkPcaSettings(options))
      const scaling = restoredScaler(file, n)
      const make = async (tensors: Tensors) => {
        const model = new Pca<Precision>({ ...options, ...(scaling && { scaling }) })
        const found = storedComponents(file.name, tensors)
        model.#fitted = await fittedPca(found, model.#settings, model.#scaler, 'explainedVariance')
        return model
      }
      return { make }
    },
  }

  /** What transforms these rows, or reconstructs them: sparse ones are not centred, but the layers' outputs are. */
  async #task(fitted: FittedPca<P>, x: unknown, layers: 'into' | 'whole'): Promise<ForwardTask<P>> {
    const sparse = asSparseMatrix('x', x) !== undefined
    const { network, into, back } = sparse
      ? await madeOnce<'made', Projection<P>>(fitted.uncentred, 'made', () => uncentred(fitted, fitted.mean))
      : fitted
    const range = layers === 'into' ? into : { from: into.from, to: back.to }
    return forwardTask(network, range, 'x', sparse ? fitted.sparseForm : fitted.rowForm)
  }

  #known(): FittedPca<P> {
    const fitted = this.#fitted
    if (fitted === undefined) {
      throw new LayerwiseError('ERR_STATE', 'this Pca is not fitted: await pca.fit(x) first')
    }
    if (fitted.scaledBy === this.#scaler?.shift) return fitted
    this.#fitted = { ...fitted, ...centred(fitted, fitted, this.#scaler) }
    return this.#fitted
  }
}
