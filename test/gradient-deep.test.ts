import { describe, expect, test } from 'vitest'
import { precisionOf } from '../lib/base/precision.js'
import { Matrix, StackedAutoencoder, StackedClassifier } from '../lib/index.js'
import type { Floats, NativeObjective, NativeRows } from '../lib/native/binding.js'
import { binding } from '../lib/native/load.js'
import { ACTIVATIONS, isBounded } from '../lib/objective/activation.js'
import { forward, type OracleActivation, type OracleLayer, places } from './oracle/layers.js'
import { evaluate, type OracleCost, type OracleObjective } from './oracle/network.js'
import { numericGradient, relativeError } from './oracle/numeric-gradient.js'
import type { OraclePenalty } from './oracle/penalty.js'
import { type Point, pointAwayFromKinks } from './oracle/points.js'
import { tolerances } from './tolerances.js'
import { openJob } from './training-job.js'

interface Case {
  readonly layers: readonly OracleLayer[]
  readonly objective: OracleObjective
  readonly labels?: Uint32Array
}

function nativeObjective({ penalties, classWeights, ...rest }: OracleObjective): NativeObjective {
  return {
    ...rest,
    penalties: penalties.map(({ layer, kind, target, weight }) => {
      const rho = typeof target === 'number' ? target : Float64Array.from(target)
      return { layer, kind, target: rho, weight, average: 'exact' }
    }),
    ...(classWeights && { classWeights: Float64Array.from(classWeights) }),
  }
}

function nativeRows(x: Floats, m: number, { labels }: Case): NativeRows {
  return { data: x, type: precisionOf(x), rows: m, cols: x.length / m, scale: 1, ...(labels && { labels }) }
}

/** Cost, and gradient on request, of the native core in the precision of `parameters`. */
async function native(
  one: Case,
  parameters: Floats,
  rows: NativeRows,
  gradient?: Floats,
): Promise<Omit<OracleCost, 'means' | 'gradient'>> {
  const run = { threads: 2, flags: new Int32Array(2) }
  const { layers } = one
  const objective = nativeObjective(one.objective)
  const { loss, weightDecay, sparsity } = await binding().evaluate({
    ...run,
    layers,
    objective,
    parameters,
    rows,
    ...(gradient && { gradient }),
  })
  return { loss, weightDecay, sparsity, total: loss + weightDecay + sparsity }
}

const oracleOf = ({ layers, objective, labels }: Case, theta: Floats, x: Floats, m: number) =>
  evaluate(layers, objective, theta, { x, m, ...(labels && { labels }) })

function expectCost(ours: Omit<OracleCost, 'means' | 'gradient'>, oracle: OracleCost, limit: number): void {
  for (const part of ['loss', 'weightDecay', 'sparsity', 'total'] as const) {
    const distance = Math.abs(ours[part] - oracle[part]) / Math.max(1, Math.abs(oracle[part]))
    expect(distance, part).toBeLessThan(limit)
  }
}

/** float64 and float32 against the oracle. Returns the float64 gradient. */
async function agreesWithOracle(one: Case, { theta, x, m }: Point): Promise<Float64Array> {
  const gradient = new Float64Array(theta.length)
  const cost = await native(one, theta, nativeRows(x, m, one), gradient)
  const oracle = oracleOf(one, theta, x, m)
  expect(Math.hypot(...gradient)).toBeGreaterThan(tolerances.gradientToSee.value)
  expectCost(cost, oracle, tolerances.float64VsOracleCost.value)
  expect(relativeError(gradient, oracle.gradient)).toBeLessThan(tolerances.float64VsOracleGradient.value)

  const [theta32, x32] = [Float32Array.from(theta), Float32Array.from(x)]
  const gradient32 = new Float32Array(theta.length)
  const cost32 = await native(one, theta32, nativeRows(x32, m, one), gradient32)
  const rounded = oracleOf(one, theta32, x32, m)
  expectCost(cost32, rounded, tolerances.float32VsFloat64Cost.value)
  expect(relativeError(gradient32, rounded.gradient)).toBeLessThan(tolerances.float32VsFloat64Gradient.value)
  return gradient
}

/** All of {@link agreesWithOracle}, and the native cost's own central differences. */
async function gradientHolds(one: Case, seed: number): Promise<void> {
  const point = pointAwayFromKinks(one.layers, one.objective, { m: one.labels?.length ?? 6, seed })
  const gradient = await agreesWithOracle(one, point)

  // The points of the differences, measured all at once, then returned in the same order.
  const rows = nativeRows(point.x, point.m, one)
  const places: Float64Array[] = []
  numericGradient((at) => places.push(at.slice()), point.theta)
  const costs = await Promise.all(places.map((parameters) => native(one, parameters, rows)))
  const numeric = numericGradient(() => costs.shift()!.total, point.theta)
  expect(relativeError(gradient, numeric)).toBeLessThan(tolerances.gradientCheckFloat64.value)
}

const WIDTHS = [5, 4, 3, 2]

/** Encoders 5-4-3-2, then decoders 2-3-4-5. */
function unrolled(activation: OracleActivation, output: OracleActivation, tied = false): OracleLayer[] {
  const encoders = WIDTHS.slice(1).map((outputs, l) => ({ inputs: WIDTHS[l]!, outputs, activation }))
  const decoders = encoders.toReversed().map(({ inputs, outputs }, l) => ({
    inputs: outputs,
    outputs: inputs,
    activation: l === encoders.length - 1 ? output : activation,
    ...(tied && { tied: encoders.length - 1 - l }),
  }))
  return [...encoders, ...decoders]
}

/** Encoders 5-4-3-2, then a softmax over three classes. */
function classifier(activation: OracleActivation): OracleLayer[] {
  return [...unrolled(activation, activation).slice(0, 3), { inputs: 2, outputs: 3, activation: 'softmax' }]
}

/** None; one of another kind on each encoder; the constraint on the first, and one on the last. */
function penaltiesOf(activation: OracleActivation): OraclePenalty[][] {
  const kind = isBounded(activation) ? 'kl' : 'l2'
  return [
    [],
    [
      { layer: 0, kind, target: 0.2, weight: 0.4 },
      { layer: 1, kind: 'l2', target: [0.1, 0.3, 0.5], weight: 0.5 },
      { layer: 2, kind: 'l1', target: 0, weight: 0.3 },
    ],
    [
      { layer: 0, kind: 'constraint', target: 0.4, weight: 0.6 },
      { layer: 2, kind, target: 0.3, weight: 0.5 },
    ],
  ]
}

const labels = Uint32Array.of(2, 0, 1, 1, 2, 0)
const decays = [0.03, 0.02, 0.01, 0.04, 0.05, 0.06]

describe('gradient by differences, oracle and float32 agree for the unrolled network of three encoders and three decoders', () => {
  for (const activation of ACTIVATIONS) {
    test(`of ${activation}, every loss, every penalty`, async () => {
      for (const [loss, output] of [
        ['squared', 'identity'],
        ['euclidean', 'tanh'],
        ['absolute', 'satlin'],
        ['crossEntropy', 'sigmoid'],
      ] as const) {
        const layers = unrolled(activation, output)
        for (const penalties of penaltiesOf(activation)) {
          await gradientHolds({ layers, objective: { loss, weightDecay: decays, penalties } }, 21)
        }
      }
    })
  }

  test('with another activation in the code layer, and a penalty on one encoder', async () => {
    const layers = unrolled('sigmoid', 'sigmoid').map((layer, l) =>
      l === 2 ? { ...layer, activation: 'identity' as const } : layer,
    )
    for (const layer of [0, 1]) {
      const penalties: OraclePenalty[] = [{ layer, kind: 'kl', target: 0.1, weight: 0.7 }]
      await gradientHolds({ layers, objective: { loss: 'crossEntropy', weightDecay: decays, penalties } }, 22)
    }
  })
})

describe('gradient by differences, oracle and float32 agree for the classifier of three hidden layers', () => {
  for (const activation of ACTIVATIONS) {
    test(`of ${activation}: decay of the softmax or of all layers, sparse or not, with class weights`, async () => {
      const layers = classifier(activation)
      for (const weightDecay of [
        [0, 0, 0, 0.05],
        [0.05, 0.05, 0.05, 0.05],
      ]) {
        for (const penalties of penaltiesOf(activation)) {
          const objective: OracleObjective = { loss: 'logLoss', weightDecay, penalties }
          await gradientHolds({ layers, objective, labels }, 23)
          await gradientHolds({ layers, objective: { ...objective, classWeights: [1, 0.3, 2] }, labels }, 23)
        }
      }
    })
  }

  test('without hidden layers, with biases and without', async () => {
    for (const biases of [true, false]) {
      const layers: OracleLayer[] = [{ inputs: 5, outputs: 3, activation: 'softmax', biases }]
      await gradientHolds(
        { layers, objective: { loss: 'logLoss', weightDecay: [0.1], penalties: [] }, labels },
        24,
      )
    }
  })

  test('with logits of ±500, where cost and gradient are finite', async () => {
    const layers: OracleLayer[] = [{ inputs: 2, outputs: 3, activation: 'softmax' }]
    const theta = [0, 0, 0, 0, 0, 0, 500, -500, 0]
    const rows = { data: Float64Array.of(0.5, 0.5), type: 'float64', rows: 1, cols: 2, scale: 1 } as const
    for (const [label, loss, slopes] of [
      [0, 0, [0, 0, 0]],
      [1, 1000, [1, -1, 0]],
      [2, 500, [1, 0, -1]],
    ] as const) {
      const one: Case = { layers, objective: { loss: 'logLoss', weightDecay: [0], penalties: [] } }
      for (const parameters of [Float64Array.from(theta), Float32Array.from(theta)]) {
        const gradient = parameters.slice()
        const at = { ...rows, labels: Uint32Array.of(label) }
        expect((await native(one, parameters, at, gradient)).total).toBe(loss)
        gradient.subarray(6).forEach((slope, k) => {
          expect(Math.abs(slope - slopes[k]!)).toBeLessThan(tolerances.handComputed.value)
        })
      }
    }
  })
})

describe('gradient by differences, oracle and float32 agree for tied layers:', () => {
  test('one matrix, without biases, targets of single units: the linear autoencoder', async () => {
    const layers: OracleLayer[] = [
      { inputs: 5, outputs: 3, activation: 'identity', biases: false },
      { inputs: 3, outputs: 5, activation: 'identity', biases: false, tied: 0 },
    ]
    const penalties: OraclePenalty[] = [{ layer: 0, kind: 'l2', target: [0.5, -1, 0.2], weight: 0.4 }]
    const objective: OracleObjective = { loss: 'squared', weightDecay: [0.1, 0], penalties }
    await gradientHolds({ layers, objective }, 25)
    await gradientHolds({ layers, objective: { ...objective, penalties: [] } }, 25)
  })

  for (const activation of ACTIVATIONS) {
    test(`three pairs of ${activation}, with biases, every penalty`, async () => {
      const layers = unrolled(activation, 'identity', true)
      expect(places(layers).at(-1)!.end).toBe(5 * 4 + 4 * 3 + 3 * 2 + 4 + 3 + 2 + 3 + 4 + 5)
      const weightDecay = [0.03, 0.02, 0.01, 0, 0, 0]
      for (const penalties of penaltiesOf(activation)) {
        await gradientHolds({ layers, objective: { loss: 'squared', weightDecay, penalties } }, 26)
      }
    })
  }
})

describe('over rows of several blocks, the gradient is the oracle’s', () => {
  const wide = (layers: OracleLayer[]) =>
    layers.map((layer) => ({ ...layer, inputs: 7 * layer.inputs, outputs: 7 * layer.outputs }))
  const m = 700

  test('of the unrolled network, with ties and without', async () => {
    for (const tied of [false, true]) {
      const layers = wide(unrolled('sigmoid', 'sigmoid', tied))
      const weightDecay = tied ? [0.03, 0.02, 0.01, 0, 0, 0] : decays
      const penalties: OraclePenalty[] = [0, 1, 2].map((layer) => ({
        layer,
        kind: 'kl',
        target: 0.1,
        weight: 0.3,
      }))
      const objective: OracleObjective = { loss: 'squared', weightDecay, penalties }
      await agreesWithOracle({ layers, objective }, pointAwayFromKinks(layers, objective, { m, spread: 0.2 }))
    }
  })

  test('of the classifier', async () => {
    const layers = wide(classifier('sigmoid'))
    const many = Uint32Array.from({ length: m }, (_, i) => (i * 5) % 21)
    const objective: OracleObjective = {
      loss: 'logLoss',
      weightDecay: [0.1, 0.1, 0.1, 0.1],
      penalties: [{ layer: 1, kind: 'kl', target: 0.1, weight: 0.3 }],
    }
    const point = pointAwayFromKinks(layers, objective, { m, spread: 0.2 })
    await agreesWithOracle({ layers, objective, labels: many }, point)
  })
})

describe('options of a training step give the oracle’s cost and gradient:', () => {
  /** θ less what one step of gradient descent at rate 1 over all rows makes of it. */
  async function stepOf(
    one: Case,
    parameters: Float64Array,
    rows: NativeRows,
    constraint?: { round: number; weight: number; multipliers: Float64Array },
  ): Promise<Float64Array> {
    const run = { threads: 2, flags: new Int32Array(2) }
    const { layers } = one
    const job = openJob({ layers, objective: nativeObjective(one.objective), parameters, rows })
    const after = parameters.slice()
    const span = { epoch: 0, learningRates: Float64Array.of(1), budgetMs: 1000, parameters: after }
    const [part] = await binding().trainSpan(job, {
      ...run,
      ...span,
      ...(constraint && { constraint }),
    })
    binding().closeTraining(job)
    expect(part?.diverged).toBe(false)
    return after.map((value, p) => parameters[p]! - value)
  }

  for (const activation of ['sigmoid', 'tanh'] as const) {
    test(`the multipliers of the constraint on ${activation} units`, async () => {
      const layers = unrolled(activation, 'identity')
      const multipliers = Float64Array.of(0.4, -0.2, 0.1, -0.3)
      const penalty: OraclePenalty = { layer: 0, kind: 'constraint', target: 0.2, weight: 2.5, multipliers }
      const objective: OracleObjective = { loss: 'squared', weightDecay: decays, penalties: [penalty] }
      const { theta, x, m } = pointAwayFromKinks(layers, objective, { seed: 27 })
      // The job is opened with another weight, and takes over the round's.
      const opened = { ...objective, penalties: [{ ...penalty, weight: 1 }] }
      const one: Case = { layers, objective: opened }
      const round = { round: 1, weight: 2.5, multipliers }
      const step = await stepOf(one, theta, nativeRows(x, m, one), round)
      const { gradient } = evaluate(layers, objective, theta, { x, m })
      expect(relativeError(step, gradient)).toBeLessThan(tolerances.float64VsOracleGradient.value)
    })
  }

  test('rows that go through frozen layers are equivalent to the outputs of these layers', async () => {
    const below: OracleLayer[] = [{ inputs: 4, outputs: 3, activation: 'tanh' }]
    const layers: OracleLayer[] = [
      { inputs: 3, outputs: 2, activation: 'sigmoid' },
      { inputs: 2, outputs: 3, activation: 'identity' },
    ]
    const penalties: OraclePenalty[] = [{ layer: 0, kind: 'kl', target: 0.3, weight: 0.5 }]
    const objective: OracleObjective = { loss: 'squared', weightDecay: [0.1, 0.1], penalties }
    const frozen = pointAwayFromKinks(
      below,
      { loss: 'squared', weightDecay: [0], penalties: [] },
      { seed: 28 },
    )
    const { theta } = pointAwayFromKinks(layers, objective, { seed: 29 })
    const { x, m } = frozen
    const one: Case = { layers, objective }
    const rows = { ...nativeRows(x, m, one), through: { layers: below, parameters: frozen.theta } }
    const codes = forward(below, frozen.theta, x, m)[0]!.a
    const expected = evaluate(layers, objective, theta, { x: codes, m })
    const gradient = new Float64Array(theta.length)
    expectCost(await native(one, theta, rows, gradient), expected, tolerances.float64VsOracleCost.value)
    for (const found of [gradient, await stepOf(one, theta, rows)]) {
      expect(relativeError(found, expected.gradient)).toBeLessThan(tolerances.float64VsOracleGradient.value)
    }
  })
})

describe('the models’ own cost and gradient are the oracle’s', () => {
  const sparsity = { kind: 'kl', target: 0.2, weight: 0.4 } as const
  const stacked = WIDTHS.slice(1).map((hidden) => ({ hidden, sparsity }))
  const penalties: OraclePenalty[] = stacked.map((_, layer) => ({ layer, ...sparsity }))

  test('of a stack: the unrolled network, one λ for every layer, sparse only with sparseFineTuning', async () => {
    const layers = unrolled('sigmoid', 'sigmoid')
    for (const sparseFineTuning of [false, true]) {
      const objective: OracleObjective = {
        loss: 'squared',
        weightDecay: layers.map(() => 0.03),
        penalties: sparseFineTuning ? penalties : [],
      }
      const { theta, x, m } = pointAwayFromKinks(layers, objective, { seed: 31 })
      const stack = new StackedAutoencoder({
        inputs: 5,
        layers: stacked.map((layer) => ({ ...layer, weightDecay: 0.5 })), // while it is trained alone
        weightDecay: 0.03,
        sparseFineTuning,
        precision: 'float64',
      })
      const cost = await stack.cost(Matrix.from(x, m, 5), { parameters: theta, gradient: true })
      const oracle = evaluate(layers, objective, theta, { x, m })
      expectCost(cost, oracle, tolerances.float64VsOracleCost.value)
      expect(relativeError(cost.gradient!, oracle.gradient)).toBeLessThan(
        tolerances.float64VsOracleGradient.value,
      )
    }
  })

  test('of a classifier: λ on the softmax or on all layers, with class weights, sparse or not', async () => {
    const layers = classifier('sigmoid')
    const classWeights = [1, 0.3, 2]
    for (const decay of ['softmax', 'all'] as const) {
      for (const sparseFineTuning of [false, true]) {
        const objective: OracleObjective = {
          loss: 'logLoss',
          weightDecay: layers.map(({ activation }) =>
            decay === 'all' || activation === 'softmax' ? 0.05 : 0,
          ),
          penalties: sparseFineTuning ? penalties : [],
          classWeights,
        }
        const { theta, x, m } = pointAwayFromKinks(layers, objective, { m: labels.length, seed: 32 })
        const stack = new StackedAutoencoder({ inputs: 5, layers: stacked, precision: 'float64' })
        const options = { classes: 3, weightDecay: 0.05, decay, sparseFineTuning, classWeights }
        const random = new StackedClassifier({
          ...options,
          inputs: 5,
          layers: sparseFineTuning ? stacked : stacked.map(({ hidden }) => ({ hidden })),
          precision: 'float64',
        })
        const oracle = evaluate(layers, objective, theta, { x, m, labels })
        for (const model of [stack.toClassifier(options), random]) {
          const at = { parameters: theta, gradient: true }
          const cost = await model.cost(Matrix.from(x, m, 5), labels, at)
          expectCost(cost, oracle, tolerances.float64VsOracleCost.value)
          expect(relativeError(cost.gradient!, oracle.gradient)).toBeLessThan(
            tolerances.float64VsOracleGradient.value,
          )
        }
      }
    }
  })
})
