import { argumentError, checkInteger, checkOptions, checkText, shapeError } from '../base/check.js'
import type { Score } from '../models/score.js'
import { document, element, textWidth, words } from './svg.js'

/** How a confusion matrix is drawn. */
export interface ConfusionPlotOptions {
  /** Names written beside rows and columns; default: the classes' numbers. */
  classes?: readonly string[] | undefined
  /** Written above the plot, and given to screen readers. Default: none. */
  title?: string | undefined
  /** Pixels across and down a cell, default 44. */
  cell?: number | undefined
}

const COLOUR = '#0072b2'
const GREY = '#666666'

/**
 * A confusion matrix as one standalone SVG document: a row for each true class, a column for each predicted one. A cell holds its
 * number of rows, and is the darker the larger its share of the true class; cells without rows are blank.
 *
 * @param score - what `score` returned, or an object with its `confusion`
 * @param options - `classes`, `title`, `cell`
 * @returns the text of an `.svg` file
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but a confusion matrix, and for unknown options; `ERR_SHAPE` for another
 *   number of names
 */
export function confusionPlot(score: Pick<Score, 'confusion'>, options?: ConfusionPlotOptions): string {
  const given = checkOptions('options', options, ['classes', 'title', 'cell'])
  const confusion = checkConfusion('score.confusion', score)
  const { title: text = '', cell: size = 44, classes = confusion.map((_, k) => String(k)) } = given
  const title = checkText('options.title', text)
  const cell = checkInteger('options.cell', size, 4, 1000)
  const names = checkNames('options.classes', classes, confusion.length)

  const side = names.length * cell
  const upright = textWidth(names) <= cell
  const left = 36 + textWidth(names)
  const top = title === '' ? 12 : 40
  const below = upright ? 18 : 8 + textWidth(names)
  const width = Math.max(left + side + 12, textWidth([title]) * 1.25 + 24)
  const height = top + side + below + 26
  const middle = (k: number) => (k + 0.5) * cell
  return document(width, height, title, [
    ...confusion.map((counts, i) =>
      element('g', { transform: `translate(${left} ${top + i * cell})` }, cells(counts, cell)),
    ),
    element('rect', { x: left, y: top, width: side, height: side, fill: 'none', stroke: GREY }),
    ...names.map((name, k) => words(name, { x: left - 8, y: top + middle(k) + 4, 'text-anchor': 'end' })),
    ...names.map((name, k) =>
      upright
        ? words(name, { x: left + middle(k), y: top + side + 18 })
        : upwards(name, left + middle(k) + 4, top + side + 8, 'end'),
    ),
    words(title, { x: width / 2, y: 24, 'font-size': 15 }),
    words('predicted class', { x: left + side / 2, y: height - 10 }),
    upwards('true class', 18, top + side / 2, 'middle'),
  ])
}

/** The cells of one true class that have rows: each a square and, where there is room, its number. */
function cells(counts: readonly number[], cell: number): string[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.flatMap((count, k) => {
    if (count === 0) return []
    const share = count / total
    const square = { x: k * cell, y: 0, width: cell, height: cell, fill: COLOUR }
    const label = String(count)
    const fits = cell >= 16 && textWidth([label]) <= cell
    const fill = share > 0.5 ? '#ffffff' : '#222222'
    return [
      element('rect', { ...square, 'fill-opacity': 0.06 + 0.94 * share }),
      fits ? words(label, { x: (k + 0.5) * cell, y: cell / 2 + 4, fill }) : '',
    ]
  })
}

function upwards(text: string, x: number, y: number, anchor: string): string {
  return words(text, { 'text-anchor': anchor, transform: `translate(${x} ${y}) rotate(-90)` })
}

function checkConfusion(argument: string, score: unknown): readonly (readonly number[])[] {
  const confusion: unknown = (score as Partial<Score> | null | undefined)?.confusion
  const rows: unknown[] = Array.isArray(confusion) ? Array.from(confusion) : []
  if (rows.length === 0 || !rows.every((counts) => Array.isArray(counts) && counts.length === rows.length)) {
    throw argumentError(argument, 'as many rows of numbers as each has numbers', confusion)
  }
  return (rows as unknown[][]).map((counts, i) =>
    Array.from(counts, (count, k) =>
      checkInteger(`${argument}[${i}][${k}]`, count, 0, Number.MAX_SAFE_INTEGER),
    ),
  )
}

function checkNames(argument: string, names: unknown, count: number): readonly string[] {
  if (!Array.isArray(names)) throw argumentError(argument, 'an array of names', names)
  if (names.length !== count) throw shapeError(argument, `${count} names`, names.length)
  return Array.from(names, (name: unknown, k) => checkText(`${argument}[${k}]`, name))
}
