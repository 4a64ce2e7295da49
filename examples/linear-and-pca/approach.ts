import {
  LinearAutoencoder,
  type LinearOptimum,
  linearOptimum,
  type Matrix,
  type Pca,
  principalAngles,
  principalAxes,
} from '../../lib/index.js'

/** A training beside what it comes to. */
export interface Approach {
  readonly model: LinearAutoencoder<'float64'>
  readonly pca: Pca<'float64'>
  readonly optimum: LinearOptimum
  /** After each iteration: the largest angle between the spans of axes and components, and how far the cost is above the least, relative. */
  readonly angles: readonly [iteration: number, angle: number][]
  readonly gaps: readonly [iteration: number, gap: number][]
}

/** Trains on centred rows by L-BFGS, and measures on the way. */
export async function approach(
  x: Matrix,
  pca: Pca<'float64'>,
  options: { hidden: number; tied: boolean; weightDecay: number },
): Promise<Approach> {
  const model = new LinearAutoencoder({ inputs: x.cols, center: true, precision: 'float64', ...options })
  const optimum = linearOptimum(pca.explainedVariance, options)
  // Where directions have vanished, what is left of them points anywhere.
  const kept = optimum.singularValues.filter((s) => s > 0).length
  const components = pca.components.slice(0, kept)
  const angles: [number, number][] = []
  const gaps: [number, number][] = []
  await model.fit(x, {
    optimizer: { kind: 'lbfgs', maxIterations: 800, tolerance: 0 },
    onEpoch: ({ epoch, cost }) => {
      gaps.push([epoch, (cost.total - optimum.total) / optimum.total])
      angles.push([epoch, principalAngles(principalAxes(model).vectors.slice(0, kept), components).at(-1)!])
    },
  })
  return { model, pca, optimum, angles, gaps }
}

/** Of each axis found, its angle to the principal direction of the same rank, in radians. */
export function axisAngles({ model, pca, optimum }: Approach): number[] {
  const { vectors } = principalAxes(model)
  const kept = optimum.singularValues.filter((s) => s > 0).length
  return Array.from({ length: kept }, (_, i) => angleBetween(vectors.row(i), pca.components.row(i)))
}

/** Of each row of W, its angle to the nearest principal direction. */
export function rowAngles({ model, pca }: Approach): number[] {
  const { weights } = model.layers[0]!
  const components = Array.from({ length: weights.rows }, (_, i) => pca.components.row(i))
  return Array.from({ length: weights.rows }, (_, k) =>
    Math.min(...components.map((component) => angleBetween(weights.row(k), component))),
  )
}

function angleBetween(a: Float64Array, b: Float64Array): number {
  return principalAngles([[...a]], [[...b]])[0]!
}
