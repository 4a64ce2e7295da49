/**
 * Floating-point operations, additions and multiplications, of the matrix products that one row costs while an autoencoder of one
 * hidden layer trains: five products of inputs × hidden, two forward, one back to the hidden layer and two gradients. Nothing
 * asks for the delta of the input.
 */
export function trainingFlopsPerRow(inputs: number, hidden: number): number {
  return 2 * 5 * inputs * hidden
}
