import { argumentError, checkOptions } from '../base/check.js'
import type { CostParts } from '../objective/cost.js'
import type { TrainingPhase } from '../training/history.js'
import { PLOT_OPTIONS, type PlotOptions, plot, type Series } from './plot.js'

/** The source of a learning curve: the history of a training. */
export interface CostHistory extends TrainingPhase {
  /** One for each point of the curves, in order. */
  readonly epochs: readonly CostRecord[]
}

/** The values of an epoch in a learning curve. */
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
  const records = checkHistory('history', history)
  const part = (label: string, name: keyof CostParts): Series => ({
    label,
    points: records.map(({ epoch, cost }) => [epoch, cost[name]] as const),
  })
  const parts = [part('weight decay', 'weightDecay'), part('sparsity', 'sparsity')]
  const validated = validationPoints(records)
  return [
    part('cost', 'total'),
    part('loss', 'loss'),
    ...parts.filter(({ points }) => points.some(([, value]) => value !== 0)),
    ...(validated.length > 0 ? [{ label: 'validation cost', points: validated }] : []),
  ]
}

/**
 * The curves of several trainings: the cost of each, and of its validation rows if there were any, named by the trained part of the model
 * if the history has it, else by number.
 */
function historiesSeries(histories: readonly CostHistory[]): Series[] {
  return histories.flatMap((history, i) => {
    const records = checkHistory(`curves[${i}]`, history)
    const label = nameOf(history) ?? `history ${i + 1}`
    const cost = { label, points: records.map(({ epoch, cost }) => [epoch, cost.total] as const) }
    const validated = validationPoints(records)
    return [cost, ...(validated.length > 0 ? [{ label: `${label}, validation`, points: validated }] : [])]
  })
}

function nameOf({ phase, layer }: TrainingPhase): string | undefined {
  if (phase === 'fineTune') return 'fine-tuning'
  return phase === 'layer' ? `layer ${layer}` : phase
}

function validationPoints(records: CostHistory['epochs']): Series['points'] {
  return records.flatMap(({ epoch, validation }) =>
    validation === undefined ? [] : [[epoch, validation.total] as const],
  )
}

function checkHistory(argument: string, history: CostHistory): CostHistory['epochs'] {
  const epochs: unknown = (history as Partial<CostHistory> | null | undefined)?.epochs
  if (!Array.isArray(epochs)) throw argumentError(argument, 'a training history { epochs }', history)
  return epochs as CostHistory['epochs']
}

/**
 * The learning curve of a training, as a standalone SVG document.
 *
 * For one history: the cost, its parts, and the cost of the validation rows. For several, such as a stack's, which has one for each layer:
 * the cost of each and that of its validation rows, each over its own epochs.
 *
 * @param curves - the result of `fit`, an array of several results, or your own series
 * @param options - as {@link plot}; `xLabel` default 'epoch', `yLabel` default 'cost', `title` default none
 * @returns the text of an `.svg` file
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything else
 */
export function learningCurve(
  curves: CostHistory | readonly CostHistory[] | readonly Series[],
  options?: PlotOptions,
): string {
  checkOptions('options', options, PLOT_OPTIONS)
  return plot(seriesOf(curves), { xLabel: 'epoch', yLabel: 'cost', ...options })
}

type Curves = CostHistory | readonly CostHistory[] | readonly Series[]

function seriesOf(curves: Curves): readonly Series[] {
  if (isHistory(curves)) return historySeries(curves)
  return areHistories(curves) ? historiesSeries(curves) : curves
}

function isHistory(curves: Curves): curves is CostHistory {
  return !Array.isArray(curves)
}

function areHistories(curves: readonly CostHistory[] | readonly Series[]): curves is readonly CostHistory[] {
  const first: unknown = curves[0]
  return typeof first === 'object' && first !== null && Object.hasOwn(first, 'epochs')
}
