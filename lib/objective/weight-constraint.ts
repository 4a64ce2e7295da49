import { argumentError, checkChoice, checkNumber, checkOptions } from '../base/check.js'

/**
 * A bound on the weights that training keeps exactly: after each step they are projected back onto it. Biases are free. Weight decay is
 * the Lagrangian form of the same.
 *
 * - `frobenius`: Σ‖W‖² ≤ max over all weight matrices together; W ← W · min(1, √(max / Σ‖W‖²))
 * - `unit`: ‖row‖² ≤ max for each row of each matrix, the weights of one unit
 *
 * Weights that break it before a fit (the first ones may) do so until its first step. For the first-order optimizers only: the line search
 * of L-BFGS knows no projection, and `fit` refuses the pair.
 *
 * Source: Xue, "Inference of stacked sparse autoencoder", eq. 5–7, with ε = max.
 */
export interface WeightConstraint {
  /** What `max` bounds: the squares of all weights together, or of the weights of each unit. */
  readonly kind: 'frobenius' | 'unit'
  /** ε, the bound on a sum of squares; above 0. */
  readonly max: number
}

/** A weight constraint; undefined stays so. */
export function checkWeightConstraint(argument: string, value: unknown): WeightConstraint | undefined {
  if (value === undefined) return undefined
  const given = checkOptions(argument, value, ['kind', 'max'])
  return {
    kind: checkChoice(`${argument}.kind`, given.kind, ['frobenius', 'unit'] as const),
    max: checkNumber(`${argument}.max`, given.max, { min: 0, open: true }),
  }
}

/** Refuses L-BFGS where there is a constraint. */
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
