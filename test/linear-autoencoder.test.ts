import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../lib/data/safetensors.js'
import {
  type FitOptions,
  LinearAutoencoder,
  type LinearAutoencoderOptions,
  linearOptimum,
  loadModel,
  Matrix,
  Pca,
  SparseAutoencoder,
} from '../lib/index.js'
import { correlatedRows } from './correlated-rows.js'
import { numericGradient } from './oracle/numeric-gradient.js'
import { seeded } from './oracle/points.js'
import { expectError, thrown } from './refusal.js'
import { rejection, relativeDistance } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'
import { tolerances } from './tolerances.js'

const { gradientCheckFloat64, float64VsOracleCost, float32VsFloat64Cost, gradientToSee, handComputed } =
  tolerances

type Options = LinearAutoencoderOptions<'float64'>

/** J as it is defined: Johnson & Ramsundar, section 4, in the mean form. */
function definition(options: Options, x: number[][], theta: ArrayLike<number>): number {
  const { inputs: n, hidden: h, tied = true, weightDecay = 0, sparsity = { kind: 'none' } } = options
  const w1 = (k: number, j: number) => theta[k * n + j]!
  const b1 = (k: number) => (tied ? 0 : theta[h * n + k]!)
  const w2 = (j: number, k: number) => (tied ? w1(k, j) : theta[h * n + h + j * h + k]!)
  const b2 = (j: number) => (tied ? 0 : theta[2 * h * n + h + j]!)
  let cost = 0
  const means = new Float64Array(h)
  for (const row of x) {
    const a = Array.from({ length: h }, (_, k) =>
      row.reduce((sum, value, j) => sum + w1(k, j) * value, b1(k)),
    )
    a.forEach((value, k) => {
      means[k]! += value / x.length
    })
    row.forEach((value, j) => {
      cost += (a.reduce((sum, code, k) => sum + w2(j, k) * code, b2(j)) - value) ** 2 / (2 * x.length)
    })
  }
  for (let k = 0; k < h; k++) {
    for (let j = 0; j < n; j++) cost += (weightDecay / 2) * (w1(k, j) ** 2 + (tied ? 0 : w2(j, k) ** 2))
    if (sparsity.kind === 'none') continue
    const { target, weight } = sparsity
    cost += weight * (means[k]! - (typeof target === 'number' ? target : target[k]!)) ** 2
  }
  return cost
}

function randomParameters(model: LinearAutoencoder<'float64'>): Float64Array {
  const random = seeded(3)
  return model.parameters().map(() => random() - 0.5)
}

describe('cost and gradient', () => {
  const l2 = { kind: 'l2', target: 0.3, weight: 0.7 } as const
  const perUnit = { kind: 'l2', target: [0.2, -0.5, 1.5], weight: 2 } as const
  test.each<[string, Partial<Options>]>([
    ['tied', {}],
    ['tied, decay', { weightDecay: 0.2 }],
    ['tied, penalty', { sparsity: l2 }],
    ['tied, targets of single units, decay', { sparsity: perUnit, weightDecay: 0.2 }],
    ['tied, more hidden units than inputs', { hidden: 7, sparsity: l2 }],
    ['untied', { tied: false }],
    ['untied, decay, targets of single units', { tied: false, sparsity: perUnit, weightDecay: 0.2 }],
  ])('are those of the definition: %s', async (_, more) => {
    const options: Options = { inputs: 5, hidden: 3, precision: 'float64', ...more }
    const x = correlatedRows(13, 5, { offset: 0.5 })
    const model = new LinearAutoencoder(options)
    const theta = randomParameters(model)
    model.setParameters(theta)
    const { total, loss, weightDecay, sparsity, gradient } = await model.cost(x, { gradient: true })
    const rows = x.toArray()
    const expected = definition(options, rows, theta)
    expect(Math.abs(total - expected) / expected).toBeLessThan(float64VsOracleCost.value)
    expect(total).toBe(loss + weightDecay + sparsity)
    const differences = numericGradient((point) => definition(options, rows, point), theta)
    expect(Math.hypot(...differences)).toBeGreaterThan(gradientToSee.value)
    expect(relativeDistance(gradient!, differences)).toBeLessThan(gradientCheckFloat64.value)
  })

  test('on centred data are those of the rows minus their mean', async () => {
    const options: Options = { inputs: 5, hidden: 3, precision: 'float64', center: true, sparsity: perUnit }
    const x = correlatedRows(13, 5)
    const model = new LinearAutoencoder(options)
    await model.fit(x, { epochs: 1 })
    const mean = Array.from({ length: 5 }, (_, j) => x.toArray().reduce((sum, row) => sum + row[j]! / 13, 0))
    mean.forEach((value, j) => {
      expect(Math.abs(model.mean![j]! - value)).toBeLessThan(handComputed.value)
    })
    const rows = x.toArray().map((row) => row.map((value, j) => value - mean[j]!))
    const theta = randomParameters(model)
    const { total, sparsity, gradient } = await model.cost(x, { parameters: theta, gradient: true })
    const expected = definition(options, rows, theta)
    expect(Math.abs(total - expected) / expected).toBeLessThan(float64VsOracleCost.value)
    const differences = numericGradient((point) => definition(options, rows, point), theta)
    expect(relativeDistance(gradient!, differences)).toBeLessThan(gradientCheckFloat64.value)
    // There the penalty is β‖ρ‖² for every W.
    expect(sparsity).toBeCloseTo(2 * (0.2 ** 2 + 0.5 ** 2 + 1.5 ** 2), 10)
  })

  test('are half of the mean of the paper’s sums: J_JR = 2mJ where β_JR = 2mβ', async () => {
    const x = correlatedRows(13, 5)
    const beta = 0.4
    const sparsity = { kind: 'l2', target: 1, weight: beta / (2 * 13) } as const
    const model = new LinearAutoencoder({ inputs: 5, hidden: 3, precision: 'float64', sparsity })
    const [codes, errors] = [await model.encode(x), await model.reconstructionError(x)]
    let paper = errors.reduce((sum, error) => sum + error)
    for (let k = 0; k < 3; k++) {
      const mean = codes.toArray().reduce((sum, row) => sum + row[k]! / 13, 0)
      paper += beta * (1 - mean) ** 2
    }
    expect(Math.abs(2 * 13 * (await model.cost(x)).total - paper) / paper).toBeLessThan(
      float64VsOracleCost.value,
    )
  })

  test('in float32 are close to those in float64', async () => {
    const x = correlatedRows(50, 6)
    const options = { inputs: 6, hidden: 3, sparsity: l2, weightDecay: 0.1 }
    const [single, double] = [
      new LinearAutoencoder(options),
      new LinearAutoencoder({ ...options, precision: 'float64' }),
    ]
    const [a, b] = [(await single.cost(x)).total, (await double.cost(x)).total]
    expect(Math.abs(a - b) / b).toBeLessThan(float32VsFloat64Cost.value)
  })
})

describe('the model', () => {
  test('has one matrix and no biases when tied: its decoder is the encoder transposed', async () => {
    const model = new LinearAutoencoder({ inputs: 5, hidden: 3 })
    expect(model.parameters()).toHaveLength(15)
    const [encoder, decoder] = model.layers
    expect(encoder!.biases).toHaveLength(0)
    expect(decoder!.biases).toHaveLength(0)
    const w = encoder!.weights.toArray()
    expect(decoder!.weights.toArray()).toEqual(w[0]!.map((_, j) => w.map((row) => row[j]!)))
  })

  test('is an autoencoder of identities when not tied', async () => {
    const x = correlatedRows(20, 5)
    const model = new LinearAutoencoder({ inputs: 5, hidden: 3, tied: false, seed: 4, weightDecay: 0.1 })
    const other = new SparseAutoencoder({
      inputs: 5,
      hidden: 3,
      activation: 'identity',
      seed: 4,
      weightDecay: 0.1,
    })
    expect(model.parameters()).toEqual(other.parameters())
    expect(await model.cost(x, { gradient: true })).toEqual(await other.cost(x, { gradient: true }))
  })

  test('encodes, decodes, reconstructs and measures errors, in the units of x', async () => {
    const x = correlatedRows(20, 5, { offset: 100 })
    for (const tied of [true, false]) {
      const model = new LinearAutoencoder({ inputs: 5, hidden: 5, tied, center: true, precision: 'float64' })
      await model.fit(x, { optimizer: { kind: 'lbfgs', tolerance: 0 } })
      const y = await model.reconstruct(x)
      y.data.forEach((value, i) => {
        expect(value).toBeCloseTo(x.data[i]!, 6)
      })
      expect(relativeDistance((await model.decode(await model.encode(x))).data, y.data)).toBeLessThan(1e-14)
      expect(model.encodeSync(x.row(0))).toHaveLength(5)
      const perFeature = await model.reconstructionErrorPerFeature(x)
      const sums = perFeature.toArray().map((row) => row.reduce((sum, square) => sum + square))
      expect(relativeDistance(await model.reconstructionError(x), sums)).toBeLessThan(1e-12)
    }
  })
})

describe('training', () => {
  const x = correlatedRows(120, 6)

  test.each<[string, FitOptions]>([
    [
      'gradient descent',
      { optimizer: { kind: 'gradientDescent' }, epochs: 3000, batchSize: 'all', learningRate: 1 },
    ],
    ['momentum', { optimizer: { kind: 'momentum' }, epochs: 800, batchSize: 'all', learningRate: 1 }],
    [
      'adam',
      {
        optimizer: { kind: 'adam' },
        epochs: 600,
        batchSize: 30,
        learningRate: { kind: 'cosine', rate: 0.03 },
      },
    ],
    ['L-BFGS', { optimizer: { kind: 'lbfgs' } }],
  ])('reaches the optimum by %s', async (_, options) => {
    const { explainedVariance } = await new Pca().fit(x)
    for (const tied of [true, false]) {
      const { total } = linearOptimum(explainedVariance, { hidden: 2, tied })
      const model = new LinearAutoencoder({ inputs: 6, hidden: 2, tied, center: true, precision: 'float64' })
      await model.fit(x, options)
      expect((await model.cost(x)).total / total).toBeLessThan(1.01)
    }
  })

  test('keeps the mean of the training rows of the first fit', async () => {
    const model = new LinearAutoencoder({ inputs: 6, hidden: 2, center: true })
    expect(model.mean).toBeUndefined()
    await model.fit(x, { epochs: 1, validation: 0.5 })
    const mean = model.mean!
    const all = (await new Pca().fit(x)).mean
    expect(Math.max(...mean.map((value, j) => Math.abs(value - all[j]!)))).toBeGreaterThan(1e-4)
    await model.fit(correlatedRows(30, 6, { offset: -8 }), { epochs: 1 })
    expect(model.mean).toBe(mean)
    expect(new LinearAutoencoder({ inputs: 6, hidden: 2 }).mean).toBeUndefined()
  })

  test('of centred data measures validation rows minus the same mean', async () => {
    const model = new LinearAutoencoder({ inputs: 6, hidden: 2, center: true, precision: 'float64' })
    const validation = correlatedRows(40, 6, { seed: 9 })
    const { epochs } = await model.fit(x, { epochs: 2, validation })
    expect(epochs.at(-1)!.validation!.total).toBe((await model.cost(validation)).total)
  })

  test('is refused during another one, which does not change the mean', async () => {
    const model = new LinearAutoencoder({ inputs: 6, hidden: 2, center: true })
    const first = model.fit(x, { epochs: 3 })
    expectError(
      await rejection(model.fit(correlatedRows(9, 6, { offset: 50 }), { epochs: 1 })),
      'ERR_BUSY',
      'fit',
    )
    await first
    expect(model.mean![0]).toBeLessThan(10)
  })

  test('names the row and column of NaN, and then stores no mean', async () => {
    const model = new LinearAutoencoder({ inputs: 2, hidden: 1, center: true })
    expectError(
      await rejection(
        model.fit([
          [1, 2],
          [3, Number.NaN],
        ]),
      ),
      'ERR_RANGE',
      'row 1, column 1',
    )
    expect(model.mean).toBeUndefined()
  })

  test('that is refused for its validation rows stores no mean', async () => {
    const model = new LinearAutoencoder({ inputs: 2, hidden: 1, center: true })
    const rows = [
      [1, 2],
      [3, 5],
    ]
    const refused = rejection(model.fit(rows, { validation: [[Number.NaN, 1]] }))
    expectError(await refused, 'ERR_RANGE', 'validation: expected finite numbers')
    expect(model.mean).toBeUndefined()
    await model.fit(rows, { epochs: 1 })
    expect(model.mean).toEqual(Float64Array.of(2, 3.5))
  })

  test('names the row with which the sum of a column overflows', async () => {
    const model = new LinearAutoencoder({ inputs: 1, hidden: 1, center: true, precision: 'float64' })
    expectError(await rejection(model.fit([[1e308], [1e308]])), 'ERR_RANGE', 'in row 1, column 0')
  })

  test('of bytes with a scale equals that of the scaled numbers', async () => {
    const bytes = Matrix.from(
      Uint8Array.from(x.data, (value) => 40 * value),
      120,
      6,
      { scale: 1 / 64 },
    )
    const numbers = Matrix.from(
      Float64Array.from(bytes.data, (byte) => byte / 64),
      120,
      6,
    )
    const of = async (rows: Matrix) => {
      const model = new LinearAutoencoder({ inputs: 6, hidden: 2, center: true, precision: 'float64' })
      await model.fit(rows, { epochs: 3, batchSize: 32 })
      return model.parameters()
    }
    expect(await of(bytes)).toEqual(await of(numbers))
  })

  test('with the penalty rotates W until the mean code points along ρ, without changing reconstructions, if its length can be reached', async () => {
    const far = correlatedRows(120, 6, { offset: 1 })
    const plain = new LinearAutoencoder({ inputs: 6, hidden: 2, precision: 'float64' })
    const lbfgs = { optimizer: { kind: 'lbfgs', maxIterations: 2000, tolerance: 0 } } as const
    await plain.fit(far, lbfgs)
    const meanCode = async (model: LinearAutoencoder<'float64'>) => {
      const codes = await model.encode(far)
      return [0, 1].map((k) => codes.toArray().reduce((sum, row) => sum + row[k]! / far.rows, 0))
    }
    const length = Math.hypot(...(await meanCode(plain)))
    const target = [0.6 * length, 0.8 * length]
    const model = new LinearAutoencoder({
      inputs: 6,
      hidden: 2,
      precision: 'float64',
      sparsity: { kind: 'l2', target, weight: 1 },
    })
    await model.fit(far, lbfgs)
    const [a, b] = [await model.cost(far), await plain.cost(far)]
    expect(Math.abs(a.total - b.total) / b.total).toBeLessThan(tolerances.errorGap.value)
    const code = await meanCode(model)
    code.forEach((value, k) => {
      expect(value).toBeCloseTo(target[k]!, 6)
    })
  })
})

describe('a file', () => {
  const folder = temporaryFolder()

  test.each<[string, Partial<LinearAutoencoderOptions>]>([
    ['tied', {}],
    ['untied, centred', { tied: false, center: true }],
    [
      'in float64, with targets of single units',
      { precision: 'float64' as never, sparsity: { kind: 'l2', target: [1, 2], weight: 0.1 } },
    ],
  ])('restores the same model, which continues training identically: %s', async (_, more) => {
    const x = correlatedRows(40, 5)
    const model = new LinearAutoencoder({ inputs: 5, hidden: 2, ...more })
    await model.fit(x, { epochs: 2, batchSize: 16 })
    const path = join(folder, 'linear.safetensors')
    await model.save(path)
    const loaded = await LinearAutoencoder.load(path)
    expect(loaded.mean).toEqual(model.mean)
    expect(await loaded.reconstruct(x)).toEqual(await model.reconstruct(x))
    await model.fit(x, { epochs: 1, batchSize: 16 })
    await loaded.fit(x, { epochs: 1, batchSize: 16 })
    expect(loaded.parameters()).toEqual(model.parameters())
    expect(await loadModel(path)).toBeInstanceOf(LinearAutoencoder)
  })

  test('with a mean is refused if its model is not centred', async () => {
    const path = join(folder, 'damaged.safetensors')
    await new LinearAutoencoder({ inputs: 1, hidden: 1 }).save(path)
    const { tensors, metadata } = await readSafetensors(path)
    const entry = {
      ...JSON.parse(metadata.layerwise!),
      scaler: { kind: 'standard', shift: [0], factor: [1] },
    }
    await writeSafetensors(path, [...tensors.values()], { layerwise: JSON.stringify(entry) })
    expectError(await rejection(LinearAutoencoder.load(path)), 'ERR_FORMAT', 'none without center')
  })
})

describe('refused', () => {
  const sizes = { inputs: 4, hidden: 2 }
  test.each([
    [{ hidden: 2 }, 'ERR_ARGUMENT', 'inputs'],
    [{ inputs: 4 }, 'ERR_ARGUMENT', 'hidden'],
    [{ ...sizes, tied: 1 }, 'ERR_ARGUMENT', 'tied: expected true or false'],
    [{ ...sizes, center: 'yes' }, 'ERR_ARGUMENT', 'center: expected true or false'],
    [{ ...sizes, weightDecay: -1 }, 'ERR_ARGUMENT', 'weightDecay'],
    [{ ...sizes, activation: 'relu' }, 'ERR_ARGUMENT', "unknown option 'activation'"],
    [
      { ...sizes, sparsity: { kind: 'kl', target: 0.1, weight: 1 } },
      'ERR_ARGUMENT',
      "sparsity.kind: expected 'none' | 'l2'",
    ],
    [{ ...sizes, sparsity: { kind: 'l2', weight: 1 } }, 'ERR_ARGUMENT', 'sparsity.target'],
    [{ ...sizes, sparsity: { kind: 'l2', target: 1, weight: -1 } }, 'ERR_ARGUMENT', 'sparsity.weight'],
    [
      { ...sizes, sparsity: { kind: 'l2', target: [1], weight: 1 } },
      'ERR_SHAPE',
      'sparsity.target: expected 2 numbers',
    ],
    [
      { ...sizes, sparsity: { kind: 'l2', target: [1, Number.NaN], weight: 1 } },
      'ERR_ARGUMENT',
      'sparsity.target[1]',
    ],
    [
      { ...sizes, sparsity: { kind: 'l2', target: new Array(2), weight: 1 } },
      'ERR_ARGUMENT',
      'sparsity.target[0]: expected a finite number, received undefined',
    ],
    [{ ...sizes, sparsity: { kind: 'none', weight: 1 } }, 'ERR_ARGUMENT', "'weight'"],
  ])('%o', (options, code, message) => {
    expectError(
      thrown(() => new LinearAutoencoder(options as never)),
      code,
      message,
    )
  })
})
