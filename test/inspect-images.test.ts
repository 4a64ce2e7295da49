import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { decode } from 'fast-png'
import { describe, expect, test } from 'vitest'
import { Matrix } from '../lib/data/matrix.js'
import { featureImage } from '../lib/inspect/feature-image.js'
import type { Image } from '../lib/inspect/image.js'
import { encodePng, writePng } from '../lib/inspect/png.js'
import { reconstructionImage } from '../lib/inspect/reconstruction-image.js'

function modelOf(rows: number[][]): { layers: { weights: Matrix }[] } {
  const weights = Matrix.from(Float64Array.from(rows.flat()), rows.length, rows[0]!.length)
  return { layers: [{ weights }] }
}

/** Rows of pixels, for grey images. */
function pixels({ width, height, data }: Image): number[][] {
  return Array.from({ length: height }, (_, y) => [...data.subarray(y * width, (y + 1) * width)])
}

/** The bytes of one tile, for the default gap of 1 and zoom of 1. */
function tile(image: Image, index: number, columns: number, width: number, height: number): number[] {
  const left = 1 + (index % columns) * (width + 1)
  const top = 1 + Math.floor(index / columns) * (height + 1)
  return pixels(image)
    .slice(top, top + height)
    .flatMap((row) => row.slice(left, left + width))
}

const refused = (code: string, message?: RegExp) =>
  expect.objectContaining({ code, ...(message && { message: expect.stringMatching(message) }) })
const caught = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return 'nothing was thrown'
}

describe('PNG', () => {
  const image = fc
    .record({
      width: fc.integer({ min: 1, max: 20 }),
      height: fc.integer({ min: 1, max: 20 }),
      channels: fc.constantFrom(1 as const, 3 as const),
    })
    .chain((shape) => {
      const length = shape.width * shape.height * shape.channels
      return fc.record({
        ...Object.fromEntries(Object.entries(shape).map(([key, value]) => [key, fc.constant(value)])),
        data: fc.uint8Array({ minLength: length, maxLength: length }),
      }) as unknown as fc.Arbitrary<Image>
    })

  test('decodes to the same pixels, grey or colour', () => {
    fc.assert(
      fc.property(image, (original) => {
        const { width, height, channels, depth, data } = decode(encodePng(original))
        expect({ width, height, channels, depth }).toEqual({
          width: original.width,
          height: original.height,
          channels: original.channels,
          depth: 8,
        })
        expect([...data]).toEqual([...original.data])
      }),
      { seed: 1, numRuns: 50 },
    )
  })

  test('of a view of a larger buffer contains the view only', () => {
    const data = Uint8Array.of(9, 9, 1, 2, 3, 4, 9).subarray(2, 6)
    expect([...decode(encodePng({ width: 2, height: 2, channels: 1, data })).data]).toEqual([1, 2, 3, 4])
  })

  test('is written to a file, replacing an older one without leaving a temporary file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'layerwise-png-'))
    try {
      const path = join(folder, 'grey.png')
      for (const value of [7, 8]) {
        await writePng(path, { width: 1, height: 1, channels: 1, data: Uint8Array.of(value) })
        expect([...decode(await readFile(path)).data]).toEqual([value])
      }
      expect(await readdir(folder)).toEqual(['grey.png'])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('of a bad image is refused, by rejection if a promise is returned', async () => {
    const good: Image = { width: 2, height: 1, channels: 1, data: new Uint8Array(2) }
    const bad: [unknown, string][] = [
      [undefined, 'ERR_ARGUMENT'],
      [{ ...good, width: 1.5 }, 'ERR_ARGUMENT'],
      [{ ...good, height: 0 }, 'ERR_ARGUMENT'],
      [{ ...good, channels: 2 }, 'ERR_ARGUMENT'],
      [{ ...good, data: [0, 0] }, 'ERR_ARGUMENT'],
      [{ ...good, data: new Uint8Array(3) }, 'ERR_SHAPE'],
    ]
    for (const [image, code] of bad) {
      expect(caught(() => encodePng(image as Image))).toEqual(refused(code))
      await expect(writePng('/nowhere/x.png', image as Image)).rejects.toEqual(refused(code))
    }
  })
})

describe('a feature image', () => {
  test('scales each tile by its own largest weight around grey 128', () => {
    // Units of 2 × 2: a strong and a weak one of the same form, one whose largest weight is negative, and one with zero weights.
    const image = featureImage(
      modelOf([
        [4, 0, -2, 1],
        [0.04, 0, -0.02, 0.01],
        [1, -2, 0, 0],
        [0, 0, 0, 0],
      ]),
      { width: 2 },
    )
    expect(pixels(image)).toEqual([
      [0, 0, 0, 0, 0, 0, 0],
      [0, 255, 128, 0, 255, 128, 0],
      [0, 64, 159, 0, 64, 159, 0],
      [0, 0, 0, 0, 0, 0, 0],
      [0, 191, 0, 0, 128, 128, 0],
      [0, 128, 128, 0, 128, 128, 0],
      [0, 0, 0, 0, 0, 0, 0],
    ])
  })

  test('has a black or white pixel in every tile of a unit with nonzero weights', () => {
    const weight = fc.double({ min: -1e3, max: 1e3, noNaN: true }).filter((w) => Math.abs(w) > 1e-9)
    const rows = fc.array(fc.array(weight, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(rows, (units) => {
        const columns = Math.ceil(Math.sqrt(units.length))
        const image = featureImage(modelOf(units), { width: 3 })
        units.forEach((unit, j) => {
          const bytes = tile(image, j, columns, 3, 2)
          const largest = unit.findIndex((w) => Math.abs(w) === Math.max(...unit.map(Math.abs)))
          expect(bytes[largest]).toBe(unit[largest]! > 0 ? 255 : 0)
        })
      }),
      { seed: 2, numRuns: 50 },
    )
  })

  test('has the size that columns, gap and zoom give it', () => {
    const model = modelOf(Array.from({ length: 7 }, () => [1, 2, 3, 4, 5, 6]))
    const size = (options: object) => {
      const { width, height, data } = featureImage(model, { width: 3, ...options })
      expect(data.length).toBe(width * height)
      return [width, height]
    }
    expect(size({})).toEqual([1 + 3 * 4, 1 + 3 * 3]) // ⌈√7⌉ = 3 columns, 3 rows
    expect(size({ columns: 7 })).toEqual([1 + 7 * 4, 1 + 3])
    expect(size({ columns: 2, gap: 0 })).toEqual([6, 8])
    expect(size({ columns: 2, gap: 2, zoom: 3 })).toEqual([3 * (2 + 2 * 5), 3 * (2 + 4 * 4)])
    expect(size({ width: 2, height: 3 })).toEqual([1 + 3 * 3, 1 + 3 * 4])
  })

  test('zooms every pixel to a square of the same byte', () => {
    const model = modelOf([[1, -1]])
    const once = pixels(featureImage(model, { width: 2 }))
    const zoomed = pixels(featureImage(model, { width: 2, zoom: 3 }))
    expect(zoomed).toEqual(
      Array.from({ length: 9 }, (_, y) =>
        Array.from({ length: 12 }, (_, x) => once[Math.floor(y / 3)]![Math.floor(x / 3)]),
      ),
    )
  })

  test('refuses a size that is not that of the input, naming the numbers', () => {
    const model = modelOf([[1, 2, 3, 4, 5, 6]])
    const shape = (width: number, height?: number) =>
      caught(() => featureImage(model, height === undefined ? { width } : { width, height }))
    expect(shape(4)).toEqual(refused('ERR_SHAPE', /6.*4/))
    expect(shape(2, 2)).toEqual(refused('ERR_SHAPE', /2 × 2 = 4.*6/))
  })

  test('refuses unknown options, fractional sizes, and pictures that are too large', () => {
    const model = modelOf([[1, 2]])
    const bad: unknown[] = [
      undefined,
      {},
      { width: '2' },
      { width: 2, columns: 0 },
      ...['height', 'columns', 'gap', 'zoom'].map((key) => ({ width: 2, [key]: null })),
      { width: 2, gap: -1 },
      { width: 2, zoom: 0.5 },
      { width: 2, colour: true },
      { width: 2, columns: 2 ** 20, zoom: 1000 },
    ]
    for (const options of bad) {
      expect(caught(() => featureImage(model, options as { width: number }))).toEqual(refused('ERR_ARGUMENT'))
    }
    for (const nothing of [undefined, {}, { layers: [] }, { layers: [{ weights: [[1]] }] }]) {
      expect(caught(() => featureImage(nothing as typeof model, { width: 1 }))).toEqual(
        refused('ERR_ARGUMENT', /model/),
      )
    }
  })

  test('refuses a weight that is not finite, naming unit and input', () => {
    const error = caught(() =>
      featureImage(
        modelOf([
          [1, 2],
          [3, Number.NaN],
        ]),
        { width: 2 },
      ),
    )
    expect(error).toEqual(refused('ERR_RANGE'))
    expect(error).toMatchObject({ details: { row: 1, column: 1 } })
  })
})

describe('a reconstruction image', () => {
  const x = Matrix.from(Uint8Array.of(0, 255, 51, 102), 2, 2, { scale: 1 / 255 })
  const y = Matrix.from(Float32Array.of(0.2, 1.5, -1, 0.4), 2, 2)

  test('shows each input over its output, scaled, and clipped to [0, 1]', () => {
    expect(pixels(reconstructionImage(x, y, { width: 2 }))).toEqual([
      [128, 128, 128, 128, 128, 128, 128],
      [128, 0, 255, 128, 51, 102, 128],
      [128, 51, 255, 128, 0, 102, 128],
      [128, 128, 128, 128, 128, 128, 128],
    ])
  })

  test('puts black at low and white at high', () => {
    expect(pixels(reconstructionImage(x, y, { width: 2, low: -1, high: 2, gap: 0, columns: 1 }))).toEqual([
      [85, 170],
      [102, 213],
      [102, 119],
      [0, 119],
    ])
  })

  test('has ten pairs in a row by default', () => {
    const many = Matrix.from(new Float32Array(12), 12, 1)
    const size = (options: object) => {
      const { width, height } = reconstructionImage(many, many, { width: 1, ...options })
      return [width, height]
    }
    expect(size({})).toEqual([21, 7])
    expect(size({ columns: 4, zoom: 2 })).toEqual([18, 20])
  })

  test('refuses matrices that differ in shape or do not fit the size', () => {
    const options = { width: 2 }
    const other = Matrix.from(new Float32Array(2), 1, 2)
    const none = Matrix.from(new Float32Array(0), 0, 2)
    expect(caught(() => reconstructionImage(x, other, options))).toEqual(refused('ERR_SHAPE', /2 × 2.*1 × 2/))
    expect(caught(() => reconstructionImage(none, none, options))).toEqual(refused('ERR_SHAPE'))
    expect(caught(() => reconstructionImage(x, y, { width: 3 }))).toEqual(refused('ERR_SHAPE'))
    expect(caught(() => reconstructionImage(x, [[1]] as unknown as Matrix, options))).toEqual(
      refused('ERR_ARGUMENT', /reconstructions/),
    )
  })

  test('refuses low at or above high, unknown options, and values that are not finite', () => {
    const run = (options: object) => caught(() => reconstructionImage(x, y, { width: 2, ...options }))
    expect(run({ low: 1 })).toEqual(refused('ERR_ARGUMENT', /high/))
    expect(run({ low: Number.NaN })).toEqual(refused('ERR_ARGUMENT', /low/))
    expect(run({ low: null })).toEqual(refused('ERR_ARGUMENT', /low/))
    expect(run({ high: null })).toEqual(refused('ERR_ARGUMENT', /high/))
    expect(run({ max: 1 })).toEqual(refused('ERR_ARGUMENT', /max/))
    const infinite = Matrix.from(Float32Array.of(0, 0, 0, Infinity), 2, 2)
    const error = caught(() => reconstructionImage(x, infinite, { width: 2 }))
    expect(error).toEqual(refused('ERR_RANGE', /reconstructions/))
    expect(error).toMatchObject({ details: { row: 1, column: 1 } })
  })
})
