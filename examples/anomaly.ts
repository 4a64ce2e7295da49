// What a model has never seen, it reconstructs badly: the reconstruction error as an anomaly score. A digit is left out of training; among
// new digits of all ten kinds, how often does one of that kind score higher than one of another (the area under the ROC curve)?
// ½ is chance. A sparse autoencoder beside PCA.
//
// The left-out 1 shows a limit of the method: a single stroke is simpler than the digits of the training, and the models reconstruct it
// better than those.
//
//   npm run examples -- anomaly
//   npm run examples -- anomaly --quick    one digit
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { featureImage, type Matrix, Pca, rocAuc, SparseAutoencoder, writePng } from '../lib/index.js'
import { mnist, mnistLabels } from './demo/mnist.js'

const COMPONENTS = 30
const HIDDEN = 100

interface Data {
  readonly digits: Matrix<Uint8Array>
  readonly labels: Uint8Array
  readonly test: Matrix<Uint8Array>
  readonly testLabels: Uint8Array
}

interface Outcome {
  readonly digit: number
  readonly pca: number
  readonly sparse: number
  readonly model: SparseAutoencoder
}

async function leaveOut(
  digit: number,
  { digits, labels, test, testLabels }: Data,
  quick: boolean,
): Promise<Outcome> {
  const train = rowsWhere(digits, (i) => labels[i] !== digit, quick ? 8000 : 10_000)
  const isAnomaly = Array.from(testLabels, (label) => label === digit)
  const pca = await new Pca({ components: COMPONENTS }).fit(train)
  const model = new SparseAutoencoder({
    inputs: train.cols,
    hidden: HIDDEN,
    sparsity: { kind: 'kl', target: 0.1, weight: 3 },
    weightDecay: 1e-3,
  })
  await model.fit(train, { epochs: quick ? 15 : 20, batchSize: 100 })
  return {
    digit,
    pca: rocAuc(await pca.reconstructionError(test), isAnomaly),
    sparse: rocAuc(await model.reconstructionError(test), isAnomaly),
    model,
  }
}

/** The first rows for which `isWanted` is true, at most `most`. */
function rowsWhere(
  x: Matrix<Uint8Array>,
  isWanted: (row: number) => boolean,
  most: number,
): Matrix<Uint8Array> {
  const chosen = Array.from({ length: x.rows }, (_, i) => i)
    .filter(isWanted)
    .slice(0, most)
  return x.select(chosen)
}

export async function main({ quick = false } = {}): Promise<Outcome[]> {
  const [digits, labels, test, testLabels] = await Promise.all([
    mnist('train'),
    mnistLabels('train'),
    mnist('t10k'),
    mnistLabels('t10k'),
  ])
  const data = { digits, labels, test, testLabels }
  console.log('area under the ROC curve of the reconstruction error, 10,000 new digits\n')
  console.log(`left out   PCA, ${COMPONENTS} components   sparse autoencoder, ${HIDDEN} units`)
  const outcomes: Outcome[] = []
  for (const digit of quick ? [8] : [0, 3, 8, 1]) {
    const outcome = await leaveOut(digit, data, quick)
    outcomes.push(outcome)
    console.log(
      `${`${digit}`.padStart(8)}${outcome.pca.toFixed(3).padStart(20)}${outcome.sparse.toFixed(3).padStart(31)}`,
    )
  }

  const { digit, model } = outcomes.find((outcome) => outcome.digit === 8)!
  const anomalies = rowsWhere(test, (i) => testLabels[i] === digit, 20)
  const squares = await model.reconstructionErrorPerFeature(anomalies)
  const folder = fileURLToPath(new URL('output/', import.meta.url))
  await mkdir(folder, { recursive: true })
  await writePng(`${folder}anomaly-digits.png`, featureImage(anomalies, { width: 28, zoom: 2, columns: 10 }))
  await writePng(`${folder}anomaly-errors.png`, featureImage(squares, { width: 28, zoom: 2, columns: 10 }))
  console.log(
    `\neights, which the model was not trained on, and their errors by pixel: ${folder}anomaly-*.png`,
  )

  claim('eights stand out among other digits', outcomes.find((outcome) => outcome.digit === 8)!.sparse > 0.8)
  for (const { digit, pca, sparse } of outcomes) {
    if (digit === 1) claim('ones do not stand out among other digits', Math.max(pca, sparse) < 0.5)
    else claim('the sparse autoencoder detects anomalies better than PCA', sparse > pca)
  }
  return outcomes
}

function claim(statement: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${statement}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
  await main(values)
}
