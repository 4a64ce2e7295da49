import fc from 'fast-check'
import { expect, test } from 'vitest'
import { orientation } from '../examples/patches/orientation.js'
import { tolerances } from './tolerances.js'

const SIDE = 8

function tile(brightness: (x: number, y: number) => number): number[] {
  const middle = (SIDE - 1) / 2
  return Array.from({ length: SIDE * SIDE }, (_, k) =>
    brightness((k % SIDE) - middle, Math.floor(k / SIDE) - middle),
  )
}

test('a straight edge has orientation 1 in every direction', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: Math.PI, noNaN: true }), (angle) => {
      const edge = tile((x, y) => Math.tanh((x * Math.cos(angle) + y * Math.sin(angle)) / 4))
      expect(orientation(edge)).toBeGreaterThan(1 - tolerances.straightEdge.value)
    }),
  )
})

test('a ramp has orientation 1, a round spot and a checkerboard 0', () => {
  const near = (actual: number, expected: number) =>
    expect(Math.abs(actual - expected)).toBeLessThan(tolerances.handComputed.value)
  near(orientation(tile((x, y) => 2 * x + y)), 1)
  near(orientation(tile((x, y) => Math.exp(-(x * x + y * y) / 4))), 0)
  near(
    orientation(tile((x, y) => (Math.abs(x + y) % 4 < 2 ? 1 : -1) * (Math.abs(x - y) % 4 < 2 ? 1 : -1))),
    0,
  )
})

test('brightness and contrast do not change the orientation of a patch', () => {
  const shape = (x: number, y: number) => Math.sin(x) + 0.3 * Math.cos(2 * y)
  const value = orientation(tile(shape))
  expect(value).toBeGreaterThan(tolerances.partlyOriented.value)
  expect(value).toBeLessThan(1 - tolerances.partlyOriented.value)
  expect(orientation(tile((x, y) => 8 * shape(x, y)))).toBe(value)
  expect(orientation(tile((x, y) => -shape(x, y)))).toBe(value)
})
