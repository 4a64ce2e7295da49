import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkSeveralClasses } from '../lib/data/labels.js'
import { checkPartWeights } from '../lib/data/row-weights.js'
import { numbersOf, rangesAt, splitBlocks } from '../lib/data/split-blocks.js'
import { lengthOf, usedRowNumbers, usedRows } from '../lib/data/used-rows.js'
import { Matrix, SparseAutoencoder, SparseMatrix } from '../lib/index.js'
import type { NativeRows } from '../lib/native/binding.js'
import { binding } from '../lib/native/load.js'
import { checkFitOptions, type FitOptions } from '../lib/training/options.js'
import { shuffleOf } from '../lib/training/shuffle.js'
import { holdOut } from '../lib/training/split.js'
import { rejection, sampleRows } from './sample.js'
import { openJob } from './training-job.js'

const between = () => {}
const inputs = 13
const fit = { epochs: 3, batchSize: 16, learningRate: 0.02 }

/** Rows of files that do not exist: nothing here reads them. */
function rowsOfFiles(rows: number, ranges?: readonly number[]): NativeRows {
  const files = { segments: [], ...(ranges && { ranges: Float64Array.from(ranges) }) }
  return { data: new Uint8Array(0), type: 'uint8', rows, cols: 3, scale: 1, files }
}

async function numbers(rows: NativeRows): Promise<number[]> {
  const all: number[] = []
  for await (const slice of usedRowNumbers(rows)) all.push(...slice)
  return all
}

async function trained(x: Matrix | SparseMatrix, options: FitOptions): Promise<unknown> {
  const model = new SparseAutoencoder({ inputs, hidden: 5, seed: 4, outputActivation: 'identity' })
  await model.fit(x, options)
  return model.parameters()
}

describe('a shuffle by blocks', () => {
  const x = sampleRows(101, inputs)

  test('of rows that fit a window has the bits of a shuffle of all rows', async () => {
    const byRows = await trained(x, { ...fit, shuffle: 'rows' })
    expect(await trained(x, { ...fit, shuffle: true })).toEqual(byRows)
    expect(await trained(x, { ...fit, shuffle: 'blocks' })).toEqual(byRows)
    expect(await trained(x, { ...fit, shuffle: false })).not.toEqual(byRows)
  })

  test('takes sparse rows', async () => {
    const indptr = Array.from({ length: 41 }, (_, row) => 2 * row)
    const indices = Array.from({ length: 80 }, (_, k) => (k % 2) * 6 + (k % 5))
    const values = Array.from({ length: 80 }, (_, k) => 0.1 + (k % 7) / 9)
    const sparse = SparseMatrix.from({ indptr, indices, values, rows: 40, cols: inputs })
    const byRows = await trained(sparse, { ...fit, shuffle: 'rows' })
    expect(await trained(sparse, { ...fit, shuffle: 'blocks' })).toEqual(byRows)
  })

  // Eight windows of rows of 104 bytes.
  test('in several windows gives the same bits at 1, 2, 3 and 7 threads, and others than one of all rows', async () => {
    const rows: NativeRows = {
      data: x.data as Float64Array,
      type: 'float64',
      rows: 101,
      cols: inputs,
      scale: 1,
    }
    const hidden = 70
    const run = async (threads: number, order: 'rows' | 'blocks') => {
      const parameters = new Float64Array(2 * inputs * hidden + hidden + inputs)
      binding().uniform(parameters, -0.1, 0.1, 1, 0, 0)
      const job = openJob({
        layers: [
          { inputs, outputs: hidden, activation: 'sigmoid' },
          { inputs: hidden, outputs: inputs, activation: 'sigmoid' },
        ],
        objective: { loss: 'squared', weightDecay: [0, 0], penalties: [] },
        ...{ parameters, rows, batchSize: 10, shuffle: order, windowBytes: 13 * 104 },
      })
      const learningRates = new Float64Array(3).fill(0.1)
      const request = {
        threads,
        flags: new Int32Array(2),
        epoch: 0,
        learningRates,
        budgetMs: 1e9,
        parameters,
      }
      const parts = await binding().trainSpan(job, request)
      binding().closeTraining(job)
      return { parameters, losses: parts.map(({ loss }) => loss) }
    }
    const one = await run(1, 'blocks')
    expect(one.losses).toHaveLength(3)
    for (const threads of [2, 3, 7]) expect(await run(threads, 'blocks')).toEqual(one)
    expect(await run(1, 'rows')).not.toEqual(one)
  })
})

describe('the option shuffle', () => {
  const meaning = (shuffle: FitOptions['shuffle'], rows: NativeRows) =>
    shuffleOf(checkFitOptions({ shuffle }), rows)
  const inMemory: NativeRows = { data: new Uint8Array(6), type: 'uint8', rows: 2, cols: 3, scale: 1 }

  test('means rows for rows in memory and blocks for rows of files where it is true or absent', () => {
    for (const shuffle of [true, undefined]) {
      expect(meaning(shuffle, inMemory)).toBe('rows')
      expect(meaning(shuffle, rowsOfFiles(2))).toBe('blocks')
    }
    for (const rows of [inMemory, rowsOfFiles(2)]) {
      expect(meaning(false, rows)).toBe('none')
      expect(meaning('blocks', rows)).toBe('blocks')
    }
  })

  test('is refused as rows for rows of files, with what to do', () => {
    expect(() => meaning('rows', rowsOfFiles(2))).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(/^shuffle: .*Matrix/) }),
    )
  })
})

describe('rows held out as blocks', () => {
  const split = (rows: number, fraction: number, seed: number) =>
    splitBlocks('x', rows, fraction, seed, between)

  test('are each row in one of two parts, in ranges that rise and do not touch', async () => {
    const sizes = fc.oneof(fc.integer({ min: 2, max: 5000 }), fc.integer({ min: 2, max: 400_000 }))
    const fractions = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true })
    await fc.assert(
      fc.asyncProperty(sizes, fractions, fc.nat(99), async (rows, fraction, seed) => {
        const [part, rest] = await split(rows, fraction, seed)
        expect(lengthOf(part)).toBeGreaterThan(0)
        expect(lengthOf(rest)).toBeGreaterThan(0)
        expect(lengthOf(part) + lengthOf(rest)).toBe(rows)
        for (const ranges of [part, rest]) {
          expect(ranges.every((edge, k) => k === 0 || edge > ranges[k - 1]!)).toBe(true)
        }
        // An edge of one part is an edge of the other, or an end of the rows.
        const inner = (ranges: Float64Array) => [...ranges].filter((edge) => edge !== 0 && edge !== rows)
        expect(inner(part)).toEqual(inner(rest))
      }),
      { numRuns: 100 },
    )
  })

  test('are close to the fraction, and the same for the same seed and number of rows', async () => {
    for (const rows of [1000, 3001, 60_000, 1_000_000]) {
      const [part] = await split(rows, 0.2, 3)
      expect(Math.abs(lengthOf(part) / rows - 0.2)).toBeLessThan(0.002)
      expect(await split(rows, 0.2, 3)).toEqual(await split(rows, 0.2, 3))
      expect((await split(rows, 0.2, 4))[0]).not.toEqual(part)
    }
  })

  test('are single rows where there are fewer than 2,048, and at most 256 neighbours', async () => {
    const spans = ([part]: [Float64Array, Float64Array]) =>
      Array.from({ length: part.length / 2 }, (_, k) => part[2 * k + 1]! - part[2 * k]!)
    expect(Math.min(...spans(await split(2047, 0.1, 1)))).toBe(1)
    expect(Math.min(...spans(await split(2048, 0.1, 1)))).toBe(2)
    const long = spans(await split(2_000_000, 0.1, 1))
    expect(long.every((length) => length % 256 === 0 || length % 256 === 2_000_000 % 256)).toBe(true)
  })

  test('are the same rows of a matrix and of a file', async () => {
    const m = 4099
    const memory: NativeRows = { data: new Uint8Array(3 * m), type: 'uint8', rows: m, cols: 3, scale: 1 }
    const settings = checkFitOptions({ shuffle: 'blocks' })
    const inMemory = await holdOut('x', memory, 0.3, 5, settings, between)
    const inFiles = await holdOut('x', rowsOfFiles(m), 0.3, 5, checkFitOptions({}), between)
    for (const part of ['training', 'validation'] as const) {
      expect(inFiles[part].order).toBeUndefined()
      expect(await numbers(inFiles[part])).toEqual([...inMemory[part].order!])
    }
  })

  test('of rows that are ranges already are of these rows', async () => {
    const edges = fc
      .uniqueArray(fc.nat(60), { minLength: 2, maxLength: 20 })
      .map((all) => all.sort((a, b) => a - b))
    const even = edges.map((all) => Float64Array.from(all.slice(0, all.length - (all.length % 2))))
    await fc.assert(
      fc.asyncProperty(even, fc.double({ min: 0.01, max: 0.99, noNaN: true }), async (ranges, fraction) => {
        const rows = [...(await numbersOf('x', ranges, between))]
        fc.pre(rows.length > 1)
        for (const places of await split(rows.length, fraction, 1)) {
          const expected = [...(await numbersOf('x', places, between))].map((place) => rows[place]!)
          expect([...(await numbersOf('x', rangesAt('x', places, ranges), between))]).toEqual(expected)
        }
      }),
    )
    const parts = await holdOut('x', rowsOfFiles(100, [10, 20, 50, 90]), 0.5, 1, checkFitOptions({}), between)
    expect([usedRows(parts.training), usedRows(parts.validation)]).toEqual([25, 25])
    const all = [...(await numbers(parts.training)), ...(await numbers(parts.validation))]
    expect(all.every((row) => (row >= 10 && row < 20) || (row >= 50 && row < 90))).toBe(true)
    expect(new Set(all).size).toBe(50)
  })

  test('are never trained on, in no epoch and at no number of threads', async () => {
    const m = 3001
    const x = sampleRows(m, inputs)
    const [heldOut] = await split(m, 0.2, 4)
    const other = x.data.slice()
    for (const row of await numbersOf('x', heldOut, between))
      other.fill(0.3, row * inputs, (row + 1) * inputs)
    const options: FitOptions = { ...fit, batchSize: 50, shuffle: 'blocks', validation: 0.2 }
    const parameters = await trained(x, { ...options, threads: 1 })
    expect(await trained(Matrix.from(other, m, inputs), { ...options, threads: 3 })).toEqual(parameters)
    other.fill(0.3)
    expect(await trained(Matrix.from(other, m, inputs), options)).not.toEqual(parameters)
  })
})

describe('labels and weights of rows in ranges', () => {
  const labels = Uint32Array.of(0, 0, 0, 1, 2, 2)
  const weights = Float64Array.of(0, 0, 0, 1, 2, 2)

  test('must have two classes in the ranges', async () => {
    const check = (ranges: number[], more = {}) =>
      checkSeveralClasses({ ...rowsOfFiles(6, ranges), labels, ...more }, 3, between)
    await check([2, 4])
    await check([0, 1, 5, 6])
    expect(await rejection(check([0, 2]))).toMatchObject({
      code: 'ERR_RANGE',
      message: expect.stringContaining('in all 2 held-in rows; the other classes are among the 4'),
    })
    expect(await rejection(check([2, 4], { weights }))).toMatchObject({ code: 'ERR_RANGE' })
  })

  test('must have a weight above 0 in the ranges', async () => {
    const check = (ranges: number[]) =>
      checkPartWeights('rowWeights', { ...rowsOfFiles(6, ranges), weights }, 'held out', between)
    await check([2, 4])
    expect(await rejection(check([0, 3]))).toMatchObject({
      code: 'ERR_RANGE',
      message: expect.stringContaining('0 in all 3 rows that validation held out'),
    })
  })
})
