import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { elementType } from '../lib/base/precision.js'
import { Matrix } from '../lib/data/matrix.js'
import { snapshot } from '../lib/data/snapshot.js'
import { binding } from '../lib/native/load.js'

const arrays = [
  new Uint8Array(35).map((_, i) => i),
  new Float32Array(new ArrayBuffer(4 * 37), 8, 35).map((_, i) => i / 7),
  new Float64Array(35).map((_, i) => i / 7),
  new Float64Array(500_000).map((_, i) => i / 7),
  new Int8Array(35).map((_, i) => -i),
  new Uint16Array(new ArrayBuffer(80), 2, 35).map((_, i) => 1000 * i),
  new Int32Array(35).map((_, i) => -(2 ** i)),
]

const zeros = (rows: number, cols: number) => Matrix.from(new Float64Array(rows * cols), rows, cols)

describe('a snapshot of rows', () => {
  // Runs first: memory of other copies might be freed in between.
  test.skipIf(hugePageKibibytes() === undefined)(
    'requests huge pages if it is large and the system has them',
    async () => {
      const rows = zeros(2 ** 20, 4)
      const before = hugePageKibibytes()!
      const copy = await snapshot('x', rows, () => {})
      expect(hugePageKibibytes()! - before).toBeGreaterThanOrEqual((copy.data.byteLength / 1024) * 0.99)
    },
  )

  test.each(arrays.map((data) => ({ data, length: data.length, type: data.constructor.name })))(
    'is a copy of the same type aligned to a cache line: $type of $length',
    async ({ data, length }) => {
      const copy = await snapshot(
        'x',
        { data, type: elementType(data)!, rows: length / 5, cols: 5, scale: 1 },
        () => {},
      )
      expect(copy).toMatchObject({ rows: length / 5, cols: 5, scale: 1 })
      expect(copy.data.constructor).toBe(data.constructor)
      expect(copy.data.buffer).not.toBe(data.buffer)
      expect(Buffer.compare(bytesOf(copy.data), bytesOf(data))).toBe(0)
      expect(binding().prepareRows(bytesOf(copy.data), 64)).toBe(0)
    },
  )

  test.each([2 ** 16, 2 ** 16 + 1, 500_000])(
    'begins at a huge page and leaves room for its last one: %i numbers',
    async (length) => {
      const rows = zeros(length, 1)
      const { data } = await snapshot('x', rows, () => {})
      expect(binding().prepareRows(bytesOf(data), 2 ** 21)).toBe(0)
      const last = Math.ceil(data.byteLength / 2 ** 21) * 2 ** 21
      expect(data.buffer.byteLength - data.byteOffset).toBeGreaterThanOrEqual(last)
    },
  )

  test('uses at most one more cache line below half a MiB', async () => {
    const rows = zeros(2 ** 16 - 1, 1)
    const { data } = await snapshot('x', rows, () => {})
    expect(data.buffer.byteLength).toBeLessThan(rows.data.byteLength + 2 * 64)
  })

  test.each([undefined, 0])('refuses an alignment of %s', (unit) => {
    expect(() => binding().prepareRows(new Uint8Array(9), unit as number)).toThrow('unit: expected')
  })
})

/** The memory of this process for which huge pages were requested; undefined if the system has none, or does not show it. */
function hugePageKibibytes(): number | undefined {
  if (!existsSync('/sys/kernel/mm/transparent_hugepage/enabled')) return undefined
  const mappings = readFileSync('/proc/self/smaps', 'utf8').matchAll(
    /^Size: +(\d+) kB$[\s\S]*?^VmFlags:(.*)$/gm,
  )
  let sum: number | undefined
  for (const [, size, flags] of mappings) sum = (sum ?? 0) + (/ hg\b/.test(flags!) ? Number(size) : 0)
  return sum
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
