/**
 * Resident memory while small models are made, trained, used and forgotten:
 *
 *   node --expose-gc grows.mjs fits|encodes COUNT
 *
 * Says the number of rounds and the MiB at 60 moments, evenly spread.
 */
import { memoryUsage } from 'node:process'
import { Matrix, SparseAutoencoder } from '../../../lib/index.js'

const [kind, given] = process.argv.slice(2) as [string, string]
const count = Number(given)
const [rows, inputs] = [64, 100]
const x = Matrix.from(
  Float32Array.from({ length: rows * inputs }, (_, i) => (i * 0.618034) % 1),
  rows,
  inputs,
)
const row = x.slice(0, 1)
const model = new SparseAutoencoder({ inputs, hidden: 50 })

async function one(number: number): Promise<void> {
  if (kind === 'encodes') {
    await model.encode(x)
    return
  }
  const small = new SparseAutoencoder({ inputs, hidden: 50, seed: number })
  const isFull = number % 4 === 0
  await small.fit(
    x,
    isFull ? { optimizer: { kind: 'lbfgs', maxIterations: 2 } } : { epochs: 2, batchSize: 16 },
  )
  small.encodeSync(row)
}

async function resident(): Promise<number> {
  for (let k = 0; k < 3; k++) {
    globalThis.gc!()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return memoryUsage().rss / 2 ** 20
}

const moments: [number, number][] = []
const every = Math.max(1, Math.floor(count / 60))
for (let number = 1; number <= count; number++) {
  await one(number)
  if (number % every === 0) moments.push([number, await resident()])
}
console.log(JSON.stringify(moments))
