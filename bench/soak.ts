/**
 * Memory over many small fits: each makes a model, trains, encodes, saves nothing and forgets it.
 *
 *   npx tsx bench/soak.ts             1,000 fits
 *   npx tsx bench/soak.ts --short     200 fits
 *
 * Ends with status 1 if resident memory after the last fit is more than 16 MiB above that after the first fifth, garbage collected
 * both times. A leak of one set of parameters a fit (0.8 MB) would show as 160 MB in the short run.
 */
import { memoryUsage } from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Matrix, SparseAutoencoder } from '../lib/index.js'

const ALLOWED = 16 * 2 ** 20

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const fits = process.argv.includes('--short') ? 200 : 1000
const rows = 128
const inputs = 500
const data = Float32Array.from({ length: rows * inputs }, (_, i) => (i * 0.618034) % 1)
const x = Matrix.from(data, rows, inputs)

async function one(seed: number): Promise<void> {
  const model = new SparseAutoencoder({
    inputs,
    hidden: 200,
    seed,
    sparsity: { kind: 'kl', target: 0.1, weight: 1 },
  })
  const full = seed % 4 === 0
  await model.fit(x, full ? { optimizer: { kind: 'lbfgs', maxIterations: 2 } } : { epochs: 2, batchSize: 32 })
  await model.encode(x)
  model.encodeSync(x.slice(0, 1))
}

async function resident(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return memoryUsage().rss
}

let early = 0
for (let i = 0; i < fits; i++) {
  await one(i)
  if (i + 1 === fits / 5) early = await resident()
}
const late = await resident()
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
console.log(
  `${fits} fits: resident ${mebibytes(early)} MiB after ${fits / 5}, ${mebibytes(late)} MiB at the end`,
)
if (late - early > ALLOWED) {
  console.error(`grew by ${mebibytes(late - early)} MiB, more than ${mebibytes(ALLOWED)}`)
  process.exitCode = 1
}
