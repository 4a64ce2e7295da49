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

/** What is known of an activation f. */
interface Traits {
  /** The values of f, ends included. */
  readonly range: readonly [low: number, high: number]
  /** f′(z), written in the output a = f(z); at a kink it is 0. */
  readonly slope: (a: number) => number
}

/**
 * All of them, in the order of the addon's enum (native/core/kernels/activation.h), which has softmax after them. The formulas for rows
 * of numbers are native; the slopes here are for pictures.
 */
const TABLE: Readonly<Record<Activation, Traits>> = {
  sigmoid: { range: [0, 1], slope: (a) => a * (1 - a) },
  tanh: { range: [-1, 1], slope: (a) => 1 - a * a },
  relu: { range: [0, Infinity], slope: (a) => (a > 0 ? 1 : 0) },
  satlin: { range: [0, 1], slope: (a) => (a > 0 && a < 1 ? 1 : 0) },
  identity: { range: [-Infinity, Infinity], slope: () => 1 },
}

/** The names of all activations. */
export const ACTIVATIONS = Object.keys(TABLE) as readonly Activation[]

const LAYER_ACTIVATIONS: readonly string[] = [...ACTIVATIONS, 'softmax']

export function checkActivation(argument: string, value: unknown): Activation {
  return checkChoice(argument, value, ACTIVATIONS)
}

/** Whether a layer may have it: an activation, or softmax. */
export function isLayerActivation(name: string): name is Activation | 'softmax' {
  return LAYER_ACTIVATIONS.includes(name)
}

/** The addon's number of a layer's activation, used where names would be too slow. */
export function activationNumber(name: string): number {
  return LAYER_ACTIVATIONS.indexOf(name)
}

/** The range of an activation, ends included: targets of its layer must be within it. */
export function activationRange(activation: Activation): readonly [low: number, high: number] {
  return TABLE[activation].range
}

/** Whether these values have two ends. */
export function isBounded(activation: Activation): boolean {
  return activationRange(activation).every(Number.isFinite)
}

/** The bounded activations as an error lists them: a, b or c. */
export function boundedNames(): string {
  const names = ACTIVATIONS.filter(isBounded)
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

/** ρ̂ of a mean output: its place in the range, from 0 to 1, where there are two ends; else the mean itself. */
export function activationRate(activation: Activation, mean: number): number {
  const [low, high] = activationRange(activation)
  return isBounded(activation) ? (mean - low) / (high - low) : mean
}

/** f′ of an activation, from its output. */
export function activationSlope(activation: Activation): (a: number) => number {
  return TABLE[activation].slope
}
