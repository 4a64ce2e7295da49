import type { CostShares, Reconstruction, UnitCounts } from './diagnosis-record.js'
import type { ColumnSquares } from './squares.js'

/** What the sentences are made of. */
interface Found {
  readonly costShares: CostShares
  /** Whether the rows are those of the user, not the codes of a layer below. */
  readonly isInput: boolean
  readonly layer: number | undefined
  readonly reconstruction?: Reconstruction
  readonly units?: readonly UnitCounts[]
  readonly squares?: ColumnSquares
}

/** Standard deviations beyond these are far from unit scale. */
const [LEAST_SPREAD, LARGEST_SPREAD] = [0.01, 10]

/** What is probably wrong, in sentences. */
export function warningsOf(found: Found): string[] {
  return [...ofReconstruction(found), ...ofUnits(found), ...ofCost(found), ...ofScale(found)]
}

function ofReconstruction({ reconstruction, layer }: Found): string[] {
  const r = reconstruction?.rSquared ?? 0
  if (r >= 0) return []
  const rows = layer === undefined || layer === 1 ? 'The rows' : `The inputs of layer ${layer}`
  return [
    `${rows} are reconstructed worse than by their column means (R² ${r.toFixed(2)}): train longer, weaken the penalties, or scale the rows.`,
  ]
}

function ofUnits({ units = [], layer }: Found): string[] {
  return units.flatMap(({ all, dead, identical, saturated }, k) => {
    const place = units.length > 1 ? ` of layer ${k + 1}` : layer === undefined ? '' : ` of layer ${layer}`
    const says = (count: number, what: string) =>
      count > 1 && count >= all / 10 ? [`${count} of ${all} units${place} ${what}`] : []
    return [
      ...says(
        identical,
        'give the same output as another for all rows: weaken the sparsity penalty, or use fewer units.',
      ),
      ...says(
        dead,
        'give the same output for all rows: lower the learning rate, weaken the penalties, or use fewer units.',
      ),
      ...says(
        saturated,
        'are at an end of their range for nearly all rows and hardly learn: scale the rows, or lower the learning rate.',
      ),
    ]
  })
}

function ofCost({ costShares: { sparsity, weightDecay } }: Found): string[] {
  const says = (share: number, what: string, option: string) =>
    share > 0.5
      ? [
          `The ${what} is ${Math.round(100 * share)}% of the cost: a smaller ${option} lets the rows count more.`,
        ]
      : []
  return [
    ...says(sparsity, 'sparsity penalty', 'sparsity.weight'),
    ...says(weightDecay, 'weight decay', 'weightDecay'),
  ]
}

function ofScale({ squares, isInput }: Found): string[] {
  if (squares === undefined || !isInput) return []
  const { rows, spreads, constant } = squares
  const deviations = [...spreads].flatMap((sum, j) => (constant[j] ? [] : [Math.sqrt(sum / rows)]))
  const largest = deviations.reduce((most, one) => Math.max(most, one), 0)
  if (deviations.length === 0 || (largest >= LEAST_SPREAD && largest <= LARGEST_SPREAD)) return []
  return [
    `The largest standard deviation of a column is ${largest.toPrecision(2)}, far from 1: give the model a scaler, such as a StandardScaler with identity outputs.`,
  ]
}
