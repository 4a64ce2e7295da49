import { describe, expect, test } from 'vitest'
import { type Activation, type Loss, Matrix, SparseAutoencoder, type Sparsity } from '../lib/index.js'
import { ACTIVATIONS, isBounded } from '../lib/objective/activation.js'
import { evaluate, type OracleObjective } from './oracle/network.js'
import { numericGradient, relativeError } from './oracle/numeric-gradient.js'
import type { OraclePenalty } from './oracle/penalty.js'
import { pointAwayFromKinks } from './oracle/points.js'
import { tolerances } from './tolerances.js'

const INPUTS = 5
const HIDDEN = 3
const ROWS = 6

interface Case {
  readonly hidden: Activation
  readonly output: Activation
  readonly loss: Loss
  readonly sparsity: Sparsity
}

/** Every activation of the hidden layer × of the output × loss × penalty that exists. */
function allCases(): Case[] {
  const losses = ['squared', 'euclidean', 'absolute', 'crossEntropy'] as const
  const cases: Case[] = []
  for (const hidden of ACTIVATIONS) {
    const penalties: Sparsity[] = [
      { kind: 'none' },
      { kind: 'l2', target: 0.2, weight: 0.6 },
      { kind: 'l1', weight: 0.6 },
    ]
    if (isBounded(hidden)) penalties.push({ kind: 'kl', target: 0.2, weight: 0.6 })
    for (const output of ACTIVATIONS) {
      for (const loss of losses) {
        if (loss === 'crossEntropy' && output !== 'sigmoid') continue
        for (const sparsity of penalties) cases.push({ hidden, output, loss, sparsity })
      }
    }
  }
  return cases
}

function oracleOf({ hidden, output, loss, sparsity }: Case) {
  const layers = [
    { inputs: INPUTS, outputs: HIDDEN, activation: hidden },
    { inputs: HIDDEN, outputs: INPUTS, activation: output },
  ]
  const penalties: OraclePenalty[] =
    sparsity.kind === 'none' ? [] : [{ layer: 0, target: 0, ...sparsity } as OraclePenalty]
  const objective: OracleObjective = { loss, weightDecay: [0.02, 0.02], penalties }
  return { layers, objective }
}

function modelOf<P extends 'float32' | 'float64'>({ hidden, output, loss, sparsity }: Case, precision: P) {
  return new SparseAutoencoder({
    inputs: INPUTS,
    hidden: HIDDEN,
    activation: hidden,
    outputActivation: output,
    loss,
    sparsity,
    weightDecay: 0.02,
    precision,
  })
}

const byPair = grouped(allCases())

function pairOf({ hidden, output, loss }: Case): string {
  return `${hidden} to ${output}, ${loss}`
}

function grouped(cases: Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>()
  for (const one of cases) groups.set(pairOf(one), [...(groups.get(pairOf(one)) ?? []), one])
  return groups
}

describe('cost and gradient under every penalty', () => {
  for (const [name, cases] of byPair) {
    test(`of ${name}: central differences, the oracle, and float32 agree`, async () => {
      for (const one of cases) {
        const { layers, objective } = oracleOf(one)
        const { theta, x, m } = pointAwayFromKinks(layers, objective, { m: ROWS, seed: 11 })
        const rows = Matrix.from(x, m, INPUTS)
        const model = modelOf(one, 'float64')
        const native = await model.cost(rows, { parameters: theta, gradient: true })
        const gradient = native.gradient!
        const label = one.sparsity.kind

        // The points of the differences, measured all at once, then returned in the same order.
        const points: Float64Array[] = []
        numericGradient((at) => points.push(at.slice()), theta)
        const costs = await Promise.all(points.map((parameters) => model.cost(rows, { parameters })))
        const numeric = numericGradient(() => costs.shift()!.total, theta)
        expect(Math.hypot(...gradient), label).toBeGreaterThan(tolerances.gradientToSee.value)
        expect(relativeError(gradient, numeric), label).toBeLessThan(tolerances.gradientCheckFloat64.value)

        const oracle = evaluate(layers, objective, theta, { x, m })
        for (const part of ['loss', 'weightDecay', 'sparsity', 'total'] as const) {
          const distance = Math.abs(native[part] - oracle[part]) / Math.max(1, Math.abs(oracle[part]))
          expect(distance, `${label} ${part}`).toBeLessThan(tolerances.float64VsOracleCost.value)
        }
        expect(relativeError(gradient, oracle.gradient), label).toBeLessThan(
          tolerances.float64VsOracleGradient.value,
        )

        const single = await modelOf(one, 'float32').cost(rows, {
          parameters: Float32Array.from(theta),
          gradient: true,
        })
        const rounded = evaluate(layers, objective, Float32Array.from(theta), { x: Float32Array.from(x), m })
        expect(Math.abs(single.total - rounded.total) / Math.abs(rounded.total), label).toBeLessThan(
          tolerances.float32VsFloat64Cost.value,
        )
        expect(relativeError(single.gradient!, rounded.gradient), label).toBeLessThan(
          tolerances.float32VsFloat64Gradient.value,
        )
      }
    })
  }
})

/** Parameters that are all 0, except those set by a test. */
function parametersWith(fill: (theta: Float64Array) => void): Float64Array {
  const theta = new Float64Array(2 * INPUTS * HIDDEN + HIDDEN + INPUTS)
  fill(theta)
  return theta
}

const HIDDEN_BIASES = INPUTS * HIDDEN
const OUTPUT_BIASES = 2 * INPUTS * HIDDEN + HIDDEN

describe('at kinks the derivative has the defined value', () => {
  const half = Matrix.from(new Float64Array(INPUTS).fill(0.5), 1, INPUTS)

  test('0 for relu and satlin at z = 0, and for satlin at z = 1', async () => {
    for (const [activation, z] of [
      ['relu', 0],
      ['satlin', 0],
      ['satlin', 1],
    ] as const) {
      const model = modelOf(
        { hidden: activation, output: 'identity', loss: 'squared', sparsity: { kind: 'none' } },
        'float64',
      )
      const parameters = parametersWith((theta) => {
        theta.fill(z, HIDDEN_BIASES, HIDDEN_BIASES + HIDDEN)
        theta.fill(1, HIDDEN_BIASES + HIDDEN, OUTPUT_BIASES)
      })
      const { gradient } = await model.cost(half, { parameters, gradient: true })
      expect([...gradient!.subarray(HIDDEN_BIASES, HIDDEN_BIASES + HIDDEN)]).toEqual([0, 0, 0])
      expect(Math.hypot(...gradient!.subarray(OUTPUT_BIASES))).toBeGreaterThan(0.1)
    }
  })

  test('0 for absolute and euclidean loss where the reconstruction is perfect', async () => {
    for (const loss of ['absolute', 'euclidean'] as const) {
      const model = modelOf(
        { hidden: 'sigmoid', output: 'identity', loss, sparsity: { kind: 'none' } },
        'float64',
      )
      const parameters = parametersWith((theta) => theta.fill(0.5, OUTPUT_BIASES))
      const { gradient, loss: value } = await model.cost(half, { parameters, gradient: true })
      expect(value).toBe(0)
      expect(gradient!.every((g) => g === 0)).toBe(true)
    }
  })

  test('0 for l1 where an activation is 0', async () => {
    const model = modelOf(
      { hidden: 'identity', output: 'identity', loss: 'squared', sparsity: { kind: 'l1', weight: 1 } },
      'float64',
    )
    const parameters = parametersWith((theta) => theta.fill(0.5, OUTPUT_BIASES))
    const { gradient } = await model.cost(half, { parameters, gradient: true })
    expect(gradient!.every((g) => g === 0)).toBe(true)
  })
})

test('leakyRelu has slope 0.01 at its kink', async () => {
  const model = modelOf(
    { hidden: 'leakyRelu', output: 'identity', loss: 'squared', sparsity: { kind: 'none' } },
    'float64',
  )
  const parameters = parametersWith((theta) => theta.fill(1, HIDDEN_BIASES + HIDDEN, OUTPUT_BIASES))
  const half = Matrix.from(new Float64Array(INPUTS).fill(0.5), 1, INPUTS)
  const { gradient } = await model.cost(half, { parameters, gradient: true })
  const expected = 0.01 * INPUTS * -0.5
  for (const slope of gradient!.subarray(HIDDEN_BIASES, HIDDEN_BIASES + HIDDEN)) {
    expect(Math.abs(slope - expected)).toBeLessThan(tolerances.handComputed.value)
  }
})

describe('a saturated unit under KL', () => {
  test('has a finite cost that continues along the tangent, and no gradient if its activation is exactly 0', async () => {
    for (const precision of ['float32', 'float64'] as const) {
      for (const bias of [-40, -2000, 40]) {
        const one: Case = {
          hidden: 'sigmoid',
          output: 'sigmoid',
          loss: 'squared',
          sparsity: { kind: 'kl', target: 0.1, weight: 3 },
        }
        const { layers, objective } = oracleOf(one)
        const theta = parametersWith((at) => at.fill(bias, HIDDEN_BIASES, HIDDEN_BIASES + HIDDEN))
        const x = new Float64Array(INPUTS).fill(0.3)
        const model = modelOf(one, precision)
        const parameters = (precision === 'float32' ? Float32Array.from(theta) : theta) as never
        const cost = await model.cost(Matrix.from(x, 1, INPUTS), { parameters, gradient: true })
        const oracle = evaluate(layers, objective, theta, { x, m: 1 })
        expect(Number.isFinite(cost.sparsity)).toBe(true)
        const close =
          precision === 'float32' ? tolerances.float32VsFloat64Cost : tolerances.float64VsOracleCost
        expect(Math.abs(cost.sparsity - oracle.sparsity) / oracle.sparsity).toBeLessThan(close.value)
        if (bias === -2000) expect(cost.gradient![HIDDEN_BIASES]).toBe(0)
      }
    }
  })
})

test('cost over more rows than one chunk holds is the oracle’s', async () => {
  const inputs = 4
  const hidden = 3
  const m = 400_000
  const data = Float64Array.from({ length: m * inputs }, (_, i) => ((i * 0.618034) % 1) * 0.8 + 0.1)
  const model = new SparseAutoencoder({
    inputs,
    hidden,
    precision: 'float64',
    sparsity: { kind: 'kl', target: 0.1, weight: 3 },
    weightDecay: 1e-3,
  })
  const cost = await model.cost(Matrix.from(data, m, inputs), { gradient: true })
  const layers = [
    { inputs, outputs: hidden, activation: 'sigmoid' as const },
    { inputs: hidden, outputs: inputs, activation: 'sigmoid' as const },
  ]
  const objective: OracleObjective = {
    loss: 'squared',
    weightDecay: [1e-3, 1e-3],
    penalties: [{ layer: 0, kind: 'kl', target: 0.1, weight: 3 }],
  }
  const oracle = evaluate(layers, objective, model.parameters(), { x: data, m })
  expect(Math.abs(cost.total - oracle.total) / oracle.total).toBeLessThan(
    tolerances.float64VsOracleCost.value,
  )
  expect(relativeError(cost.gradient!, oracle.gradient)).toBeLessThan(
    tolerances.float64VsOracleGradient.value,
  )
})

test('denormal numbers survive in JavaScript after native code has run', async () => {
  const model = new SparseAutoencoder({ inputs: 4, hidden: 2 })
  model.encodeSync([0.1, 0.2, 0.3, 0.4])
  await model.encode([[0.1, 0.2, 0.3, 0.4]])
  const smallest = Number('5e-324')
  expect(smallest * 1).toBe(5e-324)
  expect(smallest > 0).toBe(true)
})
