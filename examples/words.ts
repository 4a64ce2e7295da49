// Which autoencoder suits embeddings? 20,000 word vectors of 100 numbers are reduced to 32, by PCA and by four autoencoders. What counts is that words keep
// their neighbours: of the ten nearest by the cosine of the 100 numbers, how many are among the ten nearest by that of the 32? Asked for every tenth word,
// with all 20,000 compared.
//
//   npm run examples -- words
//   npm run examples -- words --quick    2,000 vectors that are made, nothing is brought
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type LayerwiseError, type Matrix, MinMaxScaler, Pca, SparseAutoencoder } from '../lib/index.js'
import { nearest, recall, unitRows } from './words/neighbours.js'
import { gloveWords, madeWords } from './words/vectors.js'

type Vectors = Matrix<Float32Array>

const NEIGHBOURS = 10
const hidden = 32

/** Codes, and R² of what they reconstruct. */
interface Reduced {
  readonly codes: Vectors
  readonly rSquared: number
}

async function byPca(x: Vectors): Promise<Reduced> {
  const pca = await new Pca({ components: hidden }).fit(x)
  const rSquared = pca.explainedVarianceRatio.reduce((sum, share) => sum + share, 0)
  return { codes: await pca.transform(x), rSquared }
}

async function byAutoencoder(
  model: SparseAutoencoder,
  x: Vectors,
  options: Parameters<SparseAutoencoder['fit']>[1] = {},
): Promise<Reduced> {
  const { reconstruction } = await model.fit(x, options)
  return { codes: await model.encode(x), rSquared: reconstruction!.rSquared! }
}

async function byDefaults(x: Vectors): Promise<Reduced> {
  const scaling = await new MinMaxScaler().fit(x)
  return byAutoencoder(new SparseAutoencoder({ inputs: x.cols, hidden, scaling }), x)
}

const tanh = (inputs: number, weightDecay = 0) =>
  new SparseAutoencoder({ inputs, hidden, activation: 'tanh', outputActivation: 'identity', weightDecay })

export async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
  const { words, vectors } = values.quick ? madeWords(2000) : await gloveWords()
  const queries = Array.from({ length: vectors.rows / 10 }, (_, i) => 10 * i)
  const wanted = nearest(vectors, queries, NEIGHBOURS)

  const refused = await new SparseAutoencoder({ inputs: vectors.cols, hidden })
    .fit(vectors)
    .catch((error: LayerwiseError) => error)
  if (!('code' in refused)) throw new Error('sigmoid outputs do not reach word vectors')
  console.log(`all defaults: ${refused.code}, ${refused.message}\n`)

  const trials: Record<string, () => Promise<Reduced>> = {
    Pca: () => byPca(vectors),
    'defaults with a MinMaxScaler': () => byDefaults(vectors),
    'tanh units, identity outputs': () => byAutoencoder(tanh(vectors.cols), vectors),
    'the same by L-BFGS, rows of length 1': () =>
      byAutoencoder(tanh(vectors.cols), unitRows(vectors), { optimizer: { kind: 'lbfgs' } }),
    'by Adam, rows of length 1, decay 1e-4': () => byAutoencoder(tanh(vectors.cols, 1e-4), unitRows(vectors)),
  }
  console.log(`${''.padEnd(38)}recall    R²  seconds`)
  const found: number[] = []
  let codes = vectors
  for (const [name, reduce] of Object.entries(trials)) {
    const begun = performance.now()
    const reduced = await reduce()
    const seconds = (performance.now() - begun) / 1000
    codes = reduced.codes
    const share = recall(wanted, nearest(codes, queries, NEIGHBOURS))
    console.log(
      `${name.padEnd(38)}${share.toFixed(3).padStart(6)}${reduced.rSquared.toFixed(3).padStart(7)}${seconds.toFixed(1).padStart(7)}`,
    )
    found.push(share)
  }
  if (values.quick) return

  for (const word of ['river', 'guitar']) {
    const query = [words.indexOf(word)]
    const near = (rows: Vectors) =>
      nearest(rows, query, 5)[0]!
        .map((row) => words[row])
        .join(', ')
    console.log(`\n${word}: ${near(vectors)}\n  by 32 numbers: ${near(codes)}`)
  }
  const [pca, defaults, network] = found as [number, number, number]
  if (defaults > pca - 0.03 || Math.abs(network - pca) > 0.03)
    throw new Error('the order of the table in docs/which-model.md does not hold')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
