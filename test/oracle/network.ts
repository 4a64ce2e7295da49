import {
  columnMeans,
  forward,
  type LayerOutput,
  type OracleActivation,
  type OracleLayer,
  places,
  slope,
} from './layers.js'
import { logLoss, type OracleLoss, rowDelta, rowLoss } from './loss.js'
import { meanPenalty, meanPenaltySlope, type OraclePenalty } from './penalty.js'

/** What is minimised: (1/m) Σ loss, or Σ w loss / Σ w, + Σₗ λₗ/2 ‖W[l]‖² + the penalties. */
export interface OracleObjective {
  readonly loss: OracleLoss
  /** λ of each layer's own weights; of a layer that uses another's it does not matter. */
  readonly weightDecay: readonly number[]
  readonly penalties: readonly OraclePenalty[]
  /** With `logLoss`: what a row of each class counts. Default 1. */
  readonly classWeights?: ArrayLike<number>
}

export interface OracleCost {
  loss: number
  weightDecay: number
  sparsity: number
  /** The sum of the three. */
  total: number
  /** Mean outputs of every layer over the rows, weighted as these are. */
  means: Float64Array[]
  gradient: Float64Array
}

export interface OracleRows {
  /** `[m, inputs of the first layer]` */
  readonly x: ArrayLike<number>
  readonly m: number
  /** `[m, outputs of the last layer]`; the rows themselves unless given. */
  readonly target?: ArrayLike<number>
  /** With `logLoss`: each row's class. */
  readonly labels?: ArrayLike<number>
  /** What each row counts. Default 1. */
  readonly weights?: ArrayLike<number>
  /** With `weights`: their mean over all rows of which these are a batch. Default: over these. */
  readonly meanWeight?: number
  /**
   * For each penalty the mean activations to use instead of the rows' own, or `undefined` for the rows' own. The derivative keeps the
   * factor 1/m, as if they were the rows' own: the moving average of minibatch training.
   */
  readonly means?: readonly (ArrayLike<number> | undefined)[]
}

/** Cost and gradient by backpropagation (Xue eq. 8 and 12–15 in matrix form, for any number of layers). */
export function evaluate(
  layers: readonly OracleLayer[],
  objective: OracleObjective,
  theta: ArrayLike<number>,
  rows: OracleRows,
): OracleCost {
  const { x, m } = rows
  const outputs = forward(layers, theta, x, m)
  const means = outputs.map(({ a }, l) => columnMeans(a, m, layers[l]!.outputs, rows.weights))
  const gradient = new Float64Array(theta.length)

  const loss = outputLoss(objective, layers, outputs, rows)
  const weightDecay = decay(layers, objective.weightDecay, theta, gradient)
  const sparsity = penalise(layers, objective.penalties, outputs, means, rows)
  backward(layers, theta, x, m, outputs, loss.delta, sparsity.d_a, gradient)

  const total = loss.value + weightDecay + sparsity.value
  return { loss: loss.value, weightDecay, sparsity: sparsity.value, total, means, gradient }
}

/** The sum of the rows' weights. */
function totalWeight({ m, weights }: OracleRows): number {
  return weights === undefined ? m : Array.from(weights).reduce((sum, weight) => sum + weight, 0)
}

/** What each row's loss counts in the cost: 1/m, or its weight by the mean weight, over m. */
function sharesOf(rows: OracleRows): number[] {
  const { m, weights, meanWeight = totalWeight(rows) / m } = rows
  return Array.from({ length: m }, (_, i) => (weights?.[i] ?? 1) / meanWeight / m)
}

/** Σᵢ share(i) loss(row i), and its derivative by the last layer's z, `[m, outputs]`. */
function outputLoss(
  { loss, classWeights }: OracleObjective,
  layers: readonly OracleLayer[],
  outputs: readonly LayerOutput[],
  rows: OracleRows,
): { value: number; delta: Float64Array } {
  const { x, m, target = x, labels } = rows
  const shares = sharesOf(rows)
  const { outputs: n, activation } = layers.at(-1)!
  const { z, a } = outputs.at(-1)!
  const delta = new Float64Array(m * n)
  let value = 0
  for (let i = 0; i < m; i++) {
    const share = shares[i]!
    const [rowZ, y] = [z.slice(i * n, (i + 1) * n), a.slice(i * n, (i + 1) * n)]
    if (loss === 'logLoss') {
      const label = labels![i]!
      const weight = classWeights?.[label] ?? 1
      value += share * weight * logLoss(rowZ, label)
      y[label]! -= 1
      delta.set(
        y.map((d) => share * weight * d),
        i * n,
      )
    } else {
      const t = Float64Array.from({ length: n }, (_, j) => target[i * n + j]!)
      value += share * rowLoss(loss, rowZ, y, t)
      const d = rowDelta(loss, activation as OracleActivation, rowZ, y, t)
      delta.set(
        d.map((one) => share * one),
        i * n,
      )
    }
  }
  return { value, delta }
}

/** Σₗ λₗ/2 ‖W[l]‖² over all stored matrices; adds λₗ W[l] to the gradient. Biases are not decayed. */
function decay(
  layers: readonly OracleLayer[],
  lambdas: readonly number[],
  theta: ArrayLike<number>,
  gradient: Float64Array,
): number {
  let value = 0
  places(layers).forEach(({ weights, owned }, l) => {
    const { inputs, outputs } = layers[l]!
    for (let p = weights; owned && p < weights + outputs * inputs; p++) {
      value += (lambdas[l]! / 2) * theta[p]! ** 2
      gradient[p]! += lambdas[l]! * theta[p]!
    }
  })
  return value
}

/** The penalties, and for each layer their derivative by its outputs, `[m, outputs]`. */
function penalise(
  layers: readonly OracleLayer[],
  penalties: readonly OraclePenalty[],
  outputs: readonly LayerOutput[],
  ownMeans: readonly Float64Array[],
  rows: OracleRows,
): { value: number; d_a: Float64Array[] } {
  const { m, means, weights } = rows
  const shares = sharesOf(rows)
  const d_a = outputs.map(({ a }) => new Float64Array(a.length))
  let value = 0
  penalties.forEach((penalty, p) => {
    const { outputs: n } = layers[penalty.layer]!
    const activation = layers[penalty.layer]!.activation as OracleActivation
    const { a } = outputs[penalty.layer]!
    const d = d_a[penalty.layer]!
    if (penalty.kind === 'l1') {
      for (let q = 0; q < a.length; q++) {
        const share = shares[Math.floor(q / n)]! * penalty.weight
        value += share * Math.abs(a[q]!)
        d[q]! += share * Math.sign(a[q]!)
      }
      return
    }
    const seen = means?.[p] ?? ownMeans[penalty.layer]!
    const row = meanPenaltySlope(penalty, activation, seen)
    value += meanPenalty(penalty, activation, seen)
    const total = totalWeight(rows)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) d[i * n + j]! += (row[j]! * (weights?.[i] ?? 1)) / total
    }
  })
  return { value, d_a }
}

/** Takes ∂J/∂z of the last layer down through all layers and adds ∂J/∂W and ∂J/∂b to the gradient. */
function backward(
  layers: readonly OracleLayer[],
  theta: ArrayLike<number>,
  x: ArrayLike<number>,
  m: number,
  outputs: readonly LayerOutput[],
  lossDelta: Float64Array,
  penaltySlopes: readonly Float64Array[],
  gradient: Float64Array,
): void {
  const at = places(layers)
  let fromAbove = lossDelta // ∂J/∂z of the last layer; below it, ∂J/∂a without the penalties
  for (let l = layers.length - 1; l >= 0; l--) {
    const { inputs, outputs: n, activation } = layers[l]!
    const { weights, perOutput, perInput, biases } = at[l]!
    const { z } = outputs[l]!
    const last = l === layers.length - 1
    const d_z = z.map((value, q) => {
      if (activation === 'softmax') return fromAbove[q]!
      const f = slope(activation, value)
      const penalty = penaltySlopes[l]![q]! * f
      return (last ? fromAbove[q]! : fromAbove[q]! * f) + penalty
    })
    const input = l === 0 ? x : outputs[l - 1]!.a
    const d_input = new Float64Array(m * inputs)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const d = d_z[i * n + j]!
        if (biases !== undefined) gradient[biases + j]! += d
        for (let k = 0; k < inputs; k++) {
          const weight = weights + j * perOutput + k * perInput
          gradient[weight]! += d * input[i * inputs + k]!
          d_input[i * inputs + k]! += d * theta[weight]!
        }
      }
    }
    fromAbove = d_input
  }
}
