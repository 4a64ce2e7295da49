import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { driftOf } from '../lib/anomaly/drift.js'
import { normalProbability, thresholdOf } from '../lib/anomaly/threshold.js'
import { AnomalyDetector } from '../lib/index.js'
import { DependentColumns, normals } from './anomaly-sample.js'
import { expectError } from './refusal.js'
import { rejection } from './sample.js'

/** A few scores, with many ties. */
const scores = fc
  .array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 60 })
  .map((list) => Float64Array.from(list).sort())
const shares = fc.double({ min: 0.001, max: 0.999, noNaN: true })

describe('a threshold', () => {
  test('is the least score that at least the quantile of the rows do not exceed, and says which share that is', () => {
    fc.assert(
      fc.property(scores, shares, (sorted, quantile) => {
        const { score, reached, rows } = thresholdOf(sorted, quantile)
        const shareUpTo = (most: number) => sorted.filter((one) => one <= most).length / sorted.length
        expect(rows).toBe(sorted.length)
        expect(reached).toBe(shareUpTo(score))
        expect(reached).toBeGreaterThan(quantile - 1e-8)
        for (const lower of new Set(sorted.filter((one) => one < score)))
          expect(shareUpTo(lower)).toBeLessThan(quantile)
      }),
    )
  })

  test('says that all rows are below it where all score the same', () => {
    expect(thresholdOf(new Float64Array(10).fill(3), 0.5)).toEqual({
      score: 3,
      quantile: 0.5,
      reached: 1,
      rows: 10,
    })
  })

  test('is not raised by a rank that rounding made larger', () => {
    const sorted = Float64Array.from({ length: 100 }, (_, i) => i)
    for (let k = 1; k < 100; k++) expect(thresholdOf(sorted, 1 - (100 - k) / 100).score).toBe(k - 1)
  })
})

test('the probability of a normal row is a rank: 1 for the lowest score, never 0, and falling', () => {
  fc.assert(
    fc.property(scores, fc.integer({ min: -1, max: 14 }), (sorted, score) => {
      const found = normalProbability(sorted, score)
      expect(found).toBe((1 + sorted.filter((one) => one >= score).length) / (1 + sorted.length))
      expect(normalProbability(sorted, score + 1)).toBeLessThanOrEqual(found)
      expect(found).toBeGreaterThan(0)
    }),
  )
  expect(normalProbability(Float64Array.of(1, 2), 0)).toBe(1)
})

describe('drift', () => {
  const normal = normals(4)
  const sample = (count: number, shift = 0) =>
    Float64Array.from({ length: count }, () => normal() + shift).sort()

  test('is small for scores of the same distribution and large for others', async () => {
    const reference = sample(2000)
    const same = await driftOf(reference, sample(1000), 2)
    expect(same.stabilityIndex).toBeLessThan(0.1)
    expect(same.probability).toBeGreaterThan(0.01)
    const other = await driftOf(reference, sample(1000, 1), 2)
    expect(other.stabilityIndex).toBeGreaterThan(0.25)
    expect(other.probability).toBeLessThan(1e-6)
    expect(other.aboveThreshold).toBeGreaterThan(same.aboveThreshold)
  })

  test('is finite where bins are empty, and 0 for the same scores', async () => {
    const reference = sample(200)
    const far = await driftOf(reference, sample(200, 100), 2)
    expect(far.stabilityIndex).toBeGreaterThan(1)
    expect(far.stabilityIndex).toBeLessThan(Infinity)
    expect(far.kolmogorovSmirnov).toBe(1)
    expect(await driftOf(reference, reference, 2)).toMatchObject({
      stabilityIndex: 0,
      kolmogorovSmirnov: 0,
      probability: 1,
    })
    const equal = new Float64Array(200).fill(1)
    expect(await driftOf(equal, equal, 1)).toMatchObject({ stabilityIndex: 0, aboveThreshold: 0 })
    expect((await driftOf(equal, sample(200), 1)).stabilityIndex).toBeLessThan(Infinity)
  })

  test('has the largest distance of the distribution functions, by the definition', async () => {
    const few = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 100, maxLength: 130 })
    await fc.assert(
      fc.asyncProperty(few, few, async (a, b) => {
        const share = (list: number[], most: number) => list.filter((one) => one <= most).length / list.length
        const expected = Math.max(
          ...Array.from({ length: 10 }, (_, k) => Math.abs(share(a, k) - share(b, k))),
        )
        const { kolmogorovSmirnov } = await driftOf(
          Float64Array.from(a).sort(),
          Float64Array.from(b).sort(),
          5,
        )
        expect(kolmogorovSmirnov).toBeCloseTo(expected, 12)
      }),
      { numRuns: 30 },
    )
  })

  test('needs 100 rows on both sides', async () => {
    expectError(
      await rejection(driftOf(sample(99), sample(100), 0)),
      'ERR_SHAPE',
      'at least 100 held-out rows',
    )
    expectError(await rejection(driftOf(sample(100), sample(99), 0)), 'ERR_SHAPE', 'at least 100 rows')
  })
})

describe('a fitted detector', () => {
  const columns = new DependentColumns(5, 2, 9)
  const rows = columns.rows(1000)
  let detector: AnomalyDetector

  beforeAll(async () => {
    detector = new AnomalyDetector({ contamination: 0.05 })
    await detector.fit(rows)
  })

  test('sees no drift in rows of the same kind, and drift in others', async () => {
    expect((await detector.drift(columns.rows(300))).stabilityIndex).toBeLessThan(0.3)
    const shifted = columns
      .rows(300)
      .toArray()
      .map((row) => row.map((value, j) => (j === 1 ? value + 30 : value)))
    const drift = await detector.drift(shifted)
    expect(drift.stabilityIndex).toBeGreaterThan(1)
    expect(drift.aboveThreshold).toBeGreaterThan(0.9)
  })

  test('takes its threshold from other rows, without learning', async () => {
    const copy = await AnomalyDetector.fromBytes(await detector.toBytes())
    const others = columns.rows(150)
    const threshold = await copy.refitThreshold(others)
    expect(threshold.rows).toBe(150)
    expect(threshold).toEqual(copy.threshold)
    expect(threshold.score).not.toBe(detector.threshold.score)
    expect(await copy.score(others)).toEqual(await detector.score(others))
    expect((await AnomalyDetector.fromBytes(await copy.toBytes())).threshold).toEqual(threshold)
  })

  test('goes on with new rows, says how they differ, and then finds them normal', async () => {
    const copy = await AnomalyDetector.fromBytes(await detector.toBytes())
    const shifted = columns
      .rows(600)
      .toArray()
      .map((row) => row.map((value, j) => (j === 2 ? value + 1000 : value)))
    const before = (await copy.predict(shifted)).isAnomaly.reduce((sum, one) => sum + one, 0)
    const { drift, heldOut, trained, leftOut } = await copy.update(shifted)
    expect(drift.stabilityIndex).toBeGreaterThan(0.25)
    expect(heldOut + trained + leftOut).toBe(600)
    const after = (await copy.predict(shifted)).isAnomaly.reduce((sum, one) => sum + one, 0)
    expect(before).toBeGreaterThan(400)
    expect(after).toBeLessThan(100)
    expectError(await rejection(copy.update(rows.slice(0, 50))), 'ERR_SHAPE', '100 rows')
  })

  test('can be fitted with held-out rows of its own, with none, and until these no longer improve', async () => {
    const own = columns.rows(200)
    const one = new AnomalyDetector({ trainedOn: 'clean' })
    expect(await one.fit(rows, { validation: own })).toMatchObject({
      heldOut: 200,
      trained: 1000,
      leftOut: 0,
    })
    expect(one.threshold.rows).toBe(200)
    const two = new AnomalyDetector()
    expect((await two.fit(rows, { validation: 0 })).heldOut).toBe(0)
    expect(two.threshold.rows).toBe(1000)
    const stopped = await one.fit(rows, { earlyStopping: { patience: 1 } })
    expect(stopped.trainings.some((training) => training.stopped === 'earlyStopping')).toBe(true)
  })
})

test('columns whose quartiles are equal are scaled, and few rows are enough', async () => {
  const rare = Array.from({ length: 60 }, (_, i) => [i % 20 === 0 ? 1 : 0, Math.sin(i), 5])
  for (const trainedOn of ['clean', 'mixed'] as const) {
    const detector = new AnomalyDetector({ trainedOn })
    await detector.fit(rare)
    expect([...(await detector.score(rare))].every(Number.isFinite)).toBe(true)
    const tiny = new AnomalyDetector({ trainedOn })
    await tiny.fit([
      [1, 2],
      [2, 1],
      [3, 3],
    ])
    expect(tiny.scoreSync([1, 2])).toBeGreaterThanOrEqual(0)
  }
})
