import { argumentError, checkNumber, checkOptions, shapeError } from '../check.js'
import { Matrix } from '../data/matrix.js'
import { checkFinite } from './finite.js'
import type { Image } from './image.js'
import { paintTiles, TILE_OPTIONS, type TileOptions, tileSize } from './tiles.js'

export interface ReconstructionImageOptions extends TileOptions {
  /** Value shown black, default 0; what is less is black too. */
  low?: number
  /** Value shown white, default 1; what is more is white too. */
  high?: number
}

/**
 * Inputs over their reconstructions: each pair is one above the other, pairs run from left to right.
 *
 * Values are taken after each matrix's own `scale` and clipped to [`low`, `high`]. Gaps are grey.
 *
 * @param x - inputs `[m, n]`; give a few, `x.slice(0, 20)`
 * @param reconstructions - `[m, n]`, as `reconstruct` answers
 * @param options - `width` and `height` of one input in pixels (`height` default `n / width`), `columns` of pairs (default 10,
 *   or m if less), `gap` (default 1), `zoom` (default 1), `low` and `high` (default 0 and 1)
 * @throws {@link LayerwiseError} `ERR_SHAPE` if the matrices differ in shape, are empty, or do not have `width * height` columns
 * @throws {@link LayerwiseError} `ERR_RANGE` if a value is not finite
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for other options
 */
export function reconstructionImage(
  x: Matrix,
  reconstructions: Matrix,
  options: ReconstructionImageOptions,
): Image {
  const checked = checkOptions('options', options, [...TILE_OPTIONS, 'low', 'high'])
  for (const [argument, value] of Object.entries({ x, reconstructions })) {
    if (!(value instanceof Matrix)) throw argumentError(argument, 'a Matrix', value)
  }
  if (x.rows === 0) throw shapeError('x', 'at least one row', '0 rows')
  if (x.rows !== reconstructions.rows || x.cols !== reconstructions.cols) {
    throw shapeError(
      'reconstructions',
      `${x.rows} × ${x.cols} numbers, as in x`,
      `${reconstructions.rows} × ${reconstructions.cols}`,
    )
  }
  const { low: black = 0, high: white = 1 } = checked
  const low = checkNumber('options.low', black)
  const high = checkNumber('options.high', white)
  if (low >= high) throw argumentError('options.high', `a number above low, ${low}`, high)
  const { width, height } = tileSize(checked, 'x', x.cols)

  const grid = {
    count: x.rows,
    width,
    height: 2 * height,
    columns: Math.min(x.rows, 10),
    background: 128,
  }
  return paintTiles(checked, grid, (pair, put) => {
    for (const [matrix, argument, top] of [
      [x, 'x', 0],
      [reconstructions, 'reconstructions', height],
    ] as const) {
      matrix.row(pair).forEach((stored, i) => {
        const value = checkFinite(argument, stored * matrix.scale, pair, i)
        const clipped = Math.min(Math.max(value, low), high)
        put(i % width, top + Math.floor(i / width), Math.round((255 * (clipped - low)) / (high - low)))
      })
    }
  })
}
