import { columnMeans, forward, type OracleLayer, parameterCount, places } from './layers.js'
import type { OracleObjective } from './network.js'

/** A small seeded generator of numbers uniform on [0, 1), for test points only (mulberry32 by T. Ettinger). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Parameters and rows at which the cost is to be differentiated. */
export interface Point {
  readonly theta: Float64Array
  /** `[m, inputs]`, each in (0, 1). */
  readonly x: Float64Array
  readonly m: number
}

/**
 * A random point at least `distance` away from every kink of the cost, and with every mean activation of KL between 0.05 and 0.95, where KL
 * is not too steep: the cost is smooth where finite differences are taken. Weights and biases are uniform on ±`spread`; biases of satlin
 * and relu layers are raised so that units are active.
 */
export function pointAwayFromKinks(
  layers: readonly OracleLayer[],
  objective: OracleObjective,
  { m = 5, seed = 1, spread = 0.7, distance = 1e-3 } = {},
): Point {
  const random = seeded(seed)
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const theta = Float64Array.from({ length: parameterCount(layers) }, () => (2 * random() - 1) * spread)
    liftBiases(layers, theta)
    const x = Float64Array.from({ length: m * layers[0]!.inputs }, () => 0.05 + 0.9 * random())
    const point = { theta, x, m }
    if (kinkDistance(layers, objective, point) > distance && klMargin(layers, objective, point) > 0.05)
      return point
  }
  throw new Error(`no point farther than ${distance} from a kink in 10,000 attempts`)
}

function liftBiases(layers: readonly OracleLayer[], theta: Float64Array): void {
  places(layers).forEach(({ biases, end }, l) => {
    const { activation } = layers[l]!
    const lift = activation === 'satlin' ? 0.5 : activation === 'relu' ? 0.3 : 0
    for (let p = biases ?? end; p < end; p++) theta[p]! += lift
  })
}

/**
 * The smallest distance of any quantity from the place where the cost has a kink in it: z of relu and leakyRelu from 0, of satlin from 0 and 1,
 * penalised outputs of l1 from 0, y − x of `absolute` and ‖y − x‖ of `euclidean` from 0. Infinity for smooth costs.
 */
export function kinkDistance(
  layers: readonly OracleLayer[],
  objective: OracleObjective,
  { theta, x, m }: Point,
): number {
  const outputs = forward(layers, theta, x, m)
  let least = Infinity
  const near = (value: number, kink: number): void => {
    least = Math.min(least, Math.abs(value - kink))
  }
  layers.forEach(({ activation }, l) => {
    for (const z of outputs[l]!.z) {
      if (activation === 'relu' || activation === 'leakyRelu' || activation === 'satlin') near(z, 0)
      if (activation === 'satlin') near(z, 1)
    }
  })
  for (const { kind, layer } of objective.penalties) {
    // Where relu and satlin are 0, they are 0 on a whole side of their kink, and so is |a|.
    const flat = ['relu', 'satlin'].includes(layers[layer]!.activation)
    if (kind === 'l1' && !flat) for (const z of outputs[layer]!.z) near(z, 0)
  }
  const n = layers.at(-1)!.outputs
  const y = outputs.at(-1)!.a
  for (let i = 0; i < m; i++) {
    let square = 0
    for (let j = 0; j < n; j++) {
      const e = y[i * n + j]! - x[i * n + j]!
      if (objective.loss === 'absolute') near(e, 0)
      square += e * e
    }
    if (objective.loss === 'euclidean') near(Math.sqrt(square), 0)
  }
  return least
}

/** The smallest distance of a rate penalised by KL from 0 and 1. */
function klMargin(
  layers: readonly OracleLayer[],
  objective: OracleObjective,
  { theta, x, m }: Point,
): number {
  const outputs = forward(layers, theta, x, m)
  let least = Infinity
  for (const { kind, layer } of objective.penalties) {
    if (kind !== 'kl') continue
    for (const mean of columnMeans(outputs[layer]!.a, m, layers[layer]!.outputs)) {
      const r = layers[layer]!.activation === 'tanh' ? (mean + 1) / 2 : mean
      least = Math.min(least, r, 1 - r)
    }
  }
  return least
}
