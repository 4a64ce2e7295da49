/**
 * Aborts a training of many parameters after an epoch, resumes it, and compares it with one that was not aborted:
 *
 *   node resumes-large-state.mjs FOLDER PARAMETERS
 *
 * Says the size of the checkpoint, and whether the parameters are the same.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { Matrix, resumeTraining, SparseAutoencoder } from '../../../lib/index.js'
import { must } from '../proof.js'

const [folder, given] = process.argv.slice(2) as [string, string]
const path = join(folder, 'checkpoint')
const inputs = 20_000
const hidden = Math.ceil(Number(given) / (2 * inputs))
const rows = 8
const x = Matrix.from(
  Float32Array.from({ length: rows * inputs }, (_, i) => (i * 0.618034) % 1),
  rows,
  inputs,
)
const make = () => new SparseAutoencoder({ inputs, hidden, seed: 3 })
const options = { epochs: 3, batchSize: 2 }

async function resumed(): Promise<Float32Array | Float64Array> {
  const stop = new AbortController()
  const { signal } = stop
  const onEpoch = () => stop.abort()
  const ended = await make()
    .fit(x, { ...options, signal, onEpoch, checkpoint: { path } })
    .catch((reason: unknown) => reason)
  must(ended === signal.reason, `it ended by ${ended}`)
  const { model } = await resumeTraining(path, x, { signal: null, onEpoch: null })
  return model.parameters()
}

async function uninterrupted(): Promise<Float32Array | Float64Array> {
  const model = make()
  await model.fit(x, options)
  return model.parameters()
}

/** Their bytes, in pieces: a buffer of Node has at most 4 GiB. */
function equal(a: Float32Array | Float64Array, b: Float32Array | Float64Array): boolean {
  const piece = 2 ** 24
  for (let from = 0; from < Math.max(a.length, b.length); from += piece) {
    const [one, other] = [a, b].map((all) => {
      const { buffer, byteOffset, byteLength } = all.subarray(from, from + piece)
      return Buffer.from(buffer, byteOffset, byteLength)
    })
    if (!one!.equals(other!)) return false
  }
  return true
}

const first = await resumed()
const { size } = statSync(path)
console.log(JSON.stringify({ bytes: size, same: equal(first, await uninterrupted()) }))
