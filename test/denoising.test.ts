import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type Corruption,
  type FitOptions,
  Matrix,
  MinMaxScaler,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
} from '../lib/index.js'
import { rejection, relativeDistance, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'
import { tolerances } from './tolerances.js'

const inputs = 13
const x = sampleRows(301, inputs)
const folder = temporaryFolder()
const noises: Corruption[] = [
  { kind: 'masking', amount: 0.3 },
  { kind: 'gaussian', amount: 0.2 },
  { kind: 'saltAndPepper', amount: 0.3 },
]
const minibatches = { epochs: 2, batchSize: 32 } as const
const lbfgs = { optimizer: { kind: 'lbfgs', maxIterations: 8 } } as const

async function trained(options: Partial<SparseAutoencoderOptions> = {}, how: FitOptions = minibatches) {
  const model = new SparseAutoencoder({ inputs, hidden: 7, seed: 3, ...options })
  const history = await model.fit(x, how)
  return { model, history }
}

describe.each(noises)('$kind noise', (corruption) => {
  test('changes the result of training', async () => {
    const noisy = await trained({ corruption })
    const clean = await trained()
    expect(noisy.model.parameters()).not.toEqual(clean.model.parameters())
  })

  test.each<[string, FitOptions]>([
    ['minibatches', minibatches],
    ['all rows', { batchSize: 'all', epochs: 2 }],
    ['L-BFGS', lbfgs],
  ])('is the same at any number of threads: %s', async (_, how) => {
    const parameters = async (threads: number) =>
      (await trained({ corruption }, { ...how, threads })).model.parameters()
    const one = await parameters(1)
    for (const threads of [2, 3, 7]) expect(await parameters(threads)).toEqual(one)
  })

  test('of amount 0 has no effect', async () => {
    const none = await trained({ corruption: { ...corruption, amount: 0 } })
    expect(none.model.parameters()).toEqual((await trained()).model.parameters())
  })

  test('never affects cost, encode, reconstruct and errors', async () => {
    const noisy = new SparseAutoencoder({ inputs, hidden: 7, corruption })
    const clean = new SparseAutoencoder({ inputs, hidden: 7 })
    expect(await noisy.cost(x, { gradient: true })).toEqual(await clean.cost(x, { gradient: true }))
    expect(await noisy.encode(x)).toEqual(await clean.encode(x))
    expect(noisy.encodeSync(x.row(0))).toEqual(clean.encodeSync(x.row(0)))
    expect(await noisy.reconstruct(x)).toEqual(await clean.reconstruct(x))
    expect(await noisy.reconstructionError(x)).toEqual(await clean.reconstructionError(x))
  })

  test('never affects validation rows', async () => {
    const { model, history } = await trained({ corruption }, { ...minibatches, validation: x })
    expect(history.epochs.at(-1)!.validation).toEqual(await model.cost(x))
  })

  test('depends on the seed, and is different in each fit', async () => {
    const costs = async (seed: number) => {
      const model = new SparseAutoencoder({ inputs, hidden: 7, seed, corruption })
      const start = model.parameters().fill(0.1)
      const measured: number[] = []
      for (const _ of ['once', 'again']) {
        model.setParameters(start)
        measured.push((await model.fit(x, { batchSize: 'all', epochs: 1 })).epochs[0]!.cost.loss)
      }
      return measured
    }
    expect(new Set([...(await costs(1)), ...(await costs(2))]).size).toBe(4)
  })

  test('is different in each epoch', async () => {
    const still = { kind: 'constant', rate: 1e-30 } as const
    const { history } = await trained({ corruption }, { batchSize: 'all', epochs: 3, learningRate: still })
    expect(new Set(history.epochs.map(({ cost }) => cost.loss)).size).toBe(3)
  })

  test('stays the same over a fit with L-BFGS, whose cost therefore never rises', async () => {
    const { history } = await trained({ corruption }, lbfgs)
    history.epochs.slice(1).forEach(({ cost }, i) => {
      expect(cost.total).toBeLessThanOrEqual(history.epochs[i]!.cost.total)
    })
  })

  test('is saved with the model', async () => {
    const { model } = await trained({ corruption })
    const path = join(folder, 'denoising.safetensors')
    await model.save(path)
    const loaded = await SparseAutoencoder.load(path)
    await model.fit(x, minibatches)
    await loaded.fit(x, minibatches)
    expect(loaded.parameters()).toEqual(model.parameters())
    const clean = await trained()
    await clean.model.fit(x, minibatches)
    expect(loaded.parameters()).not.toEqual(clean.model.parameters())
  })
})

test('the loss is computed against the clean rows', async () => {
  const model = new SparseAutoencoder({
    inputs,
    hidden: 7,
    activation: 'identity',
    outputActivation: 'sigmoid',
    corruption: { kind: 'gaussian', amount: 0.5 },
    precision: 'float64',
  })
  // With all weights 0 the outputs are the same for any input, so noise in the targets alone would show.
  model.setParameters(model.parameters().fill(0))
  const [first] = (await model.fit(x, { batchSize: 'all', epochs: 1 })).epochs
  const plain = new SparseAutoencoder({ inputs, hidden: 7, precision: 'float64' })
  plain.setParameters(plain.parameters().fill(0))
  expect(relativeDistance([first!.cost.loss], [(await plain.cost(x)).loss])).toBeLessThan(
    tolerances.float64VsOracleCost.value,
  )
})

describe('the noisy inputs, recovered from one gradient step from known weights:', () => {
  const m = 4000
  const rows = Matrix.from(new Float64Array(m).fill(0.6), m, 1)

  /**
   * A network of one hidden unit h = x and one output y = h, all biases 0: the loss of y against 0.6 is ½(noisy x − 0.6)², so the mean loss
   * is half the mean square of the noise.
   */
  async function meanSquare(corruption: Corruption, outputActivation: 'identity' | 'satlin') {
    const model = new SparseAutoencoder({
      inputs: 1,
      hidden: 1,
      activation: 'identity',
      outputActivation,
      corruption,
      precision: 'float64',
    })
    model.setParameters(Float64Array.of(1, 0, 1, 0))
    return 2 * (await model.fit(rows, { batchSize: 'all', epochs: 1 })).epochs[0]!.cost.loss
  }

  test('masking sets the given share of values to 0', async () => {
    const p = 0.3
    const deviation = (Math.sqrt(p * (1 - p)) * 0.36) / Math.sqrt(m)
    const mean = await meanSquare({ kind: 'masking', amount: p }, 'identity')
    expect(Math.abs(mean - p * 0.36)).toBeLessThan(tolerances.standardErrors.value * deviation)
  })

  test('gaussian noise has the given standard deviation', async () => {
    const sd = 0.5
    const deviation = Math.sqrt(2 / m) * sd ** 2
    const mean = await meanSquare({ kind: 'gaussian', amount: sd }, 'identity')
    expect(Math.abs(mean - sd ** 2)).toBeLessThan(tolerances.standardErrors.value * deviation)
  })

  test('salt and pepper set half of the given share to each end of the output’s range', async () => {
    const p = 0.4
    const squares = [0.36, 0.16]
    const wanted = (p / 2) * (squares[0]! + squares[1]!)
    const second = (p / 2) * (squares[0]! ** 2 + squares[1]! ** 2)
    const deviation = Math.sqrt((second - wanted ** 2) / m)
    const mean = await meanSquare({ kind: 'saltAndPepper', amount: p }, 'satlin')
    expect(Math.abs(mean - wanted)).toBeLessThan(tolerances.standardErrors.value * deviation)
  })
})

test('noise is applied after scaling', async () => {
  const raw = Matrix.from(
    x.data.map((value) => 1000 * value),
    x.rows,
    inputs,
  )
  const scaling = await new MinMaxScaler({ range: [0.1, 0.9] }).fit(raw)
  const corruption = { kind: 'gaussian', amount: 0.1 } as const
  const options = { inputs, hidden: 7, corruption, precision: 'float64' } as const
  const scaled = new SparseAutoencoder({ ...options, scaling })
  const plain = new SparseAutoencoder(options)
  await scaled.fit(raw, minibatches)
  await plain.fit(await scaling.transform(raw), minibatches)
  expect(relativeDistance(scaled.parameters(), plain.parameters())).toBeLessThan(
    tolerances.float64VsOracleGradient.value,
  )
})

describe('corruption is refused', () => {
  test.each<[string, unknown, string]>([
    ['of an unknown kind', { kind: 'dropout', amount: 0.1 }, 'corruption.kind'],
    ['without an amount', { kind: 'masking' }, 'corruption.amount'],
    ['that masks everything', { kind: 'masking', amount: 1 }, 'corruption.amount'],
    ['that peppers everything', { kind: 'saltAndPepper', amount: 1 }, 'corruption.amount'],
    ['of a negative amount', { kind: 'gaussian', amount: -0.1 }, 'corruption.amount'],
    ['of an infinite amount', { kind: 'gaussian', amount: Infinity }, 'corruption.amount'],
    ['with an unknown option', { kind: 'gaussian', amount: 0.1, mean: 1 }, 'corruption.mean'],
    ['as a number', 0.1, 'corruption'],
    ['as null', null, 'corruption'],
  ])('%s', (_, corruption, argument) => {
    expect(() => new SparseAutoencoder({ inputs, hidden: 3, corruption: corruption as never })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', details: expect.objectContaining({ argument }) }),
    )
  })

  test.each(['relu', 'identity'] as const)('as salt and pepper on %s outputs', (outputActivation) => {
    const corruption = { kind: 'saltAndPepper', amount: 0.1 } as const
    expect(() => new SparseAutoencoder({ inputs, hidden: 3, outputActivation, corruption })).toThrow(
      expect.objectContaining({
        code: 'ERR_ARGUMENT',
        details: expect.objectContaining({ argument: 'corruption.kind' }),
      }),
    )
  })

  test('as an option of fit', async () => {
    const model = new SparseAutoencoder({ inputs, hidden: 3 })
    expect(await rejection(model.fit(x, { corruption: noises[0] } as FitOptions))).toMatchObject({
      code: 'ERR_ARGUMENT',
    })
  })
})
