import { argumentError, shapeError } from '../../base/check.js'
import { notFiniteError, transferredError } from '../../base/data-errors.js'
import { allocate, elementType, type StoredArray } from '../../base/precision.js'
import { STORAGE_TYPES, type StorageType } from '../../base/storage-type.js'
import { binding } from '../../native/load.js'
import type { Batch } from '../dataset.js'
import { halfNumbers } from '../halves.js'
import { asMatrix, Matrix, rowWidth } from '../matrix.js'
import { narrowSlice } from '../narrow.js'
import { type DenseRows, toMatrix } from '../rows.js'
import { type Between, rowSlices, SCANNED, valueSlices } from '../slices.js'
import { nativeData, plainArray, storageTypeOf, viewOf } from '../storage.js'

/** Rows that are written together: as a method takes them, or as `batches` of a Dataset gives them. */
export type RowBatch = DenseRows | Uint16Array | Batch

/** What the numbers of a folder are. */
export interface NumberForm {
  readonly type: StorageType
  readonly scale: number
  readonly cols: number
}

/** What of it is known before the first batch. */
export type KnownForm = { readonly [K in keyof NumberForm]?: NumberForm[K] | undefined }

/** The rows of a batch: those of `{ from, rows }` are its rows. */
export function rowsOfBatch(batch: unknown): unknown {
  const isPair =
    batch !== null &&
    typeof batch === 'object' &&
    ['from', 'rows'].every((member) => Object.hasOwn(batch, member))
  return isPair ? (batch as Batch).rows : batch
}

/**
 * What numbers a folder is to hold, of whose rows this is the first batch.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if the batch does not say its columns, or is none
 */
export function formOf(argument: string, rows: unknown, known: KnownForm): NumberForm {
  const matrix = asMatrix(argument, rows)
  if (matrix !== undefined) {
    const { type = matrix.type, cols = matrix.cols } = known
    return { type, cols, scale: known.scale ?? (type === matrix.type ? matrix.scale : 1) }
  }
  const { scale = 1 } = known
  if (Array.isArray(rows))
    return { type: 'float32', cols: rowWidth(argument, rows[0]), ...defined(known), scale }
  if (elementType(rows) === undefined)
    throw argumentError(
      argument,
      'a Matrix, a typed array or an array of rows (of a table, transformBatches of a TableEncoder)',
      rows,
    )
  const { cols } = known
  if (cols === undefined) {
    throw argumentError(
      'cols',
      'the number of columns, which a flat array does not say (cols or columns)',
      cols,
    )
  }
  return {
    type: storageTypeOf(argument, plainArray(argument, rows), uint16Type(rows, known.type)),
    cols,
    ...defined(known),
    scale,
  }
}

function defined(known: KnownForm): Partial<NumberForm> {
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}

/** Of a Uint16Array, what it holds. */
function uint16Type(rows: unknown, type: StorageType | undefined): StorageType | undefined {
  return elementType(rows) === 'uint16' ? type : undefined
}

/** The least and the largest of numbers as they are stored. */
export class Extremes {
  min = Infinity
  max = -Infinity
  readonly #found = new Float64Array(3)

  /** Takes in numbers. Returns the index of the first that is not finite, −1 if there is none. */
  add(numbers: StoredArray, type: StorageType): number {
    binding().extremes(numbers, STORAGE_TYPES[type].number, this.#found)
    const [low, high, bad] = this.#found as unknown as [number, number, number]
    const halves = halfNumbers(numbers, type)
    this.min = Math.min(this.min, halves === undefined ? low : halves[low]!)
    this.max = Math.max(this.max, halves === undefined ? high : halves[high]!)
    return bad
  }
}

/**
 * The numbers of a batch as they are to be stored, a slice at a time; other events are served between slices.
 *
 * @param between - called between slices; what it throws ends the work
 * @throws {@link LayerwiseError} `ERR_RANGE` naming row and column of the batch for NaN, infinities, and what the type cannot hold;
 *   `ERR_SHAPE` for another width, `ERR_STATE` for memory that is transferred meanwhile
 */
export async function* numbersOf(
  argument: string,
  rows: unknown,
  form: NumberForm,
  extremes: Extremes,
  between: Between,
): AsyncGenerator<StoredArray, void> {
  const { type, scale, cols } = form
  const matrix = await matrixOf(argument, rows, form, between)
  const slices =
    matrix.type === type && matrix.scale === scale
      ? asStored(argument, matrix)
      : narrowed(argument, matrix, form)
  for await (const { from, numbers } of slices) {
    between()
    const bad = extremes.add(numbers, type)
    if (bad >= 0) {
      const value = halfNumbers(numbers, type)?.[numbers[bad]!] ?? numbers[bad]!
      throw notFiniteError(argument, value, Math.floor((from + bad) / cols), (from + bad) % cols)
    }
    yield numbers
  }
}

/** A flat array of the type's own kind holds numbers as they are stored, before the scale; all other rows are values. */
async function matrixOf(
  argument: string,
  rows: unknown,
  form: NumberForm,
  between: Between,
): Promise<Matrix> {
  const { type, scale, cols } = form
  if (elementType(rows) === undefined || Array.isArray(rows))
    return toMatrix(argument, rows as DenseRows, cols, 'float64', between)
  const data = plainArray(argument, rows)
  if (data.length === 0 || data.length % cols !== 0)
    throw shapeError(argument, `rows of ${cols} numbers, so a length that is a multiple of it`, data.length)
  const held = storageTypeOf(argument, data, uint16Type(rows, type))
  return Matrix.from(data, data.length / cols, cols, { type: held, scale: held === type ? scale : 1 })
}

interface NumberSlice {
  readonly from: number
  readonly numbers: StoredArray
}

async function* asStored(
  argument: string,
  { data, rows, cols, type }: Matrix,
): AsyncGenerator<NumberSlice, void> {
  const numbers = nativeData(data, type) as StoredArray
  const { length } = numbers
  if (length !== rows * cols) throw transferredError(argument)
  for await (const [from, to] of rowSlices(length, 1, SCANNED)) {
    if (numbers.length !== length) throw transferredError(argument)
    yield { from, numbers: viewOf(numbers, from, to) }
  }
}

async function* narrowed(
  argument: string,
  matrix: Matrix,
  form: NumberForm,
): AsyncGenerator<NumberSlice, void> {
  const { type, scale, cols } = form
  for await (const slice of valueSlices(argument, matrix)) {
    const numbers = allocate<StorageType>(type, slice.values.length, argument)
    narrowSlice(argument, slice, cols, type, numbers, scale)
    yield { from: slice.from, numbers }
  }
}
