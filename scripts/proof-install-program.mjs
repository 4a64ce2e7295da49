/**
 * A first program of a user, for `npm run proof:install`: imports the package, trains a small model in float64, saves, loads and encodes;
 * prints the results as JSON on the last line. It runs in a folder in which layerwise is installed.
 */
import { readdirSync, rmSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

/** @param {Float64Array} numbers */
function sumOf(numbers) {
  return numbers.reduce((sum, x) => sum + x, 0)
}

/** Operating system's threads of this process; undefined if unknown. */
function countThreads() {
  try {
    return readdirSync('/proc/self/task').length
  } catch {
    return undefined
  }
}

const threadsBefore = countThreads()
const start = performance.now()
// Not a literal name: in the repository the package is not installed.
const name = 'layerwise'
const { loadModel, runtime, SparseAutoencoder } = await import(name)
const importMs = performance.now() - start
const importThreads = threadsBefore === undefined ? 0 : (countThreads() ?? 0) - threadsBefore

// The first load is in a worker thread, where OpenBLAS does not see settings in `process.env`.
const inWorker = await new Promise((resolve, reject) => {
  const code = `
    import('layerwise').then(({ runtime }) => {
      const { readdirSync } = require('node:fs')
      const countThreads = ${countThreads}
      const before = countThreads()
      const { vectors } = runtime()
      const threads = before === undefined ? 0 : countThreads() - before
      require('node:worker_threads').parentPort.postMessage({ vectors, threads })
    })`
  const worker = new Worker(code, { eval: true })
  worker.once('message', resolve)
  worker.once('error', reject)
})

const rows = Array.from({ length: 200 }, (_, i) =>
  Array.from({ length: 12 }, (_, j) => 0.5 + 0.4 * Math.sin(i * (1 + j / 7) + (j * j) / 3)),
)
const options = { inputs: 12, hidden: 5, precision: 'float64', seed: 7, weightDecay: 1e-4 }
const figures = []
for (const fit of [
  { epochs: 5, batchSize: 50, optimizer: { kind: 'adam' }, learningRate: 0.01 },
  { optimizer: { kind: 'lbfgs', maxIterations: 10 } },
]) {
  const model = new SparseAutoencoder(options)
  const history = await model.fit(rows, fit)
  figures.push(history.epochs.at(-1).cost.total)
  await model.save('model.safetensors')
  const codes = await (await loadModel('model.safetensors')).encode(rows)
  figures.push(sumOf(codes.data))
}
rmSync('model.safetensors')

const { node } = process.versions
const { platform, arch } = process
console.log(
  JSON.stringify({ node, platform, arch, ...runtime(), importMs, importThreads, inWorker, figures }),
)
