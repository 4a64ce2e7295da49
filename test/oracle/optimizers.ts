/** One step of an optimizer: changes θ in place, given the gradient and the learning rate. */
export type OracleOptimizer = (theta: Float64Array, gradient: ArrayLike<number>, learningRate: number) => void

/** θ ← θ − α g. */
export function gradientDescent(): OracleOptimizer {
  return (theta, gradient, learningRate) => {
    for (let p = 0; p < theta.length; p++) theta[p]! -= learningRate * gradient[p]!
  }
}

/** v ← μ v + g, θ ← θ − α v (Polyak's heavy ball). */
export function momentum(mu: number): OracleOptimizer {
  let v: Float64Array | undefined
  return (theta, gradient, learningRate) => {
    v ??= new Float64Array(theta.length)
    for (let p = 0; p < theta.length; p++) {
      v[p] = mu * v[p]! + gradient[p]!
      theta[p]! -= learningRate * v[p]!
    }
  }
}

/** Adam as in Kingma & Ba 2015, algorithm 1, both moments bias-corrected, ε outside the root. */
export function adam(beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8): OracleOptimizer {
  let first: Float64Array | undefined
  let second: Float64Array | undefined
  let t = 0
  return (theta, gradient, learningRate) => {
    first ??= new Float64Array(theta.length)
    second ??= new Float64Array(theta.length)
    t++
    for (let p = 0; p < theta.length; p++) {
      const g = gradient[p]!
      first[p] = beta1 * first[p]! + (1 - beta1) * g
      second[p] = beta2 * second[p]! + (1 - beta2) * g * g
      const mean = first[p]! / (1 - beta1 ** t)
      const square = second[p]! / (1 - beta2 ** t)
      theta[p]! -= (learningRate * mean) / (Math.sqrt(square) + epsilon)
    }
  }
}

/** Exponential mean of the batches' mean activations, bias-corrected as Adam's moments are. */
export function movingMean(decay = 0.9): (batchMeans: ArrayLike<number>) => Float64Array {
  let sum: Float64Array | undefined
  let t = 0
  return (batchMeans) => {
    sum ??= new Float64Array(batchMeans.length)
    t++
    for (let j = 0; j < sum.length; j++) sum[j] = decay * sum[j]! + (1 - decay) * batchMeans[j]!
    return sum.map((value) => value / (1 - decay ** t))
  }
}
