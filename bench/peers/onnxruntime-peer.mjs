/**
 * onnxruntime-node encoding rows with FOLDER/encoder.onnx: handles requests in JSON, one per line, as protocol.py does.
 *
 *   node onnxruntime-peer.mjs MODULES FOLDER
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const [modules = '', folder = ''] = process.argv.slice(2)
const require = createRequire(join(modules, 'from.cjs'))
// Installed for the race alone: the package's own modules do not have it.
const name = 'onnxruntime-node'
const { InferenceSession, Tensor } = require(name)
const { version } = require(`${name}/package.json`)
const threads = Number(process.env.OMP_NUM_THREADS)
const { layers } = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'))
const { inputs } = layers[0]
const bytes = readFileSync(join(folder, 'rows.f32'))
const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
const model = join(folder, 'encoder.onnx')
if (!existsSync(model)) throw new Error(`${model} is missing`)

/** @param {number} first @param {number} count */
const rowsFrom = (first, count) =>
  new Tensor('float32', data.subarray(first * inputs, (first + count) * inputs), [count, inputs])

/** @param {number} intraOpNumThreads */
const open = (intraOpNumThreads) =>
  InferenceSession.create(model, {
    intraOpNumThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  })
/** @type {Record<string, any>} */
const sessions = { one: await open(1), all: await open(threads) }

/** @type {Record<string, (question: any) => Promise<object>>} */
const answers = {
  /** Leaves the codes of the first rows. */
  async prove({ variant, rows }) {
    const { codes } = await sessions[variant].run({ x: rowsFrom(0, rows) })
    writeFileSync(join(folder, 'codes_peer.f32'), codes.data)
    return {}
  },

  /** Microseconds of calls with one row, in order. */
  async encodeOne({ variant, seconds, rows }) {
    const session = sessions[variant]
    const feeds = Array.from({ length: rows }, (_, i) => ({ x: rowsFrom(i, 1) }))
    for (const feed of feeds) await session.run(feed)
    const times = []
    const end = performance.now() + 1000 * seconds
    for (let i = 0, now = performance.now(); now < end; i++) {
      await session.run(feeds[i % rows])
      const after = performance.now()
      times.push(1000 * (after - now))
      now = after
    }
    times.sort((a, b) => a - b)
    return { p50: times[Math.floor(times.length / 2)], calls: times.length }
  },

  /** All rows, this many in each call. */
  async encodeAll({ variant, seconds, rows }) {
    const count = data.length / inputs
    const feeds = []
    for (let first = 0; first < count; first += rows)
      feeds.push({ x: rowsFrom(first, Math.min(rows, count - first)) })
    let passes = 0
    const start = performance.now()
    let elapsed = 0
    while (elapsed < seconds) {
      for (const feed of feeds) await sessions[variant].run(feed)
      passes++
      elapsed = (performance.now() - start) / 1000
    }
    return { samplesPerSecond: (passes * count) / elapsed }
  },
}

console.log(JSON.stringify({ 'onnxruntime-node': version }))
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...question } = JSON.parse(line)
  console.log(JSON.stringify(await answers[what]?.(question)))
}
