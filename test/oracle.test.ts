import { describe, expect, test } from 'vitest'
import { ACTIVATIONS, isBounded } from '../lib/objective/activation.js'
import { expectClose } from './hand-computed.js'
import { activate, type OracleActivation, type OracleLayer, places, slope } from './oracle/layers.js'
import { logLoss, type OracleLoss } from './oracle/loss.js'
import { evaluate, type OracleObjective } from './oracle/network.js'
import { numericGradient, relativeError } from './oracle/numeric-gradient.js'
import { KL_EDGE, kl, klSlope, meanPenaltySlope, type OraclePenalty } from './oracle/penalty.js'
import { pointAwayFromKinks, seeded } from './oracle/points.js'
import { tolerances } from './tolerances.js'

const activations: readonly OracleActivation[] = ACTIVATIONS
type RowLoss = Exclude<OracleLoss, 'logLoss'>
const losses: RowLoss[] = ['squared', 'euclidean', 'absolute', 'crossEntropy']

function expectRelative(actual: number, expected: number): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThan(tolerances.handComputed.value)
}

/** The error of the backpropagated gradient against central differences, at a point with a nonzero gradient. */
function gradientError(
  layers: OracleLayer[],
  objective: OracleObjective,
  seed: number,
  labels: number[] = [],
): number {
  const { theta, x, m } = pointAwayFromKinks(layers, objective, { seed })
  const rows = { x, m, labels }
  const { gradient } = evaluate(layers, objective, theta, rows)
  expect(Math.hypot(...gradient)).toBeGreaterThan(tolerances.gradientToSee.value)
  const numeric = numericGradient((at) => evaluate(layers, objective, at, rows).total, theta)
  return relativeError(gradient, numeric)
}

function penaltiesFor(activation: OracleActivation, layer = 0): OraclePenalty[][] {
  const kinds = isBounded(activation) ? (['kl', 'l2', 'l1'] as const) : (['l2', 'l1'] as const)
  const multipliers = [0.4, -0.3, 0.1]
  return [
    [],
    ...kinds.map((kind) => [{ layer, kind, target: 0.2, weight: 0.6 }]),
    [{ layer, kind: 'l2', target: [0.1, 0.2, 0.3], weight: 0.6 }],
    [{ layer, kind: 'constraint', target: 0.2, weight: 0.6, multipliers }],
  ]
}

describe('the gradient agrees with central differences', () => {
  for (const hidden of activations) {
    for (const output of activations) {
      for (const loss of losses) {
        if (loss === 'crossEntropy' && output !== 'sigmoid') continue
        test(`${hidden} to ${output}, ${loss}, every penalty`, () => {
          const layers: OracleLayer[] = [
            { inputs: 4, outputs: 3, activation: hidden },
            { inputs: 3, outputs: 4, activation: output },
          ]
          for (const penalties of penaltiesFor(hidden)) {
            const error = gradientError(layers, { loss, weightDecay: [0.03, 0.01], penalties }, 7)
            expect(error, penalties[0]?.kind ?? 'none').toBeLessThan(tolerances.gradientCheckFloat64.value)
          }
        })
      }
    }
  }

  for (const activation of activations) {
    for (const loss of losses) {
      if (loss === 'crossEntropy' && activation !== 'sigmoid') continue
      test(`four layers of ${activation}, ${loss}, penalties on three of them`, () => {
        const layers: OracleLayer[] = [
          { inputs: 4, outputs: 3, activation },
          { inputs: 3, outputs: 2, activation },
          { inputs: 2, outputs: 3, activation },
          { inputs: 3, outputs: 4, activation },
        ]
        const kind = isBounded(activation) ? 'kl' : 'l2'
        const penalties: OraclePenalty[] = [
          { layer: 0, kind, target: 0.1, weight: 0.5 },
          { layer: 1, kind: 'l1', target: 0, weight: 0.2 },
          { layer: 3, kind: 'l2', target: 0.3, weight: 0.7 },
        ]
        const error = gradientError(layers, { loss, weightDecay: [0.03, 0, 0.02, 0.01], penalties }, 11)
        expect(error).toBeLessThan(tolerances.gradientCheckFloat64.value)
      })
    }
  }

  for (const activation of activations) {
    const kind = isBounded(activation) ? 'kl' : 'l2'
    const penalties: OraclePenalty[] = [
      { layer: 0, kind, target: 0.2, weight: 0.5 },
      { layer: 1, kind: 'constraint', target: 0.3, weight: 0.4, multipliers: [0.2, -0.1] },
    ]

    test(`of tied layers of ${activation}, with biases and without`, () => {
      for (const biases of [true, false]) {
        const layers: OracleLayer[] = [
          { inputs: 4, outputs: 3, activation, biases },
          { inputs: 3, outputs: 2, activation, biases },
          { inputs: 2, outputs: 3, activation, biases: true, tied: 1 },
          { inputs: 3, outputs: 4, activation: 'identity', biases, tied: 0 },
        ]
        // A decay for a layer without its own matrix has no effect.
        const objective = { loss: 'squared', weightDecay: [0.03, 0.02, 9, 9], penalties } as const
        expect(gradientError(layers, objective, 13)).toBeLessThan(tolerances.gradientCheckFloat64.value)
      }
    })

    test(`of a softmax over layers of ${activation}, with equal and different class weights`, () => {
      const layers: OracleLayer[] = [
        { inputs: 4, outputs: 3, activation },
        { inputs: 3, outputs: 2, activation },
        { inputs: 2, outputs: 3, activation: 'softmax' },
      ]
      for (const classWeights of [undefined, [1, 0.2, 3]]) {
        const decay = { loss: 'logLoss', weightDecay: [0.03, 0.02, 0.01], penalties } as const
        const objective = { ...decay, ...(classWeights && { classWeights }) }
        const error = gradientError(layers, objective, 17, [2, 0, 1, 1, 2])
        expect(error).toBeLessThan(tolerances.gradientCheckFloat64.value)
      }
    })
  }

  test('for a target that is not the input, of another width', () => {
    const layers: OracleLayer[] = [
      { inputs: 3, outputs: 4, activation: 'tanh' },
      { inputs: 4, outputs: 2, activation: 'sigmoid' },
    ]
    const random = seeded(3)
    const theta = Float64Array.from({ length: 26 }, () => random() - 0.5)
    const rows = {
      x: Float64Array.from({ length: 18 }, random),
      m: 6,
      target: Float64Array.from({ length: 12 }, random),
    }
    const objective: OracleObjective = { loss: 'crossEntropy', weightDecay: [0.1, 0.1], penalties: [] }
    const numeric = numericGradient((at) => evaluate(layers, objective, at, rows).total, theta)
    const error = relativeError(evaluate(layers, objective, theta, rows).gradient, numeric)
    expect(error).toBeLessThan(tolerances.gradientCheckFloat64.value)
  })

  test('for a mean activation on the tangent of KL', () => {
    const layers: OracleLayer[] = [
      { inputs: 2, outputs: 2, activation: 'sigmoid' },
      { inputs: 2, outputs: 2, activation: 'sigmoid' },
    ]
    // Biases of −17 put the hidden units at 4e-8. (At 1 − 4e-8 float64 has too few digits left to difference.)
    const theta = Float64Array.of(0.1, 0.2, -0.2, 0.1, -17, -17, 0.3, -0.1, 0.2, 0.4, 0.1, -0.2)
    const rows = { x: Float64Array.of(0.2, 0.7, 0.9, 0.4), m: 2 }
    const penalties: OraclePenalty[] = [{ layer: 0, kind: 'kl', target: 0.1, weight: 3 }]
    const objective: OracleObjective = { loss: 'squared', weightDecay: [0, 0], penalties }
    const { gradient, means } = evaluate(layers, objective, theta, rows)
    expect(means[0]![0]).toBeLessThan(KL_EDGE)
    expect(means[0]![1]).toBeLessThan(KL_EDGE)
    const numeric = numericGradient((at) => evaluate(layers, objective, at, rows).total, theta)
    expect(relativeError(gradient, numeric)).toBeLessThan(tolerances.gradientCheckFloat64.value)
  })

  test('and a relative error of 1e-6 in one entry is noticed', () => {
    const layers: OracleLayer[] = [{ inputs: 2, outputs: 2, activation: 'tanh' }]
    const objective: OracleObjective = { loss: 'squared', weightDecay: [0], penalties: [] }
    const { theta, x, m } = pointAwayFromKinks(layers, objective)
    const { gradient } = evaluate(layers, objective, theta, { x, m })
    gradient[3]! += 1e-6 * Math.hypot(...gradient)
    const numeric = numericGradient((at) => evaluate(layers, objective, at, { x, m }).total, theta)
    expect(relativeError(gradient, numeric)).toBeGreaterThan(tolerances.gradientCheckFloat64.value)
  })
})

describe('a moving mean activation', () => {
  const layers: OracleLayer[] = [
    { inputs: 3, outputs: 2, activation: 'tanh' },
    { inputs: 2, outputs: 3, activation: 'identity' },
  ]
  const penalty: OraclePenalty = { layer: 0, kind: 'kl', target: 0.2, weight: 2 }
  const objective: OracleObjective = { loss: 'squared', weightDecay: [0.01, 0.01], penalties: [penalty] }
  const { theta, x, m } = pointAwayFromKinks(layers, objective, { seed: 5 })

  test('equal to that of the rows gives the cost and gradient of the rows', () => {
    const own = evaluate(layers, objective, theta, { x, m })
    const moving = evaluate(layers, objective, theta, { x, m, means: [own.means[0]] })
    expect(moving).toEqual(own)
  })

  test('is a constant in the cost, and its derivative has the weight of the rows’ own mean', () => {
    const seen = Float64Array.of(-0.3, 0.4)
    const weights = meanPenaltySlope(penalty, 'tanh', seen)
    const smooth: OracleObjective = { ...objective, penalties: [] }
    const linearised = (at: Float64Array): number => {
      const { total, means } = evaluate(layers, smooth, at, { x, m })
      return total + weights[0]! * means[0]![0]! + weights[1]! * means[0]![1]!
    }
    const { gradient } = evaluate(layers, objective, theta, { x, m, means: [seen] })
    expect(relativeError(gradient, numericGradient(linearised, theta))).toBeLessThan(
      tolerances.gradientCheckFloat64.value,
    )
  })
})

describe('an example worked out by hand', () => {
  // σ(ln 3) = 3/4, and 1 · 3/4 − 3/4 = 0 gives y = σ(0) = 1/2 for x = 1.
  const layers: OracleLayer[] = [
    { inputs: 1, outputs: 1, activation: 'sigmoid' },
    { inputs: 1, outputs: 1, activation: 'sigmoid' },
  ]
  const theta = [Math.log(3), 0, 1, -3 / 4]
  const one = { x: [1], m: 1 }

  test('is 1-1-1 sigmoid, squared loss, KL and decay', () => {
    const cost = evaluate(
      layers,
      {
        loss: 'squared',
        weightDecay: [0.1, 0.1],
        penalties: [{ layer: 0, kind: 'kl', target: 0.5, weight: 2 }],
      },
      theta,
      one,
    )
    // loss ½ (1/2)² = 1/8;  decay 0.05 ((ln 3)² + 1);  2 KL(½ ‖ ¾) = ln(2/3) + ln 2 = ln(4/3)
    expectClose([cost.loss, cost.sparsity], [1 / 8, Math.log(4 / 3)])
    expectClose([cost.weightDecay], [0.05 * (Math.log(3) ** 2 + 1)])
    expectClose([cost.total], [1 / 8 + 0.05 * (Math.log(3) ** 2 + 1) + Math.log(4 / 3)])
    // D3 = −½ · ¼ = −1/8;  ∂W2 = −1/8 · 3/4 + 0.1;  ∂b2 = −1/8
    // D2 = (−1/8 + 2 (−2/3 + 2)) · 3/16 = 61/24 · 3/16 = 61/128;  ∂W1 = D2 + 0.1 ln 3;  ∂b1 = D2
    expectClose(cost.gradient, [61 / 128 + 0.1 * Math.log(3), 61 / 128, 0.1 - 3 / 32, -1 / 8])
  })

  test('is 1-1-1 sigmoid, cross-entropy: −ln ½, and D3 = y − x', () => {
    const cost = evaluate(layers, { loss: 'crossEntropy', weightDecay: [0, 0], penalties: [] }, theta, one)
    expectClose([cost.total], [Math.LN2])
    expectClose(cost.gradient, [-3 / 32, -3 / 32, -3 / 8, -1 / 2]) // D2 = −½ · 3/16
  })

  test('is a tanh unit at ½: r = ¾, and its derivative has a factor ½', () => {
    // tanh(½ ln 3) = ½; W2 = 2 and b2 = 0 reproduce x = 1 exactly, so that only the penalty is left.
    const tanh: OracleLayer[] = [
      { inputs: 1, outputs: 1, activation: 'tanh' },
      { inputs: 1, outputs: 1, activation: 'identity' },
    ]
    const at = [Math.log(3) / 2, 0, 2, 0]
    const run = (kind: 'kl' | 'l2') =>
      evaluate(
        tanh,
        { loss: 'squared', weightDecay: [0, 0], penalties: [{ layer: 0, kind, target: 0.5, weight: 2 }] },
        at,
        one,
      )
    // KL: slope 2 (−2/3 + 2) ½ = 4/3, times f′ = 3/4.  l2: 2 (1/4)² = 1/8, slope 2 · 2 · ¼ · ½ = 1/2, times 3/4.
    expectClose([run('kl').total, ...run('kl').gradient], [Math.log(4 / 3), 1, 1, 0, 0])
    expectClose([run('l2').total, ...run('l2').gradient], [1 / 8, 3 / 8, 3 / 8, 0, 0])
  })

  test('are two rows through one identity unit: every term is a mean over the rows', () => {
    const unit: OracleLayer[] = [{ inputs: 1, outputs: 1, activation: 'identity' }]
    const rows = { x: [1, -3], m: 2 } // y = 2, −6; y − x = 1, −3
    const run = (loss: RowLoss, penalties: OraclePenalty[] = []) => {
      const { total, gradient } = evaluate(unit, { loss, weightDecay: [0], penalties }, [2, 0], rows)
      return [total, ...gradient]
    }
    expectClose(run('squared'), [(1 + 9) / 4, (1 + 9) / 2, (1 - 3) / 2])
    expectClose(run('absolute'), [(1 + 3) / 2, (1 + 3) / 2, 0])
    expectClose(run('euclidean'), [(1 + 3) / 2, (1 + 3) / 2, 0])
    const l1: OraclePenalty = { layer: 0, kind: 'l1', target: 0, weight: 0.5 } // ½ · (2 + 6)/2 = 2, slope by W ½ · (1 + 3)/2
    expectClose(run('absolute', [l1]), [2 + 2, 2 + 1, 0])
    const l2: OraclePenalty = { layer: 0, kind: 'l2', target: 1, weight: 0.5 } // ā = −2: ½ · 9; slope −3 · mean of x = 3, and −3
    expectClose(run('absolute', [l2]), [2 + 4.5, 2 + 3, -3])
  })

  test('is the euclidean loss: the length of the whole row; an exact row has gradient 0', () => {
    const pair: OracleLayer[] = [{ inputs: 2, outputs: 2, activation: 'identity' }]
    const objective: OracleObjective = { loss: 'euclidean', weightDecay: [0], penalties: [] }
    // W = 1, b = (3, 4): y − x = (3, 4) in every row, length 5.
    const off = evaluate(pair, objective, [1, 0, 0, 1, 3, 4], { x: [1, 2, 5, 5], m: 2 })
    expectClose([off.total, ...off.gradient.slice(4)], [5, 3 / 5, 4 / 5])
    const exact = evaluate(pair, objective, [1, 0, 0, 1, 0, 0], { x: [1, 2, 5, 5], m: 2 })
    expect([exact.total, ...exact.gradient]).toEqual([0, 0, 0, 0, 0, 0, 0])
  })

  test('is a tied pair without biases: W counts twice in the loss and once in the decay', () => {
    // 1-1-1 identity, w = 2: y = w²x = 4 for x = 1; loss ½ 3² = 9/2, slope 3 · 2w = 12; decay 0.1/2 · 4 = 0.2, slope 0.2.
    const tied: OracleLayer[] = [
      { inputs: 1, outputs: 1, activation: 'identity', biases: false },
      { inputs: 1, outputs: 1, activation: 'identity', biases: false, tied: 0 },
    ]
    const cost = evaluate(tied, { loss: 'squared', weightDecay: [0.1, 0.1], penalties: [] }, [2], one)
    expectClose([cost.loss, cost.weightDecay, ...cost.gradient], [9 / 2, 0.2, 12.2])
  })

  test('is the softmax of (ln 3, 0): probabilities ¾ and ¼; a class weight of 2 doubles its rows', () => {
    const softmax: OracleLayer[] = [{ inputs: 1, outputs: 2, activation: 'softmax' }]
    const objective: OracleObjective = { loss: 'logLoss', weightDecay: [0.1], penalties: [] }
    const rows = { x: [1, 0], m: 2, labels: [0, 1] } // z = (ln 3, 0), then (0, 0)
    const at = [Math.log(3), 0, 0, 0]
    const plain = evaluate(softmax, objective, at, rows)
    expectClose([plain.loss, plain.weightDecay], [(Math.log(4 / 3) + Math.LN2) / 2, 0.05 * Math.log(3) ** 2])
    // D = (¾ − 1, ¼)/2 and (½, ½ − 1)/2; the second row has x = 0.
    expectClose(plain.gradient, [-1 / 8 + 0.1 * Math.log(3), 1 / 8, -1 / 8 + 1 / 4, 1 / 8 - 1 / 4])
    const apart = evaluate(softmax, { ...objective, classWeights: [1, 2] }, at, rows)
    expectClose([apart.loss], [(Math.log(4 / 3) + 2 * Math.LN2) / 2])
    expectClose(apart.gradient.slice(2), [-1 / 8 + 1 / 2, 1 / 8 - 1 / 2])
  })

  test('is the augmented Lagrangian of two identity units with means 3 and −1, targets 1 and 0', () => {
    const units: OracleLayer[] = [{ inputs: 1, outputs: 2, activation: 'identity' }]
    const penalties: OraclePenalty[] = [
      { layer: 0, kind: 'constraint', target: [1, 0], weight: 4, multipliers: [0.5, 2] },
    ]
    const objective: OracleObjective = { loss: 'squared', weightDecay: [0], penalties }
    const exact = { x: [0], m: 1, target: [3, -1] }
    // ½ · 2 + 2 · (−1) + 2 (2² + 1²) = 9; slopes μ + c(ā − ρ): ½ + 8, 2 − 4.
    const { sparsity, gradient } = evaluate(units, objective, [0, 0, 3, -1], exact)
    expectClose([sparsity, ...gradient], [9, 0, 0, 8.5, -2])
  })
})

describe('at kinks and in saturation', () => {
  test('relu and satlin have slope 0 at their kinks, leakyRelu 0.01', () => {
    expect(slope('relu', 0)).toBe(0)
    expect([0, 1].map((z) => slope('satlin', z))).toEqual([0, 0])
    expect(slope('leakyRelu', 0)).toBe(0.01)
  })

  test('softplus, elu, silu and gelu neither overflow nor become NaN', () => {
    for (const activation of ['softplus', 'elu', 'silu', 'gelu'] as const) {
      const low = activation === 'elu' ? -1 : 0
      expect([-1e4, 1e4].map((z) => activate(activation, z) + 0)).toEqual([low, 1e4])
      expect([-1e4, 1e4].map((z) => slope(activation, z) + 0)).toEqual([0, 1])
    }
  })

  test('gelu keeps its relative accuracy where 1 + erf has lost it', () => {
    // -10 Φ(-10) and Φ(-10) - 10 φ(-10), to 16 digits.
    expectRelative(activate('gelu', -10), -7.619853024160526e-23)
    expectRelative(slope('gelu', -10), -7.618400096464814e-22)
    expectRelative(activate('gelu', -37), -2.118461352334093e-298)
  })

  test('sigmoid neither overflows nor becomes NaN', () => {
    expect([-1e4, 1e4].map((z) => activate('sigmoid', z))).toEqual([0, 1])
  })

  test('cross-entropy of a saturated output is finite: |z| where it is wrong, 0 where it is right', () => {
    const unit: OracleLayer[] = [{ inputs: 1, outputs: 1, activation: 'sigmoid' }]
    const objective: OracleObjective = { loss: 'crossEntropy', weightDecay: [0], penalties: [] }
    const at = (z: number, t: number) =>
      evaluate(unit, objective, [0, z], { x: [0], m: 1, target: [t] }).total
    expect([at(1000, 0), at(1000, 1), at(-1000, 1), at(-1000, 0)]).toEqual([1000, 0, 1000, 0])
  })

  test('softmax of ±500 is 0 and 1, and its log loss the difference of the logits', () => {
    const unit: OracleLayer[] = [{ inputs: 1, outputs: 2, activation: 'softmax' }]
    const objective: OracleObjective = { loss: 'logLoss', weightDecay: [0], penalties: [] }
    const at = (label: number) =>
      evaluate(unit, objective, [0, 0, 500, -500], { x: [0], m: 1, labels: [label] })
    expect([at(0).total, at(1).total]).toEqual([0, 1000])
    expect([...at(1).gradient]).toEqual([0, 0, 1, -1])
    expect(logLoss(Float64Array.of(-500, 500, -500), 1)).toBe(0)
  })

  test('KL is 0 at its target, and linear beyond its limits', () => {
    expect(kl(0.2, 0.2)).toBe(0)
    for (const edge of [KL_EDGE, 1 - KL_EDGE]) {
      const outside = edge < 0.5 ? -0.5 : 1.5
      expect(klSlope(0.2, outside)).toBe(klSlope(0.2, edge))
      expect(
        Math.abs(kl(0.2, outside) / (kl(0.2, edge) + klSlope(0.2, edge) * (outside - edge)) - 1),
      ).toBeLessThan(tolerances.handComputed.value)
    }
    expect(kl(0.2, 0)).toBeGreaterThan(kl(0.2, KL_EDGE))
    expect(kl(0.2, 1)).toBeGreaterThan(kl(0.2, 1 - KL_EDGE))
  })
})

test('parameters lie as W1 b1 W2 b2, each W row-major by output', () => {
  const layers: OracleLayer[] = [
    { inputs: 2, outputs: 3, activation: 'identity' },
    { inputs: 3, outputs: 1, activation: 'identity' },
  ]
  expect(places(layers)).toMatchObject([
    { weights: 0, biases: 6, end: 9 },
    { weights: 9, biases: 12, end: 13 },
  ])
  // Outputs of layer 1 for x = (1, 10): 12 + 100, 34 + 200, 56 + 300 in the digits of W1 and b1.
  const theta = [2, 1, 4, 3, 6, 5, 100, 200, 300, 1, 1000, 1e6, 7]
  const { means } = evaluate(layers, { loss: 'squared', weightDecay: [0, 0], penalties: [] }, theta, {
    x: [1, 10],
    m: 1,
    target: [0],
  })
  expect([...means[0]!]).toEqual([112, 234, 356])
  expect([...means[1]!]).toEqual([112 + 234e3 + 356e6 + 7])
})
