import { argumentError, checkInteger, checkOptions, readArray, shapeError } from '../base/check.js'
import { transferredError } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import { allocate, elementType, type PlainFloat32Array } from '../base/precision.js'
import { binding } from '../native/load.js'
import { asMatrix, checkMatrix, Matrix } from './matrix.js'
import type { MatrixData } from './matrix-data.js'
import { rowSlices, type Slice, valueSlices } from './slices.js'
import { allocateLike, checkStorage, viewOf } from './storage.js'

/** How patches are drawn. */
export interface PatchOptions {
  /** Width and height of a patch, in pixels, at least 1. */
  size: number
  /** How many patches, at least 1. */
  count: number
  /** Seed of the random positions; a whole number of at least 0. Default 0. */
  seed?: number | undefined
}

/** How patches are drawn from images that are the rows of one Matrix. */
export interface RowPatchOptions extends PatchOptions {
  /** Pixels in a line of each image; the columns of the Matrix are a multiple of it. */
  imageWidth: number
}

/** The random stream of patch positions. */
const patchStream = 3

/** Pixels of patches that are drawn with the random numbers of one place in the stream: another number, and the patches are others. */
const DRAWN = 32_768

interface Image<D extends MatrixData> {
  readonly data: D
  readonly width: number
  readonly height: number
}

interface Images<D extends MatrixData> {
  readonly count: number
  /** Its storage and scale are those of all. */
  readonly first: Matrix<D>
  at(k: number): Image<D>
}

/**
 * Draws square patches from gray images of one size: for each patch an image, then a position in it, each uniformly, with replacement.
 *
 * @param images - one Matrix whose rows are images, line by line
 * @returns [count, size²], each patch line by line; storage and scale are those of the images
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for bad options or storage
 * @throws {@link LayerwiseError} `ERR_SHAPE` for no images, images smaller than a patch, or rows that are not whole lines
 * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for the patches, `ERR_STATE` if the buffer of an image is transferred
 *   during the call
 */
export async function samplePatches<D extends MatrixData>(
  images: Matrix<D>,
  options: RowPatchOptions,
): Promise<Matrix<D>>
/**
 * Draws square patches from gray images of any sizes: for each patch an image, then a position in it, each uniformly, with replacement.
 *
 * @param images - each a Matrix of height × width; all have the same kind of storage and scale
 * @returns [count, size²], each patch line by line; storage and scale are those of the images
 * @throws {@link LayerwiseError} as for images in rows
 */
export async function samplePatches<D extends MatrixData>(
  images: readonly Matrix<D>[],
  options: PatchOptions,
): Promise<Matrix<D>>
export async function samplePatches<D extends MatrixData>(
  images: Matrix<D> | readonly Matrix<D>[],
  options: PatchOptions & Partial<RowPatchOptions>,
): Promise<Matrix<D>> {
  const rows = asMatrix('images', images) as Matrix<D> | undefined
  const known = ['size', 'count', 'seed', ...(rows === undefined ? [] : ['imageWidth'])]
  const given = checkOptions('options', options, known)
  const size = checkInteger('size', given.size)
  const count = checkInteger('count', given.count)
  const { seed: givenSeed = 0 } = given
  const seed = checkInteger('seed', givenSeed, 0, Number.MAX_SAFE_INTEGER)
  const source =
    rows === undefined
      ? singleImages(images as readonly Matrix<D>[], size)
      : rowImages(rows, size, given.imageWidth)
  const patches = allocateLike(source.first.data, count * size * size, 'patches')
  for await (const [from, to] of rowSlices(count, size * size, DRAWN)) {
    const random = allocate('float64', 3 * (to - from), 'patches')
    binding().uniform(random, 0, 1, seed, patchStream, from)
    const draw = (k: number, choices: number) => Math.floor(random[k]! * choices)
    for (let p = from; p < to; p++) {
      const k = 3 * (p - from)
      const { data, width, height } = source.at(draw(k, source.count))
      const top = draw(k + 1, height - size + 1)
      const left = draw(k + 2, width - size + 1)
      for (let y = 0; y < size; y++) {
        const line = (top + y) * width + left
        patches.set(viewOf(data, line, line + size), (p * size + y) * size)
      }
    }
  }
  const { scale, type } = source.first
  return Matrix.from(patches, count, size * size, { scale, type })
}

/**
 * Prepares patches for a sigmoid model: the mean of each patch is subtracted; values are clipped at ±3 standard deviations of all of them
 * together, divided by that bound, and mapped from [−1, 1] to [0.1, 0.9].
 *
 * Patches that are all constant have no deviation beyond rounding: every value becomes 0.5, the middle.
 *
 * Source: UFLDL tutorial, exercise "Sparse Autoencoder", sampleIMAGES (normalizeData).
 * Differs: the standard deviation divides by the number of values, not by one less.
 *
 * @param patches - one a row, as {@link samplePatches} returns them
 * @returns a new Matrix of the same shape, in float32
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if it is no Matrix; `ERR_SHAPE` if it has no rows; `ERR_RANGE` for NaN, Infinity, or sums
 *   that overflow
 */
export async function preparePatches(patches: Matrix): Promise<Matrix<PlainFloat32Array>> {
  const given = checkMatrix('patches', patches)
  checkStorage('patches', given.data)
  const { rows, cols } = given
  if (rows === 0) throw shapeError('patches', 'at least one row', 0)
  const { means, largest } = await rowMeans(given)
  // A power of two, so that squares neither overflow nor underflow.
  const unit = largest > 0 ? 2 ** Math.max(-1022, Math.floor(Math.log2(largest))) : 1
  let squares = 0
  for await (const slice of valueSlices('patches', given)) {
    subtract(means, slice)
    // Deviations have mean 0 in each patch, and therefore overall.
    for (const value of slice.values) squares += (value / unit) ** 2
  }
  const deviation = Math.sqrt(squares / (rows * cols)) * unit
  if (!Number.isFinite(deviation)) {
    throw new LayerwiseError('ERR_RANGE', 'patches: values are so large that their sums overflow', {
      argument: 'patches',
      expected: 'values whose sums are finite',
      received: largest,
    })
  }
  // Bound on the rounding of a mean, which remains in constant patches.
  const bound = deviation > largest * cols * Number.EPSILON ? 3 * deviation : Infinity
  const prepared = allocate('float32', rows * cols, 'patches')
  for await (const slice of valueSlices('patches', given)) {
    const { from, values } = slice
    subtract(means, slice)
    for (let k = 0; k < values.length; k++) {
      values[k] = (Math.max(-1, Math.min(1, values[k]! / bound)) + 1) * 0.4 + 0.1
    }
    prepared.set(values, from)
  }
  return Matrix.from(prepared, rows, cols)
}

/** The mean of each row, and the largest size of all values. */
async function rowMeans(x: Matrix): Promise<{ means: Float64Array; largest: number }> {
  const means = allocate('float64', x.rows, 'patches')
  let largest = 0
  for await (const { row, toRow, column, toColumn, values } of valueSlices('patches', x)) {
    for (const value of values) largest = Math.max(largest, Math.abs(value))
    for (let i = row, k = 0; i < toRow; i++) {
      let sum = means[i]!
      for (let j = column; j < toColumn; j++, k++) sum += values[k]!
      means[i] = toColumn === x.cols ? sum / x.cols : sum
    }
  }
  return { means, largest }
}

/** Subtracts from each number the mean of its row. */
function subtract(means: Float64Array, { row, toRow, column, toColumn, values }: Slice): void {
  for (let i = row, k = 0; i < toRow; i++) {
    const mean = means[i]!
    for (let j = column; j < toColumn; j++, k++) values[k]! -= mean
  }
}

function rowImages<D extends MatrixData>(images: Matrix<D>, size: number, imageWidth: unknown): Images<D> {
  checkStorage('images', images.data)
  const width = checkInteger('imageWidth', imageWidth)
  const height = images.cols / width
  if (images.rows === 0) throw shapeError('images', 'at least one image', 0)
  if (!Number.isInteger(height))
    throw shapeError('images', `rows of whole lines of ${width} pixels`, images.cols)
  checkSize('images', size, height, width)
  return {
    count: images.rows,
    first: images,
    at: (k) => ({ data: stillThere(images).row(k).data, width, height }),
  }
}

function singleImages<D extends MatrixData>(images: readonly Matrix<D>[], size: number): Images<D> {
  if (!Array.isArray(images)) throw argumentError('images', 'a Matrix or an array of them', images)
  const matrices = readArray(images).map((image, k) => checkMatrix(`images[${k}]`, image) as Matrix<D>)
  const [first] = matrices
  if (first === undefined) throw shapeError('images', 'at least one image', 0)
  matrices.forEach((image, k) => {
    const argument = `images[${k}]`
    checkStorage(argument, image.data)
    if (kind(image) !== kind(first)) throw argumentError(argument, `${kind(first)} as images[0]`, kind(image))
    checkSize(argument, size, image.rows, image.cols)
  })
  return {
    count: matrices.length,
    first,
    at: (k) => ({
      data: stillThere(matrices[k]!).data,
      width: matrices[k]!.cols,
      height: matrices[k]!.rows,
    }),
  }
}

function stillThere<D extends MatrixData>(images: Matrix<D>): Matrix<D> {
  if (images.data.length !== images.rows * images.cols) throw transferredError('images')
  return images
}

function checkSize(argument: string, size: number, height: number, width: number): void {
  if (width < size || height < size) {
    throw shapeError(argument, `images of at least ${size} × ${size} pixels`, `${height} × ${width}`)
  }
}

function kind({ data, type, scale }: Matrix): string {
  return `${type}${elementType(data) === type ? '' : ' in bits'} with scale ${scale}`
}
