import {
  LinearAutoencoder,
  type LinearOptimum,
  linearOptimum,
  type Matrix,
  type Pca,
  principalAngles,
  principalAxes,
} from '../../lib/index.js'

/** A training and its theoretical result. */
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
    onEpoch: async ({ epoch, cost }) => {
      gaps.push([epoch, (cost.total - optimum.total) / optimum.total])
      const { vectors } = await principalAxes(model)
      const between = await principalAngles(vectors.slice(0, kept), components)
      angles.push([epoch, between.at(-1)!])
    },
  })
  return { model, pca, optimum, angles, gaps }
}

/** Of each axis found, its angle to the principal direction of the same rank, in radians. */
export async function axisAngles({ model, pca, optimum }: Approach): Promise<number[]> {
  const { vectors } = await principalAxes(model)
  const kept = optimum.singularValues.filter((s) => s > 0).length
  return Promise.all(
    Array.from({ length: kept }, (_, i) => angleBetween(vectors.row(i), pca.components.row(i))),
  )
}

/** Of each row of W, its angle to the nearest principal direction. */
export async function rowAngles({ model, pca }: Approach): Promise<number[]> {
  const { weights } = model.layers[0]!
  const components = Array.from({ length: weights.rows }, (_, i) => pca.components.row(i))
  const rows = Array.from({ length: weights.rows }, (_, k) => weights.row(k))
  return Promise.all(
    rows.map(async (row) =>
      Math.min(...(await Promise.all(components.map((component) => angleBetween(row, component))))),
    ),
  )
}

async function angleBetween(a: Matrix, b: Matrix): Promise<number> {
  const [angle] = await principalAngles(a, b)
  return angle!
}
