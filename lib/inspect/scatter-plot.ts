import { argumentError, checkInteger, checkOptions, checkText, readArray, shapeError } from '../base/check.js'
import { storedNumbers } from '../data/halves.js'
import type { Labels } from '../data/labels.js'
import { checkMatrix, type Matrix } from '../data/matrix.js'
import { checkStorage } from '../data/storage.js'
import { axisOver } from './axis.js'
import {
  checkSheet,
  FRAME_OPTIONS,
  type Frame,
  type FrameOptions,
  framed,
  type Point,
  place,
  showable,
  tickCounts,
} from './frame.js'
import { coordinate, element } from './svg.js'

/** How points are drawn. */
export interface ScatterPlotOptions extends FrameOptions {
  /**
   * Names of the classes, in the order of the legend; a label that is a number k is of class `classes[k]`. Default: the labels that occur,
   * numbers rising, names as they come.
   */
  classes?: readonly string[] | undefined
  /** Pixels across a dot, default 4. */
  dot?: number | undefined
}

/** Ten colours that colour-blind people can distinguish too (nine of Paul Tol's scheme "muted", and black). */
const COLOURS = [
  '#332288',
  '#cc6677',
  '#117733',
  '#ddcc77',
  '#88ccee',
  '#aa4499',
  '#44aa99',
  '#882255',
  '#999933',
  '#000000',
]

/**
 * Points in the plane, coloured by class, as one standalone SVG document: for codes of two units, or two directions of `Pca`.
 *
 * The first ten classes are round dots, the next ten squares of the same colours, and so on alternately. Classes are drawn over each other
 * in the order of the legend, half transparent. A point that is not finite (or beyond ±1e200) is omitted. On the calling thread, about a
 * microsecond a point.
 *
 * @param points - one a row, [m, 2]: across and up
 * @param labels - the class of each: whole numbers of at least 0, or names
 * @param options - `classes`: default the labels that occur, numbers rising, names as they come; `dot`; `title`, `xLabel`, `yLabel`; `width`
 *   (default 640) and `height` (default 400) in pixels
 * @returns the text of an `.svg` file
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything else, and labels that are no classes; `ERR_SHAPE` for another number of
 *   columns or labels
 */
export function scatterPlot(
  points: Matrix,
  labels: Labels<number> | readonly string[],
  options?: ScatterPlotOptions,
): string {
  const given = checkOptions('options', options, [...FRAME_OPTIONS, 'classes', 'dot'])
  const sheet = checkSheet(given)
  const { dot: across = 4 } = given
  const dot = checkInteger('options.dot', across, 1, 100)
  const pairs = checkMatrix('points', points)
  checkStorage('points', pairs.data)
  if (pairs.cols !== 2) throw shapeError('points', '2 columns', pairs.cols)
  const groups = grouped(pairs, labels, checkNames(given.classes))

  const shown = groups.flatMap(({ places }) => places)
  const counts = tickCounts(sheet)
  const axis = (column: 0 | 1, count: number) =>
    axisOver(
      shown.map((point) => point[column]),
      { scale: 'linear', nice: true, count },
    )
  const legend = groups.map(({ label }, k) => ({
    label,
    mark: (x: number, y: number) => dots([[x + 10, y]], k, 8),
  }))
  return framed(sheet, { x: axis(0, counts.across), y: axis(1, counts.down) }, legend, (frame) =>
    groups.map(({ places }, k) => inFrame(places, k, dot, frame)),
  )
}

interface Group {
  readonly label: string
  readonly places: Point[]
}

function inFrame(points: readonly Point[], k: number, dot: number, frame: Frame): string {
  return dots(
    points.map((point) => place(point, frame)),
    k,
    dot,
  )
}

/** One path of strokes without length, whose caps are the dots: a tenth of the size of one element per dot. */
function dots(places: readonly Point[], k: number, across: number): string {
  if (places.length === 0) return ''
  return element('path', {
    d: places.map(([x, y]) => `M${coordinate(x)} ${coordinate(y)}h0`).join(''),
    stroke: COLOURS[k % COLOURS.length]!,
    'stroke-width': across,
    'stroke-linecap': Math.floor(k / COLOURS.length) % 2 === 0 ? 'round' : 'square',
    'stroke-opacity': 0.6,
  })
}

/** The points that can be shown, by class. */
function grouped(points: Matrix, labels: unknown, names: readonly string[] | undefined): Group[] {
  const list = checkLabels(labels, points.rows)
  const groups = new Map<string | number, Group>(
    keysOf(list, names).map((key, k) => [key, { label: names?.[k] ?? String(key), places: [] }]),
  )
  const data = storedNumbers(points.data, points.type)
  const { scale } = points
  list.forEach((label, i) => {
    const group = groups.get(label)
    if (group === undefined) throw argumentError(`labels[${i}]`, 'one of the classes', label)
    const [x, y] = [data[2 * i]! * scale, data[2 * i + 1]! * scale]
    if (showable(x) && showable(y)) group.places.push([x, y])
  })
  return [...groups.values()]
}

/** The classes' labels, in the order of the legend. */
function keysOf(
  labels: readonly (number | string)[],
  names: readonly string[] | undefined,
): readonly (number | string)[] {
  const named = typeof labels[0] === 'string'
  if (names !== undefined) return named ? names : names.map((_, k) => k)
  const found = [...new Set(labels)]
  return named ? found : (found as number[]).sort((a, b) => a - b)
}

function checkLabels(labels: unknown, rows: number): readonly number[] | readonly string[] {
  if (!Array.isArray(labels) && !(ArrayBuffer.isView(labels) && 'length' in labels)) {
    throw argumentError('labels', 'an array of class numbers or names, one a point', labels)
  }
  const given = labels as ArrayLike<unknown>
  if (given.length !== rows) throw shapeError('labels', `${rows} labels, one a point`, given.length)
  const list = readArray(given).map((label) => (typeof label === 'bigint' ? Number(label) : label))
  const named = typeof list[0] === 'string'
  list.forEach((label, i) => {
    if (named) checkText(`labels[${i}]`, label)
    else checkInteger(`labels[${i}]`, label, 0, Number.MAX_SAFE_INTEGER)
  })
  return list as number[] | string[]
}

function checkNames(classes: unknown): readonly string[] | undefined {
  if (classes === undefined) return undefined
  if (!Array.isArray(classes)) throw argumentError('options.classes', 'an array of names', classes)
  const names = readArray<unknown>(classes).map((name, k) => checkText(`options.classes[${k}]`, name))
  const twice = names.findIndex((name, k) => names.indexOf(name) !== k)
  if (twice !== -1)
    throw argumentError(`options.classes[${twice}]`, 'a name other than those before', names[twice])
  return names
}
