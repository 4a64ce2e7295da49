// A sparse autoencoder learns the strokes of 60,000 handwritten digits: 784 pixels, 196 hidden units, each active a tenth of
// the time. Writes three pictures into demo-output/.
//
//   npm run demo               all digits, 20 epochs
//   npm run demo -- --quick    20,000 digits, 10 epochs
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  featureImage,
  learningCurve,
  type Matrix,
  Pca,
  reconstructionImage,
  runtime,
  SparseAutoencoder,
  type TrainingHistory,
  writePng,
} from '../lib/index.js'
import { mnist } from './demo/mnist.js'
import { progressBar } from './demo/progress-bar.js'
import { meanError } from './pca.js'

const WIDTH = 28
const HIDDEN = 196
const SPARSITY = { kind: 'kl', target: 0.1, weight: 3 } as const

const start = performance.now()
const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const [all, test] = await Promise.all([mnist('train'), mnist('t10k')])
const [digits, epochs] = options.quick ? [all.slice(0, 20_000), 10] : [all, 20]
/** Fails if more than this share of the test digits' variance is lost. */
const MOST_LOST = options.quick ? 0.7 : 0.45

const model = new SparseAutoencoder({
  inputs: WIDTH * WIDTH,
  hidden: HIDDEN,
  sparsity: SPARSITY,
  weightDecay: 3e-3,
})
const { version, openblas, kernel, threads } = runtime()
console.log(`layerwise ${version}, OpenBLAS ${openblas} ${kernel}, ${threads} threads`)
console.log(`learning ${HIDDEN} features of ${digits.rows.toLocaleString('en')} digits in ${epochs} epochs\n`)
const history = await model.fit(digits, { epochs, ...progressBar(process.stdout) })
const trained = history.epochs.reduce((sum, { seconds }) => sum + seconds, 0)
console.log(`\ntrained in ${trained.toFixed(1)} s`)

await describeCost(model, digits)
await compareErrors(model, digits, test)
await describeActivations(model, digits)
await drawPictures(model, history, test)
console.log(`\n${((performance.now() - start) / 1000).toFixed(1)} s in all`)

/** The parts of J over the training digits, exactly. */
async function describeCost(model: SparseAutoencoder, digits: Matrix): Promise<void> {
  const { total, loss, weightDecay, sparsity } = await model.cost(digits)
  console.log(
    `cost ${total.toFixed(2)} = loss ${loss.toFixed(2)} + weight decay ${weightDecay.toFixed(2)} + sparsity ${sparsity.toFixed(2)}`,
  )
}

/** The error on digits that were not trained on, beside two simple descriptions of a digit. */
async function compareErrors(model: SparseAutoencoder, digits: Matrix, test: Matrix): Promise<void> {
  const pca = await new Pca({ components: HIDDEN }).fit(digits)
  const ours = await meanError(model, test)
  const mean = distanceTo(pca.mean, test)
  const linear = await meanError(pca, test)
  console.log('\nsquared error of a test digit, summed over its pixels')
  console.log(`  ${mean.toFixed(2).padStart(5)}  the mean digit in its place`)
  console.log(`  ${ours.toFixed(2).padStart(5)}  this model: ${HIDDEN} sparse units`)
  console.log(
    `  ${linear.toFixed(2).padStart(5)}  PCA: ${HIDDEN} components, all of them at work in every digit`,
  )
  if (!(ours < MOST_LOST * mean)) throw new Error('the model does not reconstruct digits')
}

/** Mean over the rows of ‖row − point‖². */
function distanceTo(point: Float64Array, x: Matrix): number {
  let sum = 0
  x.data.forEach((stored, k) => {
    sum += (stored * x.scale - point[k % x.cols]!) ** 2
  })
  return sum / x.rows
}

/** ρ̂ of every hidden unit over the training digits, against ρ. */
async function describeActivations(model: SparseAutoencoder, digits: Matrix): Promise<void> {
  const codes = await model.encode(digits)
  const means = new Float64Array(codes.cols)
  codes.data.forEach((activation, k) => {
    means[k % codes.cols]! += activation / codes.rows
  })
  means.sort()
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length
  const [least, most] = [means[0]!, means.at(-1)!]
  console.log(
    `\nmean activation of a hidden unit: ${mean.toFixed(3)}, from ${least.toFixed(3)} to ${most.toFixed(3)}; target ${SPARSITY.target}`,
  )
  if (!(least > 0.5 * SPARSITY.target && most < 2 * SPARSITY.target)) {
    throw new Error('the sparsity penalty has not held the units near their target')
  }
}

async function drawPictures(model: SparseAutoencoder, history: TrainingHistory, test: Matrix): Promise<void> {
  const folder = fileURLToPath(new URL('../demo-output/', import.meta.url))
  await mkdir(folder, { recursive: true })
  await writePng(`${folder}features.png`, featureImage(model, { width: WIDTH, zoom: 2 }))
  const some = test.slice(0, 20)
  const pairs = reconstructionImage(some, await model.reconstruct(some), { width: WIDTH, zoom: 2 })
  await writePng(`${folder}reconstructions.png`, pairs)
  await writeFile(`${folder}learning-curve.svg`, learningCurve(history, { yScale: 'log' }))
  console.log(`\nfeatures of the units        ${folder}features.png`)
  console.log(`digits over reconstructions  ${folder}reconstructions.png`)
  console.log(`cost of each epoch           ${folder}learning-curve.svg`)
}
