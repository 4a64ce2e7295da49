/** The maths of one dense layer and one activation, written from the equations: loops, float64, no care for speed. */

export type OracleActivation = 'sigmoid' | 'tanh' | 'relu' | 'satlin' | 'identity'

/** A dense layer: `A = f(A_prev Wᵀ + b)`, W `[outputs, inputs]`. */
export interface OracleLayer {
  readonly inputs: number
  readonly outputs: number
  readonly activation: OracleActivation
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
  }
}

/** f′(z), written in the output a = f(z). At a kink it is 0. */
export function slope(kind: OracleActivation, a: number): number {
  switch (kind) {
    case 'sigmoid':
      return a * (1 - a)
    case 'tanh':
      return 1 - a * a
    case 'relu':
      return a > 0 ? 1 : 0
    case 'satlin':
      return a > 0 && a < 1 ? 1 : 0
    case 'identity':
      return 1
  }
}

/** Where each layer's weights and biases begin in the flat vector W1 b1 W2 b2 … . */
export function offsets(layers: readonly OracleLayer[]): { weights: number; biases: number; end: number }[] {
  let at = 0
  return layers.map(({ inputs, outputs }) => {
    const weights = at
    const biases = weights + outputs * inputs
    at = biases + outputs
    return { weights, biases, end: at }
  })
}

/** The length of the flat parameter vector. */
export function parameterCount(layers: readonly OracleLayer[]): number {
  return offsets(layers).at(-1)!.end
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
  const at = offsets(layers)
  const result: LayerOutput[] = []
  let input: ArrayLike<number> = x
  layers.forEach(({ inputs, outputs, activation }, l) => {
    const z = new Float64Array(m * outputs)
    const a = new Float64Array(m * outputs)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < outputs; j++) {
        let sum = theta[at[l]!.biases + j]!
        for (let k = 0; k < inputs; k++) {
          sum += theta[at[l]!.weights + j * inputs + k]! * input[i * inputs + k]!
        }
        z[i * outputs + j] = sum
        a[i * outputs + j] = activate(activation, sum)
      }
    }
    result.push({ z, a })
    input = a
  })
  return result
}

/** (1/m) Σᵢ A[i, j] for every column j. */
export function columnMeans(a: ArrayLike<number>, m: number, columns: number): Float64Array {
  const means = new Float64Array(columns)
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < m; i++) means[j]! += a[i * columns + j]!
    means[j]! /= m
  }
  return means
}
