import { describe, expect, test } from 'vitest'
import {
  type FitOptions,
  LinearAutoencoder,
  Matrix,
  SparseAutoencoder,
  type TrainingHistory,
} from '../lib/index.js'
import { BestEpoch } from '../lib/training/early-stopping.js'
import { relativeDistance, sampleRows } from './sample.js'
import { tolerances } from './tolerances.js'

const inputs = 9
const m = 61
const x = sampleRows(m, inputs)
const lbfgs = { optimizer: { kind: 'lbfgs', maxIterations: 12 } } as const
const sparsity = { kind: 'kl', target: 0.2, weight: 0.1 } as const
const options = { inputs, hidden: 5, sparsity, weightDecay: 1e-4, seed: 3 } as const

async function trained(fitOptions?: FitOptions, seed = 3) {
  const model = new SparseAutoencoder({ ...options, seed })
  const history = await model.fit(x, fitOptions)
  return { model, history }
}

const totals = (history: TrainingHistory) => history.epochs.map(({ cost }) => cost.total)

describe('fit', () => {
  test.each<[string, FitOptions]>([
    [
      'gradientDescent',
      { optimizer: { kind: 'gradientDescent' }, batchSize: 8, epochs: 10, learningRate: 0.5 },
    ],
    ['momentum', { optimizer: { kind: 'momentum' }, batchSize: 8, epochs: 10, learningRate: 0.1 }],
    ['adam', { batchSize: 8, epochs: 10 }],
    ['adam over all rows', { batchSize: 'all', epochs: 10, learningRate: 0.02 }],
    ['lbfgs', lbfgs],
  ])('lowers the exact cost: %s', async (_, fitOptions) => {
    const before = (await new SparseAutoencoder(options).cost(x)).total
    const { model } = await trained(fitOptions)
    expect((await model.cost(x)).total).toBeLessThan(tolerances.clearlyLower.value * before)
  })

  test('trains by Adam by default, its learning rate falling along a cosine over all epochs', async () => {
    const { history } = await trained()
    const epochs = 1500
    expect(history.stopped).toBe('completed')
    expect(history.epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: epochs }, (_, i) => i + 1))
    history.epochs.forEach(({ learningRate }, i) => {
      const wanted = (3e-3 * (1 + Math.cos((Math.PI * i) / epochs))) / 2
      expect(Math.abs(learningRate! - wanted)).toBeLessThan(tolerances.handComputed.value)
    })
  })

  test('continues from the current parameters when called again, with other shuffles', async () => {
    const once = await trained({ epochs: 2, batchSize: 8, learningRate: 0.01 })
    const twice = await trained({ epochs: 1, batchSize: 8, learningRate: 0.01 })
    const [second] = (await twice.model.fit(x, { epochs: 1, batchSize: 8, learningRate: 0.01 })).epochs
    expect(second!.cost.total).toBeLessThan(twice.history.epochs[0]!.cost.total)
    expect(twice.model.parameters()).not.toEqual(once.model.parameters())
  })

  test('over all rows reports in its first epoch the exact cost before the step', async () => {
    const { history } = await trained({ batchSize: 'all', epochs: 1 })
    const { total } = await new SparseAutoencoder(options).cost(x)
    expect(relativeDistance([totals(history)[0]!], [total])).toBeLessThan(
      tolerances.float32VsFloat64Cost.value,
    )
  })

  test('with L-BFGS never raises the cost, and reports the exact one after each iteration', async () => {
    const { model, history } = await trained(lbfgs)
    const falling = totals(history)
    falling.slice(1).forEach((total, i) => {
      expect(total).toBeLessThanOrEqual(falling[i]!)
    })
    expect(history.epochs[0]).not.toHaveProperty('learningRate')
    const { total } = await model.cost(x)
    expect(relativeDistance([falling.at(-1)!], [total])).toBeLessThan(tolerances.float32VsFloat64Cost.value)
  })

  test.each([1e-12, 1e-3, 1, 1e3])(
    'with L-BFGS does not depend on the unit of the data: size %d',
    async (size) => {
      const rows = sampleRows(60, 5)
      const x = Matrix.from(
        rows.data.map((value) => value * size),
        60,
        5,
      )
      const linear = { inputs: 5, hidden: 2, precision: 'float64', weightDecay: 0, seed: 1 } as const
      const model = new LinearAutoencoder(linear)
      const before = (await model.cost(x)).total
      const history = await model.fit(x, { optimizer: { kind: 'lbfgs' } })
      expect(history.epochs.length).toBeGreaterThan(10)
      expect((await model.cost(x)).total).toBeLessThan(0.2 * before)
    },
  )

  test.each(['float32', 'float64'] as const)(
    'with L-BFGS trains sigmoid units on data of size 1e-3 in %s',
    async (precision) => {
      const rows = sampleRows(60, 5)
      const x = Matrix.from(
        rows.data.map((value) => value * 1e-3),
        60,
        5,
      )
      const model = new SparseAutoencoder<'float32' | 'float64'>({
        ...{ inputs: 5, hidden: 3, outputActivation: 'identity', precision },
      })
      const before = (await model.cost(x)).total
      const { epochs } = await model.fit(x, { optimizer: { kind: 'lbfgs' } })
      expect(epochs.length).toBeGreaterThan(1)
      expect((await model.cost(x)).total).toBeLessThan(1e-3 * before)
    },
  )

  test('ends L-BFGS by its tolerance if the gradient is small enough', async () => {
    const { history } = await trained({ optimizer: { kind: 'lbfgs', tolerance: 0.05 } })
    expect(history.stopped).toBe('tolerance')
    expect(history.epochs.length).toBeLessThan(400)
  })

  test('ends L-BFGS if the cost cannot fall further in float32', async () => {
    const { history } = await trained({ optimizer: { kind: 'lbfgs', tolerance: 0, maxIterations: 20_000 } })
    expect(history.stopped).toBe('precision')
  })
})

describe('the history', () => {
  test('has cost, mean activation, gradient and pace of each epoch', async () => {
    const { history } = await trained({ epochs: 3, batchSize: 8 })
    for (const record of history.epochs) {
      const { cost, meanActivation, gradientNorm, seconds, samplesPerSecond, evaluations } = record
      expect(cost.total).toBe(cost.loss + cost.weightDecay + cost.sparsity)
      expect(Math.min(cost.loss, cost.weightDecay, cost.sparsity)).toBeGreaterThan(0)
      expect(meanActivation.min).toBeLessThanOrEqual(meanActivation.mean)
      expect(meanActivation.mean).toBeLessThanOrEqual(meanActivation.max)
      expect(meanActivation.min).toBeGreaterThan(0)
      expect(meanActivation.max).toBeLessThan(1)
      expect(gradientNorm).toBeGreaterThan(0)
      expect(Math.abs((samplesPerSecond * seconds) / m - 1)).toBeLessThan(tolerances.handComputed.value)
      expect(evaluations).toBe(Math.ceil(m / 8))
      expect(record).not.toHaveProperty('validation')
    }
  })

  test('has the records given to onEpoch, and can be written as JSON', async () => {
    const events: unknown[] = []
    const { history } = await trained({ epochs: 3, onEpoch: (event) => void events.push(event) })
    expect(history.epochs).toEqual(events)
    expect(JSON.parse(JSON.stringify(history))).toEqual(history)
  })
})

describe('learning rates', () => {
  const rates = async (learningRate: FitOptions['learningRate']) =>
    (await trained({ epochs: 5, learningRate } as FitOptions)).history.epochs.map((e) => e.learningRate)

  test('are constant for a number, and follow a schedule or function', async () => {
    expect(await rates(0.01)).toEqual([0.01, 0.01, 0.01, 0.01, 0.01])
    expect(await rates({ kind: 'constant', rate: 0.01 })).toEqual([0.01, 0.01, 0.01, 0.01, 0.01])
    expect(await rates({ kind: 'step', rate: 0.08, every: 2, factor: 0.5 })).toEqual([
      0.08, 0.08, 0.04, 0.04, 0.02,
    ])
    expect(await rates((epoch) => epoch / 100)).toEqual([0.01, 0.02, 0.03, 0.04, 0.05])
    const cosine = await rates({ kind: 'cosine', rate: 0.02, final: 0.01 })
    expect(cosine[0]).toBe(0.02)
    const last = 0.015 + 0.005 * Math.cos(0.8 * Math.PI)
    expect(Math.abs(cosine.at(-1)! - last)).toBeLessThan(tolerances.handComputed.value)
  })

  test('of 0 change nothing', async () => {
    const { model } = await trained({ epochs: 1, learningRate: () => 0 })
    expect(model.parameters()).toEqual(new SparseAutoencoder(options).parameters())
  })
})

describe('validation', () => {
  test('measures the exact cost of its rows after each epoch', async () => {
    const validation = sampleRows(17, inputs, 9)
    const { model, history } = await trained({ epochs: 3, validation })
    expect(history.epochs.at(-1)!.validation).toEqual(await model.cost(validation))
  })

  test('by a fraction holds rows out of training', async () => {
    const heldOut = await heldOutRows(0.25)
    expect(heldOut).toHaveLength(Math.round(0.25 * m))
    expect(await heldOutRows(0.25)).toEqual(heldOut)
    expect(await heldOutRows(0.25, 4)).not.toEqual(heldOut)
  })

  test('by a fraction holds out at least one row and keeps at least one for training', async () => {
    expect(await heldOutRows(0.001)).toHaveLength(1)
    expect(await heldOutRows(0.999)).toHaveLength(m - 1)
  })

  /** Rows that can be changed without changing the trained parameters. */
  async function heldOutRows(validation: number, seed = 3): Promise<number[]> {
    const parametersOn = async (rows: Matrix) => {
      const model = new SparseAutoencoder({ ...options, seed })
      await model.fit(rows, { epochs: 1, batchSize: 'all', learningRate: 0.1, validation })
      return model.parameters()
    }
    const expected = await parametersOn(x)
    const unchanged: number[] = []
    for (let i = 0; i < m; i++) {
      const data = Float64Array.from(x.data)
      data.fill(0.5, i * inputs, (i + 1) * inputs)
      const parameters = await parametersOn(Matrix.from(data, m, inputs))
      if (parameters.every((value, j) => value === expected[j])) unchanged.push(i)
    }
    return unchanged
  }
})

describe('early stopping', () => {
  const worsening = (epoch: number) => (epoch <= 4 ? 0.01 : 3)

  test('ends after `patience` epochs without improvement and keeps the best parameters', async () => {
    const parameters: Float32Array[] = []
    const model = new SparseAutoencoder(options)
    const history = await model.fit(x, {
      epochs: 30,
      batchSize: 8,
      learningRate: worsening,
      validation: sampleRows(30, inputs, 7),
      earlyStopping: { patience: 2 },
      onEpoch: () => void parameters.push(model.parameters()),
    })
    const costs = history.epochs.map(({ validation }) => validation!.total)
    expect(history.stopped).toBe('earlyStopping')
    expect(history.bestEpoch).toBe(1 + costs.indexOf(Math.min(...costs)))
    expect(history.epochs.length).toBe(history.bestEpoch! + 2)
    expect(model.parameters()).toEqual(parameters[history.bestEpoch! - 1])
    expect(model.parameters()).not.toEqual(parameters.at(-1))
  })

  test('without validation uses the exact cost of the training rows', async () => {
    const { model, history } = await trained({
      epochs: 30,
      batchSize: 8,
      learningRate: worsening,
      earlyStopping: { patience: 3 },
    })
    const costs = history.epochs.map(({ validation }) => validation!.total)
    expect(history.stopped).toBe('earlyStopping')
    expect(history.bestEpoch).toBe(1 + costs.indexOf(Math.min(...costs)))
    expect((await model.cost(x)).total).toBe(Math.min(...costs))
  })

  test('keeps the best parameters also if all epochs were completed', async () => {
    const { model, history } = await trained({
      epochs: 6,
      batchSize: 'all',
      learningRate: worsening,
      validation: x,
      earlyStopping: { patience: 30 },
    })
    expect(history.stopped).toBe('completed')
    expect(history.bestEpoch).toBeLessThan(6)
    expect((await model.cost(x)).total).toBe(history.epochs[history.bestEpoch! - 1]!.validation!.total)
  })

  test('counts an improvement below minDelta as none', async () => {
    const { history } = await trained({ epochs: 30, earlyStopping: { patience: 2, minDelta: 1e6 } })
    expect([history.stopped, history.bestEpoch, history.epochs.length]).toEqual(['earlyStopping', 1, 3])
  })

  test('treats any finite cost as better than NaN', () => {
    const best = new BestEpoch({ patience: 2, minDelta: 0 })
    const costs = [Number.NaN, Number.NaN, 7, Number.NaN, 8]
    costs.forEach((cost, i) => {
      best.observe(i + 1, cost, Float32Array.of(cost))
    })
    expect([best.epoch, best.exhausted]).toEqual([3, true])
  })
})

describe('the same seed', () => {
  const fits: [string, FitOptions][] = [
    ['adam', { epochs: 3, batchSize: 8 }],
    ['momentum over all rows', { epochs: 3, batchSize: 'all', optimizer: { kind: 'momentum' } }],
    ['lbfgs', lbfgs],
  ]
  test.each(fits)(
    'gives the same bits in two runs and at any number of threads: %s',
    async (_, fitOptions) => {
      const { model, history } = await trained({ ...fitOptions, threads: 1 })
      for (const threads of [1, 2, 3, 7]) {
        const again = await trained({ ...fitOptions, threads })
        expect(again.model.parameters()).toEqual(model.parameters())
        expect(totals(again.history)).toEqual(totals(history))
        expect(await again.model.encode(x, { threads })).toEqual(await model.encode(x))
        expect(await again.model.cost(x, { gradient: true, threads })).toEqual(
          await model.cost(x, { gradient: true }),
        )
      }
    },
  )

  test('gives different parameters than another seed', async () => {
    const [one, other] = [await trained({ epochs: 1 }, 1), await trained({ epochs: 1 }, 2)]
    expect(one.model.parameters()).not.toEqual(other.model.parameters())
  })
})

describe('onProgress', () => {
  test('counts steps up to the last and estimates the time left', async () => {
    const seen: { epoch: number; step: number; steps: number; epochs: number; secondsLeft: number }[] = []
    await trained({ epochs: 2, batchSize: 8, onProgress: (progress) => void seen.push(progress) })
    const last = seen.at(-1)!
    expect([last.epoch, last.epochs, last.step, last.steps]).toEqual([2, 2, 8, 8])
    expect(last.secondsLeft).toBe(0)
    expect(seen.every(({ secondsLeft }) => secondsLeft >= 0)).toBe(true)
  })
})
