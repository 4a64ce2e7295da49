import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { QuantileSketch } from '../lib/data/scaling/quantile-sketch.js'

function sketchOf(values: ArrayLike<number>): QuantileSketch {
  const sketch = new QuantileSketch()
  for (let i = 0; i < values.length; i++) sketch.add(values[i]!)
  return sketch
}

/** How far the ranks of an answer are from the asked one, as a share of all values. */
function rankError(sorted: Float64Array, share: number, answer: number): number {
  const below = sorted.findIndex((value) => value >= answer)
  const above = sorted.findLastIndex((value) => value <= answer) + 1
  // Not toBe, for which 0 is another number than −0.
  expect(sorted[below] === answer).toBe(true)
  const rank = Math.max(1, Math.ceil(share * sorted.length))
  return Math.max(0, below + 1 - rank, rank - above) / sorted.length
}

const SHARES = Array.from({ length: 41 }, (_, i) => i / 40)

describe('a quantile sketch', () => {
  test.each<[string, (i: number, n: number) => number]>([
    ['random', (i) => Math.sin(i * 12.9898) * 43_758.5453 - Math.floor(Math.sin(i * 12.9898) * 43_758.5453)],
    ['rising', (i) => i],
    ['falling', (i) => -i],
    ['from the ends to the middle', (i, n) => (i % 2 === 0 ? i : n * 2 - i)],
    ['from the middle to the ends', (i) => (i % 2 === 0 ? i : -i)],
    ['few different', (i) => (i * 7919) % 5],
    ['heavy tails', (i) => Math.tan(i)],
    ['rising in groups', (i) => ((i >> 10) * 7919) % 293],
  ])('%s numbers: ranks are right to half a percent', (_, make) => {
    const n = 60_000
    const values = Float64Array.from({ length: n }, (_, i) => make(i, n))
    const sketch = sketchOf(values)
    expect(sketch.size).toBeLessThan(2000)
    const sorted = values.slice().sort()
    for (const share of SHARES)
      expect(rankError(sorted, share, sketch.quantile(share))).toBeLessThanOrEqual(0.005)
  })

  test('of up to 200 numbers is exact', () => {
    fc.assert(
      fc.property(fc.float64Array({ minLength: 1, maxLength: 200, noNaN: true }), (values) => {
        const sorted = values.slice().sort()
        const sketch = sketchOf(values)
        for (const share of SHARES) expect(rankError(sorted, share, sketch.quantile(share))).toBe(0)
        expect(sketch.quantile(0) === sorted[0]).toBe(true)
        expect(sketch.quantile(1) === sorted.at(-1)).toBe(true)
      }),
    )
  })

  test('of any numbers has the right ranks, extremes and count, asked at any time', () => {
    const numbers = fc.array(fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 3 })), {
      minLength: 1,
      maxLength: 50,
    })
    fc.assert(
      fc.property(
        numbers,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 997 }),
        (some, times, asked) => {
          const values = Float64Array.from(
            { length: some.length * times },
            (_, i) => some[(i * 31 + (i >> 5)) % some.length]!,
          )
          const sketch = new QuantileSketch()
          for (const [i, value] of values.entries()) {
            sketch.add(value)
            if (i % asked === 0) sketch.quantile(0.5)
          }
          const sorted = values.slice().sort()
          expect(sketch.count).toBe(values.length)
          expect([sketch.quantile(0), sketch.quantile(1)].map((value) => value + 0)).toEqual([
            sorted[0]! + 0,
            sorted.at(-1)! + 0,
          ])
          for (const share of SHARES)
            expect(rankError(sorted, share, sketch.quantile(share))).toBeLessThanOrEqual(0.005)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('gives the same answers for the same numbers', () => {
    const values = Float64Array.from({ length: 30_000 }, (_, i) => Math.tan(i))
    const answers = () => SHARES.map((share) => sketchOf(values).quantile(share))
    expect(answers()).toEqual(answers())
  })

  test('of no numbers answers NaN', () => {
    expect(new QuantileSketch().quantile(0.5)).toBeNaN()
  })
})
