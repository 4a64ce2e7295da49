// What an autoencoder can compress (Xue, "Inference of stacked sparse autoencoder", section III): 100 inputs through 50 hidden units.
// Where every input is independent of the others there is nothing to find, and half of the data is lost. Where ten causes lie
// behind all inputs, 50 units keep nearly everything.
//
// 200 hidden units have room to copy any input, whether there is something to find or not. A sparsity penalty takes that room
// away: what has structure still comes through, and what has none loses many times more.
//
//   npm run examples -- compression
import { fileURLToPath } from 'node:url'
import { type Matrix, SparseAutoencoder, type Sparsity } from '../lib/index.js'
import { correlatedRows, independentRows } from './compression/gaussian.js'

const INPUTS = 100
const TRAINING_ROWS = 3000
const TEST_ROWS = 1000

const DATA = {
  independent: (rows: number, seed: number) => independentRows(rows, INPUTS, seed),
  correlated: (rows: number, seed: number) => correlatedRows(rows, INPUTS, { causes: 10, noise: 0.1, seed }),
}

/** Without weight decay a penalty on activations would be idle: tiny codes could be read off by huge weights. */
const WEIGHT_DECAY = 3e-3
const DENSE: Sparsity = { kind: 'none' }
const SPARSE: Sparsity = { kind: 'kl', target: 0.05, weight: 10 }

/** Of rows that were not trained on; all are shares of 1. */
interface Outcome {
  /** Variance not explained: squared error over squared distance from the mean, which is 0. */
  readonly lost: number
  readonly meanActivation: number
  /** Activations above ½. */
  readonly active: number
}

export async function main(): Promise<void> {
  console.log('inputs       hidden  penalty  variance explained  mean activation  active units')
  const [noise, causes] = await onBoth(50, DENSE)
  const [noiseCopied, causesCopied] = await onBoth(200, DENSE)
  const [noiseSparse, causesSparse] = await onBoth(200, SPARSE)

  claim('50 of 100 units cannot keep more than about half of independent inputs', noise.lost > 0.48)
  claim('50 of 100 units keep nearly all of correlated inputs', causes.lost < 0.05)
  claim(
    '200 units copy independent and correlated inputs',
    Math.max(noiseCopied.lost, causesCopied.lost) < 0.05,
  )
  claim(
    'about half of 200 units are active when they copy',
    Math.min(noiseCopied.active, causesCopied.active) > 0.4,
  )
  claim('with the penalty few units are active', Math.max(noiseSparse.active, causesSparse.active) < 0.05)
  claim('with the penalty correlated inputs are still kept', causesSparse.lost < 0.08)
  claim(
    'with the penalty many times more is lost of independent inputs',
    noiseSparse.lost > 3 * causesSparse.lost,
  )
}

/** Trains on independent inputs, and on correlated ones. */
async function onBoth(hidden: number, sparsity: Sparsity): Promise<readonly [Outcome, Outcome]> {
  const outcomes = []
  for (const [kind, draw] of Object.entries(DATA)) {
    const outcome = await learn(draw(TRAINING_ROWS, 1), draw(TEST_ROWS, 2), hidden, sparsity)
    outcomes.push(outcome)
    const numbers = [1 - outcome.lost, outcome.meanActivation, outcome.active]
    const cells = numbers.map((share, i) => `${(100 * share).toFixed(1)}%`.padStart([20, 17, 14][i]!))
    console.log(`${kind.padEnd(11)}  ${`${hidden}`.padStart(6)}  ${sparsity.kind.padEnd(5)}${cells.join('')}`)
  }
  return outcomes as [Outcome, Outcome]
}

async function learn(x: Matrix, fresh: Matrix, hidden: number, sparsity: Sparsity): Promise<Outcome> {
  const model = new SparseAutoencoder({
    inputs: x.cols,
    hidden,
    outputActivation: 'identity',
    sparsity,
    weightDecay: WEIGHT_DECAY,
  })
  await model.fit(x, { optimizer: { kind: 'lbfgs', maxIterations: 100 } })
  const errors = await model.reconstructionError(fresh)
  const codes = await model.encode(fresh)
  return {
    lost: mean(errors) / (x.cols * mean(fresh.data, (value) => value ** 2)),
    meanActivation: mean(codes.data),
    active: mean(codes.data, (activation) => (activation > 0.5 ? 1 : 0)),
  }
}

function mean(values: Matrix['data'], term = (value: number) => value): number {
  let sum = 0
  for (const value of values) sum += term(value)
  return sum / values.length
}

function claim(statement: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${statement}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
