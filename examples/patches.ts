// Edges from photographs: 25 sparse units are trained on 10,000 patches of 8 × 8 pixels, and each becomes a detector of an edge in one
// place and direction. This is the exercise "Sparse Autoencoder" of the UFLDL tutorial with its settings, except for the images: the
// tutorial's are whitened; for these photographs plain gray is sufficient.
//
//   npm run examples -- patches
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { featureImage, preparePatches, SparseAutoencoder, samplePatches, writePng } from '../lib/index.js'
import { orientation } from './patches/orientation.js'
import { photographs } from './patches/photographs.js'

const SIZE = 8
/** A tile above this is called an edge. */
const ORIENTED = 0.5

export async function main(): Promise<void> {
  const drawn = await samplePatches(await photographs(), { size: SIZE, count: 10_000 })
  const patches = await preparePatches(drawn)
  const model = new SparseAutoencoder({
    inputs: SIZE * SIZE,
    hidden: 25,
    sparsity: { kind: 'kl', target: 0.01, weight: 3 },
    weightDecay: 1e-4,
  })
  const before = oriented(model)
  const { epochs, stopped } = await model.fit(patches, { optimizer: { kind: 'lbfgs', maxIterations: 400 } })
  const { cost, meanActivation } = epochs.at(-1)!
  const after = oriented(model)

  console.log(`${epochs.length} iterations, ${stopped}`)
  console.log(
    `cost ${cost.total.toFixed(4)} = loss ${cost.loss.toFixed(4)} + weight decay ${cost.weightDecay.toFixed(4)} + sparsity ${cost.sparsity.toFixed(4)}`,
  )
  console.log(`mean activation from ${meanActivation.min.toFixed(4)} to ${meanActivation.max.toFixed(4)}`)
  console.log(`edges among 25 features: ${after}; among the random weights before: ${before}`)

  const folder = fileURLToPath(new URL('output/', import.meta.url))
  await mkdir(folder, { recursive: true })
  await writePng(`${folder}patch-features.png`, featureImage(model, { width: SIZE, zoom: 8 }))
  console.log(`\nwritten: ${folder}patch-features.png`)
  if (after < 20 || before > 5) throw new Error('the features are not the edges that this example is about')
}

/** How many units detect an edge. */
function oriented(model: SparseAutoencoder): number {
  const { weights } = model.layers[0]!
  return Array.from({ length: weights.rows }, (_, j) => orientation(weights.row(j).data)).filter(
    (value) => value > ORIENTED,
  ).length
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
