import { describe, expect, test } from 'vitest'
import { expectClose } from './hand-computed.js'
import { jacobiEigen } from './oracle/eigen.js'
import { relativeError } from './oracle/numeric-gradient.js'
import { adam, gradientDescent, momentum, movingMean } from './oracle/optimizers.js'
import { seeded } from './oracle/points.js'
import { permutation, philox, uniform } from './oracle/random.js'
import { tolerances } from './tolerances.js'

describe('optimizers', () => {
  test('gradient descent steps against the gradient', () => {
    const theta = Float64Array.of(1, -2)
    gradientDescent()(theta, [4, -8], 0.25)
    expect([...theta]).toEqual([0, 0])
  })

  test('momentum adds half of the last step to the next', () => {
    const theta = Float64Array.of(0)
    const step = momentum(0.5)
    step(theta, [2], 1) // v = 2
    expect(theta[0]).toBe(-2)
    step(theta, [2], 1) // v = 3
    expect(theta[0]).toBe(-5)
  })

  test('adam’s bias correction makes its first step α g / (|g| + ε), for any size of g', () => {
    const theta = Float64Array.of(0, 0)
    adam(0.9, 0.999, 1e-8)(theta, [1e-3, -5], 0.1)
    expectClose(theta, [(-0.1 * 1e-3) / (1e-3 + 1e-8), (0.1 * 5) / (5 + 1e-8)])
  })

  test('adam’s second step agrees with a computation by hand', () => {
    // β1 = β2 = ½, g = 1 then 3: m = ½, then ¼ + 3/2 = 7/4, over ¾: 7/3;  v = ½, then ¼ + 9/2 = 19/4, over ¾: 19/3.
    const theta = Float64Array.of(0)
    const step = adam(0.5, 0.5, 0)
    step(theta, [1], 1)
    step(theta, [3], 1)
    expectClose(theta, [-1 - 7 / 3 / Math.sqrt(19 / 3)])
  })

  test('the moving mean of a constant is that constant, and of 1 then 2 is 29/19', () => {
    const constant = movingMean(0.9)
    for (let t = 0; t < 5; t++) expectClose(constant([0.25]), [0.25])
    const rising = movingMean(0.9)
    expectClose(rising([1]), [1])
    expectClose(rising([2]), [29 / 19]) // (0.09 + 0.2) / 0.19
  })
})

describe('Jacobi eigenvalues', () => {
  test('of [[2, 1], [1, 2]] are 3 and 1, with the diagonals as vectors', () => {
    const { values, vectors } = jacobiEigen([2, 1, 1, 2], 2)
    expectClose(values, [3, 1])
    expectClose(vectors.slice(0, 2), [Math.SQRT1_2, Math.SQRT1_2])
    expectClose([vectors[2]! * vectors[3]!], [-0.5])
  })

  test('are falling, and rebuild the matrix with orthonormal vectors', () => {
    const n = 12
    const random = seeded(9)
    const a = new Float64Array(n * n)
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = random() - 0.5
    const { values, vectors } = jacobiEigen(a, n)
    for (let i = 1; i < n; i++) expect(values[i]).toBeLessThanOrEqual(values[i - 1]!)
    const rebuilt = new Float64Array(n * n)
    const identity = new Float64Array(n * n)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < n; k++) {
          rebuilt[i * n + j]! += values[k]! * vectors[k * n + i]! * vectors[k * n + j]!
          identity[i * n + j]! += vectors[i * n + k]! * vectors[j * n + k]!
        }
      }
    }
    const unit = Float64Array.from({ length: n * n }, (_, p) => (p % (n + 1) === 0 ? 1 : 0))
    expect(relativeError(rebuilt, a)).toBeLessThan(tolerances.eigenJacobi.value)
    expect(relativeError(identity, unit)).toBeLessThan(tolerances.eigenJacobi.value)
  })
})

describe('Philox', () => {
  test('gives the known answers of its authors’ Random123 library', () => {
    const ones = 0xffffffffn
    expect(philox([0n, 0n, 0n, 0n], [0n, 0n])).toEqual([0x6627e8d5n, 0xe169c58dn, 0xbc57ac4cn, 0x9b00dbd8n])
    expect(philox([ones, ones, ones, ones], [ones, ones])).toEqual([
      0x408f276dn,
      0x41c83b0en,
      0xa20bc7c6n,
      0x6d5451fdn,
    ])
    expect(philox([0x243f6a88n, 0x85a308d3n, 0x13198a2en, 0x03707344n], [0xa4093822n, 0x299f31d0n])).toEqual([
      0xd16cfe09n,
      0x94fdccebn,
      0x5001e420n,
      0x24126ea1n,
    ])
  })

  test('numbers are within their bounds, and the first ones do not depend on how many are drawn', () => {
    const use = { seed: 2 ** 40 + 1, stream: 0, index: 3 }
    const many = uniform(1001, -2, 3, use)
    expect(Math.min(...many)).toBeGreaterThan(-2)
    expect(Math.max(...many)).toBeLessThan(3)
    expect(uniform(7, -2, 3, use)).toEqual(many.slice(0, 7))
    expect(uniform(7, -2, 3, { ...use, seed: 1 })).not.toEqual(many.slice(0, 7)) // the upper half of a seed counts
  })

  test('shuffles contain every number once, and every order of three occurs', () => {
    const orders = new Set<string>()
    for (let index = 0; index < 100; index++)
      orders.add(permutation(3, { seed: 1, stream: 1, index }).join(''))
    expect(orders.size).toBe(6)
    const order = permutation(500, { seed: 1, stream: 1, index: 0 })
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i))
    expect([...order]).not.toEqual([...order].sort((a, b) => a - b))
  })
})
