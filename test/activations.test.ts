import { describe, expect, test } from 'vitest'
import { STORAGE_TYPES } from '../lib/base/storage-type.js'
import { binding } from '../lib/native/load.js'
import {
  ACTIVATIONS,
  activationNumber,
  activationRange,
  activationRate,
  isBounded,
  isLayerActivation,
  isMonotone,
} from '../lib/objective/activation.js'
import { activate } from './oracle/layers.js'
import { tolerances } from './tolerances.js'

const run = () => ({ threads: 1, flags: new Int32Array(2) })

/** Where gelu and silu are least. */
const MINIMA = [-0.7517915246935645, -1.278464542761074]

/** Of every size and both signs, rising, and the ends of float64. */
const sums = Float64Array.from(
  [Number.MAX_VALUE, 1e4, 30, 3, 1, 0.5, 1e-3].flatMap((z) => [z, -z]).concat(0, MINIMA),
).sort()

/** f of each number, by a layer of one unit that the addon knows by the name of its activation. */
async function byName(activation: string, z: Float64Array): Promise<Float64Array> {
  const out = new Float64Array(z.length)
  const layers = [{ inputs: 1, outputs: 1, activation, biases: false }]
  const rows = { data: z, type: 'float64', rows: z.length, cols: 1, scale: 1 } as const
  const parameters = Float64Array.of(1)
  await binding().forward({ ...run(), layers, parameters, rows, result: 'outputs', out })
  return out
}

/** The same by a layer that the addon knows by the number of its activation. */
function byNumber(activation: number, z: Float64Array): Float64Array {
  const shape = Int32Array.of(1, 1, activation, 0, -1)
  return z.map((value) => {
    const [parameters, out, transposed] = [Float64Array.of(1), new Float64Array(1), new Float64Array(1)]
    binding().forwardRow(
      shape,
      parameters,
      Float64Array.of(value),
      STORAGE_TYPES.float64.number,
      1,
      undefined,
      out,
      transposed,
      true,
      undefined,
    )
    return out[0]!
  })
}

describe.each(ACTIVATIONS)('%s', (name) => {
  test('has a name and a number of the same function in the addon', async () => {
    const values = await byName(name, sums)
    expect(values).toEqual(byNumber(activationNumber(name), sums))
    values.forEach((a, i) => {
      const wanted = activate(name, sums[i]!)
      expect(Math.abs(a - wanted)).toBeLessThanOrEqual(tolerances.float64Activation.value * Math.abs(wanted))
    })
  })

  test('takes values within its range, and comes to both ends', async () => {
    const values = await byName(name, sums)
    const [low, high] = activationRange(name)
    const [least, greatest] = [Math.min(...values), Math.max(...values)]
    if (low === -Infinity) expect(least).toBeLessThan(-1e300)
    else expect(Math.abs(least - low)).toBeLessThanOrEqual(tolerances.float64Activation.value * Math.abs(low))
    expect(greatest).toBe(high === Infinity ? Number.MAX_VALUE : high)
  })

  test('never falls as its sum grows, or is not called monotone', async () => {
    const values = await byName(name, sums)
    expect(values.every((a, i) => i === 0 || a >= values[i - 1]!)).toBe(isMonotone(name))
  })

  test('has the same rate of a mean in both languages, and so the same range', async () => {
    const x = Float64Array.of(0.3, 0.4, 0.6)
    const layers = [
      { inputs: 1, outputs: 1, activation: name, biases: false },
      { inputs: 1, outputs: 1, activation: 'identity', biases: false },
    ]
    const penalty = { layer: 0, kind: 'l2', target: 0, weight: 1, average: 'exact' } as const
    const { sparsity, meanActivation } = await binding().evaluate({
      ...run(),
      layers,
      objective: { loss: 'squared', weightDecay: [0, 0], penalties: [penalty] },
      parameters: Float64Array.of(1, 1),
      rows: { data: x, type: 'float64', rows: 3, cols: 1, scale: 1 },
    })
    expect(sparsity).toBe(activationRate(name, meanActivation[0]!) ** 2)
  })
})

test('softmax is numbered after all activations, and no number follows', () => {
  const last = activationNumber('softmax')
  expect(last).toBe(ACTIVATIONS.length)
  expect([...byNumber(last, Float64Array.of(3))]).toEqual([1])
  expect(() => byNumber(last + 1, Float64Array.of(3))).toThrow('not a layer')
  expect(() => byNumber(-1, Float64Array.of(3))).toThrow('not a layer')
})

test('a layer has no activation beyond these', async () => {
  expect(isLayerActivation('softmax')).toBe(true)
  expect(isLayerActivation('Sigmoid')).toBe(false)
  await expect(async () => byName('Sigmoid', sums)).rejects.toThrow("unknown 'Sigmoid'")
})

test('sigmoid, tanh and satlin are bounded', () => {
  expect(ACTIVATIONS.filter(isBounded)).toEqual(['sigmoid', 'tanh', 'satlin'])
})
