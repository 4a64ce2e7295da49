import { describe, expect, test } from 'vitest'
import { halfBits, halfNumbers } from '../lib/data/halves.js'
import {
  featureImage,
  LinearAutoencoder,
  Matrix,
  MinMaxScaler,
  Pca,
  preparePatches,
  principalAngles,
  reconstructionImage,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StandardScaler,
  samplePatches,
  scatterPlot,
} from '../lib/index.js'
import { expectError } from './refusal.js'
import { rejection, sampleRows } from './sample.js'
import { isBare, storedRows } from './stored-rows.js'

const [rows, inputs] = [40, 4]
const shares = Array.from(sampleRows(rows, inputs).data)
const labels = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i % 3))
const settings = { inputs, hidden: 3, outputActivation: 'identity' } as const
const short = { epochs: 2, batchSize: 8 } as const
const scaler = StandardScaler.fromJSON({ kind: 'standard', shift: [0, 1, 2, 3], factor: [1, 2, 3, 4] })

/** Everything that reads rows. */
const readers: Record<string, (x: Matrix) => unknown> = {
  fit: async (x) => {
    const model = new SparseAutoencoder(settings)
    await model.fit(x, { ...short, validation: 0.2 })
    return model.parameters()
  },
  'fit behind a scaler': async (x) => {
    const model = new SparseAutoencoder({ ...settings, scaling: scaler })
    await model.fit(x, { ...short, batchSize: 'all' })
    return model.parameters()
  },
  'fit in float64 about the mean': async (x) => {
    const model = new LinearAutoencoder({ inputs, hidden: 2, center: true, precision: 'float64' })
    await model.fit(x, short)
    return model.parameters()
  },
  'fit of a stack': async (x) => {
    const model = new StackedAutoencoder({ inputs, layers: [{ hidden: 3 }, { hidden: 2 }] })
    await model.fit(x, short)
    return model.parameters()
  },
  'fit and score of a classifier': async (x) => {
    const model = new SoftmaxClassifier({ inputs, classes: 3 })
    await model.fit(x, labels, short)
    return [model.parameters(), await model.score(x, labels)]
  },
  encode: async (x) => (await new SparseAutoencoder(settings).encode(x)).data,
  encodeSync: (x) => {
    const model = new SparseAutoencoder(settings)
    return Array.from({ length: x.rows }, (_, i) => [...model.encodeSync(x.row(i))])
  },
  reconstructionErrorSync: (x) => new SparseAutoencoder(settings).reconstructionErrorSync(x.row(2)),
  cost: async (x) => new SparseAutoencoder(settings).cost(x, { gradient: true }),
  StandardScaler: async (x) => (await new StandardScaler().fit(x)).toJSON(),
  MinMaxScaler: async (x) => (await new MinMaxScaler().fit(x)).toJSON(),
  'scaler.transform': async (x) => [...(await scaler.transform(x)).data].map(Math.fround),
  Pca: async (x) => (await new Pca({ components: 2 }).fit(x)).components.data,
  principalAngles: (x) => principalAngles(x.slice(0, 2), x.slice(2, 4)),
  preparePatches: async (x) => (await preparePatches(x)).data,
  samplePatches: async (x) => (await samplePatches(x, { size: 1, count: 9, imageWidth: 2 })).toArray(),
  featureImage: (x) => featureImage(x, { width: 2 }),
  reconstructionImage: (x) => reconstructionImage(x, x, { width: 2 }),
  scatterPlot: (x) =>
    scatterPlot(
      Matrix.from(x.data, rows * 2, 2, { scale: x.scale, type: x.type }),
      new Array(rows * 2).fill(1n),
    ),
  'Matrix.fromRows': (x) => Matrix.fromRows(Array.from({ length: x.rows }, (_, i) => x.row(i))).toArray(),
}

describe.each(storedRows(shares, inputs))('rows in %s', (_, x) => {
  // What they are worth, in float64, of which all that computes makes what it computes in.
  const values = Matrix.fromRows(x.toArray())

  test.each(Object.entries(readers))('are read as the values they are by %s', async (_, read) => {
    expect(await read(x)).toEqual(await read(values))
  })

  test('are read alone and in arrays as in a Matrix, unless they are 16 bits that may be anything', async () => {
    const model = new SparseAutoencoder(settings)
    const bare = Matrix.from(x.data, rows, inputs, { type: x.type })
    const lines = Array.from({ length: rows }, (_, i) => x.slice(i, i + 1).data)
    if (isBare(x)) {
      const { data } = await model.encode(bare)
      expect((await model.encode(x.data as Float32Array)).data).toEqual(data)
      expect((await model.encode(lines as Float32Array[])).data).toEqual(data)
      expect(model.encodeSync(lines[1] as Float32Array)).toEqual(model.encodeSync(bare.row(1)))
      const scaled = await new StandardScaler().fit(lines as Float32Array[])
      expect(scaled.toJSON()).toEqual((await new StandardScaler().fit(bare)).toJSON())
      const pca = await new Pca().fit(lines as Float32Array[])
      expect(pca.mean).toEqual((await new Pca().fit(bare)).mean)
    } else {
      for (const given of [x.data, lines] as never[]) {
        expectError(await rejection(model.encode(given)), 'ERR_ARGUMENT', "type: 'uint16' | 'float16'")
      }
    }
  })
})

test('integers of 32 bits are scaled before they are rounded to float32', async () => {
  const x = Matrix.from(Int32Array.of(2_000_000_001, 2_000_000_003), 2, 1)
  const scaling = StandardScaler.fromJSON({ kind: 'standard', shift: [2e9], factor: [1] })
  const model = new SparseAutoencoder({ inputs: 1, hidden: 1, activation: 'identity', scaling })
  const small = new SparseAutoencoder({ inputs: 1, hidden: 1, activation: 'identity' })
  expect((await model.encode(x)).data).toEqual((await small.encode([[1], [3]])).data)
})

describe('float16 and bfloat16', () => {
  const formats = { float16: { mantissa: 10, bias: 15 }, bfloat16: { mantissa: 7, bias: 127 } }
  /** A pattern of bits by the definition of IEEE 754. */
  function numberOf(bits: number, { mantissa: digits, bias }: { mantissa: number; bias: number }): number {
    const text = bits.toString(2).padStart(16, '0')
    const exponent = Number.parseInt(text.slice(1, 16 - digits), 2)
    const fraction = Number.parseInt(text.slice(16 - digits), 2) / 2 ** digits
    const sign = text[0] === '1' ? -1 : 1
    if (exponent === 2 * bias + 1) return fraction === 0 ? sign * Infinity : NaN
    return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias)
  }

  test.each(['float16', 'bfloat16'] as const)(
    '%s: each of the 65,536 patterns is its number, and back',
    (type) => {
      const table = halfNumbers(new Uint16Array(), type)!
      for (let bits = 0; bits < 2 ** 16; bits++) {
        const value = numberOf(bits, formats[type])
        if (!Object.is(table[bits], value)) expect([bits, table[bits]]).toEqual([bits, value])
        const again = halfBits(value, type)
        const wanted = Number.isFinite(value) ? bits : undefined
        if (again !== wanted) expect([value, again]).toEqual([value, wanted])
      }
    },
  )

  test.each(['float16', 'bfloat16'] as const)(
    '%s: numbers between two go to the nearer, of two as near to the even',
    (type) => {
      for (let bits = 0; bits < 0x7f00; bits++) {
        const [low, high] = [numberOf(bits, formats[type]), numberOf(bits + 1, formats[type])]
        if (!Number.isFinite(high)) break
        const middle = (low + high) / 2
        const even = bits % 2 === 0 ? bits : bits + 1
        const step = (high - low) / 4
        const got = [middle - step, middle, middle + step, -middle].map((value) => halfBits(value, type))
        const wanted = [bits, even, bits + 1, 0x8000 + even]
        if (got.some((value, k) => value !== wanted[k])) expect([bits, got]).toEqual([bits, wanted])
      }
    },
  )

  test.each([
    ['float16', Uint16Array.of(0x3c00, 0x7c00), Infinity],
    ['float16', Uint16Array.of(0x3c00, 0xfc01), NaN],
    ['bfloat16', Uint16Array.of(0x3f80, 0xff80), -Infinity],
    ['bfloat16', Uint16Array.of(0x3f80, 0x7fc0), NaN],
  ] as const)('%s that is not finite is refused with its place', async (type, data, value) => {
    const model = new SparseAutoencoder({ inputs: 1, hidden: 1, outputActivation: 'identity' })
    const x = Matrix.from(data, 2, 1, { type })
    const wanted = { code: 'ERR_RANGE', details: { row: 1, column: 0, received: value } }
    const calls = [
      () => model.encode(x),
      () => model.fit(x, { epochs: 1 }),
      () => new StandardScaler().fit(x),
      () => new Pca().fit(x),
    ]
    for (const call of calls) {
      expect(await rejection(call())).toMatchObject(wanted)
    }
    expect(() => model.encodeSync(x.row(1))).toThrow('received')
  })
})

test('the result of a scaler is float64 where float32 would not hold the numbers, else float32', async () => {
  for (const [, x] of storedRows(shares, inputs)) {
    const { type } = await scaler.transform(x)
    expect(type).toBe(['float64', 'int32', 'uint32'].includes(x.type) ? 'float64' : 'float32')
  }
})
