import { argumentError, checkChoice, checkInteger, checkOptions, checkText } from '../check.js'
import { type Axis, type AxisScale, axisOver, tickLabel } from './axis.js'
import { coordinate, document, element, textWidth, words } from './svg.js'

/** A named curve: points (x, y) joined in this order. */
export interface Series {
  readonly label: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface PlotOptions {
  /** Written above the plot, and given to screen readers. */
  title?: string
  /** Written below the horizontal axis. */
  xLabel?: string
  /** Written beside the vertical axis. */
  yLabel?: string
  /** Spacing of the vertical axis, default 'linear'. */
  yScale?: AxisScale
  /** Pixels across, default 640. */
  width?: number
  /** Pixels down, default 400. */
  height?: number
}

export const PLOT_OPTIONS = ['title', 'xLabel', 'yLabel', 'yScale', 'width', 'height'] as const

/** Eight colours that also colour-blind people tell apart (Okabe & Ito 2008), black last. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#f0e442', '#000000']
const GREY = '#666666'
const LIGHT = '#dddddd'

interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  readonly x: Axis
  readonly y: Axis
}

/**
 * Curves as one standalone SVG document: axes with round ticks, grid, and a legend where there is more than one curve.
 *
 * A point that is not finite (or beyond ±1e200), or not above 0 (1e-200) on a log axis, is left out and leaves a gap in its curve.
 *
 * @param series - at least one; each with a label and any number of points
 * @returns the text of an `.svg` file
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but series and known options
 */
export function plot(series: readonly Series[], options?: PlotOptions): string {
  const checked = checkOptions('options', options, PLOT_OPTIONS)
  const { yScale: scale = 'linear', width: across = 640, height: down = 400 } = checked
  const yScale = checkChoice('options.yScale', scale, ['linear', 'log'])
  const width = checkInteger('options.width', across, 200, 10_000)
  const height = checkInteger('options.height', down, 150, 10_000)
  const [title, xLabel, yLabel] = (['title', 'xLabel', 'yLabel'] as const).map((key) => {
    const { [key]: text = '' } = checked
    return checkText(`options.${key}`, text)
  }) as [string, string, string]
  const curves = checkSeries(series).map(({ label, points }) => ({ label, runs: unbroken(points, yScale) }))
  const shown = curves.flatMap(({ runs }) => runs.flat())

  const x = axisOver(
    shown.map(([value]) => value),
    { scale: 'linear', nice: false, count: Math.max(2, Math.floor(width / 100)) },
  )
  const y = axisOver(
    shown.map(([, value]) => value),
    { scale: yScale, nice: true, count: Math.max(2, Math.floor(height / 70)) },
  )
  const yTicksWidth = textWidth(y.ticks.map(tickLabel))
  const legend = curves.length > 1 ? curves.map(({ label }) => label) : []
  const frame: Frame = {
    left: 16 + yTicksWidth + (yLabel === '' ? 0 : 22),
    right: width - (legend.length > 0 ? Math.min(46 + textWidth(legend), width / 2.5) : 18),
    top: title === '' ? 16 : 40,
    bottom: height - (xLabel === '' ? 30 : 50),
    x,
    y,
  }
  return document(width, height, title, [
    ...axes(frame),
    ...curves.map(({ runs }, i) => curve(runs, COLOURS[i % COLOURS.length]!, frame)),
    ...legend.map((label, i) => legendEntry(label, i, frame)),
    words(title, { x: (frame.left + frame.right) / 2, y: 24, 'font-size': 15 }),
    words(xLabel, { x: (frame.left + frame.right) / 2, y: height - 12 }),
    words(yLabel, {
      x: 0,
      y: 0,
      transform: `translate(18 ${coordinate((frame.top + frame.bottom) / 2)}) rotate(-90)`,
    }),
  ])
}

/** Grid, ticks and their numbers. */
function axes(frame: Frame): string[] {
  const { left, right, top, bottom, x, y } = frame
  const vertical = x.ticks.flatMap((tick) => {
    const [px] = place([tick, y.low], frame)
    return [
      element('line', { x1: px, y1: top, x2: px, y2: bottom, stroke: LIGHT }),
      words(tickLabel(tick), { x: px, y: bottom + 18 }),
    ]
  })
  const horizontal = y.ticks.flatMap((tick) => {
    const [, py] = place([x.low, tick], frame)
    return [
      element('line', { x1: left, y1: py, x2: right, y2: py, stroke: LIGHT }),
      words(tickLabel(tick), { x: left - 8, y: py + 4, 'text-anchor': 'end' }),
    ]
  })
  const corner = `M${coordinate(left)} ${coordinate(top)}V${coordinate(bottom)}H${coordinate(right)}`
  return [...vertical, ...horizontal, element('path', { d: corner, fill: 'none', stroke: GREY })]
}

/** The runs of points between gaps: lines, and dots where a point stands alone. */
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

function legendEntry(label: string, i: number, { right, top }: Frame): string {
  const y = top + 10 + 20 * i
  const stroke = COLOURS[i % COLOURS.length]!
  return (
    element('line', { x1: right + 12, y1: y, x2: right + 32, y2: y, stroke, 'stroke-width': 2 }) +
    words(label, { x: right + 38, y: y + 4, 'text-anchor': 'start' })
  )
}

type Point = readonly [number, number]

function place([x, y]: Point, frame: Frame): Point {
  return [
    frame.left + frame.x.position(x) * (frame.right - frame.left),
    frame.bottom - frame.y.position(y) * (frame.bottom - frame.top),
  ]
}

/** The points that can be shown, in runs between those that cannot. */
function unbroken(points: readonly Point[], yScale: AxisScale): Point[][] {
  const runs: Point[][] = [[]]
  for (const [x, y] of points) {
    const visible = Math.abs(x) < 1e200 && Math.abs(y) < 1e200 && (yScale === 'linear' || y > 1e-200)
    if (visible) runs.at(-1)!.push([x, y])
    else if (runs.at(-1)!.length > 0) runs.push([])
  }
  return runs.filter((run) => run.length > 0)
}

function checkSeries(series: unknown): readonly Series[] {
  if (!Array.isArray(series) || series.length === 0) {
    throw argumentError('series', 'an array of at least one { label, points }', series)
  }
  series.forEach((one: Partial<Series> | null | undefined, i) => {
    checkText(`series[${i}].label`, one?.label)
    const points: unknown = one?.points
    if (!Array.isArray(points)) throw argumentError(`series[${i}].points`, 'an array of [x, y]', points)
    points.forEach((point: unknown, p) => {
      const pair = Array.isArray(point) && point.length === 2
      if (!pair || typeof point[0] !== 'number' || typeof point[1] !== 'number') {
        throw argumentError(`series[${i}].points[${p}]`, 'two numbers [x, y]', point)
      }
    })
  })
  return series as readonly Series[]
}
