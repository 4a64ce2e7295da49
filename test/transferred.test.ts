import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  LinearAutoencoder,
  Matrix,
  MinMaxScaler,
  preparePatches,
  principalAngles,
  SoftmaxClassifier,
  SparseAutoencoder,
  StandardScaler,
  samplePatches,
} from '../lib/index.js'
import { giveAway } from './give-away.js'

const [rows, cols] = [40_000, 4]
const numbers = () => new Float32Array(rows * cols).map((_, i) => Math.abs(Math.sin(i)))
const fitted = await new StandardScaler().fit(Matrix.from(numbers(), rows, cols))
const model = new SparseAutoencoder({ inputs: cols, hidden: 2 })
const labels = Uint8Array.from({ length: rows }, (_, row) => row % 2)

/** Longer than JavaScript's thread works before it serves other events. */
const DUE_MS = 5

/** What a call comes to whose memory is given away at the next turn of the event loop. The call serves other events after its first slice. */
async function whenGivenAway(memory: { buffer: ArrayBufferLike }, call: () => Promise<unknown>) {
  await setTimeout(DUE_MS)
  setImmediate(() => giveAway(memory))
  return call().catch((error: unknown) => error)
}

const refused = { name: 'LayerwiseError', code: 'ERR_STATE' }

/** Calls that read on JavaScript's thread, a slice at a time: longer than until the next turn of the event loop. */
test.each<[string, (x: Matrix) => Promise<unknown>]>([
  ['StandardScaler.fit', (x) => new StandardScaler().fit(x)],
  ['MinMaxScaler.fit', (x) => new MinMaxScaler().fit(x)],
  ['scaler.transform', (x) => fitted.transform(x)],
  ['scaler.inverseTransform', (x) => fitted.inverseTransform(x)],
  ['preparePatches', (x) => preparePatches(x)],
  ['samplePatches of rows', (x) => samplePatches(x, { size: 2, count: 40_000, imageWidth: 2 })],
  ['samplePatches of images', (x) => samplePatches([x], { size: 2, count: 40_000 })],
  ['principalAngles', (x) => principalAngles(x, [[1, 0, 0, 0]])],
  ['fit with center', (x) => new LinearAutoencoder({ inputs: cols, hidden: 2, center: true }).fit(x)],
  ['fit', (x) => model.fit(x)],
])('%s refuses with ERR_STATE rows that are transferred during the call', async (name, call) => {
  const data = numbers()
  const outcome = await whenGivenAway(data, () => call(Matrix.from(data, rows, cols)))
  // Rows of a fit are copied when it begins, and may be whole by then.
  if (name.startsWith('fit') && !(outcome instanceof Error)) return
  expect(outcome).toMatchObject(refused)
})

test('labels that are transferred during the call are refused with ERR_STATE', async () => {
  const given = labels.slice()
  const classifier = new SoftmaxClassifier({ inputs: cols, classes: 2 })
  expect(await whenGivenAway(given, () => classifier.score(numbers(), given))).toMatchObject(refused)
})

test('parameters for cost that are transferred during the call are refused with ERR_STATE', async () => {
  const wide = new SparseAutoencoder({ inputs: 1000, hidden: 300 })
  const parameters = wide.parameters()
  const outcome = await whenGivenAway(parameters, () => wide.cost(new Float32Array(1000), { parameters }))
  expect(outcome).toMatchObject(refused)
})
