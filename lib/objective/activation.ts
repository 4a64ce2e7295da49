import { checkChoice } from '../base/check.js'

/**
 * The activation function of a layer, applied to its weighted sums z.
 *
 * - `sigmoid` 1/(1 + e^−z), from 0 to 1
 * - `tanh`, from −1 to 1
 * - `relu` max(0, z)
 * - `satlin` z clamped to 0 … 1, as in MATLAB
 * - `identity` z itself: a linear layer
 * - `leakyRelu` z where z > 0, else 0.01 z
 * - `elu` z where z > 0, else e^z − 1, above −1. Source: Clevert, Unterthiner & Hochreiter 2015, with α = 1
 * - `softplus` ln(1 + e^z), above 0
 * - `gelu` z Φ(z), Φ the standard normal distribution, from −0.17: the exact form, not the one by tanh. Source: Hendrycks & Gimpel 2016
 * - `silu` z/(1 + e^−z), from −0.28. Source: Elfwing, Uchibe & Doya 2017
 */
export type Activation =
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'satlin'
  | 'identity'
  | 'leakyRelu'
  | 'elu'
  | 'softplus'
  | 'gelu'
  | 'silu'

/** What is known of an activation f. */
interface Traits {
  /** The values of f, ends included. */
  readonly range: readonly [low: number, high: number]
  /** Whether f never falls as z grows. */
  readonly monotone: boolean
  /** f′(z), written in the output a = f(z), and in z if {@link slopeOfSum} is set. At a kink it is that of the flatter side. */
  readonly slope: (a: number, z: number) => number
  /** Whether {@link slope} reads z. */
  readonly slopeOfSum?: boolean
}

/**
 * All of them, in the order of the addon's enum (native/core/kernels/activation.h), which has softmax after them. The formulas for rows
 * of numbers are native; the slopes here are for pictures.
 */
const TABLE: Readonly<Record<Activation, Traits>> = {
  sigmoid: { range: [0, 1], monotone: true, slope: (a) => a * (1 - a) },
  tanh: { range: [-1, 1], monotone: true, slope: (a) => 1 - a * a },
  relu: { range: [0, Infinity], monotone: true, slope: (a) => (a > 0 ? 1 : 0) },
  satlin: { range: [0, 1], monotone: true, slope: (a) => (a > 0 && a < 1 ? 1 : 0) },
  identity: { range: [-Infinity, Infinity], monotone: true, slope: () => 1 },
  leakyRelu: { range: [-Infinity, Infinity], monotone: true, slope: (a) => (a > 0 ? 1 : 0.01) },
  elu: {
    range: [-1, Infinity],
    monotone: true,
    slope: (_, z) => Math.exp(Math.min(z, 0)),
    slopeOfSum: true,
  },
  softplus: { range: [0, Infinity], monotone: true, slope: (a) => -Math.expm1(-a) },
  gelu: {
    range: [-0.16997120747990369, Infinity],
    monotone: false,
    slope: (a, z) => share(a, z) + (z * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI),
    slopeOfSum: true,
  },
  silu: {
    range: [-0.2784645427610738, Infinity],
    monotone: false,
    slope: (a, z) => share(a, z) * (1 + z - a),
    slopeOfSum: true,
  },
}

/** s of an output a = z s(z) that is ½ at 0. */
function share(a: number, z: number): number {
  return z === 0 ? 0.5 : a / z
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

/** Whether an activation never falls as its weighted sum grows. */
export function isMonotone(activation: Activation): boolean {
  return TABLE[activation].monotone
}

/** f′ of an activation, from its output a and its weighted sum z, and whether it reads z at all. */
export function activationSlope(activation: Activation): Pick<Traits, 'slope' | 'slopeOfSum'> {
  return TABLE[activation]
}
