import { mkdtempSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import { splitBlocks } from '../lib/data/split-blocks.js'
import { rangeNumbers } from '../lib/data/used-rows.js'
import { type Dataset, Matrix, SparseAutoencoder } from '../lib/index.js'
import type { OracleLayer } from './oracle/layers.js'
import { evaluate } from './oracle/network.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'
import { tolerances } from './tolerances.js'

const root = temporaryFolder()
const inFiles = (x: Matrix, shardRows: number): Promise<Dataset> =>
  writeShards(
    join(mkdtempSync(join(root, 'training-')), 'rows'),
    [x],
    undefined,
    shardRows * x.cols * x.data.BYTES_PER_ELEMENT,
  )

test('cost, gradient and mean activations over a file are those of the definition, in float64', async () => {
  const [rows, cols, hidden] = [1501, 7, 4]
  const x = sampleRows(rows, cols)
  const sparsity = { kind: 'kl', target: 0.1, weight: 2 } as const
  const options = {
    inputs: cols,
    hidden,
    sparsity,
    weightDecay: 1e-3,
    precision: 'float64',
    seed: 5,
  } as const
  const model = new SparseAutoencoder(options)
  const layers: OracleLayer[] = [
    { inputs: cols, outputs: hidden, activation: 'sigmoid' },
    { inputs: hidden, outputs: cols, activation: 'sigmoid' },
  ]
  const objective = {
    loss: 'squared',
    weightDecay: [1e-3, 1e-3],
    penalties: [{ layer: 0, kind: 'kl', target: 0.1, weight: 2 }],
  } as const
  const expected = evaluate(layers, objective, model.parameters(), { x: x.data, m: rows })
  const files = await inFiles(x, 400)
  const { total, sparsity: penalty, gradient } = await model.cost(files, { gradient: true })
  expect(Math.abs(total / expected.total - 1)).toBeLessThan(tolerances.float64VsOracleCost.value)
  expect(Math.abs(penalty / expected.sparsity - 1)).toBeLessThan(tolerances.float64VsOracleCost.value)
  const difference = Math.hypot(...gradient!.map((value, k) => value - expected.gradient[k]!))
  expect(difference / Math.hypot(...expected.gradient)).toBeLessThan(tolerances.float64VsOracleGradient.value)
  const history = await model.fit(files, { epochs: 1, batchSize: 'all', learningRate: 1e-9 })
  const mean = expected.means[0]!.reduce((sum, value) => sum + value, 0) / hidden
  expect(Math.abs(history.epochs[0]!.meanActivation.mean / mean - 1)).toBeLessThan(
    tolerances.float64VsOracleCost.value,
  )
})

describe('rows that validation holds out of a file', () => {
  const [rows, cols, seed, fraction] = [2000, 5, 9, 0.2]
  const x = Matrix.from(Float32Array.from(sampleRows(rows, cols).data), rows, cols)
  const heldOut = async () => {
    const numbers: number[] = []
    const [part] = await splitBlocks('x', rows, fraction, seed, () => {})
    for await (const slice of rangeNumbers(part)) numbers.push(...slice)
    return numbers
  }
  const trained = async (given: Dataset | Matrix, threads = 2) => {
    const model = new SparseAutoencoder({ inputs: cols, hidden: 3, seed })
    const options = { epochs: 3, batchSize: 32, shuffle: 'blocks', validation: fraction, threads } as const
    const { epochs } = await model.fit(given, options)
    return { parameters: model.parameters(), validation: epochs.map(({ validation }) => validation!.total) }
  }
  const changed = (numbers: readonly number[], value: number) => {
    const data = x.data.slice()
    for (const row of numbers) data[row * cols + 2] = value
    return Matrix.from(data, rows, cols)
  }

  test('are never trained on, whatever the threads, and are measured after each epoch', async () => {
    const numbers = await heldOut()
    expect(numbers.length / rows).toBeCloseTo(fraction, 2)
    const reference = await trained(await inFiles(x, 300))
    const other = await inFiles(changed(numbers, 0.5), 300)
    for (const threads of [1, 3]) {
      const { parameters, validation } = await trained(other, threads)
      expect(parameters).toEqual(reference.parameters)
      for (const [k, cost] of validation.entries()) expect(cost).not.toBe(reference.validation[k])
    }
    const row = Array.from({ length: rows }, (_, k) => k).find((k) => !numbers.includes(k))!
    expect((await trained(await inFiles(changed([row], 0.5), 300))).parameters).not.toEqual(
      reference.parameters,
    )
  })

  test('are the rows that a Matrix holds out by blocks', async () => {
    const other = changed((await heldOut()).slice(0, 1), 0.5)
    expect(await trained(await inFiles(other, 300))).toEqual(await trained(other))
  })

  test('are looked at before the training begins', async () => {
    const [first] = await heldOut()
    const given = await inFiles(changed([first!], 2), 300)
    const model = new SparseAutoencoder({ inputs: cols, hidden: 3, seed })
    let epochs = 0
    const onEpoch = () => {
      epochs++
    }
    for (const validation of [fraction, given]) {
      expect(await rejection(model.fit(given, { validation, onEpoch, epochs: 2 }))).toMatchObject({
        code: 'ERR_RANGE',
        details: { row: first, column: 2, argument: validation === fraction ? 'x' : 'validation' },
      })
    }
    expect(epochs).toBe(0)
  })
})

describe('a file that fails while a model trains on it', () => {
  const [rows, cols] = [2 ** 20, 16]
  const data = new Float32Array(rows * cols).map((_, k) => ((k * 7919) % 1000) / 1000)

  test('leaves the last complete step, which can be saved, used and trained further', async () => {
    const files = await inFiles(Matrix.from(data, rows, cols), rows / 4)
    const model = new SparseAutoencoder({ inputs: cols, hidden: 2 })
    const before = model.parameters()
    const path = files.segments[3]!.path
    const fit = model.fit(files, {
      ...{ epochs: 2, batchSize: 1, shuffle: false, threads: 1 },
      onProgress: () => truncateSync(path, 5000),
    })
    expect(await rejection(fit)).toMatchObject({ code: 'ERR_FILE', details: { file: path } })
    const after = model.parameters()
    expect(after).not.toEqual(before)
    expect(after.every(Number.isFinite)).toBe(true)
    const bytes = await model.toBytes()
    expect((await SparseAutoencoder.fromBytes(bytes)).parameters()).toEqual(after)
    await model.fit(files.slice(0, 1000), { epochs: 1 })
  })
})
