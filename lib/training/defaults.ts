/**
 * How a model trains where `fit` is not told otherwise: the one place for these numbers.
 * `docs/defaults.md` says where each comes from and on what it was tried.
 */
export const defaults = {
  epochs: 20,
  batchSize: 256,
  /** Where neither epochs nor batchSize is given: the least number of steps, and the smallest batch that is made for it. */
  steps: 3000,
  smallestBatch: 32,
  shuffle: true,
  /** Adam and its learning rate, which falls to 0 along a cosine. */
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, rate: 3e-3 },
  momentum: { momentum: 0.9, rate: 0.01 },
  gradientDescent: { rate: 0.1 },
  lbfgs: { maxIterations: 400, history: 20, tolerance: 1e-5 },
  minDelta: 0,
} as const
