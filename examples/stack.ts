// A stack is trained on digits layer by layer (Xue, "Inference of stacked sparse autoencoder", sections IV and V): 784 pixels, 200 units,
// 100, 50, each layer trained on the codes of the one below it; then a softmax on top, and all layers together. Writes into
// examples/output/:
//
//   stack-layer-1.png …    the input of length 1 that most excites each unit: strokes, then combinations of strokes
//   stack-reconstructions  test digits over their reconstructions from layer 1, 2 and 3
//   stack-codes …          codes of test digits in their two principal directions, coloured by class, before and after fine-tuning
//   stack-confusion        which digits are taken for which
//
//   npm run examples -- stack            20,000 digits
//   npm run examples -- stack --quick    5,000 digits, a few seconds
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  confusionPlot,
  excitingInputs,
  featureImage,
  type Matrix,
  Pca,
  reconstructionImage,
  StackedAutoencoder,
  type StackedClassifier,
  type StackedFitOptions,
  scatterPlot,
  writePng,
} from '../lib/index.js'
import { mnist, mnistLabels } from './demo/mnist.js'
import { atLength1, meanRows, meanSquares, shareMostExcited } from './stack/measures.js'

const WIDTH = 28
const LAYERS = [1, 2, 3]
const FOLDER = fileURLToPath(new URL('output/', import.meta.url))

/** The first layer has many inputs and is trained by many small steps; the others are small and are trained by L-BFGS. */
const fitOptions = (epochs: number, iterations: number): StackedFitOptions => ({
  layers: [
    { epochs, batchSize: 64 },
    { optimizer: { kind: 'lbfgs', maxIterations: iterations } },
    { optimizer: { kind: 'lbfgs', maxIterations: iterations } },
  ],
})

/** How long to train, and what must then be reached: accuracy on test digits, and the share of their variance lost by the top layer. */
const FULL = { rows: 20_000, fit: fitOptions(15, 150), tuning: 50, accuracy: 0.965, lost: 0.5 }
const QUICK = { rows: 5000, fit: fitOptions(10, 100), tuning: 30, accuracy: 0.9, lost: 0.75 }

export async function main({ quick = false } = {}): Promise<void> {
  const { rows, fit, tuning, accuracy: leastAccuracy, lost: mostLost } = quick ? QUICK : FULL
  const [images, labels] = await Promise.all([mnist('train'), mnistLabels('train')])
  const [test, testLabels] = await Promise.all([mnist('t10k'), mnistLabels('t10k')])
  const [x, y] = [images.slice(0, rows), labels.subarray(0, rows)]
  await mkdir(FOLDER, { recursive: true })

  const stack = new StackedAutoencoder({
    inputs: WIDTH * WIDTH,
    weightDecay: 1e-5,
    layers: [
      { hidden: 200, sparsity: { kind: 'kl', target: 0.1, weight: 3 }, weightDecay: 3e-3 },
      { hidden: 100, sparsity: { kind: 'kl', target: 0.1, weight: 0.1 } },
      { hidden: 50, sparsity: { kind: 'kl', target: 0.1, weight: 0.1 } },
    ],
  })
  const histories = await stack.fit(x, fit)
  histories.forEach(({ epochs }, k) => {
    const { cost, meanActivation } = epochs.at(-1)!
    console.log(
      `layer ${k + 1}: cost ${cost.total.toFixed(3)}, mean activation ${meanActivation.mean.toFixed(3)}`,
    )
  })
  await drawUnits(stack, test)
  await drawReconstructions(stack, test, mostLost)

  const classifier = stack.toClassifier({ classes: 10, weightDecay: 1e-4 })
  await classifier.fit(x, y, { optimizer: { kind: 'lbfgs', maxIterations: 100 } })
  const before = await classifier.score(test, testLabels)
  await drawCodes(classifier, test, testLabels, 'stack-codes')
  await classifier.fineTune(x, y, { optimizer: { kind: 'lbfgs', maxIterations: tuning } })
  const after = await classifier.score(test, testLabels)
  await drawCodes(classifier, test, testLabels, 'stack-codes-fine-tuned')
  await write('stack-confusion.svg', confusionPlot(after, { title: 'test digits' }))
  console.log(`accuracy on test digits ${percent(before.accuracy)}, fine-tuned ${percent(after.accuracy)}`)
  claim('fine-tuning helps', after.accuracy > before.accuracy)
  claim(
    `after fine-tuning at least ${percent(leastAccuracy)} of the digits are classified correctly`,
    after.accuracy >= leastAccuracy,
  )
}

/** What most excites the units, and that it does: more than any of 1,000 digits of the same length. */
async function drawUnits(stack: StackedAutoencoder, test: Matrix): Promise<void> {
  const digits = atLength1(test.slice(0, 1000))
  for (const layer of LAYERS) {
    const inputs = await excitingInputs(stack, { layer })
    const share = shareMostExcited(
      await stack.encode(inputs, { layer }),
      await stack.encode(digits, { layer }),
    )
    console.log(
      `layer ${layer}: ${percent(share)} of the units are most excited by the input computed for them`,
    )
    claim('no digit excites a unit more', share > 0.98)
    const file = `${FOLDER}stack-layer-${layer}.png`
    await writePng(file, featureImage(inputs, { width: WIDTH, zoom: 2, columns: 20 }))
    console.log(`written: ${file}`)
  }
}

/** What is left of a digit in each layer's codes. */
async function drawReconstructions(stack: StackedAutoencoder, test: Matrix, mostLost: number): Promise<void> {
  const whole = meanSquares(test, meanRows(test))
  const shown = test.slice(0, 20)
  const drawn = []
  let lost = 0
  for (const layer of LAYERS) {
    const back = await stack.decode(await stack.encode(test, { layer }), { layer })
    lost = meanSquares(test, back) / whole
    console.log(`layer ${layer}: ${percent(lost)} of the variance of test digits is lost`)
    drawn.push(back.slice(0, shown.rows))
  }
  claim('the top layer can still reconstruct digits', lost < mostLost)
  const file = `${FOLDER}stack-reconstructions.png`
  await writePng(file, reconstructionImage(shown, drawn, { width: WIDTH, zoom: 2, columns: 20 }))
  console.log(`written: ${file}`)
}

/** Codes of 2,000 digits in the plane in which they vary most. */
async function drawCodes(
  classifier: StackedClassifier,
  test: Matrix,
  labels: Uint8Array,
  name: string,
): Promise<void> {
  const shown = test.slice(0, 2000)
  const codes = await classifier.encode(shown)
  const pca = await new Pca({ components: 2 }).fit(codes)
  const points = await pca.transform(codes)
  const plot = scatterPlot(points, labels.subarray(0, shown.rows), {
    title: 'codes of test digits',
    xLabel: 'first principal direction',
    yLabel: 'second',
    height: 560,
  })
  await write(`${name}.svg`, plot)
}

async function write(name: string, svg: string): Promise<void> {
  await writeFile(FOLDER + name, svg)
  console.log(`written: ${FOLDER}${name}`)
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`
}

function claim(statement: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${statement}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
  await main(values)
}
