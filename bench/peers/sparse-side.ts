/**
 * layerwise doing the job of `sparse.ts`: requests and answers in JSON, one a line, as in `bench/peers/protocol.py`.
 *
 *   sparse-side.ts FOLDER
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { SparseAutoencoder, SparseMatrix } from '../../lib/index.js'
import { fitWindow } from '../measuring/fit-window.js'
import type { sparseJob } from './sparse.js'

const folder = process.argv[2]!
const read = (name: string) => {
  const { buffer, byteOffset, byteLength } = readFileSync(join(folder, name))
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
}
const job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8')) as typeof sparseJob
const { inputs, hidden, batchSize, learningRate } = job
const rows = SparseMatrix.from({
  indptr: new Uint32Array(read('indptr.u32')),
  indices: new Uint32Array(read('indices.u32')),
  values: new Float32Array(read('values.f32')),
  rows: job.rows,
  cols: inputs,
})
const threads = Number(process.env.OMP_NUM_THREADS)
const start = new Float32Array(read('theta.f32'))
const newModel = () => {
  const model = new SparseAutoencoder({ inputs, hidden, sparsity: { kind: 'none' }, weightDecay: 0 })
  model.setParameters(start)
  return model
}
const model = newModel()

const answers: Record<string, (question: Record<string, number>) => Promise<object>> = {
  prove: async ({ steps }) => {
    const proved = newModel()
    const few = rows.slice(0, steps! * batchSize)
    await proved.fit(few, { epochs: 1, batchSize, learningRate, shuffle: false, threads })
    writeFileSync(join(folder, 'theta_layerwise.f32'), proved.parameters())
    return {}
  },
  train: async ({ seconds }) => ({
    samplesPerSecond: await fitWindow(
      (window) => model.fit(rows, { ...window, batchSize, learningRate, shuffle: false, threads }),
      job.rows,
      batchSize,
      seconds!,
    ),
  }),
  memory: async () => ({ mebibytes: process.resourceUsage().maxRSS / 1024 }),
}

console.log('{}')
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...question } = JSON.parse(line)
  console.log(JSON.stringify(await answers[what]!(question)))
}
