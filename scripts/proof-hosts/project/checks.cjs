/**
 * Checks for every host: the same statements, about a library that the host has loaded in its own way. CommonJS, since every host can load
 * that. The result goes into the file that PROOF_OUTCOME names.
 */
const assert = require('node:assert')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { MessageChannel } = require('node:worker_threads')

const rows = Array.from({ length: 60 }, (_, i) =>
  Array.from({ length: 6 }, (_, j) => 0.5 + 0.4 * Math.sin(i * (1 + j / 7) + (j * j) / 3)),
)
const settings = { inputs: 6, hidden: 3, precision: 'float64', seed: 7 }

/** Each is a statement, and a function that throws if it is false. */
const statements = {
  'a model trains and encodes': async ({ SparseAutoencoder }) => {
    const model = new SparseAutoencoder(settings)
    await model.fit(rows, { epochs: 5, batchSize: 20 })
    const { data } = await model.encode(rows)
    return data.reduce((sum, x) => sum + x, 0)
  },
  'results are arrays of the host': async ({ SoftmaxClassifier, SparseAutoencoder }) => {
    const model = new SparseAutoencoder({ inputs: 6, hidden: 3 })
    assert((await model.encode(rows)).data instanceof Float32Array)
    assert((await model.reconstructionError(rows)) instanceof Float64Array)
    assert((await model.cost(rows, { gradient: true })).gradient instanceof Float32Array)
    const classifier = new SoftmaxClassifier({ inputs: 6, classes: 2 })
    assert((await classifier.predict(rows)) instanceof Uint32Array)
  },
  'results of a MiB and more are whole, and move to other threads': async ({ Matrix, SparseAutoencoder }) => {
    const model = new SparseAutoencoder({ inputs: 6, hidden: 3 })
    const many = Matrix.from(
      Uint8Array.from({ length: 600_000 }, (_, i) => i % 251),
      100_000,
      6,
      { scale: 1 / 251 },
    )
    const [{ data }, few] = [await model.encode(many), await model.encode(many.slice(99_900))]
    assert(data instanceof Float32Array)
    assert.deepEqual([...data.subarray(299_700)], [...few.data])
    const { port1, port2 } = new MessageChannel()
    const received = new Promise((resolve) => port2.once('message', resolve))
    port1.postMessage(data, [data.buffer])
    assert.equal((await received).length, 300_000)
    assert.equal(data.length, 0)
    port1.close()
  },
  'typed arrays of the host are taken': async ({ Matrix, SoftmaxClassifier, SparseAutoencoder }) => {
    const model = new SparseAutoencoder(settings)
    for (const kind of [Float32Array, Float64Array, Uint8Array]) {
      assert.equal((await model.encode(kind.from(rows.flat()))).rows, rows.length)
      assert.equal(Matrix.from(kind.from([0, 1]), 1, 2).rows, 1)
      assert.equal(model.encodeSync(kind.of(0, 1, 0, 1, 0, 1)).length, 3)
    }
    const labels = Int8Array.from(rows, (_, i) => i % 2)
    const classifier = new SoftmaxClassifier({ inputs: 6, classes: 2 })
    await classifier.fit(rows, labels, { epochs: 1 })
  },
  'what native code refuses has its code and place': async ({ LayerwiseError, SparseAutoencoder }) => {
    const error = await rejection(new SparseAutoencoder(settings).encode([rows[0], [0, 0, NaN, 0, 0, 0]]))
    assert(error instanceof LayerwiseError, String(error))
    assert.equal(error.code, 'ERR_RANGE')
    assert.equal(`${error.details.row} ${error.details.column}`, '1 2')
  },
  'an abort rejects with its reason': async ({ SparseAutoencoder }) => {
    const reason = new Error('enough')
    const control = new AbortController()
    setTimeout(() => control.abort(reason), 30)
    const fit = new SparseAutoencoder(settings).fit(rows, { epochs: 1e6, signal: control.signal })
    assert.equal(await rejection(fit), reason)
  },
  'models are saved, loaded and refused': async ({ loadModel, SparseAutoencoder }) => {
    const folder = mkdtempSync(join(tmpdir(), 'layerwise-host-'))
    try {
      const model = new SparseAutoencoder(settings)
      const url = new URL(pathToFileURL(join(folder, 'model')).href)
      await model.save(url)
      assert.deepEqual([...(await loadModel(url)).parameters()], [...model.parameters()])
      const bytes = await model.toBytes()
      assert.deepEqual([...(await SparseAutoencoder.fromBytes(bytes)).parameters()], [...model.parameters()])
      writeFileSync(url.pathname, '{ "no": "model" }')
      assert.equal((await rejection(loadModel(url))).code, 'ERR_FORMAT')
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
  'rows in files are trained on': async ({ Matrix, SparseAutoencoder, writeDataset }) => {
    const folder = mkdtempSync(join(tmpdir(), 'layerwise-host-'))
    try {
      const matrix = Matrix.from(Float64Array.from(rows.flat()), 60, 6)
      const dataset = await writeDataset(join(folder, 'rows'), [matrix.slice(0, 20), matrix.slice(20)])
      const { epochs } = await new SparseAutoencoder(settings).fit(dataset, { epochs: 2, batchSize: 20 })
      assert.equal(epochs.length, 2)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
  'options are refused by name': ({ SparseAutoencoder }) => {
    assert.throws(() => new SparseAutoencoder({ ...settings, hiden: 3 }), /unknown option 'hiden'/)
  },
  'a matrix that was posted is rebuilt': ({ Matrix }) => {
    const matrix = Matrix.from(Uint8Array.of(1, 2), 1, 2, { scale: 0.5 })
    assert.deepEqual(Matrix.from({ ...matrix }).toArray(), [[0.5, 1]])
  },
  'the addon says what it runs on': ({ runtime }) => {
    assert(runtime().threads >= 1)
  },
}

/** @param {Promise<unknown>} promise */
async function rejection(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

/** @param {typeof import('../../lib/index.js')} library */
async function check(library) {
  const outcome = { held: [], failed: [], figure: undefined }
  for (const [statement, holds] of Object.entries(statements)) {
    try {
      const figure = await holds(library)
      outcome.figure ??= figure
      outcome.held.push(statement)
    } catch (error) {
      outcome.failed.push(`${statement}: ${error?.stack ?? error}`)
    }
  }
  writeFileSync(process.env.PROOF_OUTCOME, JSON.stringify(outcome))
}

module.exports = { check }
