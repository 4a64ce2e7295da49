import { argumentError, checkInteger, shapeError } from '../base/check.js'
import { type Image, MAX_IMAGE_BYTES } from './image.js'

/** How small pictures are laid out in a large one. */
export interface TileOptions {
  /** Pixels across a tile. */
  width: number
  /** Pixels down a tile. Default: `inputs / width`. */
  height?: number | undefined
  /** Tiles in a row of the grid. Default: a square grid; for reconstructions 10, or all if fewer. */
  columns?: number | undefined
  /** Pixels between tiles and around them, default 1. */
  gap?: number | undefined
  /** Each pixel, also of gaps, becomes a square with this side; default 1. */
  zoom?: number | undefined
}

export const TILE_OPTIONS = ['width', 'height', 'columns', 'gap', 'zoom'] as const

/** Width and height of tiles of `size` pixels in all. */
export function tileSize(
  options: Record<string, unknown>,
  argument: string,
  size: number,
): { width: number; height: number } {
  const width = checkInteger('options.width', options.width)
  if (options.height === undefined && size % width !== 0) {
    throw shapeError('options.width', `a divisor of the ${size} numbers in a row of ${argument}`, width)
  }
  const { height: givenHeight = size / width } = options
  const height = checkInteger('options.height', givenHeight)
  if (width * height !== size) {
    throw shapeError(
      argument,
      `width × height = ${width} × ${height} = ${width * height} numbers a row`,
      `${size} numbers a row`,
    )
  }
  return { width, height }
}

/** A grid of grey tiles, which a function paints one by one through its own `put(x, y, value)`. */
export interface TileGrid {
  readonly count: number
  readonly width: number
  readonly height: number
  readonly columns: number
  readonly background: number
}

/** Paints `count` tiles from left to right, top to bottom. */
export function paintTiles(
  options: Record<string, unknown>,
  { count, width, height, columns: defaultColumns, background }: TileGrid,
  paint: (tile: number, put: (x: number, y: number, value: number) => void) => void,
): Image {
  const { gap: givenGap = 1, zoom: givenZoom = 1, columns: givenColumns = defaultColumns } = options
  const gap = checkInteger('options.gap', givenGap, 0, 1024)
  const zoom = checkInteger('options.zoom', givenZoom, 1, 1024)
  const columns = checkInteger('options.columns', givenColumns)
  const rows = Math.ceil(count / columns)
  const gridWidth = zoom * (gap + columns * (width + gap))
  const gridHeight = zoom * (gap + rows * (height + gap))
  if (gridWidth * gridHeight > MAX_IMAGE_BYTES) {
    throw argumentError(
      'options',
      `a picture of at most ${MAX_IMAGE_BYTES} pixels: fewer columns, less zoom`,
      `${gridWidth} × ${gridHeight} pixels`,
    )
  }
  const data = new Uint8Array(gridWidth * gridHeight).fill(background)
  for (let tile = 0; tile < count; tile++) {
    const left = gap + (tile % columns) * (width + gap)
    const top = gap + Math.floor(tile / columns) * (height + gap)
    paint(tile, (x, y, value) => {
      if (zoom === 1) {
        data[(top + y) * gridWidth + left + x] = value
        return
      }
      for (let row = (top + y) * zoom; row < (top + y + 1) * zoom; row++) {
        const start = row * gridWidth + (left + x) * zoom
        data.fill(value, start, start + zoom)
      }
    })
  }
  return { width: gridWidth, height: gridHeight, channels: 1, data }
}
