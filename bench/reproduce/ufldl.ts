import type { Score } from '../../lib/index.js'

/** Sigmoid units as the exercises of UFLDL train them on digits: ρ 0.1, β 3, λ 3e-3. */
export const SPARSE = {
  sparsity: { kind: 'kl', target: 0.1, weight: 3 },
  weightDecay: 3e-3,
} as const

/** λ of their softmax. It has no biases. */
export const SOFTMAX = { weightDecay: 1e-4, biases: false } as const

/** Their optimizer: 100 pairs by default, and all iterations. */
export function lbfgs(maxIterations: number, history = 100) {
  return { kind: 'lbfgs', maxIterations, history, tolerance: 0 } as const
}

export function percentRight({ accuracy }: Score): number {
  return 100 * accuracy
}

export function percentWrong({ accuracy }: Score): number {
  return 100 * (1 - accuracy)
}
