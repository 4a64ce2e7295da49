import type { FloatArray, Precision } from '../base/precision.js'

/** The parts of a cost; `total` is their sum. */
export interface CostParts {
  /** The cost J that training minimises. */
  readonly total: number
  /** Mean loss of a row. */
  readonly loss: number
  /** λ/2 Σ‖W‖² over the weights, biases apart. */
  readonly weightDecay: number
  /** The sparsity penalty, β included. */
  readonly sparsity: number
}

/** A cost, with its gradient if requested. */
export interface Cost<P extends Precision = Precision> extends CostParts {
  /** ∂total/∂θ, in the order of `parameters()`. */
  readonly gradient?: FloatArray<P>
}

export function costParts(parts: { loss: number; weightDecay: number; sparsity: number }): CostParts {
  const { loss, weightDecay, sparsity } = parts
  return { total: loss + weightDecay + sparsity, loss, weightDecay, sparsity }
}
