import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Precision } from '../lib/base/precision.js'
import { Matrix } from '../lib/data/matrix.js'
import { COPIED_BYTES, type RowForm, type Rows, toRows } from '../lib/data/rows.js'
import { StandardScaler } from '../lib/data/scaling/standard-scaler.js'
import { giveAway } from './give-away.js'

const between = () => {}

function form(width: number, precision: Precision, scaling?: StandardScaler): RowForm {
  return { width, precision, scaling }
}

async function refusal(x: unknown, width = 2): Promise<unknown> {
  return await toRows('x', x as Rows, form(width, 'float32'), between).then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('toRows', () => {
  it('copies a small Matrix, and passes a larger one on without a copy, with its scale', async () => {
    for (const [length, copied] of [
      [COPIED_BYTES, true],
      [COPIED_BYTES + 2, false],
    ] as const) {
      const matrix = Matrix.from(new Uint8Array(length).fill(3), length / 2, 2, { scale: 0.5 })
      const rows = await toRows('x', matrix, form(2, 'float64'), between)
      expect(rows.data === matrix.data).toBe(!copied)
      expect(rows.data.length).toBe(length)
      expect(rows.data[length - 1]).toBe(3)
      expect(rows).toMatchObject({ rows: length / 2, cols: 2, scale: 0.5 })
      expect('shift' in rows || 'order' in rows).toBe(false)
    }
  })

  it('reads a flat array as rows of the width in every precision, without a copy if it is large', async () => {
    const small = await toRows('x', new Float64Array(6).fill(7), form(3, 'float32'), between)
    expect(small).toMatchObject({ data: new Float64Array(6).fill(7), rows: 2, cols: 3, scale: 1 })
    const flat = new Float64Array(COPIED_BYTES / 8 + 4)
    const rows = await toRows('x', flat, form(4, 'float32'), between)
    expect(rows.data).toBe(flat)
    expect(rows).toMatchObject({ rows: flat.length / 4, cols: 4, scale: 1 })
  })

  it('copies an array of rows into the precision of the model', async () => {
    const x = [
      [0.1, 2],
      [3, -4],
    ]
    expect((await toRows('x', x, form(2, 'float32'), between)).data).toEqual(
      new Float32Array([0.1, 2, 3, -4]),
    )
    expect((await toRows('x', x, form(2, 'float64'), between)).data).toEqual(
      new Float64Array([0.1, 2, 3, -4]),
    )
  })

  it('passes on shift and factor of a scaler, and copies arrays of rows in float64 for it', async () => {
    const x = [[1e9], [1e9 + 1]]
    const scaler = await new StandardScaler().fit(x)
    const rows = await toRows('x', x, form(1, 'float32', scaler), between)
    expect(rows.scaling).toEqual({ shift: scaler.shift, factor: scaler.factor })
    expect(rows.data).toEqual(new Float64Array([1e9, 1e9 + 1]))
  })

  it('refuses a scaler of another width, and one that is not fitted', async () => {
    const scaler = await new StandardScaler().fit([[1], [2]])
    const scaledBy = (by: StandardScaler) => toRows('x', [[1, 2]], form(2, 'float32', by), between)
    await expect(scaledBy(scaler)).rejects.toMatchObject({ code: 'ERR_SHAPE' })
    await expect(scaledBy(new StandardScaler())).rejects.toMatchObject({ code: 'ERR_STATE' })
  })

  it('names the first ragged row', async () => {
    expect(await refusal([[1, 2], [1, 2], [1]])).toMatchObject({
      code: 'ERR_SHAPE',
      details: { row: 2, received: 1 },
    })
  })

  it.each(['7', null, undefined, 1n, [1], {}])(
    'names row and column of an entry that is %s',
    async (entry) => {
      expect(
        await refusal([
          [1, 2],
          [1, entry],
        ]),
      ).toMatchObject({ code: 'ERR_ARGUMENT', details: { row: 1, column: 1 } })
    },
  )

  it('refuses a hole in an array', async () => {
    const row = [1, 2]
    delete row[0]
    expect(await refusal([row])).toMatchObject({ code: 'ERR_ARGUMENT', details: { row: 0, column: 0 } })
  })

  it.each([
    ['no rows', []],
    ['an empty flat array', new Float32Array(0)],
    ['a Matrix without rows', Matrix.from(new Float32Array(0), 0, 2)],
  ])('refuses %s as empty', async (_, x) => {
    expect(await refusal(x)).toMatchObject({ code: 'ERR_SHAPE', message: expect.stringContaining('empty') })
  })

  it.each([
    ['a length that is not a multiple of the width', new Float32Array(3), 'ERR_SHAPE'],
    ['a Matrix of another width', Matrix.from(new Float32Array(3), 1, 3), 'ERR_SHAPE'],
    ['rows of another width', [[1, 2, 3]], 'ERR_SHAPE'],
    ['a flat array of plain numbers', [1, 2], 'ERR_ARGUMENT'],
    ['rows that are numbers', [[1, 2], 3], 'ERR_ARGUMENT'],
    ['rows that are texts', ['ab', 'cd'], 'ERR_ARGUMENT'],
    ['a row that is nothing', [[1, 2], null], 'ERR_ARGUMENT'],
    ['a row that is a DataView', [new DataView(new ArrayBuffer(8))], 'ERR_ARGUMENT'],

    ['a row that is a Matrix of two', [Matrix.from(new Float32Array(4), 2, 2)], 'ERR_SHAPE'],
    ['a typed row of another width', [new Float32Array(3)], 'ERR_SHAPE'],
    ['a row of BigInts', [new BigInt64Array(2)], 'ERR_ARGUMENT'],
    ['a row of 16 bits that may be anything', [new Uint16Array(2)], 'ERR_ARGUMENT'],
    ['16 bits that may be anything', new Uint16Array(2), 'ERR_ARGUMENT'],
    ['clamped bytes', new Uint8ClampedArray(2), 'ERR_ARGUMENT'],
    ['BigInts', new BigInt64Array(2), 'ERR_ARGUMENT'],
    ['a DataView', new DataView(new ArrayBuffer(8)), 'ERR_ARGUMENT'],
    ['shared memory', new Float32Array(new SharedArrayBuffer(8)), 'ERR_ARGUMENT'],
    ['nothing', undefined, 'ERR_ARGUMENT'],
    ['null', null, 'ERR_ARGUMENT'],
    ['a string', 'ab', 'ERR_ARGUMENT'],
    ['an object that looks like a Matrix', { data: new Float32Array(2), rows: 1, cols: 2 }, 'ERR_ARGUMENT'],
  ])('refuses %s', async (_, x, code) => {
    expect(await refusal(x)).toMatchObject({
      name: 'LayerwiseError',
      code,
      details: { argument: expect.any(String) },
    })
  })

  it('refuses an array whose memory was transferred away, alone or in a Matrix', async () => {
    const flat = new Float32Array(2)
    const matrix = Matrix.from(flat, 1, 2)
    giveAway(flat)
    for (const x of [flat, matrix]) {
      expect(await refusal(x)).toMatchObject({
        code: 'ERR_ARGUMENT',
        message: expect.stringContaining('transferred'),
      })
    }
  })

  it('reads the same numbers from every kind of rows', async () => {
    const bytes = fc.integer({ min: 1, max: 5 }).chain((width) =>
      fc
        .array(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: width, maxLength: width }), {
          minLength: 1,
        })
        .map((rows) => ({ rows, width })),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async ({ rows, width }) => {
        const flat = rows.flat()
        const kinds: Rows[] = [
          rows,
          Uint8Array.from(flat),
          Float32Array.from(flat),
          Float64Array.from(flat),
          Matrix.from(Uint8Array.from(flat), rows.length, width),
          Int16Array.from(flat),
          Int32Array.from(flat),
          Uint32Array.from(flat),
          Matrix.from(Uint16Array.from(flat), rows.length, width, { type: 'uint16' }),
          rows.map(
            (row, i) => [row, Float32Array.from(row), Float64Array.from(row), Uint8Array.from(row)][i % 4]!,
          ),
          rows.map((row) => Matrix.from(Int16Array.from(row), 1, width)),
        ]
        for (const x of kinds) {
          const { data, rows: m, cols } = await toRows('x', x, form(width, 'float32'), between)
          expect([m, cols, [...data]]).toEqual([rows.length, width, flat])
        }
      }),
    )
  })

  it('has one row for each slice of a Matrix', async () => {
    const cut = fc.tuple(fc.nat(9), fc.nat(9)).map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const)
    const matrix = Matrix.from(
      Float32Array.from({ length: 30 }, (_, k) => k),
      10,
      3,
    )
    await fc.assert(
      fc.asyncProperty(cut, async ([from, to]) => {
        const { data, rows } = await toRows('x', matrix.slice(from, to), form(3, 'float32'), between)
        expect(rows).toBe(to - from)
        expect([...data]).toEqual([...matrix.data].slice(from * 3, to * 3))
      }),
    )
  })

  it('copies arrays of rows in slices, between which other events are served', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => Array.from({ length: 10 }, (_, j) => i + j / 10))
    const wide = [Array.from({ length: 1_000_000 }, (_, j) => j)]
    for (const x of [rows, wide]) {
      let turns = 0
      const other = setImmediate(() => turns++)
      let slices = 0
      const { data } = await toRows('x', x, form(x[0]!.length, 'float64'), () => slices++)
      clearImmediate(other)
      // Their bytes, for to compare a million numbers one by one takes seconds.
      expect(Buffer.from(data.buffer).equals(Buffer.from(Float64Array.from(x.flat()).buffer))).toBe(true)
      expect(slices).toBeGreaterThan(4)
      expect(turns).toBeGreaterThan(0)
    }
  })

  it('copies the rows of an array from memory of any kind', async () => {
    const memory = [new SharedArrayBuffer(8), Reflect.construct(ArrayBuffer, [8, { maxByteLength: 16 }])]
    const x = memory.map((buffer) => new Float32Array(buffer as ArrayBuffer).fill(7))
    expect((await toRows('x', x, form(2, 'float32'), between)).data).toEqual(new Float32Array(4).fill(7))
  })

  it('refuses a row of an array whose memory was transferred away', async () => {
    const row = new Float32Array(2)
    giveAway(row)
    const expected = { code: 'ERR_ARGUMENT', message: expect.stringMatching(/^x\[1\].*transferred/) }
    expect(await refusal([[1, 2], row])).toMatchObject(expected)
  })

  it('copies a small array of rows at the call', async () => {
    const x = [[1], [2]]
    const rows = toRows('x', x, form(1, 'float32'), between)
    x[0]![0] = 7
    expect((await rows).data).toEqual(new Float32Array([1, 2]))
  })

  it('rejects with the error that the function between slices throws', async () => {
    const reason = new Error('enough')
    const stop = () => {
      throw reason
    }
    const x = Array.from({ length: 100_000 }, () => [1])
    await expect(toRows('x', x, form(1, 'float32'), stop)).rejects.toBe(reason)
  })

  it.each<[string, (x: number[][]) => void, string]>([
    ['gets shorter', (x) => void x.splice(100), 'ERR_STATE'],
    ['gets longer', (x) => void x.push([1]), 'ERR_STATE'],
    ['has a row that gets shorter', (x) => void x.at(-1)!.pop(), 'ERR_SHAPE'],
    ['has a row replaced', (x) => void x.splice(-1, 1, 7 as never), 'ERR_ARGUMENT'],
  ])('refuses an array that %s while it is read', async (_, change, code) => {
    const x = Array.from({ length: 100_000 }, (_, i) => [i])
    const rows = toRows('x', x, form(1, 'float32'), between)
    change(x)
    await expect(rows).rejects.toMatchObject({ name: 'LayerwiseError', code })
  })
})
