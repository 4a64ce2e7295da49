/** The maths of one dense layer and one activation, written from the equations: loops, float64, no care for speed. */

import { normalDensity, normalDistribution } from './normal.js'

export type OracleActivation =
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

/** A dense layer: `A = f(A_prev Wᵀ + b)`, W `[outputs, inputs]`. */
export interface OracleLayer {
  readonly inputs: number
  readonly outputs: number
  /** `softmax`, over a whole row, for the last layer only. */
  readonly activation: OracleActivation | 'softmax'
  /** False: no b. Default true. */
  readonly biases?: boolean
  /** The index of an earlier layer whose matrix this one uses, transposed, instead of one of its own. */
  readonly tied?: number
}

/** f(z). */
export function activate(kind: OracleActivation, z: number): number {
  switch (kind) {
    case 'sigmoid':
      return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z))
    case 'tanh':
      return Math.tanh(z)
    case 'relu':
      return Math.max(z, 0)
    case 'satlin':
      return Math.min(Math.max(z, 0), 1)
    case 'identity':
      return z
    case 'leakyRelu':
      return z > 0 ? z : 0.01 * z
    case 'elu':
      return z > 0 ? z : Math.expm1(z)
    case 'softplus':
      return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))
    case 'gelu':
      return z * normalDistribution(z)
    case 'silu':
      return z * activate('sigmoid', z)
  }
}

/** f′(z). At a kink it is that of the flatter side. */
export function slope(kind: OracleActivation, z: number): number {
  const a = activate(kind, z)
  switch (kind) {
    case 'sigmoid':
      return a * (1 - a)
    case 'tanh':
      return 1 - a * a
    case 'relu':
      return z > 0 ? 1 : 0
    case 'satlin':
      return z > 0 && z < 1 ? 1 : 0
    case 'identity':
      return 1
    case 'leakyRelu':
      return z > 0 ? 1 : 0.01
    case 'elu':
      return z > 0 ? 1 : Math.exp(z)
    case 'softplus':
      return activate('sigmoid', z)
    case 'gelu':
      return normalDistribution(z) + z * normalDensity(z)
    case 'silu': {
      const s = activate('sigmoid', z)
      return s + a * activate('sigmoid', -z)
    }
  }
}

/** The place of one layer's parameters in the flat vector W1 b1 W2 b2 … . */
export interface Place {
  /** The start of the matrix that it uses, its own or another's; entry [j, k] is at j · perOutput + k · perInput after it. */
  readonly weights: number
  readonly perOutput: number
  readonly perInput: number
  /** Whether the matrix is its own. */
  readonly owned: boolean
  /** Where its biases begin; undefined without any. */
  readonly biases: number | undefined
  /** Where the next layer's parameters begin. */
  readonly end: number
}

export function places(layers: readonly OracleLayer[]): Place[] {
  const result: Place[] = []
  let at = 0
  for (const { inputs, outputs, biases: biased = true, tied } of layers) {
    const owned = tied === undefined
    const matrix = owned
      ? { weights: at, perOutput: inputs, perInput: 1 }
      : { weights: result[tied]!.weights, perOutput: 1, perInput: outputs }
    if (owned) at += outputs * inputs
    const biases = biased ? at : undefined
    if (biased) at += outputs
    result.push({ ...matrix, owned, biases, end: at })
  }
  return result
}

/** The length of the flat parameter vector. */
export function parameterCount(layers: readonly OracleLayer[]): number {
  return places(layers).at(-1)!.end
}

/** Pre-activations and activations of one layer, `[m, outputs]`. */
export interface LayerOutput {
  readonly z: Float64Array
  readonly a: Float64Array
}

/** All layers over the rows `x` `[m, inputs]`; one entry a layer. */
export function forward(
  layers: readonly OracleLayer[],
  theta: ArrayLike<number>,
  x: ArrayLike<number>,
  m: number,
): LayerOutput[] {
  const at = places(layers)
  const result: LayerOutput[] = []
  let input: ArrayLike<number> = x
  layers.forEach(({ inputs, outputs, activation }, l) => {
    const { weights, perOutput, perInput, biases } = at[l]!
    const z = new Float64Array(m * outputs)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < outputs; j++) {
        let sum = biases === undefined ? 0 : theta[biases + j]!
        for (let k = 0; k < inputs; k++) {
          sum += theta[weights + j * perOutput + k * perInput]! * input[i * inputs + k]!
        }
        z[i * outputs + j] = sum
      }
    }
    const a = activation === 'softmax' ? softmax(z, outputs) : z.map((value) => activate(activation, value))
    result.push({ z, a })
    input = a
  })
  return result
}

/** exp(zⱼ) / Σ exp(z) in each row of `columns` numbers, the row's maximum subtracted first. */
function softmax(z: Float64Array, columns: number): Float64Array {
  const a = new Float64Array(z.length)
  for (let from = 0; from < z.length; from += columns) {
    const row = z.subarray(from, from + columns)
    const greatest = Math.max(...row)
    const sum = row.reduce((total, value) => total + Math.exp(value - greatest), 0)
    row.forEach((value, j) => {
      a[from + j] = Math.exp(value - greatest) / sum
    })
  }
  return a
}

/** Σᵢ wᵢ A[i, j] / Σᵢ wᵢ for every column j; the mean where there are no weights. */
export function columnMeans(
  a: ArrayLike<number>,
  m: number,
  columns: number,
  weights?: ArrayLike<number>,
): Float64Array {
  const means = new Float64Array(columns)
  let sum = 0
  for (let i = 0; i < m; i++) sum += weights?.[i] ?? 1
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < m; i++) means[j]! += (weights?.[i] ?? 1) * a[i * columns + j]!
    means[j]! /= sum
  }
  return means
}
