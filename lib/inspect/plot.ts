import { argumentError, checkChoice, checkOptions, checkText, readArray } from '../base/check.js'
import { type AxisScale, axisOver } from './axis.js'
import {
  checkSheet,
  FRAME_OPTIONS,
  type Frame,
  type FrameOptions,
  framed,
  type LegendEntry,
  type Point,
  place,
  showable,
  tickCounts,
} from './frame.js'
import { coordinate, element } from './svg.js'

/** A named curve: points (x, y) joined in this order. */
export interface Series {
  /** Its name in the legend. */
  readonly label: string
  /** The points, in the order in which they are joined; any number. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** How curves are drawn. */
export interface PlotOptions extends FrameOptions {
  /** Spacing of the vertical axis: `'log'` shows numbers above 0 only. Default `'linear'`. */
  yScale?: AxisScale | undefined
}

export const PLOT_OPTIONS = [...FRAME_OPTIONS, 'yScale'] as const

/** Eight colours that also colour-blind people tell apart (Okabe & Ito 2008), black last. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#f0e442', '#000000']

/**
 * Curves as one standalone SVG document: axes with round ticks, grid, and a legend if there is more than one curve.
 *
 * A point that is not finite (or beyond ±1e200), or not above 0 (1e-200) on a log axis, is omitted and leaves a gap in its curve. On the
 * calling thread, about a microsecond a point.
 *
 * @param series - at least one; each with a label and any number of points
 * @returns the text of an `.svg` file
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but series and known options
 */
export function plot(series: readonly Series[], options?: PlotOptions): string {
  const checked = checkOptions('options', options, PLOT_OPTIONS)
  const { yScale: scale = 'linear' } = checked
  const yScale = checkChoice('options.yScale', scale, ['linear', 'log'])
  const sheet = checkSheet(checked)
  const curves = checkSeries(series).map(({ label, points }, i) => ({
    label,
    runs: unbroken(points, yScale),
    colour: COLOURS[i % COLOURS.length]!,
  }))
  const shown = curves.flatMap(({ runs }) => runs.flat())
  const { across, down } = tickCounts(sheet)
  const x = axisOver(
    shown.map(([value]) => value),
    { scale: 'linear', nice: false, count: across },
  )
  const y = axisOver(
    shown.map(([, value]) => value),
    { scale: yScale, nice: true, count: down },
  )
  const legend = curves.map(({ label, colour }) => legendEntry(label, colour))
  return framed(sheet, { x, y }, curves.length > 1 ? legend : [], (frame) =>
    curves.map(({ runs, colour }) => curve(runs, colour, frame)),
  )
}

/** The runs of points between gaps: lines, or dots for single points. */
function curve(runs: readonly Point[][], colour: string, frame: Frame): string {
  const drawn = runs.map((run) => {
    const places = run.map((point) => place(point, frame))
    if (places.length === 1) {
      return element('circle', { cx: places[0]![0], cy: places[0]![1], r: 2.5, fill: colour })
    }
    const points = places.map(([px, py]) => `${coordinate(px)},${coordinate(py)}`).join(' ')
    return element('polyline', {
      points,
      fill: 'none',
      stroke: colour,
      'stroke-width': 2,
      'stroke-linejoin': 'round',
    })
  })
  return element('g', {}, drawn)
}

function legendEntry(label: string, stroke: string): LegendEntry {
  return {
    label,
    mark: (x, y) => element('line', { x1: x, y1: y, x2: x + 20, y2: y, stroke, 'stroke-width': 2 }),
  }
}

/** The points that can be shown, as runs separated by those that cannot. */
function unbroken(points: readonly Point[], yScale: AxisScale): Point[][] {
  const runs: Point[][] = [[]]
  for (const [x, y] of points) {
    if (showable(x) && showable(y) && (yScale === 'linear' || y > 1e-200)) runs.at(-1)!.push([x, y])
    else if (runs.at(-1)!.length > 0) runs.push([])
  }
  return runs.filter((run) => run.length > 0)
}

function checkSeries(series: unknown): readonly Series[] {
  if (!Array.isArray(series) || series.length === 0) {
    throw argumentError('series', 'an array of at least one { label, points }', series)
  }
  readArray<Partial<Series> | null | undefined>(series).forEach((one, i) => {
    checkText(`series[${i}].label`, one?.label)
    const points: unknown = one?.points
    if (!Array.isArray(points)) throw argumentError(`series[${i}].points`, 'an array of [x, y]', points)
    readArray<unknown>(points).forEach((point, p) => {
      const pair = Array.isArray(point) && point.length === 2
      if (!pair || typeof point[0] !== 'number' || typeof point[1] !== 'number') {
        throw argumentError(`series[${i}].points[${p}]`, 'two numbers [x, y]', point)
      }
    })
  })
  return series as readonly Series[]
}
