import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Matrix } from '../lib/data/matrix.js'
import { preparePatches, samplePatches } from '../lib/data/patches.js'
import { tolerances } from './tolerances.js'

const refused = (code: string) => expect.objectContaining({ name: 'LayerwiseError', code })

/** Pixel (y, x) of image k is 100 k + 10 y + x: so the values of a patch give its position. */
function image(k: number, height: number, width: number): Matrix<Float32Array> {
  const data = Float32Array.from(
    { length: height * width },
    (_, p) => 100 * k + 10 * Math.floor(p / width) + (p % width),
  )
  return Matrix.from(data, height, width)
}

function place(patch: readonly number[]): { image: number; top: number; left: number } {
  const corner = patch[0]!
  return { image: Math.floor(corner / 100), top: Math.floor((corner % 100) / 10), left: corner % 10 }
}

const places = (patches: Matrix) => patches.toArray().map(place)

describe('samplePatches', () => {
  it('cuts each patch whole out of one image, line by line', async () => {
    const sizes = fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 }))
    await fc.assert(
      fc.asyncProperty(fc.array(sizes, { minLength: 1, maxLength: 4 }), fc.nat(), async (list, seed) => {
        const images = list.map(([height, width], k) => image(k, height, width))
        const patches = await samplePatches(images, { size: 3, count: 20, seed })
        expect([patches.rows, patches.cols]).toEqual([20, 9])
        for (const patch of patches.toArray()) {
          const corner = patch[0]!
          expect(patch).toEqual([0, 1, 2, 10, 11, 12, 20, 21, 22].map((step) => corner + step))
          const at = place(patch)
          const [height, width] = list[at.image]!
          expect(at.top + 3).toBeLessThanOrEqual(height)
          expect(at.left + 3).toBeLessThanOrEqual(width)
        }
      }),
    )
  })

  it('reaches every image and every position', async () => {
    const images = [image(0, 4, 5), image(1, 3, 3)]
    const seen = new Set(
      places(await samplePatches(images, { size: 3, count: 500, seed: 1 })).map((at) => JSON.stringify(at)),
    )
    expect(seen.size).toBe(2 * 3 + 1)
  })

  it('draws the same patches for the same seed, others for another, and more of the same for a larger count', async () => {
    const images = [image(0, 9, 9), image(1, 9, 9)]
    const draw = async (seed: number, count = 30) =>
      (await samplePatches(images, { size: 2, count, seed })).toArray()
    expect(await draw(5)).toEqual(await draw(5))
    expect(await draw(5)).not.toEqual(await draw(6))
    expect((await draw(5, 60)).slice(0, 30)).toEqual(await draw(5))
    expect((await samplePatches(images, { size: 2, count: 30 })).toArray()).toEqual(await draw(0))
  })

  it('takes a Matrix whose rows are images, and keeps their bytes and scale', async () => {
    const bytes = Uint8Array.from(
      { length: 2 * 12 },
      (_, p) => (p >= 12 ? 100 : 0) + 10 * Math.floor((p % 12) / 4) + (p % 4),
    )
    const images = Matrix.from(bytes, 2, 12, { scale: 0.5 })
    const patches = await samplePatches(images, { imageWidth: 4, size: 2, count: 50, seed: 3 })
    expect(patches.data).toBeInstanceOf(Uint8Array)
    expect(patches).toMatchObject({ rows: 50, cols: 4, scale: 0.5 })
    for (let p = 0; p < 50; p++) {
      const [corner = 0, ...others] = patches.row(p).data
      expect(others).toEqual([corner + 1, corner + 10, corner + 11])
    }
  })

  const one = image(0, 4, 4)
  it.each([
    ['no size', [one], { count: 1 }, 'ERR_ARGUMENT'],
    ['a fractional size', [one], { size: 1.5, count: 1 }, 'ERR_ARGUMENT'],
    ['no count', [one], { size: 2 }, 'ERR_ARGUMENT'],
    ['a negative seed', [one], { size: 2, count: 1, seed: -1 }, 'ERR_ARGUMENT'],
    ['null for a seed', [one], { size: 2, count: 1, seed: null }, 'ERR_ARGUMENT'],
    ['more patches than can be allocated', [one], { size: 4, count: 2 ** 31 - 1 }, 'ERR_MEMORY'],
    ['an unknown option', [one], { size: 2, count: 1, stride: 1 }, 'ERR_ARGUMENT'],
    ['imageWidth for single images', [one], { size: 2, count: 1, imageWidth: 4 }, 'ERR_ARGUMENT'],
    ['rows without imageWidth', one, { size: 1, count: 1 }, 'ERR_ARGUMENT'],
    ['rows that are not whole lines', one, { size: 1, count: 1, imageWidth: 3 }, 'ERR_SHAPE'],
    ['patches larger than an image', [one, image(1, 9, 3)], { size: 4, count: 1 }, 'ERR_SHAPE'],
    ['patches higher than the rows', one, { size: 2, count: 1, imageWidth: 4 }, 'ERR_SHAPE'],
    ['no images', [], { size: 1, count: 1 }, 'ERR_SHAPE'],
    ['images that are no Matrix', [[1]], { size: 1, count: 1 }, 'ERR_ARGUMENT'],
    ['something else', new Float32Array(4), { size: 1, count: 1 }, 'ERR_ARGUMENT'],
    [
      'images stored differently',
      [one, Matrix.from(new Uint8Array(4), 2, 2)],
      { size: 1, count: 1 },
      'ERR_ARGUMENT',
    ],
  ])('refuses %s', async (_, images, options, code) => {
    await expect(samplePatches(images as never, options as never)).rejects.toEqual(refused(code))
  })
})

describe('preparePatches', () => {
  it('agrees with a computation by hand', async () => {
    // Means 10 and 5; deviations ±10 once and ±1 nine times: σ² = (200 + 18)/20 = 10.9, and ±10 is beyond 3σ = 9.9045.
    const x = [[0, 20], ...new Array(9).fill([4, 6])]
    const prepared = await preparePatches(Matrix.from(Float64Array.from(x.flat()), 10, 2))
    const wanted = [0.1, 0.9, ...new Array(9).fill([0.4596144978123078, 0.5403855021876922]).flat()]
    expect(prepared.data).toBeInstanceOf(Float32Array)
    expect([prepared.rows, prepared.cols]).toEqual([10, 2])
    for (const [k, value] of wanted.entries()) {
      expect(Math.abs(prepared.data[k]! - value)).toBeLessThan(tolerances.float32Rounding.value)
    }
  })

  it('does not depend on brightness, contrast or storage', async () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, k) => (k * 37) % 101)
    const plain = await preparePatches(Matrix.from(bytes, 10, 4))
    const scaled = await preparePatches(Matrix.from(bytes, 10, 4, { scale: 1 / 255 }))
    const brighter = await preparePatches(
      Matrix.from(
        Float32Array.from(bytes, (b) => 2 * b + 64),
        10,
        4,
      ),
    )
    for (const [k, value] of plain.data.entries()) {
      expect(Math.abs(scaled.data[k]! - value)).toBeLessThan(tolerances.float32Rounding.value)
      expect(Math.abs(brighter.data[k]! - value)).toBeLessThan(tolerances.float32Rounding.value)
    }
  })

  it('returns 0.5 everywhere if every patch is constant, also if its mean is rounded', async () => {
    const x = Float64Array.from({ length: 63 }, (_, k) => 0.1 * (1 + Math.floor(k / 7)))
    expect((await preparePatches(Matrix.from(x, 9, 7))).data).toEqual(new Float32Array(63).fill(0.5))
    expect((await preparePatches(Matrix.from(new Uint8Array(4), 2, 2))).data).toEqual(
      new Float32Array(4).fill(0.5),
    )
  })

  it('returns values from 0.1 to 0.9', async () => {
    const data = fc.array(fc.double({ min: -1e100, max: 1e100, noNaN: true }), { minLength: 8, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(data, async (values) => {
        const { data: prepared } = await preparePatches(Matrix.from(Float64Array.from(values), 2, 4))
        for (const value of prepared) {
          expect(value).toBeGreaterThanOrEqual(Math.fround(0.1))
          expect(value).toBeLessThanOrEqual(Math.fround(0.9))
        }
      }),
    )
  })

  it.each([2 ** -600, 2 ** -1000, 2 ** 600, 2 ** 1000])(
    'prepares values of size %d as those of size 1',
    async (size) => {
      const values = Float64Array.from({ length: 24 }, (_, k) => Math.sin(k * k))
      const wanted = await preparePatches(Matrix.from(values, 4, 6))
      const scaled = values.map((value) => value * size)
      expect(await preparePatches(Matrix.from(scaled, 4, 6))).toEqual(wanted)
    },
  )

  it.each([
    ['NaN', Matrix.from(new Float32Array([1, Number.NaN]), 1, 2), 'ERR_RANGE'],
    ['values whose sums overflow', Matrix.from(new Float64Array([1.7e308, 1.7e308]), 1, 2), 'ERR_RANGE'],
    ['no patches', Matrix.from(new Float32Array(0), 0, 2), 'ERR_SHAPE'],
    ['arrays', [[1, 2]], 'ERR_ARGUMENT'],
  ])('refuses %s', async (_, patches, code) => {
    await expect(preparePatches(patches as never)).rejects.toEqual(refused(code))
  })
})
