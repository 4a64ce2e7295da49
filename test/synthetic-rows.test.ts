import { describe, expect, test } from 'vitest'
import { CorrelatedRows } from '../bench/synthetic/correlated.js'
import { CIRESAN, PIXELS, SIDE } from '../bench/synthetic/deform.js'
import { DeformedDigits } from '../bench/synthetic/deformed-digits.js'
import { rowsInOrder } from '../bench/synthetic/in-order.js'
import { trainingDigits } from '../bench/synthetic/mnist.js'
import { smoothSurface } from '../bench/synthetic/surface.js'

const digits = trainingDigits()
const NONE = { angle: 0, scaling: 0, shift: 0, elastic: { sigma: 5.5, alpha: 0 } }
const mean = (values: Iterable<number> & { readonly length: number }) => {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}
const deformed = new DeformedDigits(digits)

describe('a deformed digit', () => {
  test('is the same whichever slice it is made in, and in whichever order', () => {
    const together = deformed.make(60_000, 60_040)
    const late = deformed.make(60_030, 60_040)
    expect(late).toEqual(together.subarray(30 * PIXELS))
    expect(new DeformedDigits(digits).make(60_007, 60_008)).toEqual(together.subarray(7 * PIXELS, 8 * PIXELS))
  })

  test('differs from others of the same source, and with the seed', () => {
    const of = (number: number, seed: number) => new DeformedDigits(digits, { seed }).make(number, number + 1)
    expect(of(5, 0)).not.toEqual(of(60_005, 0))
    expect(of(5, 0)).not.toEqual(of(5, 1))
  })

  test('is its source where nothing deforms it', () => {
    const plain = new DeformedDigits(digits, { deformation: NONE })
    expect(plain.make(60_000, 60_100)).toEqual(Uint8Array.from(digits.images.subarray(0, 100 * PIXELS)))
  })

  test('shows the digit of its source', () => {
    const few = new DeformedDigits(digits, { of: 100 })
    expect(few.label(203)).toBe(digits.labels[3])
    expect(deformed.label(60_003)).toBe(digits.labels[3])
  })

  test('is as bright as its source, within what growing and shrinking changes', () => {
    const [made, plain] = [deformed.make(0, 2000), digits.images.subarray(0, 2000 * PIXELS)]
    expect(mean(made) / mean(plain)).toBeGreaterThan(0.9)
    expect(mean(made) / mean(plain)).toBeLessThan(1.1)
  })

  test('resembles its source more than other digits of its class', () => {
    let nearer = 0
    const made = deformed.make(60_000, 60_200)
    for (let i = 0; i < 200; i++) {
      const image = made.subarray(i * PIXELS, (i + 1) * PIXELS)
      const others = [...digits.labels.keys()]
        .slice(200, 1200)
        .filter((k) => digits.labels[k] === digits.labels[i])
      const least = others.map((k) => distance(image, source(k))).sort((a, b) => a - b)
      if (distance(image, source(i)) < least[Math.floor(least.length / 2)]!) nearer++
    }
    expect(nearer).toBeGreaterThan(180)
  })

  test('of a shift moves as a whole', () => {
    const shifted = new DeformedDigits(digits, { deformation: { ...NONE, shift: 3 } }).make(0, 50)
    const [ours, theirs] = [centres(shifted, 50), centres(digits.images, 50)]
    const moves = ours.flatMap(([x, y], i) => [x - theirs[i]![0], y - theirs[i]![1]])
    expect(Math.max(...moves.map(Math.abs))).toBeLessThan(3.1)
    expect(Math.max(...moves)).toBeGreaterThan(2)
    expect(Math.min(...moves)).toBeLessThan(-2)
  })
})

describe('a smooth surface', () => {
  const surface = smoothSurface(3, CIRESAN.elastic.sigma)

  test('has the deviation of uniform noise under a Gaussian that sums to 1', () => {
    const deviation = Math.sqrt(mean(surface.map((value) => value * value)))
    const expected = Math.sqrt(1 / 3) / (2 * CIRESAN.elastic.sigma * Math.sqrt(Math.PI))
    expect(deviation / expected).toBeCloseTo(1, 1)
  })

  test('is smooth, also across its edges', () => {
    const steps = Array.from({ length: 1024 }, (_, x) => surface[x]! - surface[(x + 1) % 1024]!)
    expect(Math.max(...steps.map(Math.abs))).toBeLessThan(0.02)
  })
})

describe('rows of correlated columns', () => {
  const made = new CorrelatedRows({ cols: 28, factors: 8 })

  test('are the same whichever slice they are made in', () => {
    expect(made.make(90, 100)).toEqual(made.make(0, 100).subarray(90 * 28))
  })

  test('are within 0 and 1, and rounded to bytes the same', () => {
    const rows = made.make(0, 1000)
    expect(rows.every((value) => value > 0 && value < 1)).toBe(true)
    const bytes = new CorrelatedRows({ cols: 28, factors: 8, type: 'uint8' }).make(0, 1000)
    expect([...bytes].every((byte, i) => Math.abs(byte - 255 * rows[i]!) <= 0.51)).toBe(true)
  })

  test('have columns that tell about each other', () => {
    const rows = made.make(0, 2000)
    const column = (j: number) => Array.from({ length: 2000 }, (_, i) => rows[i * 28 + j]!)
    const of = Array.from({ length: 27 }, (_, j) => Math.abs(correlation(column(0), column(j + 1))))
    expect(Math.max(...of)).toBeGreaterThan(0.5)
    expect(Math.max(...of)).toBeLessThan(0.99)
  })
})

describe('rows made by threads', () => {
  const module = new URL('../bench/synthetic/deformed-digits.ts', import.meta.url).href

  test('arrive in order and are those made here', async () => {
    const parts: Uint8Array[] = []
    const of = { module, options: { seed: 4 } }
    for await (const part of rowsInOrder<Uint8Array>(of, 70, 171, { threads: 2, rowsPerBatch: 20 }))
      parts.push(part)
    expect(parts.map(({ length }) => length / PIXELS)).toEqual([20, 20, 20, 20, 20, 1])
    expect(Uint8Array.from(Buffer.concat(parts))).toEqual(
      new DeformedDigits(digits, { seed: 4 }).make(70, 171),
    )
  })

  test('end with the error of a maker', async () => {
    const rows = rowsInOrder({ module: `${module}.missing`, options: {} }, 0, 10)
    await expect(rows.next()).rejects.toThrow('missing')
  })
})

function source(i: number): Uint8Array {
  return digits.images.subarray(i * PIXELS, (i + 1) * PIXELS)
}

function distance(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, k) => sum + (value - b[k]!) ** 2, 0)
}

/** The centre of brightness of each image. */
function centres(images: Uint8Array, count: number): [number, number][] {
  return Array.from({ length: count }, (_, i) => {
    let [sum, x, y] = [0, 0, 0]
    for (let k = 0; k < PIXELS; k++) {
      const value = images[i * PIXELS + k]!
      sum += value
      x += value * (k % SIDE)
      y += value * Math.floor(k / SIDE)
    }
    return [x / sum, y / sum]
  })
}

function correlation(a: number[], b: number[]): number {
  const centred = (values: number[]) => {
    const middle = mean(values)
    return values.map((value) => value - middle)
  }
  const [x, y] = [centred(a), centred(b)]
  const product = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * q[i]!, 0)
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y))
}
