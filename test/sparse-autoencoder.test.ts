import { describe, expect, test } from 'vitest'
import { Matrix, MinMaxScaler, type Precision, SparseAutoencoder, StandardScaler } from '../lib/index.js'
import { forward } from './oracle/layers.js'
import { evaluate } from './oracle/network.js'
import { relativeDistance, sampleRows } from './sample.js'
import { tolerances } from './tolerances.js'

const m = 37
const inputs = 11
const hidden = 7
const x = sampleRows(m, inputs)
const layers = [
  { inputs, outputs: hidden, activation: 'tanh' as const },
  { inputs: hidden, outputs: inputs, activation: 'sigmoid' as const },
]

function autoencoder<P extends Precision>(precision: P) {
  return new SparseAutoencoder({
    inputs,
    hidden,
    activation: 'tanh',
    outputActivation: 'sigmoid',
    sparsity: { kind: 'kl', target: 0.2, weight: 0.7 },
    weightDecay: 0.03,
    precision,
    seed: 5,
  })
}

describe('a new model', () => {
  test('has weights uniform on ±√(6/(inputs + outputs + 1)) and biases 0', () => {
    const bound = Math.sqrt(6 / (100 + 80 + 1))
    const [encoder, decoder] = new SparseAutoencoder({ inputs: 100, hidden: 80, precision: 'float64' }).layers
    for (const { weights, biases } of [encoder!, decoder!]) {
      expect(biases.every((b) => b === 0)).toBe(true)
      expect(Math.max(...weights.data.map(Math.abs))).toBeLessThanOrEqual(bound)
      expect(Math.max(...weights.data)).toBeGreaterThan(0.99 * bound)
      expect(Math.min(...weights.data)).toBeLessThan(-0.99 * bound)
    }
    expect(encoder!.weights.data).not.toEqual(decoder!.weights.data)
  })

  test('has the same weights for the same seed, and different ones for another', () => {
    const start = (seed: number) => new SparseAutoencoder({ inputs, hidden, seed }).parameters()
    expect(start(3)).toEqual(start(3))
    const seeds = [0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER]
    expect(new Set(seeds.map((seed) => start(seed).join())).size).toBe(seeds.length)
  })

  test('has the same weights in both precisions, up to rounding', () => {
    expect(autoencoder('float32').parameters()).toEqual(
      Float32Array.from(autoencoder('float64').parameters()),
    )
  })

  test('has layers with copies in the order of parameters()', () => {
    const model = autoencoder('float32')
    const [encoder, decoder] = model.layers
    expect([encoder!.inputs, encoder!.outputs, encoder!.activation]).toEqual([inputs, hidden, 'tanh'])
    expect([decoder!.inputs, decoder!.outputs, decoder!.activation]).toEqual([hidden, inputs, 'sigmoid'])
    const parts = model.layers.flatMap(({ weights, biases }) => [...weights.data, ...biases])
    expect(Float32Array.from(parts)).toEqual(model.parameters())
    encoder!.weights.data.fill(9)
    model.parameters().fill(9)
    expect(Float32Array.from(parts)).toEqual(model.parameters())
  })
})

describe.each([
  { precision: 'float32' as const, absolute: tolerances.float32Activation.value },
  { precision: 'float64' as const, absolute: tolerances.handComputed.value },
])('in $precision', ({ precision, absolute }) => {
  const model: SparseAutoencoder<Precision> = autoencoder<Precision>(precision)
  const theta = model.parameters()
  const [code, answer] = forward(layers, theta, x.data, m)

  test('encode, decode and reconstruct agree with the oracle', async () => {
    const codes = await model.encode(x)
    const reconstructions = await model.reconstruct(x)
    expect([codes.rows, codes.cols, reconstructions.rows, reconstructions.cols]).toEqual([
      m,
      hidden,
      m,
      inputs,
    ])
    expect(largestDifference(codes.data, code!.a)).toBeLessThanOrEqual(absolute)
    expect(largestDifference(reconstructions.data, answer!.a)).toBeLessThanOrEqual(absolute)
    expect(largestDifference((await model.decode(codes)).data, answer!.a)).toBeLessThanOrEqual(absolute)
  })

  test('results are in the model’s precision', async () => {
    const kind = precision === 'float64' ? Float64Array : Float32Array
    expect((await model.encode(x)).data).toBeInstanceOf(kind)
    expect(model.encodeSync(x.row(0))).toBeInstanceOf(kind)
    expect(model.parameters()).toBeInstanceOf(kind)
    expect((await model.cost(x, { gradient: true })).gradient).toBeInstanceOf(kind)
  })

  test('reconstruction errors are the squared differences, and their sums over each row', async () => {
    const squares = answer!.a.map((y, i) => (y - x.data[i]!) ** 2)
    const perFeature = await model.reconstructionErrorPerFeature(x)
    expect(largestDifference(perFeature.data, squares)).toBeLessThanOrEqual(absolute)
    const sums = Array.from({ length: m }, (_, i) =>
      squares.subarray(i * inputs, (i + 1) * inputs).reduce((sum, value) => sum + value, 0),
    )
    const errors = await model.reconstructionError(x)
    expect(errors).toBeInstanceOf(Float64Array)
    expect(largestDifference(errors, sums)).toBeLessThanOrEqual(absolute * inputs)
  })

  test('encodeSync may write over its own row', () => {
    const model = new SparseAutoencoder({ inputs: 6, hidden: 6 })
    const memory = Float32Array.from({ length: 10 }, (_, i) => i / 10)
    for (const offset of [0, 2, 4]) {
      const copy = memory.slice()
      const codes = model.encodeSync(copy.slice(2, 8))
      expect(model.encodeSync(copy.subarray(2, 8), copy.subarray(offset, offset + 6))).toEqual(codes)
    }
  })

  test('encodeSync agrees with encode for every kind of row', async () => {
    const row = Float64Array.from(x.row(4).data)
    const codes = (await model.encode(Matrix.from(row, 1, inputs))).data
    for (const given of [row, [...row], Float32Array.from(row), x.slice(4, 5)]) {
      expect(largestDifference(model.encodeSync(given), codes)).toBeLessThanOrEqual(
        tolerances.float32Activation.value,
      )
    }
    const bytes = Uint8Array.from(row, (value) => value * 255)
    const scaled = model.encodeSync([...bytes].map((value) => value / 255))
    expect(
      largestDifference(model.encodeSync(Matrix.from(bytes, 1, inputs, { scale: 1 / 255 })), scaled),
    ).toBeLessThanOrEqual(tolerances.float32Activation.value)
    const unscaled = model.encodeSync([...bytes])
    expect(largestDifference(model.encodeSync(bytes), unscaled)).toBeLessThanOrEqual(
      tolerances.float32Activation.value,
    )
  })
})

test('encodeSync fills the array it is given and returns it', () => {
  const model = autoencoder('float32')
  const out = new Float32Array(hidden)
  expect(model.encodeSync(x.row(0).data, out)).toBe(out)
  expect(out).toEqual(model.encodeSync(x.row(0)))
})

test('encodeSync uses parameters that were set after the first row', () => {
  const model = autoencoder('float32')
  const before = model.encodeSync(x.row(0))
  model.setParameters(model.parameters().fill(0))
  expect(before.some((code) => code !== 0)).toBe(true)
  expect(model.encodeSync(x.row(0))).toEqual(new Float32Array(hidden))
})

describe('cost', () => {
  test.each([
    { kind: 'none' as const },
    { kind: 'kl' as const, target: 0.2, weight: 0.7 },
    { kind: 'l2' as const, target: 0.3, weight: 0.5 },
    { kind: 'l1' as const, weight: 0.1 },
  ])('and its gradient agree with the oracle under sparsity $kind', async (sparsity) => {
    const model = new SparseAutoencoder({
      inputs,
      hidden,
      activation: 'tanh',
      outputActivation: 'sigmoid',
      sparsity,
      weightDecay: 0.03,
      precision: 'float64',
    })
    const penalties = sparsity.kind === 'none' ? [] : [{ target: 0, ...sparsity, layer: 0 }]
    const objective = { loss: 'squared' as const, weightDecay: [0.03, 0.03], penalties }
    const expected = evaluate(layers, objective, model.parameters(), { x: x.data, m })
    const cost = await model.cost(x, { gradient: true })
    for (const part of ['total', 'loss', 'weightDecay', 'sparsity'] as const) {
      expect(relativeDistance([cost[part]], [expected[part]])).toBeLessThanOrEqual(
        tolerances.float64VsOracleCost.value,
      )
    }
    expect(relativeDistance(cost.gradient!, expected.gradient)).toBeLessThanOrEqual(
      tolerances.float64VsOracleGradient.value,
    )
  })

  test('has a gradient only on request', async () => {
    expect(await autoencoder('float32').cost(x)).not.toHaveProperty('gradient')
    expect(await autoencoder('float32').cost(x, { gradient: false })).not.toHaveProperty('gradient')
  })

  test('can be computed at other parameters, without changing the model', async () => {
    const model = autoencoder('float64')
    const before = model.parameters()
    const elsewhere = before.map((value) => value * 1.5)
    const there = await model.cost(x, { parameters: elsewhere })
    expect(model.parameters()).toEqual(before)
    expect(there).not.toEqual(await model.cost(x))
    model.setParameters(elsewhere)
    expect(await model.cost(x)).toEqual(there)
  })

  test('uses the parameters at the call, even if the array changes later', async () => {
    const model = autoencoder('float64')
    const parameters = model.parameters()
    const expected = await model.cost(x, { parameters })
    const pending = model.cost(x, { parameters })
    parameters.fill(1)
    expect(await pending).toEqual(expected)
  })
})

describe('rows', () => {
  test('give the same results as Matrix, flat array or array of rows', async () => {
    const model = autoencoder('float64')
    const expected = await model.encode(x)
    expect(await model.encode(x.data)).toEqual(expected)
    expect(await model.encode(x.toArray())).toEqual(expected)
    expect(await model.encode(Matrix.from(Float64Array.from(x.data), m, inputs))).toEqual(expected)
  })

  test('of bytes are used with their scale', async () => {
    const model = autoencoder('float64')
    const bytes = Uint8Array.from(x.data, (value) => Math.round(value * 255))
    const numbers = Float64Array.from(bytes, (value) => value * (1 / 255))
    expect(await model.encode(Matrix.from(bytes, m, inputs, { scale: 1 / 255 }))).toEqual(
      await model.encode(Matrix.from(numbers, m, inputs)),
    )
  })
})

describe('a model with scaling', () => {
  const raw = Matrix.from(
    x.data.map((value, i) => 40 * value - 7 * (i % inputs)),
    m,
    inputs,
  )

  test('agrees with one without scaling on scaled rows, and reconstructs in the units of x', async () => {
    const scaling = await new MinMaxScaler({ range: [0.1, 0.9] }).fit(raw)
    const options = { inputs, hidden, precision: 'float64', seed: 2 } as const
    const scaled = new SparseAutoencoder({ ...options, scaling })
    const plain = new SparseAutoencoder(options)
    const inside = await scaling.transform(raw)
    const tolerance = tolerances.float64VsOracleCost.value
    expect(relativeDistance((await scaled.encode(raw)).data, (await plain.encode(inside)).data)).toBeLessThan(
      tolerance,
    )
    expect(relativeDistance(scaled.encodeSync(raw.row(3)), plain.encodeSync(inside.row(3)))).toBeLessThan(
      tolerance,
    )
    const outside = await scaling.inverseTransform(await plain.reconstruct(inside))
    expect(relativeDistance((await scaled.reconstruct(raw)).data, outside.data)).toBeLessThan(tolerance)
    const decoded = await scaled.decode(await scaled.encode(raw))
    expect(relativeDistance(decoded.data, outside.data)).toBeLessThan(tolerance)
    const errors = [await scaled.reconstructionError(raw), await plain.reconstructionError(inside)] as const
    expect(relativeDistance(...errors)).toBeLessThan(tolerance)
    const costs = [(await scaled.cost(raw)).total, (await plain.cost(inside)).total] as const
    expect(relativeDistance([costs[0]], [costs[1]])).toBeLessThan(tolerance)
  })

  test('keeps its scaler if the caller’s is fitted again', async () => {
    const scaling = await new StandardScaler().fit(raw)
    const model = new SparseAutoencoder({ inputs, hidden, outputActivation: 'identity', scaling })
    const before = await model.encode(raw)
    await scaling.fit(x)
    expect(await model.encode(raw)).toEqual(before)
  })

  test('accepts in float32 values that a min-max scaler maps to the ends of the range', async () => {
    const scaling = await new MinMaxScaler().fit(raw)
    const model = new SparseAutoencoder({ inputs, hidden, scaling })
    expect((await model.fit(raw, { epochs: 1 })).epochs).toHaveLength(1)
  })
})

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0)
}
