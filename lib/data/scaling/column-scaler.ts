import { checkOptions, shapeError } from '../../base/check.js'
import { LayerwiseError } from '../../base/errors.js'
import type { FloatArray } from '../../base/precision.js'
import { asDataset, type Dataset } from '../dataset.js'
import type { Matrix } from '../matrix.js'
import { type RowWeightsOption, toRowWeights } from '../row-weights.js'
import { type DenseRows, emptyError, type FittingRows, ownWidth, toMatrix } from '../rows.js'
import { rowSlices } from '../slices.js'
import { asSparseMatrix, SparseMatrix } from '../sparse-matrix.js'
import { type ColumnStatistics, columnStatistics, columnsOf } from './column-statistics.js'
import { mappedRows, type ScaledFolderOptions, type ScaledOptions } from './mapped-rows.js'
import type { Fitted, ScalerJSON, ScalerKind } from './scaler-json.js'
import { sparseStatistics } from './sparse-statistics.js'

/**
 * Column by column, `value = (x − shift) · factor`. Fitted on training data only; usable alone, or as a model's `scaling`.
 * A Matrix's own `scale` is applied before it.
 */
export interface Scaler {
  /** Columns it was fitted on. */
  readonly inputs: number
  /** [inputs], in the units of x. Read-only. */
  readonly shift: Float64Array
  /** [inputs], finite and not 0. Read-only. */
  readonly factor: Float64Array
  /** Everything {@link scalerFromJSON} needs to rebuild it, exactly. */
  toJSON(): ScalerJSON
}

/** Shift and factor of a column. */
export type ScalingOf = (column: number) => readonly [shift: number, factor: number]

/** Base of all scalers: `fit` computes shift and factor of each column, which are then applied. */
export abstract class ColumnScaler implements Scaler {
  #fitted: Fitted | undefined
  /** The required number of columns, once it belongs to a model. */
  #only: number | undefined

  get inputs(): number {
    return this.fitted().shift.length
  }

  get shift(): Float64Array {
    return this.fitted().shift
  }

  get factor(): Float64Array {
    return this.fitted().factor
  }

  abstract toJSON(): ScalerJSON
  /** Shift and factor of each column. */
  protected abstract find(
    x: Matrix | Dataset | SparseMatrix,
    statistics: ColumnStatistics,
    weights?: Float64Array,
  ): Promise<ScalingOf>

  /**
   * Computes shift and factor from the rows of `x`, in float64, without blocking the event loop; of a SparseMatrix its zeros count. Of a Dataset
   * the numbers are those of the same rows in memory. A second
   * `fit` starts again; one that rejects does not change the scaler.
   *
   * @param options - `rowWeights`: how much each row counts, in mean and variance; smallest and largest value are those of the rows of
   *   weight above 0
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN or Infinity (row and column in `details`), for negative weights, for weights that are
   *   all 0, or a column whose spread is too large or too small for float64
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for anything but a Matrix, a Dataset, a SparseMatrix or an array of rows of equal
   *   length, for no rows, and for bad weights; `ERR_FILE` if the files of a Dataset fail
   */
  async fit(x: FittingRows | SparseMatrix, options?: RowWeightsOption): Promise<this> {
    const { rowWeights } = checkOptions('options', options, ['rowWeights'])
    const whole = asSparseMatrix('x', x) ?? asDataset('x', x)
    const width = whole?.cols ?? ownWidth(x as FittingRows)
    if (this.#only !== undefined && width !== this.#only) {
      throw shapeError('x', `${this.#only} columns, as the model has whose scaler this is`, width)
    }
    if (whole?.rows === 0) throw emptyError('x')
    const matrix = whole ?? (await toMatrix('x', x as DenseRows, width, 'float64'))
    const weights =
      rowWeights === undefined
        ? undefined
        : await toRowWeights('rowWeights', rowWeights, matrix.rows, () => {})
    const statistics =
      matrix instanceof SparseMatrix
        ? sparseStatistics('x', matrix, weights)
        : columnStatistics('x', matrix, weights)
    const scalingOf = await this.find(matrix, await statistics, weights)
    const shift = await columnsOf(0, 'shift', matrix.cols)
    const factor = await columnsOf(0, 'factor', matrix.cols)
    for await (const [from, to] of rowSlices(matrix.cols, 1)) {
      for (let j = from; j < to; j++) {
        const [shiftOf, factorOf] = scalingOf(j)
        if (!Number.isFinite(shiftOf) || !Number.isFinite(factorOf) || factorOf === 0) throw spreadError(j)
        shift[j] = shiftOf
        factor[j] = factorOf
      }
    }
    this.#fitted = { shift, factor }
    return this
  }

  /**
   * (x − shift) · factor, with `clip` brought into `range`, written to a folder as a dataset, which keeps the names of the columns of a Dataset.
   *
   * @throws {@link LayerwiseError} as in memory; `ERR_ARGUMENT`, `ERR_BUSY` for a folder that cannot be used; `ERR_FILE` if the disk is full
   */
  async transform(x: DenseRows | Dataset, options: ScaledFolderOptions): Promise<Dataset>
  /**
   * (x − shift) · factor, with `clip` brought into `range`, as a new Matrix: float64 for an array of rows, float64 and integers of 32 bits,
   * float32 for float32 and what is narrower. Computed in float64 and rounded once. On JavaScript's thread, a slice at a time.
   *
   * @throws {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_SHAPE` for another width; `ERR_RANGE` for NaN or Infinity; `ERR_FILE` if the
   *   files of a Dataset fail
   */
  async transform(x: DenseRows | Dataset, options?: ScaledOptions): Promise<Matrix<FloatArray>>
  async transform(
    x: DenseRows | Dataset,
    options?: ScaledOptions | ScaledFolderOptions,
  ): Promise<Matrix<FloatArray> | Dataset> {
    const { shift, factor } = this.fitted()
    const [low, high] = this.clipped ?? [-Infinity, Infinity]
    const scaled = (value: number, j: number) =>
      Math.min(high, Math.max(low, (value - shift[j]!) * factor[j]!))
    return mappedRows(x, shift.length, scaled, options)
  }

  /** x / factor + shift: back to the original units, written to a folder. As {@link transform}. */
  async inverseTransform(x: DenseRows | Dataset, options: ScaledFolderOptions): Promise<Dataset>
  /** x / factor + shift: back to the original units. Types and errors as in {@link transform}. */
  async inverseTransform(x: DenseRows | Dataset, options?: ScaledOptions): Promise<Matrix<FloatArray>>
  async inverseTransform(
    x: DenseRows | Dataset,
    options?: ScaledOptions | ScaledFolderOptions,
  ): Promise<Matrix<FloatArray> | Dataset> {
    const { shift, factor } = this.fitted()
    return mappedRows(x, shift.length, (value, j) => value / factor[j]! + shift[j]!, options)
  }

  /** @internal The range that values are clipped to, if they are. Written by constructors only. */
  clipped: readonly [low: number, high: number] | undefined = undefined

  /**
   * @internal Fixes the number of columns: the scaler belongs to a model. A property of the scaler itself, so that `structuredClone` and
   *   `postMessage` refuse the scaler, whose numbers they would lose.
   */
  readonly keepWidth = (): this => {
    this.#only = this.inputs
    return this
  }

  protected fitted(): Fitted {
    if (this.#fitted === undefined) {
      throw new LayerwiseError(
        'ERR_STATE',
        `this ${this.constructor.name} is not fitted: await scaler.fit(x) first`,
      )
    }
    return this.#fitted
  }

  /** @internal Uses numbers computed earlier by this kind of scaler; they are not copied and must not be written again. */
  restore(fitted: Fitted): this {
    this.#fitted = fitted
    return this
  }

  /** @internal Its description without the numbers of its columns. */
  abstract kindOf(): ScalerKind

  /** Copies of its numbers. */
  protected copied(): Fitted {
    const { shift, factor } = this.fitted()
    return { shift: shift.slice(), factor: factor.slice() }
  }

  /** @internal Another with copies of its numbers. */
  abstract copy(): ColumnScaler
}

/**
 * Whether values from `least` to `most` differ by rounding alone, as 0.3 and 0.1 + 0.2 do: by up to three units of float64 of their size.
 *
 * Source: scikit-learn's `_is_constant_feature`, which compares a variance with the rounding of its mean. Differs: means are summed exactly
 * here, so that the bound does not grow with the number of rows, and a small spread with a large offset is kept.
 */
export function isConstant(least: number, most: number): boolean {
  return most - least <= 3 * Number.EPSILON * Math.max(Math.abs(least), Math.abs(most))
}

function spreadError(column: number): LayerwiseError {
  return new LayerwiseError(
    'ERR_RANGE',
    `x: the spread of column ${column} is too large or too small to be scaled in float64`,
    { argument: 'x', expected: 'columns whose spread and its inverse are finite in float64', column },
  )
}
