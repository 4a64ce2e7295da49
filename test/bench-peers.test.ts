import { describe, expect, test } from 'vitest'
import { evaluationFlopsPerRow } from '../bench/measuring/flops.js'
import { summary } from '../bench/measuring/statistics.js'
import { entries } from '../bench/peers/contender.js'
import { type JobResult, reached, table } from '../bench/peers/figures.js'
import { chain, jobNames, trainingJobs, unrolled } from '../bench/peers/jobs.js'
import { distance, proveCodes } from '../bench/peers/proof.js'
import { bestVariant, rounds } from '../bench/peers/rounds.js'
import { trainingFigures, widths } from '../bench/peers/training.js'

describe('the layers of a job', () => {
  test('of an unrolled stack go down to a linear code and up again', () => {
    const layers = unrolled([784, 1000, 30])
    expect(layers.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
      [784, 1000],
      [1000, 30],
      [30, 1000],
      [1000, 784],
    ])
    expect(layers.map(({ activation }) => activation)).toEqual(['sigmoid', 'identity', 'sigmoid', 'sigmoid'])
  })

  test('need an activation for each pair of widths', () => {
    expect(() => chain([3, 2], [])).toThrow(RangeError)
  })

  test('of every job determine its flops', () => {
    const flops = trainingJobs.map(({ name, training }) => [name, evaluationFlopsPerRow(widths(training))])
    expect(Object.fromEntries(flops)).toMatchObject({
      digits: 1_536_640,
      patches: 16_000,
      finetune: 2 * (3 * (784 * 200 + 200 * 200 + 200 * 10) - 784 * 200),
    })
  })
})

describe('a distance', () => {
  test('is relative to the length of the second vector', () => {
    expect(distance(Float32Array.of(3, 5), Float32Array.of(3, 4))).toBeCloseTo(1 / 5)
  })

  test('is relative to the distance moved if a start is given', () => {
    expect(distance(Float32Array.of(3, 5), Float32Array.of(3, 4), Float32Array.of(3, 2))).toBeCloseTo(1 / 2)
  })

  test('is refused between different lengths', () => {
    expect(() => distance(Float32Array.of(1), Float32Array.of(1, 2))).toThrow(RangeError)
  })

  test('that is too large ends the race with an error that has the figure', () => {
    expect(() => proveCodes('784-196', Float32Array.of(1, 2), Float32Array.of(1, 2.1))).toThrow(
      /784-196: the codes/,
    )
    expect(() => proveCodes('784-196', Float32Array.of(Number.NaN), Float32Array.of(1))).toThrow(
      /differ by NaN/,
    )
  })
})

describe('goals', () => {
  test('are compared with the median, from above or from below', () => {
    expect(reached({ atLeast: 2 }, summary([1, 2, 3]))).toBe(true)
    expect(reached({ atLeast: 2 }, summary([1, 1.9, 3]))).toBe(false)
    expect(reached({ atMost: 0.5 }, summary([0.4, 0.5, 0.6]))).toBe(true)
    expect(reached({ atMost: 0.5 }, summary([0.4, 0.6, 0.6]))).toBe(false)
  })

  test('are in the table beside the figure', () => {
    const result: JobResult = {
      ...{ job: 'digits', title: '', proof: [], peers: {}, rounds: 3, repeated: 0, windowSeconds: 1 },
      figures: [
        { label: 'layerwise', unit: 'samples/s', values: summary([1000, 3000, 2000]) },
        { label: 'times the peer', unit: 'ratio', values: summary([1, 3, 2]), goal: { atLeast: 2.2 } },
      ],
    }
    const [, ours, ratio] = table([result]).split('\n')
    expect(ours).toMatch(/digits {2}layerwise +samples\/s {2}3,000 +2,000 +1,000–3,000$/)
    expect(ratio).toMatch(/times the peer +3\.00 +2\.00 +1\.00–3\.00 +≥ 2\.2 {2}missed$/)
  })
})

describe('figures of a training', () => {
  const rates = { ours: [90, 80, 100], limit: [1, 1, 1], plan: [1, 1, 1], used: 2, flops: 1e7 }
  const torch = { name: 'torch', best: 'compile', rates: [40, 50, 60] }
  const jax = { name: 'jax', best: 'W [in, out]', rates: [60, 100, 40] }
  const figures = (...peers: (typeof torch)[]) =>
    trainingFigures({ goals: { ratios: { torch: 2, jax: 1.8 } } }, { ...rates, peers })

  test.each([
    [[torch, jax], 'jax', 'torch'],
    [[jax, { ...torch, rates: [70, 70, 70] }], 'torch', 'jax'],
  ])('begin with the ratio to the peer with the greatest median rate, case %#', (peers, first, second) => {
    const labels = figures(...peers).map(({ label }) => label)
    expect(labels.slice(0, 2)).toEqual([`times the fastest peer, ${first}`, `times ${second}`])
    expect(labels[3]).toMatch(new RegExp(`^${first}, `))
  })

  test('compare each peer with its own goal, round by round', () => {
    const [fastest, other] = figures(torch, jax)
    expect(fastest).toMatchObject({ values: { values: [1.5, 0.8, 2.5] }, goal: { atLeast: 1.8 } })
    expect(other).toMatchObject({ values: { values: [2.25, 1.6, 100 / 60] }, goal: { atLeast: 2 } })
  })

  test('compare the limit with the fastest peer', () => {
    const limit = figures(torch, jax).find(({ label }) => label === 'the limit, times the fastest peer')
    expect(limit?.values.values[1]).toBeCloseTo(1 / (100 * 1e7 * 1e-9))
  })
})

describe('peers of a training', () => {
  test.each(trainingJobs.map((job) => [job.name, job] as const))(
    'of %s are PyTorch and JAX, each with a goal',
    (_, job) => {
      const names = entries(job).map(({ name }) => name)
      expect(names).toEqual(['torch', 'jax'])
      expect(Object.keys(job.goals.ratios ?? {})).toEqual(names)
    },
  )

  test('are tried with weight decay in the cost and in the optimizer, if there is decay', () => {
    const variants = (name: string) =>
      entries(trainingJobs.find((job) => job.name === name)!).map((entry) => entry.variants)
    expect(variants('deep')).toEqual([
      ['eager', 'compile'],
      ['W [in, out]', 'W [out, in]'],
    ])
    expect(variants('small')[1]).toEqual([
      ...['W [in, out]', 'W [in, out], decay in Adam'],
      ...['W [out, in]', 'W [out, in], decay in Adam'],
    ])
  })
})

describe('rounds', () => {
  const undisturbed = () => 0

  test('run all subjects in turn, every second round in reverse order', async () => {
    const order: string[] = []
    const turn = (name: string) => async () => order.push(name)
    const { values, repeated } = await rounds({ a: turn('a'), b: turn('b') }, 2, undisturbed)
    expect(order).toEqual(['a', 'b', 'b', 'a'])
    expect(values).toEqual({ a: [1, 4], b: [2, 3] })
    expect(repeated).toBe(0)
  })

  test('are repeated if other processes used the processors', async () => {
    // Read before and after each round: an hour went by in the first one.
    const readings = [0, 3600, 3600, 3600, 3600, 3600]
    let turns = 0
    const { values, repeated } = await rounds({ a: async () => ++turns }, 2, () => readings.shift())
    expect(values).toEqual({ a: [2, 3] })
    expect(repeated).toBe(1)
  })

  test('stop if the machine stays busy', async () => {
    let seconds = 0
    await expect(rounds({ a: async () => 1 }, 2, () => (seconds += 3600))).rejects.toThrow(
      /too few rounds were quiet/,
    )
  })

  test('choose the best variant, by the greatest or the least figure', async () => {
    const rates: Record<string, number> = { eager: 2, compile: 3 }
    const window = async (variant: string) => rates[variant]!
    const variants = Object.keys(rates)
    expect(await bestVariant(variants, window, 'greater', undisturbed)).toEqual({
      best: 'compile',
      tried: rates,
    })
    expect(await bestVariant(variants, window, 'less', undisturbed)).toEqual({ best: 'eager', tried: rates })
  })
})

test('the jobs are the documented ones', () => {
  expect(jobNames).toEqual([
    ...['digits', 'digits1k', 'patches', 'small', 'deep', 'finetune', 'finetune1k'],
    ...['lbfgs', 'encode1', 'encode', 'sklearn', 'uint8', 'threads', 'cut'],
  ])
})
