import { orientation } from '../../examples/patches/orientation.js'
import { photographs } from '../../examples/patches/photographs.js'
import {
  encodePng,
  featureImage,
  type Matrix,
  preparePatches,
  SparseAutoencoder,
  samplePatches,
} from '../../lib/index.js'
import { relativeError } from '../../test/oracle/numeric-gradient.js'
import type { Recipe } from './recipe.js'
import { lbfgs } from './ufldl.js'

const SIZE = 8
const OPTIONS = {
  inputs: SIZE * SIZE,
  hidden: 25,
  sparsity: { kind: 'kl', target: 0.01, weight: 3 },
  weightDecay: 1e-4,
} as const
/** A feature above this is called an edge. */
const ORIENTED = 0.5

export const patches: Recipe = {
  name: 'patches',
  title: '64-25-64 on 10,000 patches of photographs, ρ 0.01, λ 1e-4, β 3, 400 iterations of L-BFGS',
  source: 'UFLDL, exercise “Sparse Autoencoder”',
  run: async ({ quick, say, onProgress }) => {
    const drawn = await samplePatches(await photographs(), { size: SIZE, count: quick ? 4000 : 10_000 })
    const rows = await preparePatches(drawn)
    say('gradient against central differences')
    const error = await gradientError(rows.slice(0, quick ? 20 : 1000))
    const model = new SparseAutoencoder(OPTIONS)
    await model.fit(rows, { optimizer: lbfgs(400), onProgress })
    return {
      figures: [
        { label: 'error of the gradient, 1e-9', value: error / 1e-9, published: '< 1', goal: { atMost: 1 } },
        {
          label: 'edges among 25 features',
          value: edges(model),
          digits: 0,
          published: 'edge filters',
          goal: { atLeast: 20 },
        },
      ],
      notes: [
        'The error is ‖g − ĝ‖ / (‖g‖ + ‖ĝ‖) over all 3,289 parameters, in float64. A feature counts as an edge where more than half of what its ' +
          'brightness changes is along one direction. UFLDL’s photographs are whitened, these are not.',
      ],
      pictures: { 'patches.png': encodePng(featureImage(model, { width: SIZE, zoom: 8 })) },
    }
  },
}

function edges(model: SparseAutoencoder): number {
  const { weights } = model.layers[0]!
  return Array.from({ length: weights.rows }, (_, j) => orientation(weights.row(j).data)).filter(
    (value) => value > ORIENTED,
  ).length
}

/** ∂J/∂θₚ ≈ (J(θ + heₚ) − J(θ − heₚ)) / 2h at the first weights, for every p. */
async function gradientError(x: Matrix): Promise<number> {
  const model = new SparseAutoencoder({ ...OPTIONS, precision: 'float64' })
  const { gradient } = await model.cost(x, { gradient: true })
  const parameters = model.parameters()
  const numeric = new Float64Array(parameters.length)
  const h = 1e-5
  for (let p = 0; p < parameters.length; p++) {
    const middle = parameters[p]!
    parameters[p] = middle + h
    const above = await model.cost(x, { parameters })
    parameters[p] = middle - h
    const below = await model.cost(x, { parameters })
    parameters[p] = middle
    numeric[p] = (above.total - below.total) / (2 * h)
  }
  return relativeError(gradient!, numeric)
}
