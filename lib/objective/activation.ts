import { checkChoice } from '../base/check.js'

/**
 * The activation function of a layer, applied to its weighted sums z.
 *
 * - `sigmoid` 1/(1 + e^−z), from 0 to 1
 * - `tanh`, from −1 to 1
 * - `relu` max(0, z)
 * - `satlin` z clamped to 0 … 1, as in MATLAB
 * - `identity` z itself: a linear layer
 */
export type Activation = 'sigmoid' | 'tanh' | 'relu' | 'satlin' | 'identity'

const ACTIVATIONS: readonly Activation[] = ['sigmoid', 'tanh', 'relu', 'satlin', 'identity']

export function checkActivation(argument: string, value: unknown): Activation {
  return checkChoice(argument, value, ACTIVATIONS)
}

/** The range of an activation, ends included: targets of its layer must be within it. */
export function activationRange(activation: Activation): readonly [low: number, high: number] {
  switch (activation) {
    case 'sigmoid':
    case 'satlin':
      return [0, 1]
    case 'tanh':
      return [-1, 1]
    case 'relu':
      return [0, Infinity]
    case 'identity':
      return [-Infinity, Infinity]
  }
}
