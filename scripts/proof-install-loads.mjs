/**
 * For `npm run proof:install`: layerwise loads 200 times in fresh processes and 200 times in worker threads of one process, trains each
 * time, and must end cleanly; memory must not grow with the workers. Prints the result as JSON.
 */
import { spawnSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'

const times = 200
/** Growth of the resident set over the second hundred workers that a leak of one addon's data each (≥ 1 MiB) would exceed. */
const mostGrowthMiB = 50

const program = `
  import('layerwise').then(async ({ SparseAutoencoder }) => {
    const model = new SparseAutoencoder({ inputs: 3, hidden: 2 })
    await model.fit([[0.1, 0.5, 0.9], [0.8, 0.2, 0.4]], { epochs: 2, batchSize: 2 })
  })`

let failures = 0
for (let i = 0; i < times; i++) {
  const { status, stderr } = spawnSync(process.execPath, ['--eval', program], { encoding: 'utf8' })
  if (status !== 0) {
    failures++
    console.error(`process ${i}: ${status} ${stderr}`)
  }
}

const sizes = []
for (let i = 0; i < times; i++) {
  const code = await new Promise((resolve) => {
    const worker = new Worker(program, { eval: true })
    worker.once('error', (error) => console.error(`worker ${i}: ${error.stack}`))
    worker.once('exit', resolve)
  })
  if (code !== 0) failures++
  sizes.push(process.memoryUsage.rss() / 2 ** 20)
}
const [after100 = 0, after200 = 0] = [sizes[times / 2 - 1], sizes[times - 1]]
console.log(JSON.stringify({ times, failures, after100, after200 }))
process.exitCode = failures === 0 && after200 - after100 < mostGrowthMiB ? 0 : 1
