/**
 * Floating-point operations, additions and multiplications, of the matrix products that one row costs in an evaluation of cost and gradient
 * of dense layers between `widths`: forward and the gradient of the weights for each layer, and the product back through each but the
 * first, since the delta of the input is not needed.
 */
export function evaluationFlopsPerRow(widths: readonly number[]): number {
  const weights = widths.slice(1).map((outputs, l) => outputs * widths[l]!)
  return 2 * (3 * weights.reduce((sum, count) => sum + count, 0) - weights[0]!)
}

/** Those of an autoencoder of one hidden layer: 10 · inputs · hidden. */
export function trainingFlopsPerRow(inputs: number, hidden: number): number {
  return evaluationFlopsPerRow([inputs, hidden, inputs])
}
