import { LinearAutoencoder, type Matrix } from '../../lib/index.js'

/** What the penalty β‖ρ̂ − ρ‖² did. */
export interface PenaltyOutcome {
  readonly weight: number
  /** ‖ρ̂ − ρ‖. */
  readonly distance: number
  /** The loss, ½ the mean squared error of a row. */
  readonly loss: number
}

/** Trains tied models with the paper's penalty towards a mean code ρ, the same for all units, at several weights β. */
export async function underPenalty(
  x: Matrix,
  { hidden, target, center }: { hidden: number; target: number; center: boolean },
  weights: readonly number[],
): Promise<PenaltyOutcome[]> {
  const outcomes = []
  for (const weight of weights) {
    const model = new LinearAutoencoder({
      inputs: x.cols,
      hidden,
      center,
      precision: 'float64',
      sparsity: { kind: 'l2', target, weight },
    })
    await model.fit(x, { optimizer: { kind: 'lbfgs', maxIterations: 600, tolerance: 0 } })
    const { loss, sparsity } = await model.cost(x)
    outcomes.push({ weight, loss, distance: Math.sqrt(sparsity / weight) })
  }
  return outcomes
}
