import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LayerwiseError } from '../lib/base/errors.js'
import { readIdx, readIdxLabels } from '../lib/data/idx.js'
import { Matrix } from '../lib/data/matrix.js'
import { writeNpy } from '../lib/data/npy.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const path = join(folder, 'file')

function idx(dimensions: readonly number[], bytes: readonly number[] | Uint8Array, type = 8): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length)
  header.set([0, 0, type, dimensions.length])
  for (const [k, size] of dimensions.entries()) header.writeUInt32BE(size, 4 + 4 * k)
  return Buffer.concat([header, Buffer.from(bytes)])
}

function file(bytes: Uint8Array): string {
  writeFileSync(path, bytes)
  return path
}

const formatError = (message = '') =>
  expect.objectContaining({
    name: 'LayerwiseError',
    code: 'ERR_FORMAT',
    message: expect.stringContaining(message),
  })

describe('readIdx', () => {
  it('flattens each image into a row of bytes, with scale 1/255', async () => {
    const images = await readIdx(file(idx([2, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255])))
    expect(images).toBeInstanceOf(Matrix)
    expect(images).toMatchObject({ rows: 2, cols: 6, scale: 1 / 255 })
    expect([...images.row(1).data]).toEqual([6, 7, 8, 9, 10, 255])
    expect(images.toArray()[1]?.[5]).toBe(1)
  })

  it('reads any number of dimensions from two on', async () => {
    expect(await readIdx(file(idx([3, 2], [1, 2, 3, 4, 5, 6])))).toMatchObject({ rows: 3, cols: 2 })
    expect(await readIdx(file(idx([1, 2, 1, 3], [1, 2, 3, 4, 5, 6])))).toMatchObject({ rows: 1, cols: 6 })
  })

  it('accepts a file: URL', async () => {
    expect(await readIdx(pathToFileURL(file(idx([1, 2], [1, 2]))))).toMatchObject({ rows: 1, cols: 2 })
  })

  it('unpacks gzip, recognised by its magic bytes, also if the header comes in pieces', async () => {
    const plain = idx([2, 1, 2], [9, 8, 7, 6])
    const pieces = Buffer.concat([
      gzipSync(plain.subarray(0, 3)),
      gzipSync(plain.subarray(3, 9)),
      gzipSync(plain.subarray(9)),
    ])
    for (const packed of [gzipSync(plain), pieces]) {
      const images = await readIdx(file(packed))
      expect([images.rows, images.cols, ...images.data]).toEqual([2, 2, 9, 8, 7, 6])
    }
  })

  it('names readIdxLabels for labels and readNpy for .npy files', async () => {
    await expect(readIdx(file(idx([3], [1, 2, 3])))).rejects.toEqual(formatError('readIdxLabels'))
    await expect(readIdx(file(gzipSync(idx([3], [1, 2, 3]))))).rejects.toEqual(formatError('readIdxLabels'))
    await writeNpy(path, Matrix.from(new Float32Array(2), 1, 2))
    await expect(readIdx(path)).rejects.toEqual(formatError('readNpy'))
    await expect(readIdxLabels(path)).rejects.toEqual(formatError('readNpy'))
  })

  it.each([
    [9, 'signed bytes'],
    [11, '16-bit integers'],
    [12, '32-bit integers'],
    [13, '32-bit floats'],
    [14, '64-bit floats'],
  ])('names element type %i as %s when its elements do not fill the file', async (type, words) => {
    await expect(readIdx(file(idx([1, 2], new Array(17).fill(0), type)))).rejects.toEqual(formatError(words))
  })

  it.each<[number, string, string, Float32Array | Float64Array]>([
    [9, 'signed bytes', '7f80ff', new Float32Array([127, -128, -1])],
    [11, '16-bit integers', '7fff8000fffe', new Float32Array([32767, -32768, -2])],
    [12, '32-bit integers', '7fffffff80000000fffffffd', new Float64Array([2147483647, -2147483648, -3])],
    [13, '32-bit floats', '3fc00000c0000000408c0000', new Float32Array([1.5, -2, 4.375])],
    [
      14,
      '64-bit floats',
      '3fb999999999999ac000000000000000408f400000000000',
      new Float64Array([0.1, -2, 1000]),
    ],
  ])(
    'reads elements of type %i, %s, exactly and without a scale, gzipped or not',
    async (type, _, hex, numbers) => {
      const plain = idx([3, 1], Buffer.from(hex, 'hex'), type)
      for (const bytes of [plain, gzipSync(plain)]) {
        const matrix = await readIdx(file(bytes))
        expect(matrix).toMatchObject({ rows: 3, cols: 1, scale: 1 })
        expect(matrix.data).toEqual(numbers)
      }
    },
  )

  it('reads zeros after a gzip stream as padding', async () => {
    for (const length of [1, 512, 200_000]) {
      const padded = Buffer.concat([gzipSync(idx([1, 2], [3, 4])), Buffer.alloc(length)])
      expect([...(await readIdx(file(padded))).data]).toEqual([3, 4])
      if (length === 1) continue
      padded[padded.length - 1] = 1
      await expect(readIdx(file(padded))).rejects.toEqual(formatError('after its gzip stream'))
    }
  })

  const good = idx([2, 2], [1, 2, 3, 4])
  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('label,pixel\n1,2\n')],
    ['a wrong magic number', Buffer.from([0, 1, 8, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7])],
    ['an unknown element type', idx([1, 1], [7], 10)],
    ['an element type that is a property of every object', idx([1, 1], [7], 0)],
    ['no dimensions', idx([], [7])],
    ['a dimension of 0', idx([0, 2], [])],
    ['a header that is cut', good.subarray(0, 7)],
    ['images that are cut', good.subarray(0, -1)],
    ['trailing bytes', Buffer.concat([good, Buffer.from([5])])],
    ['dimensions that overflow', idx([0xffffffff, 0xffffffff, 0xffffffff], [1])],
    ['dimensions far beyond the file', idx([60_000, 1 << 20], [1])],
    ['255 dimensions of which the file has none', Buffer.from([0, 0, 8, 255])],
  ])('refuses %s, gzipped or not', async (_, bytes) => {
    await expect(readIdx(file(bytes))).rejects.toEqual(formatError())
    await expect(readIdx(file(gzipSync(bytes)))).rejects.toEqual(formatError())
  })

  it('refuses gzip that is cut, damaged or followed by other bytes', async () => {
    const packed = gzipSync(good)
    const damaged = Buffer.from(packed)
    damaged[damaged.length - 6]! ^= 1
    for (const bytes of [packed.subarray(0, -9), damaged, Buffer.concat([packed, Buffer.from('more')])]) {
      await expect(readIdx(file(bytes))).rejects.toEqual(formatError('gzip'))
    }
  })

  it('stops unpacking a bomb as soon as it exceeds its header', async () => {
    const bomb = gzipSync(idx([2, 2], Buffer.alloc(64 << 20)), { level: 1 })
    const before = process.memoryUsage().rss
    await expect(readIdx(file(bomb))).rejects.toEqual(formatError('more in it than the 4'))
    expect(process.memoryUsage().rss - before).toBeLessThan(32 << 20)
  })

  it('does not allocate what a small gzip cannot hold', async () => {
    const liar = gzipSync(idx([40_000, 50_000], [1]))
    await expect(readIdx(file(liar))).rejects.toEqual(formatError('more than'))
  })

  it.each(['/no/such/file', folder])('refuses %s as an argument, with the cause', async (name) => {
    const error = await readIdx(name).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(name),
      cause: expect.any(Error),
    })
  })

  it.each([undefined, 7, '', Buffer.from('x')])('refuses %s as a path', async (name) => {
    await expect(readIdx(name as never)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' })
  })

  it('reads what was written, gzipped or not', async () => {
    const images = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([m, h, w]) =>
        fc.record({
          dimensions: fc.constant([m, h, w]),
          bytes: fc.uint8Array({ minLength: m * h * w, maxLength: m * h * w }),
          zip: fc.boolean(),
        }),
      )
    await fc.assert(
      fc.asyncProperty(images, async ({ dimensions, bytes, zip }) => {
        const plain = idx(dimensions, bytes)
        const read = await readIdx(file(zip ? gzipSync(plain) : plain))
        expect(read.rows).toBe(dimensions[0])
        expect([...read.data]).toEqual([...bytes])
      }),
    )
  })

  it('reads or refuses a file with any byte changed or cut off, without another failure', async () => {
    const plain = idx([3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    const mutation = fc.record({
      zip: fc.boolean(),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.nat(255),
      cut: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(mutation, async ({ zip, at, byte, cut }) => {
        const bytes = Buffer.from(zip ? gzipSync(plain) : plain)
        const place = Math.floor(at * bytes.length)
        bytes[place] = byte
        const outcome = await readIdx(file(cut ? bytes.subarray(0, place) : bytes)).catch(
          (error: unknown) => error,
        )
        if (outcome instanceof LayerwiseError) expect(outcome.code).toBe('ERR_FORMAT')
        else expect(outcome).toBeInstanceOf(Matrix)
      }),
      { numRuns: 300 },
    )
  })
})

describe('readIdxLabels', () => {
  it('reads one byte a row, gzipped or not', async () => {
    const plain = idx([4], [3, 1, 4, 255])
    expect(await readIdxLabels(file(plain))).toEqual(new Uint8Array([3, 1, 4, 255]))
    expect(await readIdxLabels(file(gzipSync(plain)))).toEqual(new Uint8Array([3, 1, 4, 255]))
  })

  it.each<[number, string, string]>([
    [9, 'signed bytes', '007f'],
    [11, '16-bit integers', '000000ff'],
    [12, '32-bit integers', '00000000000000ff'],
  ])('reads labels of type %i, %s, if they are 0 to 255', async (type, _, hex) => {
    const stored = Buffer.from(hex, 'hex')
    const labels = new Uint8Array([0, type === 9 ? 127 : 255])
    expect(await readIdxLabels(file(idx([2], stored, type)))).toEqual(labels)
    stored.fill(0xff)
    await expect(readIdxLabels(file(idx([2], stored, type)))).rejects.toEqual(formatError('row 0 is -1'))
  })

  it('refuses floats as labels', async () => {
    const error = formatError('32-bit floats')
    await expect(readIdxLabels(file(idx([1], [0, 0, 0, 0], 13)))).rejects.toEqual(error)
  })

  it('names readIdx for images', async () => {
    await expect(readIdxLabels(file(idx([1, 2, 2], [1, 2, 3, 4])))).rejects.toEqual(formatError('readIdx'))
  })
})
