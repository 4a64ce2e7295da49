import { Matrix, openDataset, SparseAutoencoder } from '../../lib/index.js'
import { must } from './proof.js'

const INPUTS = 400
const HIDDEN = 300

/** Parameters of the model that is saved: about a megabyte. */
export const LAYERS = 2 * INPUTS * HIDDEN + INPUTS + HIDDEN

/** Bytes of the numbers of a shard: a dataset has several. */
export const SHARD = 2 ** 16

const ROWS = 1000
const COLS = 64

/** A model all of whose parameters are a number. */
export function modelOf(number: number): SparseAutoencoder {
  const model = new SparseAutoencoder({ inputs: INPUTS, hidden: HIDDEN })
  model.setParameters(new Float32Array(LAYERS).fill(number))
  return model
}

/** Two batches of rows that all hold a number. */
export function* partsOf(number: number): Generator<Matrix> {
  for (let part = 0; part < 2; part++)
    yield Matrix.from(new Float32Array((ROWS / 2) * COLS).fill(number), ROWS / 2, COLS)
}

/** The number that a saved model holds. */
export async function savedNumber(path: string): Promise<number> {
  const parameters = (await SparseAutoencoder.load(path)).parameters()
  const [number] = parameters
  must(
    parameters.every((value) => value === number),
    'the model has parts of two saves',
  )
  return number!
}

/** The numbers that a dataset holds, one after another, each in as many rows as were written with it. */
export async function storedNumbers(folder: string): Promise<number[]> {
  const dataset = await openDataset(folder)
  await dataset.verify()
  must(dataset.rows % ROWS === 0, `the dataset has ${dataset.rows} rows, no multiple of ${ROWS}`)
  const numbers: number[] = []
  for await (const { rows } of dataset.batches(ROWS)) {
    const [number] = rows.data
    must(
      rows.data.every((value) => value === number),
      'the dataset has parts of two writings',
    )
    numbers.push(number!)
  }
  return numbers
}
