import { argumentError, checkNumber, checkOptions, readArray, shapeError } from '../base/check.js'
import { storedNumbers } from '../data/halves.js'
import { checkMatrix, type Matrix } from '../data/matrix.js'
import { checkFinite } from './finite.js'
import type { Image } from './image.js'
import { paintTiles, TILE_OPTIONS, type TileOptions, tileSize } from './tiles.js'

/** The shape of one input, the layout of the pairs, and which values are black and white. */
export interface ReconstructionImageOptions extends TileOptions {
  /** Value shown black, default 0; smaller values are black too. */
  low?: number | undefined
  /** Value shown white, default 1; greater values are white too. */
  high?: number | undefined
}

/**
 * Inputs above their reconstructions: below each input is its reconstruction, or several of them, for instance one for each layer of a
 * stack; inputs go from left to right.
 *
 * Values are taken after each matrix's own `scale` and clipped to [`low`, `high`]. Gaps are grey. On the calling thread, some 20 ns a pixel.
 *
 * @param x - inputs `[m, n]`; give a few, `x.slice(0, 20)`
 * @param reconstructions - `[m, n]`, as `reconstruct` answers; or an array of such
 * @param options - `width` and `height` of one input in pixels (`height` default `n / width`), `columns` of inputs (default
 *   10, or m if less), `gap` (default 1), `zoom` (default 1), `low` and `high` (default 0 and 1)
 * @throws {@link LayerwiseError} `ERR_SHAPE` if the matrices differ in shape, are empty, or do not have `width * height` columns
 * @throws {@link LayerwiseError} `ERR_RANGE` if a value is not finite
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for other options
 */
export function reconstructionImage(
  x: Matrix,
  reconstructions: Matrix | readonly Matrix[],
  options: ReconstructionImageOptions,
): Image {
  const checked = checkOptions('options', options, [...TILE_OPTIONS, 'low', 'high'])
  const inputs = checkMatrix('x', x)
  if (inputs.rows === 0) throw shapeError('x', 'at least one row', '0 rows')
  const below = checkReconstructions(inputs, reconstructions)
  const { low: black = 0, high: white = 1 } = checked
  const low = checkNumber('options.low', black)
  const high = checkNumber('options.high', white)
  if (low >= high) throw argumentError('options.high', `a number above low, ${low}`, high)
  const { width, height } = tileSize(checked, 'x', inputs.cols)

  const grid = {
    count: inputs.rows,
    width,
    height: (1 + below.length) * height,
    columns: Math.min(inputs.rows, 10),
    background: 128,
  }
  return paintTiles(checked, grid, (pair, put) => {
    for (const [k, { argument, matrix }] of [{ argument: 'x', matrix: inputs }, ...below].entries()) {
      const top = k * height
      const row = storedNumbers(matrix.row(pair).data, matrix.type)
      for (let i = 0; i < row.length; i++) {
        const value = checkFinite(argument, row[i]! * matrix.scale, pair, i)
        const clipped = Math.min(Math.max(value, low), high)
        put(i % width, top + Math.floor(i / width), Math.round((255 * (clipped - low)) / (high - low)))
      }
    }
  })
}

interface Named {
  readonly argument: string
  readonly matrix: Matrix
}

/** The rows below the inputs, and the name of each argument. */
function checkReconstructions(x: Matrix, reconstructions: unknown): Named[] {
  const several = Array.isArray(reconstructions)
  if (several && reconstructions.length === 0)
    throw shapeError('reconstructions', 'at least one Matrix', 'none')
  return (several ? readArray<unknown>(reconstructions) : [reconstructions]).map((given: unknown, k) => {
    const argument = several ? `reconstructions[${k}]` : 'reconstructions'
    const matrix = checkMatrix(argument, given)
    if (x.rows !== matrix.rows || x.cols !== matrix.cols) {
      throw shapeError(argument, `${x.rows} × ${x.cols} numbers, as in x`, `${matrix.rows} × ${matrix.cols}`)
    }
    return { argument, matrix }
  })
}
