import { describe, expect, test } from 'vitest'
import { Matrix, SparseAutoencoder, StackedClassifier } from '../lib/index.js'
import { forward } from './oracle/layers.js'
import { evaluate } from './oracle/network.js'
import { relativeError } from './oracle/numeric-gradient.js'
import { seeded } from './oracle/points.js'
import { tolerances } from './tolerances.js'

const INPUTS = 300
const HIDDEN = 40
const ROWS = 400

/** One number of twenty is not zero: products skip the zeros. */
function sparseRows(): Float64Array {
  const random = seeded(7)
  return Float64Array.from({ length: ROWS * INPUTS }, () => (random() < 0.05 ? random() : 0))
}

const layers = [
  { inputs: INPUTS, outputs: HIDDEN, activation: 'sigmoid' as const },
  { inputs: HIDDEN, outputs: INPUTS, activation: 'sigmoid' as const },
]
const sparsity = { kind: 'kl', target: 0.2, weight: 0.6 } as const
const options = { inputs: INPUTS, hidden: HIDDEN, sparsity, weightDecay: 0.01 }
const objective = {
  loss: 'squared' as const,
  weightDecay: [0.01, 0.01],
  penalties: [{ layer: 0, ...sparsity }],
}

describe('rows that are mostly zeros', () => {
  test('have the cost and gradient of the oracle, in both precisions', async () => {
    const x = sparseRows()
    const exact = new SparseAutoencoder({ ...options, precision: 'float64' })
    const theta = exact.parameters()
    const oracle = evaluate(layers, objective, theta, { x, m: ROWS })
    const got = await exact.cost(Matrix.from(x, ROWS, INPUTS), { gradient: true })
    expect(Math.abs(got.total / oracle.total - 1)).toBeLessThan(tolerances.float64VsOracleCost.value)
    expect(relativeError(got.gradient!, oracle.gradient)).toBeLessThan(
      tolerances.float64VsOracleGradient.value,
    )

    const single = new SparseAutoencoder(options)
    const rounded = await single.cost(Matrix.from(Float32Array.from(x), ROWS, INPUTS), { gradient: true })
    expect(Math.abs(rounded.total / oracle.total - 1)).toBeLessThan(tolerances.float32VsFloat64Cost.value)
    expect(relativeError(rounded.gradient!, oracle.gradient)).toBeLessThan(
      tolerances.float32VsFloat64Gradient.value,
    )
  })

  test('are encoded as by the oracle, together, in parts and one by one', async () => {
    const x = sparseRows()
    const model = new SparseAutoencoder({ ...options, precision: 'float64' })
    const expected = forward(layers.slice(0, 1), model.parameters(), x, ROWS).at(-1)!.a
    const rows = Matrix.from(x, ROWS, INPUTS)
    const codes = await model.encode(rows)
    expect(relativeError(codes.data, expected)).toBeLessThan(tolerances.float64VsOracleCost.value)
    const part = await model.encode(rows.slice(0, 256))
    expect(part.data).toEqual(codes.data.subarray(0, 256 * HIDDEN))
    for (const row of [0, 199, 399]) {
      const one = model.encodeSync(rows.row(row))
      expect(relativeError(one, expected.subarray(row * HIDDEN, (row + 1) * HIDDEN))).toBeLessThan(
        tolerances.float64VsOracleCost.value,
      )
    }
  })

  test('are encoded one by one with the parameters of the latest fit', async () => {
    const rows = Matrix.from(sparseRows(), ROWS, INPUTS)
    const model = new SparseAutoencoder({ ...options, precision: 'float64' })
    const before = model.encodeSync(rows.row(3))
    await model.fit(rows, { epochs: 1, batchSize: 100 })
    const after = model.encodeSync(rows.row(3))
    expect(relativeError(after, before)).toBeGreaterThan(1e-3)
    const together = await model.encode(rows.slice(3, 4))
    expect(relativeError(after, together.data)).toBeLessThan(tolerances.float64VsOracleCost.value)
  })

  test('give the same bits in training as bytes and on any number of threads', async () => {
    const bytes = Uint8Array.from(sparseRows(), (value) => Math.round(255 * value))
    const scale = 1 / 255
    const floats = Float32Array.from(bytes, (value) => value * scale)
    const labels = Uint8Array.from({ length: ROWS }, (_, row) => row % 3)
    const trained = async (x: Matrix, threads: number) => {
      const model = new StackedClassifier({ inputs: INPUTS, layers: [{ hidden: HIDDEN }], classes: 3 })
      await model.fineTune(x, labels, { epochs: 2, batchSize: 100, threads })
      return model.parameters()
    }
    const one = await trained(Matrix.from(bytes, ROWS, INPUTS, { scale }), 1)
    expect(await trained(Matrix.from(floats, ROWS, INPUTS), 3)).toEqual(one)
  })
})
