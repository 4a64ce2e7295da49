import { argumentError, checkChoice, checkNumber, checkOptions } from '../base/check.js'

/**
 * A bound on the weights that training keeps exactly, by projection after each step. Biases are not bounded. Weight decay is the Lagrangian
 * form of this constraint.
 *
 * - `frobenius`: Σ‖W‖² ≤ max over all weight matrices together; W ← W · min(1, √(max / Σ‖W‖²))
 * - `unit`: ‖row‖² ≤ max for each row of each matrix, the weights of one unit
 *
 * Weights that violate it before a fit (initial ones may) do so until its first step. For first-order optimizers only: the line search of
 * L-BFGS has no projection, so `fit` refuses the combination.
 *
 * Source: Xue, "Inference of stacked sparse autoencoder", eq. 5–7, with ε = max.
 */
export interface WeightConstraint {
  /** What `max` bounds: the squares of all weights together, or of the weights of each unit. */
  readonly kind: 'frobenius' | 'unit'
  /** ε, the bound on a sum of squares; above 0. */
  readonly max: number
}

/** Checks a weight constraint; undefined is returned unchanged. */
export function checkWeightConstraint(argument: string, value: unknown): WeightConstraint | undefined {
  if (value === undefined) return undefined
  const given = checkOptions(argument, value, ['kind', 'max'])
  return {
    kind: checkChoice(`${argument}.kind`, given.kind, ['frobenius', 'unit'] as const),
    max: checkNumber(`${argument}.max`, given.max, { min: 0, open: true }),
  }
}

/** Refuses L-BFGS together with a constraint. */
export function checkProjectable(
  constraint: WeightConstraint | undefined,
  { optimizer }: { readonly optimizer: { readonly kind: string } },
): void {
  if (constraint !== undefined && optimizer.kind === 'lbfgs') {
    throw argumentError(
      'optimizer.kind',
      "'gradientDescent' | 'momentum' | 'adam', since lbfgs cannot keep a weightConstraint",
      optimizer.kind,
    )
  }
}
