import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LayerwiseError } from '../lib/base/errors.js'
import { Matrix } from '../lib/data/matrix.js'
import type { MatrixData } from '../lib/data/matrix-data.js'
import { type NpyType, readNpy, writeNpy } from '../lib/data/npy.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const path = join(folder, 'array.npy')

function file(bytes: Uint8Array): string {
  writeFileSync(path, bytes)
  return path
}

/** What NumPy 2.4.6 wrote: header text padded with spaces, then the numbers. */
function numpy(version: number, text: string, numbers: string): Buffer {
  const lengthBytes = version === 1 ? 2 : 4
  const length = 128 - 8 - lengthBytes
  const prefix = Buffer.alloc(8 + lengthBytes)
  prefix.set([0x93, ...Buffer.from('NUMPY'), version, 0])
  prefix.writeUInt16LE(length, 8)
  return Buffer.concat([prefix, Buffer.from(`${text.padEnd(length - 1)}\n`), Buffer.from(numbers, 'hex')])
}

const header = (descriptor: string, shape: string, order = 'False') =>
  `{'descr': ${descriptor}, 'fortran_order': ${order}, 'shape': ${shape}, }`

const float32File = numpy(1, header("'<f4'", '(2, 2)'), '0000c03f000000c00000404000008840')

const formatError = (message = '') =>
  expect.objectContaining({
    name: 'LayerwiseError',
    code: 'ERR_FORMAT',
    message: expect.stringContaining(message),
  })

describe('readNpy', () => {
  it('reads a file of NumPy, byte for byte', async () => {
    const base64 =
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAQEAAAIhA'
    expect(Buffer.from(base64, 'base64')).toEqual(float32File)
    const matrix = await readNpy(file(float32File))
    expect(matrix.data).toEqual(new Float32Array([1.5, -2, 3, 4.25]))
    expect(matrix).toMatchObject({ rows: 2, cols: 2, scale: 1 })
  })

  it('reads uint8 and float64, versions 2 and 3, and one dimension as one column', async () => {
    const bytes = await readNpy(file(numpy(1, header("'|u1'", '(2, 3)'), '000102030405')))
    expect([bytes.rows, bytes.cols, bytes.data]).toEqual([2, 3, new Uint8Array([0, 1, 2, 3, 4, 5])])
    const numbers = '9a9999999999b93f9a9999999999c93f333333333333d33f'
    const row = await readNpy(file(numpy(2, header("'<f8'", '(1, 3)'), numbers)))
    expect([row.rows, row.cols, row.data]).toEqual([1, 3, new Float64Array([0.1, 0.2, 0.3])])
    const column = await readNpy(file(numpy(3, header("'<f8'", '(3,)'), numbers)))
    expect([column.rows, column.cols, column.data]).toEqual([3, 1, new Float64Array([0.1, 0.2, 0.3])])
  })

  it.each([
    ['|i1', 'ff01', Int8Array.of(-1, 1), 'int8'],
    ['<u2', 'ffff0100', Uint16Array.of(65535, 1), 'uint16'],
    ['<i2', 'ffff0100', Int16Array.of(-1, 1), 'int16'],
    ['<u4', 'ffffffff01000000', Uint32Array.of(4294967295, 1), 'uint32'],
    ['<i4', 'ffffffff01000000', Int32Array.of(-1, 1), 'int32'],
    ['<f2', '003c00c1', Uint16Array.of(0x3c00, 0xc100), 'float16'],
  ])('reads %s as it is stored', async (descriptor, numbers, data, type) => {
    const matrix = await readNpy(file(numpy(1, header(`'${descriptor}'`, '(1, 2)'), numbers)))
    expect([matrix.data, matrix.type, matrix.scale]).toEqual([data, type, 1])
    if (type === 'float16') expect(matrix.toArray()).toEqual([[1, -2.5]])
  })

  it('reads the long integers of Python 2 in a shape', async () => {
    expect(await readNpy(file(numpy(1, header("'<f4'", '(2L, 2L)'), '00'.repeat(16))))).toMatchObject({
      rows: 2,
      cols: 2,
    })
    expect(await readNpy(file(numpy(1, header("'<f4'", '(4L,)'), '00'.repeat(16))))).toMatchObject({
      rows: 4,
      cols: 1,
    })
  })

  it.each(['(4,)', '(4, 1)', '(1, 4)'])(
    'reads shape %s in Fortran order, where both orders are the same',
    async (shape) => {
      const numbers = '0000803f000000400000404000008040'
      const { data } = await readNpy(file(numpy(1, header("'<f4'", shape, 'True'), numbers)))
      expect(data).toEqual(new Float32Array([1, 2, 3, 4]))
    },
  )

  it('accepts any order, quotes and spaces in the header', async () => {
    const text = `{"shape":(2,2),'fortran_order' : False , "descr": '<f4'}`
    expect((await readNpy(file(numpy(1, text, '00'.repeat(16))))).rows).toBe(2)
  })

  it.each([
    ['Fortran order', header("'<f4'", '(2, 2)', 'True'), 'np.ascontiguousarray'],
    ['integers', header("'<i8'", '(1, 2)'), "astype('<f4')"],
    ['integers of 16 bits with the highest byte first', header("'>i2'", '(1, 2)'), 'little-endian'],
    ['booleans', header("'|b1'", '(1, 2)'), "astype('<f4')"],
    ['big-endian floats', header("'>f4'", '(2, 2)'), "astype('<f4')"],
    ['named fields', header("[('a', '<f4')]", '(4,)'), "astype('<f4')"],
    ['three dimensions', header("'<f4'", '(1, 2, 2)'), 'reshape'],
    ['no dimensions', header("'<f4'", '()'), 'np.atleast_2d'],
    ['an L of its own', header("'<f4'", '(L, 2)'), 'shape'],
    ['an order that is none', header("'<f4'", '(4,)', '(1,)'), 'fortran_order'],
    ['no columns', header("'<f4'", '(2, 0)'), 'columns'],
    ['a shape beyond the file', header("'<f4'", '(999999999, 999999999)'), 'but 16 follow'],
    ['a shape beyond counting', header("'<f4'", `(${'9'.repeat(30)}, 2)`), 'rows'],
    ['a malformed shape', header("'<f4'", '(2 2)'), 'shape'],
    ['a name that stands twice', header("'<f4'", "(2, 2), 'shape': (2, 2)"), 'twice'],
    ['a missing name', "{'descr': '<f4', 'shape': (2, 2)}", 'dictionary'],
    ['another name', header("'<f4'", "(2, 2), 'x': 1"), 'dictionary'],
    ['text after the dictionary', `${header("'<f4'", '(2, 2)')} x`, 'dictionary'],
  ])('refuses %s and says why', async (_, text, message) => {
    await expect(readNpy(file(numpy(1, text, '00'.repeat(16))))).rejects.toEqual(formatError(message))
  })

  it.each([
    ['an empty file', Buffer.alloc(0), 'magic'],
    ['text', Buffer.from('1,2,3\n4,5,6\n'), 'magic'],
    [
      'an unknown version',
      Buffer.concat([float32File.subarray(0, 6), Buffer.from([4, 0]), float32File.subarray(8)]),
      '4.0',
    ],
    ['a header that is cut', float32File.subarray(0, 50), 'header'],
    ['numbers that are cut', float32File.subarray(0, -1), '15 follow'],
    ['trailing bytes', Buffer.concat([float32File, Buffer.from([0])]), '17 follow'],
    ['a header of 4 GB', Buffer.from('934e554d50590200ffffffff', 'hex'), '4294967295'],
    ['an IDX file', Buffer.from('0000080100000001ff', 'hex'), 'readIdx'],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(readNpy(file(bytes))).rejects.toEqual(formatError(message))
  })

  it('quickly refuses a header designed to be slow', async () => {
    const started = performance.now()
    for (const text of [
      `{${' '.repeat(60_000)}x`,
      header("'<f4'", `(${'1 '.repeat(30_000)})`),
      header(`[${"'".repeat(60_000)}`, '(1,)'),
    ]) {
      const body = Buffer.from(text)
      const prefix = Buffer.from('934e554d505901000000', 'hex')
      prefix.writeUInt16LE(body.length, 8)
      await expect(readNpy(file(Buffer.concat([prefix, body])))).rejects.toEqual(formatError())
    }
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it.skipIf(Number(process.versions.node.split('.')[0]) >= 22)(
    'says that Node’s arrays are too short if that is the reason',
    async () => {
      const huge = join(folder, 'huge.npy')
      const start = numpy(1, header("'|u1'", '(8388608, 1024)'), '')
      writeFileSync(huge, start)
      truncateSync(huge, start.length + 2 ** 33)
      const error = await readNpy(huge).catch((reason: unknown) => reason)
      expect(error).toMatchObject({
        code: 'ERR_MEMORY',
        message: expect.stringMatching(/cannot hold 8589934592 numbers, 8589934592 bytes: before Node 22/),
      })
    },
  )

  it('refuses a missing file as an argument, with the cause', async () => {
    await expect(readNpy('/no/such.npy')).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      cause: { code: 'ENOENT' },
    })
  })
})

describe('writeNpy', () => {
  it('writes the same bytes as NumPy', async () => {
    await writeNpy(path, Matrix.from(new Float32Array([1.5, -2, 3, 4.25]), 2, 2))
    expect(readFileSync(path)).toEqual(float32File)
  })

  it('writes scaled bytes as float32 values', async () => {
    await writeNpy(path, Matrix.from(new Uint8Array([0, 51, 255]), 1, 3, { scale: 1 / 255 }))
    expect((await readNpy(path)).data).toEqual(new Float32Array([0, 51 / 255, 1]))
  })

  it('writes the rows of a slice only', async () => {
    await writeNpy(path, Matrix.from(new Float64Array([1, 2, 3, 4, 5, 6]), 3, 2).slice(1, 2))
    expect((await readNpy(path)).toArray()).toEqual([[3, 4]])
  })

  it('reads back as it was written', async () => {
    const sizes = fc.record({ rows: fc.nat(6), cols: fc.integer({ min: 1, max: 6 }) })
    const matrices = sizes.chain(({ rows, cols }) => {
      const length = { minLength: rows * cols, maxLength: rows * cols }
      const data: fc.Arbitrary<MatrixData> = fc.oneof(
        fc.uint8Array(length),
        fc.int8Array(length),
        fc.int16Array(length),
        fc.uint32Array(length),
        fc.int32Array(length),
        fc.float32Array(length),
        fc.float64Array(length),
      )
      const bits = fc.tuple(fc.uint16Array(length), fc.constantFrom('uint16' as const, 'float16' as const))
      return fc.oneof(
        data.map((numbers) => Matrix.from(numbers, rows, cols)),
        bits.map(([numbers, type]) => Matrix.from(numbers, rows, cols, { type })),
      )
    })
    await fc.assert(
      fc.asyncProperty(matrices, async (matrix) => {
        await writeNpy(path, matrix)
        const read = await readNpy(path)
        expect([read.rows, read.cols, read.type]).toEqual([matrix.rows, matrix.cols, matrix.type])
        expect(read.data).toEqual(matrix.data)
      }),
      { numRuns: 100 },
    )
  })

  it('writes bfloat16, which NumPy does not know, as the float32 of the same values', async () => {
    await writeNpy(path, Matrix.from(Uint16Array.of(0x3f80, 0xc020), 1, 2, { type: 'bfloat16' }))
    expect((await readNpy(path)).data).toEqual(Float32Array.of(1, -2.5))
  })

  it('writes integers of 32 bits with a scale as float64', async () => {
    await writeNpy(path, Matrix.from(Int32Array.of(2_000_000_001, -3), 1, 2, { scale: 0.5 }))
    expect((await readNpy(path)).data).toEqual(Float64Array.of(1_000_000_000.5, -1.5))
  })

  /** For each type: values, and as what they come back; a value that does not fit, and the largest that still does. */
  const conversions: [NpyType, number[], number[], number[], number[]][] = [
    ['uint8', [0.5, 1.5, 2.4, 254.5], [0, 2, 2, 254], [255.5, -0.51], [255.49, -0.5]],
    ['int8', [-0.5, -1.5, 2.5, -127.5], [0, -2, 2, -128], [127.5, -128.51], [127.49, -128.5]],
    ['uint16', [0.5, 65534.5], [0, 65534], [65535.5, -1], [65535.4, -0.5]],
    ['int16', [-2.5, 32766.5], [-2, 32766], [32767.5, -32769], [32767.4, -32768.5]],
    ['uint32', [2.5, 4294967294.5], [2, 4294967294], [4294967295.5, -1], [4294967295.4, -0.5]],
    [
      'int32',
      [-2.5, 2147483646.5],
      [-2, 2147483646],
      [2147483647.5, -2147483649],
      [2147483647.4, -2147483648.5],
    ],
    [
      'float16',
      [1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25, -(2 ** -14 - 2 ** -25), 0.1],
      [1, 1 + 2 ** -9, 0, 2 ** -23, -(2 ** -14), 0.0999755859375],
      [65520, -1e9],
      [65519.999, -65519.999],
    ],
    ['float32', [0.1, 1 + 2 ** -24], [Math.fround(0.1), 1], [3.5e38, -1e300], [3.4028235e38, -3.4028235e38]],
    ['float64', [0.1, 1e-320], [0.1, 1e-320], [], [Number.MAX_VALUE]],
  ]
  const values = (...numbers: number[]) => {
    const even = numbers.length % 2 === 0 ? numbers : [...numbers, 0]
    return Matrix.from(Float64Array.from(even), even.length / 2, 2)
  }

  /** Stored in another type than this, so that it is converted. */
  const unlike = (type: NpyType, x: Matrix) =>
    type === 'float64' ? Matrix.from(Float32Array.from(x.data), x.rows, x.cols) : x

  it.each(conversions)(
    'rounds to the nearest %s, of two as near to the even one',
    async (type, given, stored) => {
      await writeNpy(path, values(...given), { type })
      const read = await readNpy(path)
      expect(read.type).toBe(type)
      expect(read.toArray().flat().slice(0, stored.length)).toEqual(stored)
    },
  )

  it.each(conversions)(
    'refuses what %s cannot hold, and NaN, with row and column',
    async (type, _, _s, bad, fits) => {
      await writeNpy(path, values(...fits), { type })
      const before = readFileSync(path)
      for (const value of [...bad, NaN, Infinity, -Infinity]) {
        await expect(writeNpy(path, unlike(type, values(0, 0, 0, value)), { type })).rejects.toMatchObject({
          code: 'ERR_RANGE',
          details: { argument: 'matrix', received: value, row: 1, column: 1 },
          message: expect.stringContaining(
            Number.isFinite(value) ? `numbers that ${type} can hold` : 'finite numbers',
          ),
        })
      }
      expect(readFileSync(path)).toEqual(before)
    },
  )

  it('writes any values as any type as the oracle rounds them', async () => {
    const sizes = fc.constantFrom(1, 300, 70_000, 3e9)
    const numbers = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 })
    const types = fc.constantFrom(...conversions.map(([type]) => type))
    await fc.assert(
      fc.asyncProperty(sizes, numbers, types, async (size, shares, type) => {
        const given = shares.map((share) => share * size)
        const matrix = Matrix.from(Float64Array.from(given), 1, given.length)
        const wanted = given.map((value) => nearest(value, type))
        if (wanted.includes(undefined)) {
          await expect(writeNpy(path, matrix, { type })).rejects.toMatchObject({ code: 'ERR_RANGE' })
        } else {
          await writeNpy(path, matrix, { type })
          expect((await readNpy(path)).toArray()[0]!.map((value) => value + 0)).toEqual(
            wanted.map((value) => value! + 0),
          )
        }
      }),
      { numRuns: 150 },
    )
  })

  it.each([
    ['a type that NumPy does not know', { type: 'bfloat16' }],
    ['a type of NumPy', { type: '<f4' }],
    ['another option', { kind: 'uint8' }],
  ])('refuses %s', async (_, options) => {
    await expect(writeNpy(path, values(1, 2), options as never)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    })
  })

  it('writes files that are read or refused with any byte changed or cut off', async () => {
    const mutation = fc.record({
      place: fc.nat(float32File.length - 1),
      byte: fc.nat(255),
      cut: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(mutation, async ({ place, byte, cut }) => {
        const bytes = Buffer.from(float32File)
        bytes[place] = byte
        const outcome = await readNpy(file(cut ? bytes.subarray(0, place) : bytes)).catch(
          (error: unknown) => error,
        )
        if (outcome instanceof LayerwiseError) expect(outcome.code).toBe('ERR_FORMAT')
        else expect(outcome).toBeInstanceOf(Matrix)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps the old file and leaves nothing beside it when it cannot finish', async () => {
    const blocked = join(folder, 'folder.npy')
    await mkdir(join(blocked, 'inner'), { recursive: true })
    const before = readdirSync(folder)
    await expect(writeNpy(blocked, Matrix.from(new Float32Array(1), 1, 1))).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      cause: expect.any(Error),
    })
    expect(readdirSync(folder)).toEqual(before)
    expect(existsSync(join(blocked, 'inner'))).toBe(true)
  })

  it.skipIf(process.platform === 'win32')('keeps the permissions of the file it replaces', async () => {
    writeFileSync(path, 'old')
    chmodSync(path, 0o600)
    await writeNpy(path, Matrix.from(new Float32Array(1), 1, 1))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    chmodSync(path, 0o644)
  })

  it.skipIf(process.platform === 'win32')(
    'replaces the file behind a link, and leaves the link',
    async () => {
      const target = join(folder, 'target.npy')
      const link = join(folder, 'link.npy')
      writeFileSync(target, 'old')
      symlinkSync(target, link)
      await writeNpy(link, Matrix.from(new Float32Array(1), 1, 1))
      expect(lstatSync(link).isSymbolicLink()).toBe(true)
      expect((await readNpy(target)).rows).toBe(1)
    },
  )

  it.skipIf(process.platform === 'win32')('does not replace a pipe with a file', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await expect(writeNpy(pipe, Matrix.from(new Float32Array(1), 1, 1))).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('not a regular file'),
    })
    expect(lstatSync(pipe).isFIFO()).toBe(true)
  })

  it('refuses a missing folder, and a value that is no Matrix', async () => {
    const matrix = Matrix.from(new Float32Array(1), 1, 1)
    await expect(writeNpy(join(folder, 'none', 'x.npy'), matrix)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      cause: { code: 'ENOENT' },
    })
    await expect(writeNpy(path, [[1]] as never)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' })
  })
})

/** Numbers of float16: the oracle's rounding goes through all of them. */
const FLOAT16 = Array.from({ length: 0x7c00 }, (_, bits) => {
  const [exponent, mantissa] = [bits >> 10, bits & 1023]
  return exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25)
})

/** The nearest number of a type, found slowly; undefined where none is within half a step. */
function nearest(value: number, type: NpyType): number | undefined {
  if (type === 'float64') return value
  if (type === 'float32') return Math.fround(value)
  if (type === 'float16') return nearestHalf(value)
  const low = Math.floor(value)
  const step = value - low
  const whole = step > 0.5 || (step === 0.5 && low % 2 !== 0) ? low + 1 : low
  const bits = Number(type.replace(/\D+/, ''))
  const [least, most] = type.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
  return whole < least || whole > most ? undefined : whole
}

function nearestHalf(value: number): number | undefined {
  const size = Math.abs(value)
  if (size >= 65520) return undefined
  let [low, high] = [0, FLOAT16.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (FLOAT16[middle]! <= size) low = middle
    else high = middle
  }
  const [below, above] = [size - FLOAT16[low]!, FLOAT16[high]! - size]
  const bits = above < below || (above === below && high % 2 === 0) ? high : low
  return Math.sign(value) * FLOAT16[bits]!
}
