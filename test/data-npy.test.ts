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
import { readNpy, writeNpy } from '../lib/data/npy.js'
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
        fc.float32Array(length),
        fc.float64Array(length),
      )
      return data.map((numbers) => Matrix.from(numbers, rows, cols))
    })
    await fc.assert(
      fc.asyncProperty(matrices, async (matrix) => {
        await writeNpy(path, matrix)
        const read = await readNpy(path)
        expect([read.rows, read.cols]).toEqual([matrix.rows, matrix.cols])
        expect(read.data).toEqual(matrix.data)
      }),
      { numRuns: 60 },
    )
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
