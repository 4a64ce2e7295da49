import { argumentError, checkBoolean, checkNumber, checkOptions, readArray, shapeError } from '../check.js'
import { LayerwiseError } from '../errors.js'
import { allocate, elementType, type FloatArray, type Precision } from '../precision.js'
import { show } from '../show.js'
import { type ColumnStatistics, columnSpread, columnStatistics } from './column-statistics.js'
import { asMatrix, Matrix } from './matrix.js'
import { type Rows, toMatrix } from './rows.js'
import { rowSlices, tooLargeError, valueSlices } from './slices.js'

/**
 * Column by column, `value = (x − shift) · factor`. Fitted on training data only; usable alone, or as a model's `scaling`.
 * A Matrix's own `scale` is applied before it.
 */
export interface Scaler {
  /** Columns it was fitted on. */
  readonly inputs: number
  /** [inputs], in the units of x. Not to be written. */
  readonly shift: Float64Array
  /** [inputs], finite and not 0. Not to be written. */
  readonly factor: Float64Array
  /** Everything {@link scalerFromJSON} needs to rebuild it, exactly. */
  toJSON(): ScalerJSON
}

/** A scaler of ours. */
export type ModelScaler = MinMaxScaler | StandardScaler

/** A fitted scaler as plain data. */
export type ScalerJSON = MinMaxScalerJSON | StandardScalerJSON

/** What every column is mapped by. */
interface ColumnsJSON {
  /** [inputs], in the units of x. */
  shift: number[]
  /** [inputs], finite and not 0. */
  factor: number[]
}

/** A fitted {@link MinMaxScaler}. */
export interface MinMaxScalerJSON extends ColumnsJSON {
  /** Tells the kinds of scalers apart. */
  kind: 'minMax'
  /** [low, high], what the smallest and the largest training value became. */
  range: [number, number]
  /** Present where values outside the range of the training data map to the ends of `range`. */
  clip?: true
}

/** A fitted {@link StandardScaler}. */
export interface StandardScalerJSON extends ColumnsJSON {
  /** Tells the kinds of scalers apart. */
  kind: 'standard'
}

interface Fitted {
  readonly shift: Float64Array
  readonly factor: Float64Array
}

type ScalingOf = (column: number) => readonly [shift: number, factor: number]

/** Data that says how wide it is. A flat array does not: `Matrix.from(data, rows, cols)`. */
export type FittingRows = Matrix | readonly (readonly number[])[]

/** What a {@link MinMaxScaler} maps to. */
export interface MinMaxScalerOptions {
  /** What the smallest and the largest training value of a column become, low < high. Default [0, 1]. */
  readonly range?: readonly [low: number, high: number] | undefined
  /**
   * Whether later values below or above those of the training data map to the ends of `range`. Default false: they map beyond them, where a
   * model with bounded outputs refuses to train on them. NaN and infinities are refused in either case.
   */
  readonly clip?: boolean | undefined
}

/** What all scalers do: shift and factor of each column are found by `fit`, then applied. */
abstract class ColumnScaler implements Scaler {
  #fitted: Fitted | undefined
  /** The columns it must have, once it is a model's. */
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
  protected abstract find(x: Matrix, statistics: ColumnStatistics): Promise<ScalingOf>

  /**
   * Learns shift and factor from the rows of `x`, in float64, without holding up the event loop. A second `fit` starts anew;
   * one that rejects leaves the scaler as it was.
   *
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN or Infinity (row and column in `details`), or a column whose spread is
   *   too large or too small for float64
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for what is not a Matrix or an array of equal rows, or is empty
   */
  async fit(x: FittingRows): Promise<this> {
    const width = ownWidth(x)
    if (this.#only !== undefined && width !== this.#only) {
      throw shapeError('x', `${this.#only} columns, as the model has whose scaler this is`, width)
    }
    const matrix = await toMatrix('x', x, width, 'float64')
    const scalingOf = await this.find(matrix, await columnStatistics('x', matrix))
    const shift = allocate('float64', matrix.cols, 'shift')
    const factor = allocate('float64', matrix.cols, 'factor')
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
   * (x − shift) · factor, with `clip` brought into `range`, as a new Matrix: float64 for float64 or an array of rows, float32 for float32
   * and uint8. Computed in float64 and rounded once.
   *
   * @throws {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_SHAPE` for another width; `ERR_RANGE` for NaN or Infinity
   */
  async transform(x: Rows): Promise<Matrix<FloatArray>> {
    const { shift, factor } = this.fitted()
    const [low, high] = this.clipped ?? [-Infinity, Infinity]
    return mapRows(x, shift.length, (value, j) =>
      Math.min(high, Math.max(low, (value - shift[j]!) * factor[j]!)),
    )
  }

  /** x / factor + shift: back to the original units. Types and errors as in {@link transform}. */
  async inverseTransform(x: Rows): Promise<Matrix<FloatArray>> {
    const { shift, factor } = this.fitted()
    return mapRows(x, shift.length, (value, j) => value / factor[j]! + shift[j]!)
  }

  /** @internal The range that values are brought into, if they are. Written by constructors alone. */
  clipped: readonly [low: number, high: number] | undefined = undefined

  /**
   * @internal From now on it is fitted on as many columns as now: it is a model's own. A property of the scaler itself, so that
   * `structuredClone` and `postMessage` refuse what they would leave without its numbers.
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

  /** @internal Takes over numbers that were found earlier, by this kind of scaler; they are not copied, and nobody writes them any more. */
  restore(fitted: Fitted): this {
    this.#fitted = fitted
    return this
  }

  /** @internal What it is, but for the numbers of its columns. */
  abstract kindOf(): ScalerKind

  /** @internal Another with copies of its numbers. */
  copy(): ModelScaler {
    const { shift, factor } = this.fitted()
    return scalerOf(this.kindOf(), { shift: shift.slice(), factor: factor.slice() })
  }
}

/** What a scaler is, but for the numbers of its columns. */
export type ScalerKind = Pick<MinMaxScalerJSON, 'kind' | 'range' | 'clip'> | Pick<StandardScalerJSON, 'kind'>

/** A scaler of this kind with these numbers, which are finite, factors not 0; not copied. */
export function scalerOf(kind: ScalerKind, fitted: Fitted): ModelScaler {
  const scaler =
    kind.kind === 'minMax' ? new MinMaxScaler({ range: kind.range, clip: kind.clip }) : new StandardScaler()
  return scaler.restore(fitted)
}

/**
 * What kind of scaler JSON without the numbers of its columns describes.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for anything else
 */
export function scalerKindFromJSON(value: unknown): ScalerKind {
  const kind = (value as { kind?: unknown } | null | undefined)?.kind
  if (kind === 'minMax') {
    const json = checkJSON(value, kind, ['kind', 'range'], ['clip'])
    return { kind, range: rangeFromJSON(json), ...(clipFromJSON(json) && { clip: true }) }
  }
  if (kind === 'standard') return { kind: checkJSON(value, kind, ['kind']).kind as 'standard' }
  throw jsonError('kind', `is neither 'minMax' nor 'standard' but ${show(kind)}`)
}

/**
 * Maps each column's smallest and largest training value to the ends of `range`.
 *
 * A column that is constant, or within 3 · 2.2e-16 of its size, which is rounding, maps to the low end. Training data never leaves [−1, 1] or [0, 1] by rounding, so a model bounded there accepts it.
 */
export class MinMaxScaler extends ColumnScaler {
  /** What the smallest and the largest training value of a column become. */
  readonly range: readonly [low: number, high: number]
  /** Whether what lies outside the range of the training data maps to the nearer end of `range`, alone as inside a model. */
  readonly clip: boolean

  /**
   * Not fitted yet: `await scaler.fit(x)` comes first.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another range, and for a `clip` that is neither true nor false
   */
  constructor(options?: MinMaxScalerOptions) {
    super()
    const { range = [0, 1], clip = false } = checkOptions('options', options, ['range', 'clip'])
    this.clip = checkBoolean('clip', clip)
    const ends = Array.isArray(range) ? readArray<unknown>(range) : []
    if (ends.length !== 2) throw argumentError('range', 'two numbers, [low, high]', range)
    const low = checkNumber('range[0]', ends[0])
    const high = checkNumber('range[1]', ends[1])
    if (low >= high) throw argumentError('range[1]', `a number above range[0] = ${low}`, high)
    this.range = [low, high]
    if (this.clip) this.clipped = this.range
  }

  protected override async find(_: Matrix, { min, max }: ColumnStatistics): Promise<ScalingOf> {
    const [low, high] = this.range
    return (j) => {
      const [least, most] = [min[j]!, max[j]!]
      // A constant column has a spread of 1, or more where 1 would vanish beside the constant.
      const spread = isConstant(least, most) ? Math.max(1, Math.abs(least) * 2 ** -20) : most - least
      const gain = (high - low) / spread
      const shift = least - low / gain
      return [shift, withinRange(gain, shift, least, most, this.range)]
    }
  }

  /** @internal */
  override kindOf(): ScalerKind {
    return { kind: 'minMax', range: [...this.range], ...(this.clip && ({ clip: true } as const)) }
  }

  override toJSON(): ScalerJSON {
    const clip = this.clip && ({ clip: true } as const)
    return {
      kind: 'minMax',
      range: [...this.range],
      ...clip,
      shift: [...this.shift],
      factor: [...this.factor],
    }
  }

  /** The inverse of {@link toJSON}; anything else is `ERR_FORMAT`. */
  static fromJSON(value: unknown): MinMaxScaler {
    const json = checkJSON(value, 'minMax', ['kind', 'range', 'shift', 'factor'], ['clip'])
    const scaler = new MinMaxScaler({ range: rangeFromJSON(json), clip: clipFromJSON(json) })
    return scaler.restore(fittedFromJSON(json))
  }
}

/**
 * Brings each column to mean 0 and variance 1, over the m training rows (divided by m). A column that is constant, or
 * within 3 · 2.2e-16 of its size, maps to 0.
 */
export class StandardScaler extends ColumnScaler {
  protected override async find(x: Matrix, { min, max, mean }: ColumnStatistics): Promise<ScalingOf> {
    const spread = await columnSpread('x', x, mean)
    return (j) =>
      isConstant(min[j]!, max[j]!) ? [min[j]!, 1] : [spread.mean[j]!, 1 / Math.sqrt(spread.variance[j]!)]
  }

  /** @internal */
  override kindOf(): ScalerKind {
    return { kind: 'standard' }
  }

  override toJSON(): ScalerJSON {
    return { kind: 'standard', shift: [...this.shift], factor: [...this.factor] }
  }

  /** The inverse of {@link toJSON}; anything else is `ERR_FORMAT`. */
  static fromJSON(value: unknown): StandardScaler {
    const json = checkJSON(value, 'standard', ['kind', 'shift', 'factor'])
    return new StandardScaler().restore(fittedFromJSON(json))
  }
}

/**
 * The scaler that `toJSON` described: for reading one back from a file.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for anything else
 */
export function scalerFromJSON(value: unknown): MinMaxScaler | StandardScaler {
  const kind = (value as { kind?: unknown } | null | undefined)?.kind
  if (kind === 'minMax') return MinMaxScaler.fromJSON(value)
  if (kind === 'standard') return StandardScaler.fromJSON(value)
  throw jsonError('kind', `is neither 'minMax' nor 'standard' but ${show(kind)}`)
}

/**
 * A fitted scaler of ours, for rows of `inputs` columns.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another object (a model saves its scaler and must know its kind),
 *   `ERR_STATE` if it is not fitted, `ERR_SHAPE` for another width
 */
export function checkScaler(argument: string, value: unknown, inputs: number): ModelScaler {
  const scaler = asScaler(value)
  if (scaler === undefined) throw argumentError(argument, 'a fitted MinMaxScaler or StandardScaler', value)
  if (scaler.inputs !== inputs)
    throw shapeError(argument, `a scaler fitted on ${inputs} columns`, scaler.inputs)
  return scaler
}

/** A scaler as it is; one of another copy of the package by what it says of itself. */
function asScaler(value: unknown): ModelScaler | undefined {
  if (value instanceof MinMaxScaler || value instanceof StandardScaler) return value
  const { toJSON } = (value ?? {}) as Partial<Scaler>
  if (typeof toJSON !== 'function') return undefined
  const json: unknown = toJSON.call(value)
  const { kind } = (json ?? {}) as Partial<ScalerJSON>
  return kind === 'minMax' || kind === 'standard' ? scalerFromJSON(json) : undefined
}

/** Width of data that says it itself. */
export function ownWidth(x: FittingRows): number {
  const matrix = asMatrix('x', x)
  if (matrix !== undefined) return matrix.cols
  if (!Array.isArray(x)) {
    throw argumentError(
      'x',
      'a Matrix or an array of rows (a flat array does not say its width: Matrix.from)',
      x,
    )
  }
  const first: unknown = x[0]
  if (!Array.isArray(first)) return 1
  if (first.length === 0) throw shapeError('x', 'rows of at least one number', 0)
  return first.length
}

/**
 * Whether values from `least` to `most` differ by rounding alone, as 0.3 and 0.1 + 0.2 do: by up to three units of float64 of their size.
 *
 * Source: scikit-learn's `_is_constant_feature`, which compares a variance with the rounding of its mean. Differs: means are summed
 * exactly here, so that the bound need not grow with the number of rows and leaves a small spread beside a large offset as it is.
 */
function isConstant(least: number, most: number): boolean {
  return most - least <= 3 * Number.EPSILON * Math.max(Math.abs(least), Math.abs(most))
}

/** The largest factor up to `gain` that keeps training data inside `range` although shift and factor are rounded. */
function withinRange(
  gain: number,
  shift: number,
  least: number,
  most: number,
  [low, high]: readonly [number, number],
): number {
  const above = high > 0 && most > shift ? high / (most - shift) : gain
  const below = low < 0 && least < shift ? low / (least - shift) : gain
  return Math.min(gain, above, below)
}

/** A new Matrix of the numbers of `x`, each changed by `map`, which is told its column. */
async function mapRows(
  x: Rows,
  width: number,
  map: (value: number, column: number) => number,
): Promise<Matrix<FloatArray>> {
  const matrix = await toMatrix('x', x, width, 'float64')
  const { data, rows, cols } = matrix
  const out = allocate<Precision>(
    elementType(data) === 'float64' ? 'float64' : 'float32',
    rows * cols,
    'scaled rows',
  )
  const rounded = elementType(out) === 'float64' ? (value: number) => value : Math.fround
  for await (const { from, row, column, toColumn, values } of valueSlices('x', matrix)) {
    for (let i = row, k = 0; k < values.length; i++) {
      for (let j = column; j < toColumn; j++, k++) {
        values[k] = map(values[k]!, j)
        if (!Number.isFinite(rounded(values[k]!))) throw tooLargeError('x', i, values[k], j)
      }
    }
    out.set(values, from)
  }
  return Matrix.from(out, rows, cols)
}

function spreadError(column: number): LayerwiseError {
  return new LayerwiseError(
    'ERR_RANGE',
    `x: the spread of column ${column} is too large or too small to be scaled in float64`,
    { argument: 'x', expected: 'columns whose spread and its inverse are finite in float64', column },
  )
}

function checkJSON(
  value: unknown,
  kind: string,
  keys: readonly string[],
  optional: readonly string[] = [],
): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw jsonError('', `is ${show(value)}`)
  const found = Object.keys(value).filter((key) => !optional.includes(key))
  if (found.length !== keys.length || !keys.every((key) => found.includes(key))) {
    throw jsonError('', `has the fields ${found.join(', ')} instead of ${keys.join(', ')}`)
  }
  const json = value as Record<string, unknown>
  if (json.kind !== kind) throw jsonError('kind', `is ${show(json.kind)} instead of '${kind}'`)
  return json
}

function finiteNumbers(json: Record<string, unknown>, field: string): readonly number[] {
  const value = json[field]
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'number' && Number.isFinite(entry))) {
    throw jsonError(field, 'is not an array of finite numbers')
  }
  return value
}

function clipFromJSON({ clip }: Record<string, unknown>): boolean {
  if (clip !== undefined && clip !== true) throw jsonError('clip', `is ${show(clip)}`)
  return clip === true
}

function rangeFromJSON(json: Record<string, unknown>): [low: number, high: number] {
  const [low, high, ...rest] = finiteNumbers(json, 'range')
  if (low === undefined || high === undefined || rest.length > 0 || low >= high)
    throw jsonError('range', 'is not [low, high] with low < high')
  return [low, high]
}

function fittedFromJSON(json: Record<string, unknown>): Fitted {
  const shift = finiteNumbers(json, 'shift')
  const factor = finiteNumbers(json, 'factor')
  if (shift.length === 0 || shift.length !== factor.length)
    throw jsonError('factor', 'is not as long as shift, or both are empty')
  if (factor.includes(0)) throw jsonError('factor', 'contains 0')
  return { shift: Float64Array.from(shift), factor: Float64Array.from(factor) }
}

function jsonError(field: string, problem: string): LayerwiseError {
  return new LayerwiseError('ERR_FORMAT', `not a saved scaler: ${field === '' ? 'it' : field} ${problem}`)
}
