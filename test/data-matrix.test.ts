import { describe, expect, it } from 'vitest'
import { Matrix } from '../lib/data/matrix.js'
import { giveAway } from './give-away.js'

const matrix = Matrix.from(new Float32Array([1, 2, 3, 4, 5, 6]), 3, 2)

function detached<T extends { buffer: ArrayBufferLike }>(array: T): T {
  giveAway(array)
  return array
}

describe('Matrix', () => {
  it('shares the memory it was made from', () => {
    const data = new Float64Array(4)
    const shared = Matrix.from(data, 2, 2)
    data[3] = 7
    expect(shared.toArray()).toEqual([
      [0, 0],
      [0, 7],
    ])
  })

  it('applies the scale of bytes in toArray and at, and keeps it in row, whose data are as stored', () => {
    const images = Matrix.from(new Uint8Array([0, 255, 51, 102]), 2, 2, { scale: 1 / 255 })
    expect(images.toArray()).toEqual([
      [0, 1],
      [51 / 255, 102 / 255],
    ])
    const row = images.row(1)
    expect([row.rows, row.cols, row.scale, ...row.data]).toEqual([1, 2, 1 / 255, 51, 102])
    expect(row.data.buffer).toBe(images.data.buffer)
    expect(row.toArray()).toEqual([images.toArray()[1]])
    expect([images.at(0, 1), images.at(1, 0)]).toEqual([1, 51 / 255])
  })

  it('slices rows over the same memory, with the same scale', () => {
    const images = Matrix.from(new Uint8Array([1, 2, 3, 4, 5, 6]), 3, 2, { scale: 0.5 })
    const slice = images.slice(1)
    expect([slice.rows, slice.cols, slice.scale, slice.data.buffer]).toEqual([2, 2, 0.5, images.data.buffer])
    expect(slice.toArray()).toEqual(images.toArray().slice(1))
    expect(images.slice(2, 2).rows).toBe(0)
  })

  it('cannot be changed in shape', () => {
    expect(() => Object.assign(matrix, { rows: 4 })).toThrow(TypeError)
  })

  it.each([
    ['a length that is not rows × cols', () => Matrix.from(new Float32Array(5), 3, 2), 'ERR_SHAPE'],
    ['an ordinary array', () => Matrix.from([1, 2] as never, 1, 2), 'ERR_ARGUMENT'],
    ['clamped bytes', () => Matrix.from(new Uint8ClampedArray(2) as never, 1, 2), 'ERR_ARGUMENT'],
    ['BigInts', () => Matrix.from(new BigInt64Array(2) as never, 1, 2), 'ERR_ARGUMENT'],
    ['a Uint16Array without a type', () => Matrix.from(new Uint16Array(2), 1, 2), 'ERR_ARGUMENT'],
    [
      'a type that the array does not hold',
      () => Matrix.from(new Int16Array(2), 1, 2, { type: 'float16' }),
      'ERR_ARGUMENT',
    ],
    [
      'floats of 32 bits said to be others',
      () => Matrix.from(new Float32Array(2), 1, 2, { type: 'bfloat16' }),
      'ERR_ARGUMENT',
    ],
    [
      'a type that there is not',
      () => Matrix.from(new Uint16Array(2), 1, 2, { type: 'half' as never }),
      'ERR_ARGUMENT',
    ],
    ['no columns', () => Matrix.from(new Float32Array(0), 1, 0), 'ERR_ARGUMENT'],
    ['a fractional number of rows', () => Matrix.from(new Float32Array(3), 1.5, 2), 'ERR_ARGUMENT'],
    ['a scale of 0', () => Matrix.from(new Uint8Array(1), 1, 1, { scale: 0 }), 'ERR_ARGUMENT'],
    [
      'null for a scale',
      () => Matrix.from(new Uint8Array(1), 1, 1, { scale: null as never }),
      'ERR_ARGUMENT',
    ],
    ['an infinite scale', () => Matrix.from(new Uint8Array(1), 1, 1, { scale: Infinity }), 'ERR_ARGUMENT'],
    [
      'a scale on floats of 64 bits',
      () => Matrix.from(new Float64Array(1), 1, 1, { scale: 2 }),
      'ERR_ARGUMENT',
    ],
    ['a scale on floats', () => Matrix.from(new Float32Array(1), 1, 1, { scale: 2 }), 'ERR_ARGUMENT'],
    ['an unknown option', () => Matrix.from(new Uint8Array(1), 1, 1, { skale: 2 } as never), 'ERR_ARGUMENT'],
    ['shared memory', () => Matrix.from(new Uint8Array(new SharedArrayBuffer(2)), 1, 2), 'ERR_ARGUMENT'],
    [
      'memory that was transferred away',
      () => Matrix.from(detached(new Float32Array(2)), 1, 2),
      'ERR_ARGUMENT',
    ],
    ['a row beyond the end', () => matrix.row(3), 'ERR_ARGUMENT'],
    ['a slice that ends before it begins', () => matrix.slice(2, 1), 'ERR_ARGUMENT'],
    ['a slice beyond the end', () => matrix.slice(0, 4), 'ERR_ARGUMENT'],
  ])('refuses %s', (_, make, code) => {
    expect(make).toThrow(expect.objectContaining({ name: 'LayerwiseError', code }))
  })

  it('refuses resizable memory', () => {
    const options = { maxByteLength: 16 }
    const buffer = Reflect.construct(ArrayBuffer, [8, options]) as ArrayBuffer
    expect(() => Matrix.from(new Float32Array(buffer), 1, 2)).toThrow(/resizable/)
  })

  it('throws when its memory was transferred later', () => {
    const lost = Matrix.from(new Float32Array(2), 1, 2)
    detached(lost.data)
    expect(() => lost.row(0)).toThrow(/transferred away/)
    expect(() => lost.slice(0)).toThrow(/transferred away/)
  })

  it('may have memory of no bytes, unless it was transferred', () => {
    expect(Matrix.from(new Float32Array(0), 0, 3).toArray()).toEqual([])
  })
})
