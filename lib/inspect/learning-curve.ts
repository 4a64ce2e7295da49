import { argumentError, checkOptions } from '../check.js'
import type { CostParts } from '../objective/cost.js'
import { PLOT_OPTIONS, type PlotOptions, plot, type Series } from './plot.js'

/** What a learning curve is made of: the history of a training. */
export interface CostHistory {
  /** One a point of the curves, in order. */
  readonly epochs: readonly CostRecord[]
}

/** What a learning curve shows of an epoch. */
export interface CostRecord {
  /** Counted from 1: the place on the horizontal axis. */
  readonly epoch: number
  /** The cost of the training rows and its parts. */
  readonly cost: CostParts
  /** The cost of the validation rows. Default: none is drawn for this epoch. */
  readonly validation?: Pick<CostParts, 'total'> | undefined
}

/**
 * The curves of a training history: the cost, its parts (weight decay and sparsity only where they are not 0 throughout), and the
 * cost of the validation rows if there were any.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but a history
 */
export function historySeries(history: CostHistory): Series[] {
  const epochs = (history as Partial<CostHistory> | null | undefined)?.epochs
  if (!Array.isArray(epochs)) throw argumentError('history', 'a training history { epochs }', history)
  const records = epochs as readonly CostRecord[]
  const part = (label: string, name: keyof CostParts): Series => ({
    label,
    points: records.map(({ epoch, cost }) => [epoch, cost[name]] as const),
  })
  const parts = [part('weight decay', 'weightDecay'), part('sparsity', 'sparsity')]
  const validated = records.flatMap(({ epoch, validation }) =>
    validation === undefined ? [] : [[epoch, validation.total] as const],
  )
  return [
    part('cost', 'total'),
    part('loss', 'loss'),
    ...parts.filter(({ points }) => points.some(([, value]) => value !== 0)),
    ...(validated.length > 0 ? [{ label: 'validation cost', points: validated }] : []),
  ]
}

/**
 * How training went, as a standalone SVG document.
 *
 * @param curves - what `fit` resolved to, or series of your own (several fits to compare, say)
 * @param options - as {@link plot}; `xLabel` default 'epoch', `yLabel` default 'cost', `title` default none
 * @returns the text of an `.svg` file
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything else
 */
export function learningCurve(curves: CostHistory | readonly Series[], options?: PlotOptions): string {
  checkOptions('options', options, PLOT_OPTIONS)
  const series = isSeries(curves) ? curves : historySeries(curves)
  return plot(series, { xLabel: 'epoch', yLabel: 'cost', ...options })
}

function isSeries(curves: CostHistory | readonly Series[]): curves is readonly Series[] {
  return Array.isArray(curves)
}
