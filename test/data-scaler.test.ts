import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LayerwiseError } from '../lib/base/errors.js'
import { Matrix } from '../lib/data/matrix.js'
import { MinMaxScaler } from '../lib/data/scaling/min-max-scaler.js'
import { checkScaler, scalerFromJSON } from '../lib/data/scaling/scaler.js'
import { StandardScaler } from '../lib/data/scaling/standard-scaler.js'
import { Pca, type Precision, SparseAutoencoder } from '../lib/index.js'
import { tolerances } from './tolerances.js'

const refused = (code: string) => expect.objectContaining({ name: 'LayerwiseError', code })

/** Two or more rows of one to four columns of ordinary numbers, some columns constant. */
const tables = fc.integer({ min: 1, max: 4 }).chain((width) => {
  const value = fc.integer({ min: -1e7, max: 1e7 }).map((k) => k / 1024)
  const row = fc.array(value, { minLength: width, maxLength: width })
  const constant = fc
    .tuple(row, fc.integer({ min: 2, max: 9 }))
    .map(([r, m]) => new Array<number[]>(m).fill(r))
  return fc.oneof(fc.array(row, { minLength: 2, maxLength: 30 }), constant)
})

const ranges = fc.constantFrom<readonly [number, number]>([0, 1], [-1, 1], [0.1, 0.9], [-3, -2], [2, 5])

const column = (x: readonly (readonly number[])[], j: number) => x.map((row) => row[j]!)

function expectClose(got: readonly number[], wanted: readonly number[], magnitude: number): void {
  for (const [k, value] of wanted.entries()) {
    expect(Math.abs(got[k]! - value)).toBeLessThanOrEqual(tolerances.scalerRoundTrip.value * magnitude)
  }
}

describe('MinMaxScaler', () => {
  it('maps smallest and largest of each column to 0 and 1', async () => {
    const scaler = await new MinMaxScaler().fit([
      [2, -10],
      [4, 30],
      [3, 10],
    ])
    expect([[...scaler.shift], [...scaler.factor]]).toEqual([
      [2, -10],
      [1 / 2, 1 / 40],
    ])
    expect((await scaler.transform([[2.5, 0]])).toArray()).toEqual([[0.25, 0.25]])
    expect((await scaler.inverseTransform([[0.25, 0.25]])).toArray()).toEqual([[2.5, 0]])
  })

  it('maps to another range', async () => {
    const scaler = await new MinMaxScaler({ range: [-1, 1] }).fit([[0], [8]])
    expect((await scaler.transform([[0], [2], [8]])).toArray()).toEqual([[-1], [-0.5], [1]])
  })

  it('keeps training data within the range, and inverseTransform restores it', async () => {
    await fc.assert(
      fc.asyncProperty(tables, ranges, async (x, [low, high]) => {
        const scaler = await new MinMaxScaler({ range: [low, high] }).fit(x)
        const scaled = await scaler.transform(x)
        for (const value of scaled.data) {
          expect(value).toBeGreaterThanOrEqual(low - tolerances.handComputed.value * Math.abs(low))
          expect(value).toBeLessThanOrEqual(high + tolerances.handComputed.value * Math.abs(high))
        }
        const back = (await scaler.inverseTransform(scaled)).toArray()
        for (let j = 0; j < scaler.inputs; j++) {
          const values = column(x, j)
          expectClose(
            column(back, j),
            values,
            Math.max(1, Math.abs(scaler.shift[j]!), ...values.map(Math.abs)),
          )
        }
      }),
    )
  })

  it('never leaves [0, 1] or [−1, 1] by rounding, which a bounded model would refuse', async () => {
    const value = fc.double({ min: -1e300, max: 1e300, noNaN: true })
    const x = fc.array(fc.tuple(value), { minLength: 2, maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(x, fc.constantFrom(0, -1), async (rows, low) => {
        const scaler = new MinMaxScaler({ range: [low, 1] })
        const fitted = await scaler.fit(rows).catch((error: unknown) => error)
        if (fitted !== scaler) {
          expect(fitted).toEqual(refused('ERR_RANGE'))
          return
        }
        for (const scaled of (await scaler.transform(rows)).data) {
          expect(scaled).toBeGreaterThanOrEqual(low)
          expect(scaled).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('maps a constant column to the low end', async () => {
    for (const constant of [0, 7, -0.1, 1e12]) {
      const zero = await new MinMaxScaler().fit([[constant], [constant]])
      expect((await zero.transform([[constant]])).data).toEqual(new Float64Array([0]))
      expect((await zero.inverseTransform([[0]])).data).toEqual(new Float64Array([constant]))
      const tenth = await new MinMaxScaler({ range: [0.1, 0.9] }).fit([[constant]])
      const low = (await tenth.transform([[constant]])).data[0]!
      expect(Math.abs(low - 0.1)).toBeLessThan(tolerances.constantColumn.value)
    }
  })

  it.each([[[1, 1]], [[1, 0]], [[0]], [[0, 1, 2]], [[0, Number.NaN]], [[0, Infinity]], ['01'], [[0, '1']]])(
    'refuses the range %j',
    (range) => {
      expect(() => new MinMaxScaler({ range } as never)).toThrow(refused('ERR_ARGUMENT'))
    },
  )

  it('refuses unknown options', () => {
    expect(() => new MinMaxScaler({ rnage: [0, 1] } as never)).toThrow(refused('ERR_ARGUMENT'))
  })
})

describe('StandardScaler', () => {
  it('brings mean and population variance to 0 and 1', async () => {
    const scaler = await new StandardScaler().fit([[2], [4], [4], [4], [5], [5], [7], [9]])
    expect([scaler.shift[0], scaler.factor[0]]).toEqual([5, 1 / 2])
  })

  it('is accurate for a mean far larger than the spread', async () => {
    const scaler = await new StandardScaler().fit([4, 7, 13, 16].map((value) => [1e9 + value]))
    expect(scaler.shift[0]).toBe(1e9 + 10)
    expect(Math.abs(scaler.factor[0]! ** -2 - 22.5)).toBeLessThan(tolerances.handComputed.value * 22.5)
  })

  it('maps a constant column to 0, also where its mean is rounded, and back exactly', async () => {
    const x = new Array(10).fill([0.1])
    const scaler = await new StandardScaler().fit(x)
    expect((await scaler.transform(x)).data).toEqual(new Float64Array(10))
    expect((await scaler.inverseTransform([[0]])).data).toEqual(new Float64Array([0.1]))
  })

  it('is undone by inverseTransform', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (x) => {
        const scaler = await new StandardScaler().fit(x)
        const scaled = await scaler.transform(x)
        const back = (await scaler.inverseTransform(scaled)).toArray()
        for (let j = 0; j < scaler.inputs; j++) {
          const values = column(x, j)
          expectClose(column(back, j), values, Math.max(1, ...values.map(Math.abs)))
          const mean = column(scaled.toArray(), j).reduce((sum, value) => sum + value, 0) / x.length
          expect(Math.abs(mean)).toBeLessThan(tolerances.scalerMean.value)
        }
      }),
    )
  })
})

describe('a MinMaxScaler that clips', () => {
  const x = [[0], [2]]

  it('maps values outside its range to the ends, and has clip in its JSON', async () => {
    const scaler = await new MinMaxScaler({ range: [-1, 3], clip: true }).fit(x)
    expect((await scaler.transform([[-5], [0], [1], [2], [2.01]])).toArray()).toEqual([
      [-1],
      [-1],
      [1],
      [3],
      [3],
    ])
    expect(scaler.toJSON()).toMatchObject({ range: [-1, 3], clip: true })
    expect((await scaler.inverseTransform([[5]])).toArray()).toEqual([[3]])
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      await expect(scaler.transform([[bad]])).rejects.toEqual(refused('ERR_RANGE'))
    }
  })

  it('is restored from its JSON, like one that does not clip', async () => {
    for (const clip of [true, false]) {
      const scaler = await new MinMaxScaler({ clip }).fit(x)
      const back = scalerFromJSON(JSON.parse(JSON.stringify(scaler))) as MinMaxScaler
      expect(back.clip).toBe(clip)
      expect('clip' in scaler.toJSON()).toBe(clip)
    }
  })

  it('clips inside a model as outside, in both ways of encoding, after loading too', async () => {
    const scaling = await new MinMaxScaler({ range: [0, 1], clip: true }).fit(x)
    const late = [[-3], [1], [2.005], [7]]
    const inside = await scaling.transform(late)
    for (const precision of ['float32', 'float64'] as const) {
      const scaled = new SparseAutoencoder<Precision>({ inputs: 1, hidden: 2, precision, scaling })
      const plain = new SparseAutoencoder<Precision>({ inputs: 1, hidden: 2, precision })
      await scaled.fit(late, { epochs: 2 })
      await plain.fit(inside, { epochs: 2 })
      const loaded = await SparseAutoencoder.fromBytes(await scaled.toBytes())
      for (const model of [scaled, loaded]) {
        const codes = await model.encode(late)
        expect(codes).toEqual(await plain.encode(inside))
        expect((await model.cost(late)).total).toBe((await plain.cost(inside)).total)
        expect(await model.reconstructionError(late)).toEqual(await plain.reconstructionError(inside))
        late.forEach((row, i) => {
          const [first, second] = model.encodeSync(row)
          expect(first).toBeCloseTo(codes.data[2 * i]!, 6)
          expect(second).toBeCloseTo(codes.data[2 * i + 1]!, 6)
        })
        await expect(model.encode([[Infinity]])).rejects.toMatchObject({
          code: 'ERR_RANGE',
          details: { row: 0 },
        })
        expect(() => model.encodeSync([Number.NaN])).toThrow(refused('ERR_RANGE'))
      }
    }
    const pca = await new Pca({ scaling }).fit(late)
    expect(await pca.transform(late)).toEqual(await (await new Pca().fit(inside)).transform(inside))
  })

  it.each([[0], ['true'], [null]])('does not accept clip: %j', (clip) => {
    expect(() => new MinMaxScaler({ clip } as never)).toThrow(refused('ERR_ARGUMENT'))
  })
})

describe.each([
  ['MinMaxScaler', () => new MinMaxScaler()],
  ['StandardScaler', () => new StandardScaler()],
] as const)('every scaler: %s', (_, make) => {
  it.each([
    [0.3, 0.1 + 0.2],
    [1.1, 1.1 + 2e-16],
    [-1.1, -1.1 - 4e-16],
    [1e9, 1e9 + 1e-7],
    [1e12, 1e12 + 2e-4],
    [1e-300, 1e-300 * (1 + 2 ** -52)],
    [1 / 3, (1 / 7 / 3) * 7],
  ])('treats a column of %d and %d, which differ by rounding, as constant', async (a, b) => {
    for (const x of [
      [[a], [b]],
      [[b], [a], [a], [b], [a]],
    ]) {
      const scaler = await make().fit(x)
      expect(scaler.factor[0]).toBeLessThanOrEqual(1)
      for (const value of (await scaler.transform([[a], [b]])).data) {
        expect(Math.abs(value)).toBeLessThan(tolerances.constantColumn.value + Math.abs(b - a))
      }
    }
  })

  it.each([
    [0, 1e-300],
    [1, 1 + 2e-15],
    [1e12, 1e12 + 1e-3],
    [1e-40, 3e-40],
  ])('treats a column of %d and %d as not constant', async (a, b) => {
    const scaler = await make()
      .fit([[a], [b]])
      .catch((error: unknown) => error)
    // A square of 1e-300 is 0.
    if (b === 1e-300 && scaler instanceof LayerwiseError) return
    const [low, high] = (await (scaler as MinMaxScaler).transform([[a], [b]])).data
    expect(high! - low!).toBeGreaterThan(0.9)
  })

  it('applies the scale of a Matrix first', async () => {
    const bytes = Matrix.from(new Uint8Array([0, 51, 102, 255]), 4, 1, { scale: 1 / 255 })
    const scaled = await make().fit(bytes)
    const plain = await make().fit(bytes.toArray())
    expect(scaled.toJSON()).toEqual(plain.toJSON())
    const values = await scaled.transform(bytes)
    expect(values.data).toEqual(Float32Array.from((await plain.transform(bytes.toArray())).data))
  })

  it('returns float32 for float32, float64 for float64, and does not change its input', async () => {
    const scaler = await make().fit([[1], [3]])
    const x = new Float32Array([1, 2])
    expect((await scaler.transform(x)).data).toBeInstanceOf(Float32Array)
    expect((await scaler.inverseTransform(new Float64Array([1, 2]))).data).toBeInstanceOf(Float64Array)
    expect([...x]).toEqual([1, 2])
  })

  it('throws before fit', async () => {
    const scaler = make()
    expect(() => scaler.shift).toThrow(refused('ERR_STATE'))
    expect(() => scaler.inputs).toThrow(refused('ERR_STATE'))
    expect(() => scaler.toJSON()).toThrow(refused('ERR_STATE'))
    await expect(scaler.transform([[1]])).rejects.toEqual(refused('ERR_STATE'))
    await expect(scaler.inverseTransform([[1]])).rejects.toEqual(refused('ERR_STATE'))
  })

  it.each([Number.NaN, Infinity, -Infinity])('names row and column of %s', async (bad) => {
    const x = [
      [1, 2],
      [3, 4],
      [5, bad],
    ]
    const place = { code: 'ERR_RANGE', details: { row: 2, column: 1 } }
    await expect(make().fit(x)).rejects.toMatchObject(place)
    const scaler = await make().fit(x.slice(0, 2))
    await expect(scaler.transform(x)).rejects.toMatchObject(place)
  })

  it('does not change if a fit fails', async () => {
    const scaler = await make().fit([[1], [3]])
    const before = scaler.toJSON()
    await expect(scaler.fit([[1], [Number.NaN]])).rejects.toEqual(refused('ERR_RANGE'))
    expect(scaler.toJSON()).toEqual(before)
  })

  it.each([[[[-1.7e308], [1.7e308]]], [[[0], [5e-324]]]])(
    'refuses a spread beyond float64: %j',
    async (x) => {
      await expect(make().fit(x)).rejects.toMatchObject({ code: 'ERR_RANGE', details: { column: 0 } })
    },
  )

  it.each([
    ['a flat array', new Float32Array(4), 'ERR_ARGUMENT'],
    ['nothing', undefined, 'ERR_ARGUMENT'],
    ['no rows', [], 'ERR_SHAPE'],
    ['ragged rows', [[1], [1, 2]], 'ERR_SHAPE'],
    ['rows without numbers', [[], []], 'ERR_SHAPE'],
    ['a Matrix without rows', Matrix.from(new Float32Array(0), 0, 2), 'ERR_SHAPE'],
    ['strings', [['1']], 'ERR_ARGUMENT'],
  ])('does not fit %s', async (_, x, code) => {
    await expect(make().fit(x as never)).rejects.toEqual(refused(code))
  })

  it('refuses to transform another width', async () => {
    const scaler = await make().fit([[1], [3]])
    await expect(scaler.transform([[1, 2]])).rejects.toEqual(refused('ERR_SHAPE'))
  })

  it('serves other events while it works', async () => {
    const big = Matrix.from(new Float32Array(2_000_000).fill(1), 2000, 1000)
    let turns = 0
    let done = false
    const count = (): void => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    await make().fit(big)
    done = true
    // They are served by time: some milliseconds of work at least, on any machine.
    expect(turns).toBeGreaterThan(2)
  })

  it('is restored exactly from its JSON', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (x) => {
        const scaler = await make().fit(x)
        const back = scalerFromJSON(JSON.parse(JSON.stringify(scaler)))
        expect(back.constructor).toBe(scaler.constructor)
        expect(back.toJSON()).toEqual(scaler.toJSON())
        expect(await back.transform(x)).toEqual(await scaler.transform(x))
      }),
    )
  })

  it('is accepted as a model’s scaling only for its own width', async () => {
    const scaler = await make().fit([[1, 2]])
    expect(checkScaler('scaling', scaler, 2)).toBe(scaler)
    expect(() => checkScaler('scaling', scaler, 3)).toThrow(refused('ERR_SHAPE'))
    expect(() => checkScaler('scaling', make(), 2)).toThrow(refused('ERR_STATE'))
    expect(() => checkScaler('scaling', scaler.toJSON(), 2)).toThrow(refused('ERR_ARGUMENT'))
  })
})

describe('scalerFromJSON', () => {
  const standard = { kind: 'standard', shift: [1], factor: [2] }
  const minMax = { kind: 'minMax', range: [0, 1], shift: [1], factor: [2] }

  it.each([
    undefined,
    null,
    7,
    [],
    {},
    { ...standard, kind: 'robust' },
    { ...standard, range: [0, 1] },
    { kind: 'standard', shift: [1] },
    { ...standard, shift: [], factor: [] },
    { ...standard, shift: [1, 2] },
    { ...standard, shift: ['1'] },
    { ...standard, shift: [null] },
    { ...standard, shift: '1' },
    { ...standard, factor: [0] },
    { ...standard, factor: [Infinity] },
    { ...minMax, range: [1, 0] },
    { ...minMax, range: [0, 1, 2] },
    { ...minMax, range: [0] },
    { ...minMax, clip: false },
    { ...minMax, clip: 1 },
    { ...standard, clip: true },
    { kind: 'minMax', shift: [1], factor: [2] },
  ])('refuses %j', (value) => {
    expect(() => scalerFromJSON(value)).toThrow(refused('ERR_FORMAT'))
    expect(() => scalerFromJSON(value)).toThrow(LayerwiseError)
  })

  it('accepts what toJSON writes', () => {
    expect(scalerFromJSON(standard)).toBeInstanceOf(StandardScaler)
    expect(scalerFromJSON(minMax)).toMatchObject({ range: [0, 1] })
  })
})

it('a scaler is complete as JSON, and refuses to be cloned or posted, which would lose its numbers', async () => {
  for (const scaler of [new MinMaxScaler(), new StandardScaler()]) {
    await scaler.fit([
      [1, 2],
      [3, 5],
    ])
    expect(scalerFromJSON(JSON.parse(JSON.stringify(scaler))).toJSON()).toEqual(scaler.toJSON())
    expect(() => structuredClone(scaler)).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
  }
})

describe('StandardScaler({ clip })', () => {
  const far = [[0], [1], [2], [3], [1e6]]

  it('bounds scaled values on both sides, alone and inside a model', async () => {
    const scaler = await new StandardScaler({ clip: 1.5 }).fit([[0], [1], [2], [3]])
    const scaled = (await scaler.transform(far)).toArray().flat()
    expect(scaled.slice(1, 3)).toEqual(
      (await (await new StandardScaler().fit([[0], [1], [2], [3]])).transform([[1], [2]])).toArray().flat(),
    )
    expect(scaled[4]).toBe(1.5)
    expect((await scaler.transform([[-1e9]])).toArray()).toEqual([[-1.5]])
    const model = new SparseAutoencoder({
      inputs: 1,
      hidden: 2,
      outputActivation: 'identity',
      scaling: scaler,
    })
    expect(await model.encode([[1e6]])).toEqual(await model.encode([[1e9]]))
    expect(model.encodeSync([1e6])).toEqual(model.encodeSync([1e9]))
  })

  it('is kept by JSON, and refused unless above 0', async () => {
    const scaler = await new StandardScaler({ clip: 1.5 }).fit([[0], [1], [2], [3]])
    expect(scaler.toJSON()).toMatchObject({ kind: 'standard', clip: 1.5 })
    const again = scalerFromJSON(JSON.parse(JSON.stringify(scaler)))
    expect(await again.transform(far)).toEqual(await scaler.transform(far))
    for (const clip of [0, -1, NaN, Infinity, '2']) {
      expect(() => new StandardScaler({ clip: clip as number })).toThrow('clip')
      expect(() => scalerFromJSON({ ...scaler.toJSON(), clip })).toThrow('clip')
    }
  })
})
