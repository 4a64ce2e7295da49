// A sparse autoencoder on a bag of words: its units learn topics, and are named here by their strongest words.
//
// The messages are made up from lists of words, most of them of one topic or two. They stay sparse: of each message only the words that it
// has are stored.
//
//   npm run examples -- newsgroups
import { SparseAutoencoder, SparseMatrix } from '../lib/index.js'

const topics: Record<string, string> = {
  space:
    'orbit rocket launch moon satellite nasa shuttle astronaut telescope planet mars engine gravity lunar',
  hockey: 'goal team season player coach puck ice league score playoff goalie referee stick overtime',
  medicine:
    'doctor patient disease treatment symptom drug dose clinic infection diet vitamin therapy pain nurse',
  motorcycles: 'bike ride helmet brake tire engine highway rider clutch throttle chain wheel lane garage',
  graphics: 'image pixel color file format render screen polygon texture card driver window palette shade',
  cooking: 'recipe oven butter flour sugar salt garlic onion sauce boil bake spoon pepper cheese',
}
const common = 'the and of to in is it that for with on have be this are was not but you they'.split(' ')
const words = [...new Set([...common, ...Object.values(topics).flatMap((list) => list.split(' '))])]

let state = 7
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}
const oneOf = (list: readonly string[]) => list[Math.floor(random() * list.length)]!

/** Some thirty words: two thirds of them of one or two topics, the others common ones. */
function message(): string[] {
  const about = [oneOf(Object.keys(topics)), oneOf(Object.keys(topics))]
  return Array.from({ length: 30 }, () =>
    random() < 0.65 ? oneOf(topics[oneOf(about)]!.split(' ')) : oneOf(common),
  )
}

/** One row a message: each word's count c as c / (1 + c), from 0 to 1, weighted by how few messages have the word. */
function bagOfWords(messages: readonly string[][]): SparseMatrix {
  const counts = messages.map((text) => {
    const row = new Map<number, number>()
    for (const word of text) row.set(words.indexOf(word), (row.get(words.indexOf(word)) ?? 0) + 1)
    return row
  })
  const inMessages = new Map<number, number>()
  for (const row of counts)
    for (const word of row.keys()) inMessages.set(word, (inMessages.get(word) ?? 0) + 1)
  const rarity = (word: number) =>
    Math.log(messages.length / inMessages.get(word)!) / Math.log(messages.length)
  const [indptr, indices, values] = [[0], [] as number[], [] as number[]]
  for (const row of counts) {
    for (const [word, count] of [...row].sort(([a], [b]) => a - b)) {
      indices.push(word)
      values.push((count / (1 + count)) * rarity(word))
    }
    indptr.push(indices.length)
  }
  return SparseMatrix.from({ indptr, indices, values, rows: messages.length, cols: words.length })
}

const x = bagOfWords(Array.from({ length: 2000 }, message))
const share = (100 * x.stored) / (x.rows * x.cols)
console.log(`${x.rows} messages, ${x.cols} words, ${share.toFixed(0)}% of the numbers are stored\n`)

const HIDDEN = 12
const model = new SparseAutoencoder({
  inputs: x.cols,
  hidden: HIDDEN,
  outputActivation: 'identity',
  sparsity: { kind: 'kl', target: 0.15, weight: 0.05 },
  weightDecay: 1e-4,
  seed: 1,
})
const before = await model.cost(x)
await model.fit(x, { epochs: 60, batchSize: 100, learningRate: 0.01 })
const after = await model.cost(x)
console.log(`loss ${before.loss.toFixed(3)} before, ${after.loss.toFixed(3)} after training\n`)

// A unit is named by the words that its decoder weights write into a message.
const decoder = model.layers[1]!.weights
for (let unit = 0; unit < HIDDEN; unit++) {
  const ranked = words
    .map((word, j) => ({ word, weight: decoder.at(j, unit) }))
    .sort((a, b) => b.weight - a.weight)
  const strongest = ranked.slice(0, 6).map(({ word }) => word)
  console.log(`unit ${String(unit).padStart(2)}: ${strongest.join(' ')}`)
}
