// "Some norm": Johnson & Ramsundar define an autoencoder as what reconstructs its data best under some norm (section 2), and leave the
// norm open. Here the same network learns handwritten digits under four losses; a tenth of all pixels are outliers, black or white.
//
// Every model is the best, or nearly, in its own measure. The difference is visible at the border, where every digit is black and 5% of the
// pixels are white outliers: the squared loss gives the mean, 0.05, and so do the euclidean norm and the cross-entropy; the absolute loss
// gives the median, 0. The disadvantage is inside: a faint stroke is an outlier too, and the absolute loss reconstructs fewer of them.
//
//   npm run examples -- norms
//   npm run examples -- norms --quick    fewer digits
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Loss, type Matrix, reconstructionImage, SparseAutoencoder, writePng } from '../lib/index.js'
import { mnist } from './demo/mnist.js'
import { withOutliers } from './norms/outliers.js'

const LOSSES: readonly Loss[] = ['squared', 'euclidean', 'absolute', 'crossEntropy']
const HIDDEN = 64
const OUTLIERS = 0.1

/** Digits with outliers that a model was not trained on, and the same without. */
interface Unseen {
  readonly corrupted: Matrix
  readonly clean: Matrix
  readonly border: readonly boolean[]
}

interface Outcome {
  readonly loss: Loss
  /** The loss of each kind, on digits with outliers. */
  readonly measures: readonly number[]
  /** Σ(y − x)² between the reconstruction of a digit with outliers and the digit without. */
  readonly restored: number
  /** The mean reconstruction of a pixel that is black in every digit. */
  readonly border: number
  readonly reconstruction: Matrix
}

async function learn(loss: Loss, train: Matrix, unseen: Unseen, epochs: number): Promise<Outcome> {
  const model = autoencoder(loss)
  await model.fit(train, { epochs, batchSize: 64 })
  const measures = []
  for (const other of LOSSES) {
    const { loss } = await autoencoder(other).cost(unseen.corrupted, { parameters: model.parameters() })
    measures.push(loss)
  }
  const reconstruction = await model.reconstruct(unseen.corrupted)
  return { loss, measures, ...besideClean(reconstruction, unseen), reconstruction }
}

function autoencoder(loss: Loss): SparseAutoencoder {
  return new SparseAutoencoder({ inputs: 784, hidden: HIDDEN, loss })
}

function besideClean(y: Matrix, { clean, border }: Unseen): Pick<Outcome, 'restored' | 'border'> {
  let [squares, atBorder] = [0, 0]
  for (let k = 0; k < y.data.length; k++) {
    squares += (y.data[k]! - clean.data[k]! * clean.scale) ** 2
    if (border[k % y.cols]) atBorder += y.data[k]!
  }
  const pixels = border.filter(Boolean).length
  return { restored: squares / y.rows, border: atBorder / (y.rows * pixels) }
}

/** Of each pixel, whether it is 0 in every row. */
function blackIn(x: Matrix): boolean[] {
  const black = Array<boolean>(x.cols).fill(true)
  x.data.forEach((value, k) => {
    if (value !== 0) black[k % x.cols] = false
  })
  return black
}

export async function main({ quick = false } = {}): Promise<Outcome[]> {
  const [digits, test] = await Promise.all([mnist('train'), mnist('t10k')])
  const train = withOutliers(digits.slice(0, quick ? 2000 : 10_000), OUTLIERS, 1)
  const clean = test.slice(0, 1000)
  const unseen = {
    clean,
    corrupted: withOutliers(clean, OUTLIERS, 2),
    border: blackIn(digits.slice(0, 10_000)),
  }
  console.log(
    `784-${HIDDEN}-784 on ${train.rows.toLocaleString('en')} digits; ${100 * OUTLIERS}% of the pixels are outliers\n`,
  )
  console.log('                        loss of new digits with outliers           beside those without')
  console.log('trained under     squared  euclidean   absolute  crossEntropy    Σ(y − x)²  border pixel')
  const outcomes: Outcome[] = []
  for (const loss of LOSSES) {
    const outcome = await learn(loss, train, unseen, quick ? 10 : 20)
    outcomes.push(outcome)
    const cells = [...outcome.measures, outcome.restored].map((value, i) =>
      value.toFixed(2).padStart([11, 11, 11, 14, 13][i]!),
    )
    console.log(`${loss.padEnd(14)}${cells.join('')}${outcome.border.toFixed(4).padStart(14)}`)
  }

  const folder = fileURLToPath(new URL('output/', import.meta.url))
  await mkdir(folder, { recursive: true })
  for (const { loss, reconstruction } of outcomes) {
    const pairs = reconstructionImage(unseen.corrupted.slice(0, 20), reconstruction.slice(0, 20), {
      width: 28,
      zoom: 2,
    })
    await writePng(`${folder}norms-${loss}.png`, pairs)
  }
  console.log(`\ndigits with outliers over their reconstructions: ${folder}norms-*.png`)

  LOSSES.forEach((loss, i) => {
    const best = Math.min(...outcomes.map(({ measures }) => measures[i]!))
    // The squared norm and its root give nearly the same ranking of reconstructions.
    claim(
      `the ${loss} loss is least, or nearly, where it was trained for`,
      outcomes[i]!.measures[i]! < 1.02 * best,
    )
  })
  for (const { loss, border } of outcomes) {
    if (loss === 'absolute')
      claim('the absolute loss reconstructs a border pixel as its median', border < 0.01)
    else
      claim(
        `the ${loss} loss reconstructs a border pixel as its mean`,
        Math.abs(border - OUTLIERS / 2) < 0.02,
      )
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
