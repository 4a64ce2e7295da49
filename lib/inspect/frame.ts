import { type Complete, checkInteger, checkText } from '../base/check.js'
import { type Axis, tickLabel } from './axis.js'
import { coordinate, document, element, textWidth, words } from './svg.js'

/** Options of every plot with two axes. */
export interface FrameOptions {
  /** Written above the plot, and given to screen readers. Default: none. */
  title?: string | undefined
  /** Written below the horizontal axis. Default: nothing. */
  xLabel?: string | undefined
  /** Written beside the vertical axis. Default: nothing. */
  yLabel?: string | undefined
  /** Pixels across, default 640. */
  width?: number | undefined
  /** Pixels down, default 400. */
  height?: number | undefined
}

export const FRAME_OPTIONS = ['title', 'xLabel', 'yLabel', 'width', 'height'] as const

/** The same with all defaults. */
export type Sheet = Complete<FrameOptions>

/** The positions of two axes in the picture. */
export interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  readonly x: Axis
  readonly y: Axis
}

export type Point = readonly [number, number]

/** One line of a legend: a name, and its mark in the 20 pixels right of x, at height y. */
export interface LegendEntry {
  readonly label: string
  readonly mark: (x: number, y: number) => string
}

const GREY = '#666666'
const LIGHT = '#dddddd'

/** Texts and sizes from options whose names are already checked. */
export function checkSheet(options: Record<string, unknown>): Sheet {
  const { width = 640, height = 400 } = options
  const [title, xLabel, yLabel] = (['title', 'xLabel', 'yLabel'] as const).map((key) => {
    const { [key]: text = '' } = options
    return checkText(`options.${key}`, text)
  }) as [string, string, string]
  return {
    title,
    xLabel,
    yLabel,
    width: checkInteger('options.width', width, 200, 10_000),
    height: checkInteger('options.height', height, 150, 10_000),
  }
}

/** The approximate number of ticks with enough room. */
export function tickCounts({ width, height }: Sheet): { across: number; down: number } {
  return { across: Math.max(2, Math.floor(width / 100)), down: Math.max(2, Math.floor(height / 70)) }
}

/** A document: axes with grid and numbers, the content by `draw`, a legend, and the texts. */
export function framed(
  { title, xLabel, yLabel, width, height }: Sheet,
  { x, y }: { readonly x: Axis; readonly y: Axis },
  legend: readonly LegendEntry[],
  draw: (frame: Frame) => readonly string[],
): string {
  const legendWidth =
    legend.length > 0 ? Math.min(46 + textWidth(legend.map(({ label }) => label)), width / 2.5) : 18
  const frame: Frame = {
    left: 16 + textWidth(y.ticks.map(tickLabel)) + (yLabel === '' ? 0 : 22),
    right: width - legendWidth,
    top: title === '' ? 16 : 40,
    bottom: height - (xLabel === '' ? 30 : 50),
    x,
    y,
  }
  const { left, right, top, bottom } = frame
  return document(width, height, title, [
    ...axes(frame),
    ...draw(frame),
    ...legend.map(({ label, mark }, i) => {
      const at = top + 10 + 20 * i
      return mark(right + 12, at) + words(label, { x: right + 38, y: at + 4, 'text-anchor': 'start' })
    }),
    words(title, { x: (left + right) / 2, y: 24, 'font-size': 15 }),
    words(xLabel, { x: (left + right) / 2, y: height - 12 }),
    words(yLabel, {
      x: 0,
      y: 0,
      transform: `translate(18 ${coordinate((top + bottom) / 2)}) rotate(-90)`,
    }),
  ])
}

/** The position of a point in the picture. */
export function place([x, y]: Point, frame: Frame): Point {
  return [
    frame.left + frame.x.position(x) * (frame.right - frame.left),
    frame.bottom - frame.y.position(y) * (frame.bottom - frame.top),
  ]
}

/** Whether a number can be shown on a linear axis. */
export function showable(value: number): boolean {
  return Math.abs(value) < 1e200
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
