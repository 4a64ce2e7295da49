import { describe, expect, expectTypeOf, test } from 'vitest'
import { type FloatArray, Matrix, SparseAutoencoder } from '../lib/index.js'
import { giveAway } from './give-away.js'
import { detached, expectError, thrown } from './refusal.js'
import { relativeDistance, sampleRows } from './sample.js'
import { storedRows } from './stored-rows.js'
import { tolerances } from './tolerances.js'

const kinds = storedRows(
  Array.from({ length: 12 }, (_, k) => k / 11),
  3,
)

describe.each(kinds)('rows of a Matrix of %s', (_, x) => {
  test('encoded one by one equal those encoded together', async () => {
    const model = new SparseAutoencoder({ inputs: 3, hidden: 2, precision: 'float64' })
    const codes = await model.encode(x)
    for (let i = 0; i < x.rows; i++) {
      const distance = relativeDistance(model.encodeSync(x.row(i)), codes.row(i).data)
      expect(distance).toBeLessThan(tolerances.singleRowFloat64.value)
    }
  })

  test('are copied by number, in the given order, with storage and scale', () => {
    for (const indices of [[2, 0, 2], Uint32Array.of(2, 0, 2), Int8Array.of(2, 0, 2)]) {
      const selected = x.select(indices)
      expect([selected.rows, selected.cols, selected.scale, selected.type]).toEqual([3, 3, x.scale, x.type])
      expect(selected.data.constructor).toBe(x.data.constructor)
      expect(selected.data.buffer).not.toBe(x.data.buffer)
      const all = x.toArray()
      expect(selected.toArray()).toEqual([all[2], all[0], all[2]])
    }
    expect(x.select([]).rows).toBe(0)
  })

  test('are rebuilt from single rows', () => {
    const rows = Matrix.fromRows([x.row(3), x.toArray()[1]!, x.row(0)])
    expect(rows.data).toBeInstanceOf(Float64Array)
    const all = x.toArray()
    expect(rows.toArray()).toEqual([all[3], all[1], all[0]])
  })

  test('are complete after the Matrix was posted', () => {
    const posted = structuredClone(x)
    expect(posted).not.toBeInstanceOf(Matrix)
    const again = Matrix.from(posted)
    expect(again).toBeInstanceOf(Matrix)
    expect(again).toEqual(x)
    expect(again.data).toBe(posted.data)
  })

  test('have at each place the value of toArray', () => {
    const all = x.toArray()
    for (let i = 0; i < x.rows; i++) for (let j = 0; j < x.cols; j++) expect(x.at(i, j)).toBe(all[i]![j])
  })

  test('are those of a slice over the same memory', () => {
    const slice = x.slice(1, 3)
    expect(slice.data.buffer).toBe(x.data.buffer)
    expect([slice.scale, slice.type]).toEqual([x.scale, x.type])
    expect(slice.toArray()).toEqual(x.toArray().slice(1, 3))
  })
})

test('rows of numbers become a Matrix in float64, or in the precision asked for', () => {
  const exact = Matrix.fromRows([
    [1e9 + 0.25, 2],
    [3, 4],
  ])
  expectTypeOf(exact).toEqualTypeOf<Matrix<FloatArray<'float64'>>>()
  expect(exact.toArray()).toEqual([
    [1e9 + 0.25, 2],
    [3, 4],
  ])
  const small = Matrix.fromRows([[0.1], Float64Array.of(0.2), Uint8Array.of(3), Int16Array.of(-4)], {
    precision: 'float32',
  })
  expectTypeOf(small).toEqualTypeOf<Matrix<FloatArray<'float32'>>>()
  expect([...small.data]).toEqual([0.1, 0.2, 3, -4].map(Math.fround))
})

describe('split', () => {
  const x = sampleRows(50, 3)

  test('divides all rows into a fraction and the rest, each in its own order, with their numbers', () => {
    const [first, second, firstRows, secondRows] = x.split(0.7, 4)
    expect([first.rows, second.rows]).toEqual([35, 15])
    expect([...firstRows, ...secondRows].sort((a, b) => a - b)).toEqual([...new Array(50).keys()])
    for (const rows of [firstRows, secondRows]) expect([...rows].sort((a, b) => a - b)).toEqual([...rows])
    expect(first).toEqual(x.select(firstRows))
    expect(second).toEqual(x.select(secondRows))
  })

  test('is the same for the same seed, and different for another', () => {
    expect(x.split(0.5, 3)).toEqual(x.split(0.5, 3))
    expect(x.split(0.5)).toEqual(x.split(0.5, 0))
    expect(x.split(0.5, 3)[2]).not.toEqual(x.split(0.5, 4)[2])
  })

  test('has in its first part the rows that a model with that seed holds out for validation', async () => {
    const [held, rest] = x.split(0.2, 9)
    const options = { inputs: 3, hidden: 2, seed: 9 }
    const fit = { epochs: 2, batchSize: 'all' } as const
    const whole = await new SparseAutoencoder(options).fit(x, { ...fit, validation: 0.2 })
    const apart = await new SparseAutoencoder(options).fit(rest, { ...fit, validation: held })
    expect(apart.epochs.map(({ cost, validation }) => [cost, validation])).toEqual(
      whole.epochs.map(({ cost, validation }) => [cost, validation]),
    )
  })

  test.each([
    [0.001, [1, 49]],
    [0.999, [49, 1]],
    [0.25, [13, 37]],
  ])('leaves at least one row in each part: %d', (fraction, sizes) => {
    const [first, second] = x.split(fraction)
    expect([first.rows, second.rows]).toEqual(sizes)
  })
})

const x = kinds[0]![1]
const posted = { data: new Float32Array(6), rows: 2, cols: 3 }
test.each<[string, () => unknown, string, string]>([
  ['at of a negative row', () => x.at(-1, 0), 'ERR_ARGUMENT', 'i: expected'],
  ['at of a column beyond the last', () => x.at(0, 3), 'ERR_ARGUMENT', 'j: expected'],
  ['at of no column', () => x.at(0, undefined as never), 'ERR_ARGUMENT', 'j: expected'],
  ['row of a fraction', () => x.row(0.5), 'ERR_ARGUMENT', 'i: expected'],
  ['select of a row beyond the last', () => x.select([0, 4]), 'ERR_ARGUMENT', 'indices[1]: expected'],
  ['select of NaN', () => x.select([Number.NaN]), 'ERR_ARGUMENT', 'indices[0]: expected'],
  ['select of booleans', () => x.select([true, false] as never), 'ERR_ARGUMENT', 'indices[0]: expected'],
  [
    'select of BigInts',
    () => x.select(BigInt64Array.of(0n) as never),
    'ERR_ARGUMENT',
    'indices[0]: expected',
  ],
  ['select of a number', () => x.select(3 as never), 'ERR_ARGUMENT', 'indices: expected'],
  ['a split of everything', () => x.split(1), 'ERR_ARGUMENT', 'fraction: expected'],
  ['a split of nothing', () => x.split(0), 'ERR_ARGUMENT', 'fraction: expected'],
  ['a split by a text', () => x.split('0.5' as never), 'ERR_ARGUMENT', 'fraction: expected'],
  ['a split by a negative seed', () => x.split(0.5, -1), 'ERR_ARGUMENT', 'seed: expected'],
  ['a split of one row', () => x.row(0).split(0.5), 'ERR_SHAPE', 'rows: expected at least 2'],
  [
    'fromRows of numbers that float32 cannot hold',
    () => Matrix.fromRows([[1], [-1e300]], { precision: 'float32' }),
    'ERR_RANGE',
    'rows: expected numbers that float32 can hold, received -1e+300 in row 1, column 0',
  ],
  [
    'fromRows of a typed array with numbers that float32 cannot hold',
    () => Matrix.fromRows([Float64Array.of(0, 1e39)], { precision: 'float32' }),
    'ERR_RANGE',
    'rows: expected numbers that float32 can hold, received 1e+39 in row 0, column 1',
  ],
  [
    'fromRows of no array',
    () => Matrix.fromRows(7 as never),
    'ERR_ARGUMENT',
    'rows: expected an array of rows',
  ],
  ['fromRows of no rows', () => Matrix.fromRows([]), 'ERR_SHAPE', 'rows: expected at least one row'],
  ['fromRows of empty rows', () => Matrix.fromRows([[], []]), 'ERR_SHAPE', 'rows of at least one number'],
  ['fromRows of numbers', () => Matrix.fromRows([1, 2] as never), 'ERR_ARGUMENT', 'rows[0]: expected'],
  ['fromRows of uneven rows', () => Matrix.fromRows([[1, 2], [3]]), 'ERR_SHAPE', '2 numbers in row 1'],
  [
    'fromRows of text',
    () =>
      Matrix.fromRows([
        [1, 2],
        [3, '4' as never],
      ]),
    'ERR_ARGUMENT',
    'row 1, column 1',
  ],
  ['fromRows of uneven arrays', () => Matrix.fromRows([[1], Float32Array.of(1, 2)]), 'ERR_SHAPE', 'row 1'],
  ['fromRows of a Matrix of rows', () => Matrix.fromRows([[1, 2, 3], x]), 'ERR_SHAPE', 'rows[1]'],
  [
    'fromRows of 16 bits that may be anything',
    () => Matrix.fromRows([Uint16Array.of(1) as never]),
    'ERR_ARGUMENT',
    'rows[0]: expected an array that says what its numbers are',
  ],
  ['fromRows of BigInts', () => Matrix.fromRows([BigInt64Array.of(1n) as never]), 'ERR_ARGUMENT', 'rows[0]'],
  [
    'fromRows in no precision',
    () => Matrix.fromRows([[1]], { precision: 'f32' as never }),
    'ERR_ARGUMENT',
    'precision',
  ],
  [
    'fromRows with another option',
    () => Matrix.fromRows([[1]], { scale: 2 } as never),
    'ERR_ARGUMENT',
    'scale',
  ],
  ['a posted Matrix without data', () => Matrix.from({ rows: 2, cols: 3 } as never), 'ERR_ARGUMENT', 'data'],
  [
    'a posted Matrix without rows',
    () => Matrix.from({ ...posted, rows: undefined as never }),
    'ERR_ARGUMENT',
    'rows',
  ],
  ['a posted Matrix of another size', () => Matrix.from({ ...posted, rows: 3 }), 'ERR_SHAPE', 'data'],
  ['a posted Matrix with a scale of 0', () => Matrix.from({ ...posted, scale: 0 }), 'ERR_ARGUMENT', 'scale'],
  [
    'a posted Matrix of 16 bits that has lost its type',
    () => Matrix.from({ data: new Uint16Array(6), rows: 2, cols: 3 }),
    'ERR_ARGUMENT',
    "{ type: 'uint16' | 'float16' | 'bfloat16' }",
  ],
  [
    'a posted Matrix whose array went on',
    () => Matrix.from({ ...posted, data: detached() }),
    'ERR_ARGUMENT',
    'transferred',
  ],
])('%s is refused', (_, call, code, message) => {
  expectError(thrown(call), code, message)
})

test('every method of a Matrix whose memory was transferred throws ERR_STATE', () => {
  const lost = Matrix.from(new Float32Array(6), 2, 3)
  giveAway(lost.data)
  for (const ask of [() => lost.at(0, 0), () => lost.row(0), () => lost.select([0]), () => lost.split(0.5)]) {
    expectError(thrown(ask), 'ERR_ARGUMENT', 'transferred away')
  }
})
