import { type Axis, axisOver } from '../../lib/inspect/axis.js'
import { type Frame, framed, type LegendEntry, type Point, place } from '../../lib/inspect/frame.js'
import { coordinate, document, element, words } from '../../lib/inspect/svg.js'

/** One line of a log-log panel. */
export interface Line {
  readonly label: string
  readonly colour: string
  readonly points: readonly Point[]
  /** What is not measured but reckoned. */
  readonly dashed?: boolean
  /** Sizes at which the point is marked as an exception: a ring instead of a dot. */
  readonly marked?: readonly number[]
}

export interface Panel {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly lines: readonly Line[]
}

const WIDTH = 600
const HEIGHT = 360
const LINE = 18

/** Panels side by side, each with both axes logarithmic, and lines of text below them; on a white background. */
export function loglog(title: string, panels: readonly Panel[], caption: readonly string[]): string {
  const width = WIDTH * panels.length
  return document(width, HEIGHT + LINE * caption.length + 10, title, [
    ...panels.map((panel, i) => element('g', { transform: `translate(${WIDTH * i} 0)` }, drawn(panel))),
    ...caption.map((text, i) =>
      words(text, { x: 16, y: HEIGHT + LINE * i + 10, 'text-anchor': 'start', fill: '#444444' }),
    ),
  ])
}

function drawn({ title, xLabel, yLabel, lines }: Panel): string {
  const points = lines.flatMap((line) => line.points)
  const x = logAxis(
    points.map(([size]) => size),
    false,
  )
  const y = logAxis(
    points.map(([, cost]) => cost),
    true,
  )
  const sheet = { title, xLabel, yLabel, width: WIDTH, height: HEIGHT }
  return framed(sheet, { x, y }, lines.map(legendEntry), (frame) => lines.map((line) => curve(line, frame)))
}

function logAxis(values: readonly number[], nice: boolean): Axis {
  return axisOver(values, { scale: 'log', nice, count: 5 })
}

function curve(line: Line, frame: Frame): string {
  const places = line.points.map((point) => place(point, frame))
  const points = places.map(([px, py]) => `${coordinate(px)},${coordinate(py)}`).join(' ')
  const dots = line.dashed
    ? []
    : places.map(([cx, cy], i) => {
        const exception = line.marked?.includes(line.points[i]![0]) ?? false
        const fill = exception ? '#ffffff' : line.colour
        return element('circle', {
          cx,
          cy,
          r: exception ? 4.5 : 3,
          fill,
          stroke: line.colour,
          'stroke-width': 2,
        })
      })
  return element('g', {}, [element('polyline', { points, fill: 'none', ...stroke(line) }), ...dots])
}

function legendEntry(line: Line): LegendEntry {
  return {
    label: line.label,
    mark: (x, y) => element('line', { x1: x, y1: y, x2: x + 20, y2: y, ...stroke(line) }),
  }
}

function stroke({ colour, dashed }: Line): Record<string, string | number> {
  return { stroke: colour, 'stroke-width': 2, ...(dashed && { 'stroke-dasharray': '5 4' }) }
}
