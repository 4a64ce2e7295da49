import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Matrix } from '../lib/data/matrix.js'
import { type Rows, toRows } from '../lib/data/rows.js'
import { StandardScaler } from '../lib/data/scaler.js'

function refusal(x: unknown, width = 2): unknown {
  try {
    toRows('x', x as Rows, width, 'float32')
  } catch (error) {
    return error
  }
  return undefined
}

describe('toRows', () => {
  it('hands over a Matrix as it is, with its scale', () => {
    const matrix = Matrix.from(new Uint8Array([1, 2, 3, 4]), 2, 2, { scale: 0.5 })
    const rows = toRows('x', matrix, 2, 'float64')
    expect(rows.data).toBe(matrix.data)
    expect(rows).toMatchObject({ rows: 2, cols: 2, scale: 0.5 })
    expect('shift' in rows || 'order' in rows).toBe(false)
  })

  it('takes a flat array as rows of the width, without a copy and whatever the precision', () => {
    const flat = new Float64Array(6)
    const rows = toRows('x', flat, 3, 'float32')
    expect(rows.data).toBe(flat)
    expect(rows).toMatchObject({ rows: 2, cols: 3, scale: 1 })
  })

  it('copies an array of rows into the precision of the model', () => {
    const x = [
      [0.1, 2],
      [3, -4],
    ]
    expect(toRows('x', x, 2, 'float32').data).toEqual(new Float32Array([0.1, 2, 3, -4]))
    expect(toRows('x', x, 2, 'float64').data).toEqual(new Float64Array([0.1, 2, 3, -4]))
  })

  it('hands over shift and factor of a scaler, and keeps arrays of rows in float64 for it', async () => {
    const x = [[1e9], [1e9 + 1]]
    const scaler = await new StandardScaler().fit(x)
    const rows = toRows('x', x, 1, 'float32', scaler)
    expect(rows).toMatchObject({ shift: scaler.shift, factor: scaler.factor })
    expect(rows.data).toEqual(new Float64Array([1e9, 1e9 + 1]))
  })

  it('refuses a scaler of another width, and one that is not fitted', async () => {
    const scaler = await new StandardScaler().fit([[1], [2]])
    expect(() => toRows('x', [[1, 2]], 2, 'float32', scaler)).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    )
    expect(() => toRows('x', [[1, 2]], 2, 'float32', new StandardScaler())).toThrow(
      expect.objectContaining({ code: 'ERR_STATE' }),
    )
  })

  it('names the first ragged row', () => {
    expect(refusal([[1, 2], [1, 2], [1]])).toMatchObject({
      code: 'ERR_SHAPE',
      details: { row: 2, received: 1 },
    })
  })

  it.each(['7', null, undefined, 1n, [1], {}])('names row and column of an entry that is %s', (entry) => {
    expect(
      refusal([
        [1, 2],
        [1, entry],
      ]),
    ).toMatchObject({ code: 'ERR_ARGUMENT', details: { row: 1, column: 1 } })
  })

  it('does not take a hole for a number', () => {
    const row = [1, 2]
    delete row[0]
    expect(refusal([row])).toMatchObject({ code: 'ERR_ARGUMENT', details: { row: 0, column: 0 } })
  })

  it.each([
    ['no rows', []],
    ['an empty flat array', new Float32Array(0)],
    ['a Matrix without rows', Matrix.from(new Float32Array(0), 0, 2)],
  ])('calls %s empty', (_, x) => {
    expect(refusal(x)).toMatchObject({ code: 'ERR_SHAPE', message: expect.stringContaining('empty') })
  })

  it.each([
    ['a length that is not a multiple of the width', new Float32Array(3), 'ERR_SHAPE'],
    ['a Matrix of another width', Matrix.from(new Float32Array(3), 1, 3), 'ERR_SHAPE'],
    ['rows of another width', [[1, 2, 3]], 'ERR_SHAPE'],
    ['a flat array of plain numbers', [1, 2], 'ERR_ARGUMENT'],
    ['rows that are typed arrays', [new Float32Array(2)], 'ERR_ARGUMENT'],
    ['another typed array', new Int32Array(2), 'ERR_ARGUMENT'],
    ['a DataView', new DataView(new ArrayBuffer(8)), 'ERR_ARGUMENT'],
    ['shared memory', new Float32Array(new SharedArrayBuffer(8)), 'ERR_ARGUMENT'],
    ['nothing', undefined, 'ERR_ARGUMENT'],
    ['null', null, 'ERR_ARGUMENT'],
    ['a string', 'ab', 'ERR_ARGUMENT'],
    ['an object that looks like a Matrix', { data: new Float32Array(2), rows: 1, cols: 2 }, 'ERR_ARGUMENT'],
  ])('refuses %s', (_, x, code) => {
    expect(refusal(x)).toMatchObject({
      name: 'LayerwiseError',
      code,
      details: { argument: expect.any(String) },
    })
  })

  it('refuses an array whose memory was transferred away, alone or in a Matrix', () => {
    const flat = new Float32Array(2)
    const matrix = Matrix.from(flat, 1, 2)
    structuredClone(flat.buffer, { transfer: [flat.buffer] })
    for (const x of [flat, matrix]) {
      expect(refusal(x)).toMatchObject({
        code: 'ERR_ARGUMENT',
        message: expect.stringContaining('transferred'),
      })
    }
  })

  it('reads the same numbers from every kind of rows', () => {
    const bytes = fc.integer({ min: 1, max: 5 }).chain((width) =>
      fc
        .array(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: width, maxLength: width }), {
          minLength: 1,
        })
        .map((rows) => ({ rows, width })),
    )
    fc.assert(
      fc.property(bytes, ({ rows, width }) => {
        const flat = rows.flat()
        const kinds: Rows[] = [
          rows,
          Uint8Array.from(flat),
          Float32Array.from(flat),
          Float64Array.from(flat),
          Matrix.from(Uint8Array.from(flat), rows.length, width),
        ]
        for (const x of kinds) {
          const { data, rows: m, cols } = toRows('x', x, width, 'float32')
          expect([m, cols, [...data]]).toEqual([rows.length, width, flat])
        }
      }),
    )
  })

  it('has one row for each slice of a Matrix', () => {
    const cut = fc.tuple(fc.nat(9), fc.nat(9)).map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const)
    const matrix = Matrix.from(
      Float32Array.from({ length: 30 }, (_, k) => k),
      10,
      3,
    )
    fc.assert(
      fc.property(cut, ([from, to]) => {
        const { data, rows } = toRows('x', matrix.slice(from, to), 3, 'float32')
        expect(rows).toBe(to - from)
        expect([...data]).toEqual([...matrix.data].slice(from * 3, to * 3))
      }),
    )
  })
})
