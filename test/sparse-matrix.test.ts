import { describe, expect, test } from 'vitest'
import {
  LayerwiseError,
  LinearAutoencoder,
  Matrix,
  MinMaxScaler,
  Pca,
  SparseAutoencoder,
  SparseMatrix,
  type SparseMatrixLike,
  StandardScaler,
} from '../lib/index.js'
import { giveAway } from './give-away.js'
import { seeded } from './oracle/points.js'
import { detached, expectError, thrown } from './refusal.js'
import { rejection, relativeDistance } from './sample.js'
import { sparseSample } from './sparse-sample.js'
import { tolerances } from './tolerances.js'

/** [[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 0, 4]] */
const small = (): { -readonly [K in keyof SparseMatrixLike]: SparseMatrixLike[K] } => ({
  indptr: [0, 2, 2, 4],
  indices: Uint32Array.of(1, 3, 0, 3),
  values: Float64Array.of(1, 2, 3, 4),
  rows: 3,
  cols: 4,
})
const SMALL = [
  [0, 1, 0, 2],
  [0, 0, 0, 0],
  [3, 0, 0, 4],
]
const model = () =>
  new SparseAutoencoder({ inputs: 4, hidden: 3, outputActivation: 'identity', precision: 'float64' })

describe('a sparse matrix', () => {
  test('has the numbers of its parts, and zeros elsewhere', () => {
    const x = SparseMatrix.from(small())
    expect(x.toMatrix().toArray()).toEqual(SMALL)
    expect([x.rows, x.cols, x.stored]).toEqual([3, 4, 4])
  })

  test('takes indices in every array of whole numbers', () => {
    const kinds = [Int32Array, Uint16Array, Int16Array, Uint8Array, Int8Array, Uint32Array]
    for (const Kind of kinds) {
      const x = SparseMatrix.from({ ...small(), indptr: Kind.of(0, 2, 2, 4), indices: Kind.of(1, 3, 0, 3) })
      expect(x.toMatrix().toArray()).toEqual(SMALL)
    }
    for (const Kind of [BigInt64Array, BigUint64Array]) {
      const [indptr, indices] = [Kind.of(0n, 2n, 2n, 4n), Kind.of(1n, 3n, 0n, 3n)]
      expect(
        SparseMatrix.from({ ...small(), indptr, indices })
          .toMatrix()
          .toArray(),
      ).toEqual(SMALL)
    }
    const plain = { ...small(), indices: [1, 3, 0, 3], values: [1, 2, 3, 4] }
    expect(SparseMatrix.from(plain).toMatrix().toArray()).toEqual(SMALL)
  })

  test('is over the memory of its indices and values', () => {
    const given = small()
    const x = SparseMatrix.from(given)
    ;(given.values as Float64Array)[0] = 9
    expect(x.values[0]).toBe(9)
    expect(x.indices.buffer).toBe((given.indices as Uint32Array).buffer)
  })

  test('has slices over the same memory, whose row starts begin at 0', () => {
    const x = SparseMatrix.from(small())
    const part = x.slice(1)
    expect(part.toMatrix().toArray()).toEqual(SMALL.slice(1))
    expect(part.values.buffer).toBe(x.values.buffer)
    expect(x.slice(1, 2).stored).toBe(0)
    expectError(
      thrown(() => x.slice(2, 4)),
      'ERR_ARGUMENT',
      'to',
    )
  })

  test('is read where it was posted from another thread', async () => {
    const posted = structuredClone(SparseMatrix.from(small())) as unknown as SparseMatrix
    expect(posted).not.toBeInstanceOf(SparseMatrix)
    expect(SparseMatrix.from(posted).toMatrix().toArray()).toEqual(SMALL)
    expect(await model().encode(posted)).toEqual(await model().encode(SparseMatrix.from(small())))
  })

  const wrong: [string, Partial<Record<keyof SparseMatrixLike, unknown>>, string, string][] = [
    ['no first row start', { indptr: [1, 2, 2, 4] }, 'ERR_RANGE', 'indptr: expected 0 at index 0'],
    ['row starts that fall', { indptr: [0, 3, 2, 4] }, 'ERR_RANGE', 'received 2 at index 2'],
    ['row starts beyond the values', { indptr: [0, 2, 2, 5] }, 'ERR_RANGE', 'the number of values, 4'],
    ['row starts that end early', { indptr: [0, 2, 2, 3] }, 'ERR_RANGE', 'the number of values, 4'],
    ['too few row starts', { indptr: [0, 2, 4] }, 'ERR_SHAPE', 'indptr: expected 4 numbers'],
    ['values without indices', { values: new Float32Array(5) }, 'ERR_SHAPE', 'values: expected 4 numbers'],
    ['negative indices', { indices: Int32Array.of(1, 3, -1, 3) }, 'ERR_RANGE', 'received -1 at index 2'],
    ['fractions', { indices: [1, 3, 0.5, 3] }, 'ERR_RANGE', 'received 0.5 at index 2'],
    [
      'indices of 2^32',
      { indices: BigInt64Array.of(1n, 3n, 2n ** 32n, 3n) },
      'ERR_RANGE',
      'received 4294967296',
    ],
    [
      'floats as indices',
      { indices: Float64Array.of(1, 3, 0, 3) },
      'ERR_ARGUMENT',
      'indices: expected an integer',
    ],
    ['texts as indices', { indices: ['1', 3, 0, 3] }, 'ERR_ARGUMENT', 'indices[0]: expected a whole number'],
    [
      'bytes as values',
      { values: Uint8Array.of(1, 2, 3, 4) },
      'ERR_ARGUMENT',
      'values: expected a Float32Array',
    ],
    ['texts as values', { values: [1, 2, '3', 4] }, 'ERR_ARGUMENT', 'values[2]: expected a number'],
    ['values without memory', { values: detached() }, 'ERR_ARGUMENT', 'transferred away'],
    [
      'shared indices',
      { indices: new Uint32Array(new SharedArrayBuffer(16)) },
      'ERR_ARGUMENT',
      'SharedArrayBuffer',
    ],
    ['a fraction of a row', { rows: 2.5 }, 'ERR_ARGUMENT', 'rows: expected a whole number'],
    ['no columns', { cols: 0 }, 'ERR_ARGUMENT', 'cols: expected a whole number'],
    ['another name', { data: [1] } as never, 'ERR_ARGUMENT', "unknown option 'data'"],
  ]
  for (const [name, parts, code, message] of wrong) {
    test(`refuses ${name}`, () => {
      const from = () => SparseMatrix.from({ ...small(), ...parts } as SparseMatrixLike)
      expectError(thrown(from), code, message)
    })
  }
})

const badIndices: [string, Partial<SparseMatrixLike>, string][] = [
  [
    'a column beyond the last',
    { indices: Uint32Array.of(1, 3, 0, 4) },
    'columns from 0 to 3, received column 4 in row 2',
  ],
  ['a column twice', { indices: Uint32Array.of(1, 1, 0, 3) }, 'columns that rise within a row'],
  ['columns that fall', { indices: Uint32Array.of(3, 1, 0, 3) }, 'received column 1 in row 0'],
  ['NaN', { values: Float64Array.of(1, 2, NaN, 4) }, 'received NaN in row 2, column 0'],
  ['Infinity', { values: Float64Array.of(1, Infinity, 3, 4) }, 'received Infinity in row 0, column 3'],
]

describe('sparse rows are refused', () => {
  for (const [name, parts, message] of badIndices) {
    test(`with ${name}, by every call that reads them`, async () => {
      const x = SparseMatrix.from({ ...small(), ...parts })
      const m = model()
      const row = message.includes('row 2') ? 2 : 0
      for (const call of [
        () => m.fit(x, { epochs: 1 }),
        () => m.cost(x),
        () => m.encode(x),
        () => m.reconstructionError(x),
        () => m.fit(SparseMatrix.from(small()), { epochs: 1, validation: x }),
      ]) {
        expectError(await rejection(call()), 'ERR_RANGE', message)
      }
      const one = message.replace(/row \d/, 'row 0')
      expectError(
        thrown(() => m.encodeSync(x.slice(row, row + 1))),
        'ERR_RANGE',
        one,
      )
      expectError(
        thrown(() => m.reconstructionErrorSync(x.slice(row, row + 1))),
        'ERR_RANGE',
        one,
      )
      expectError(
        thrown(() => x.toMatrix()),
        'ERR_RANGE',
        '',
      )
    })
  }

  test('with values that the output cannot reach, naming the first', async () => {
    const m = new SparseAutoencoder({ inputs: 4, hidden: 2 })
    expectError(
      await rejection(m.fit(SparseMatrix.from(small()))),
      'ERR_RANGE',
      'received 2 in row 0, column 3',
    )
  })

  test('of another width, without rows, and as several rows for one', async () => {
    const other = new SparseAutoencoder({ inputs: 5, hidden: 2 })
    expectError(await rejection(other.encode(SparseMatrix.from(small()))), 'ERR_SHAPE', 'expected 5 columns')
    const none = SparseMatrix.from({ indptr: [0], indices: [], values: [], rows: 0, cols: 4 })
    expectError(await rejection(model().encode(none)), 'ERR_SHAPE', 'at least one row')
    expectError(
      thrown(() => model().encodeSync(SparseMatrix.from(small()))),
      'ERR_SHAPE',
      'a SparseMatrix of one row',
    )
  })

  test('by scalers that move zeros, with advice', async () => {
    const dense = Matrix.fromRows(SMALL)
    for (const scaling of [
      await new StandardScaler().fit(dense),
      await new MinMaxScaler({ range: [-1, 1] }).fit(dense),
    ]) {
      const m = new SparseAutoencoder({ inputs: 4, hidden: 2, scaling })
      expectError(await rejection(m.encode(SparseMatrix.from(small()))), 'ERR_ARGUMENT', 'moves zeros')
      expectError(
        thrown(() => m.encodeSync(SparseMatrix.from(small()).slice(0, 1))),
        'ERR_ARGUMENT',
        'moves zeros',
      )
    }
  })

  test('under noise that changes zeros, and by a model that centres, with advice', async () => {
    const x = SparseMatrix.from({ ...small(), values: Float64Array.of(0.1, 0.2, 0.3, 0.4) })
    for (const kind of ['gaussian', 'saltAndPepper'] as const) {
      const m = new SparseAutoencoder({ inputs: 4, hidden: 2, corruption: { kind, amount: 0.1 } })
      expectError(await rejection(m.fit(x)), 'ERR_ARGUMENT', "'masking' for sparse rows")
    }
    const linear = new LinearAutoencoder({ inputs: 4, hidden: 2, center: true })
    expectError(await rejection(linear.fit(x)), 'ERR_ARGUMENT', 'x: expected dense rows')
    expectError(
      await rejection(linear.fit(x.toMatrix(), { validation: x })),
      'ERR_ARGUMENT',
      'validation: expected dense rows',
    )
  })

  test('after a transfer of their memory', async () => {
    const { sparse } = sparseSample(3, 4, 1)
    giveAway(sparse.indices)
    expectError(await rejection(model().encode(sparse)), 'ERR_ARGUMENT', 'transferred away')
    expectError(
      thrown(() => model().encodeSync(sparse.slice(0, 1))),
      'ERR_ARGUMENT',
      'transferred away',
    )
  })
})

test('ten thousand damaged matrices are refused with one of our errors, or read right', async () => {
  const random = seeded(3)
  const whole = (below: number) => Math.floor(random() * below)
  const m = new SparseAutoencoder({ inputs: 9, hidden: 3, precision: 'float64' })
  let [refused, read] = [0, 0]
  for (let round = 0; round < 10_000; round++) {
    const { sparse } = sparseSample(4, 9, 0.4, round)
    const indptr = Array.from(sparse.indptr) as number[]
    const indices = Uint32Array.from(sparse.indices)
    const values = Float64Array.from(sparse.values)
    const set = <A extends { [k: number]: number; length: number }>(array: A, value: number) => {
      array[whole(array.length)] = value
    }
    const damages = [
      () => set(indptr, whole(30)),
      () => set(indices, whole(12)),
      () => set(indices, 2 ** 32 - 1),
      () => set(values, [NaN, Infinity, -Infinity, 0.5][whole(4)]!),
      () => indptr.pop(),
      () => indices.reverse(),
    ]
    for (let k = 0; k <= whole(2); k++) damages[whole(damages.length)]!()
    try {
      const x = SparseMatrix.from({ indptr, indices, values, rows: 4, cols: 9 })
      const codes = await m.encode(x)
      const dense = await m.encode(x.toMatrix())
      for (let k = 0; k < codes.data.length; k++) expect(codes.data[k]).toBeCloseTo(dense.data[k]!, 12)
      read++
    } catch (error) {
      if (!(error instanceof LayerwiseError)) throw error
      expect(['ERR_RANGE', 'ERR_SHAPE']).toContain(error.code)
      refused++
    }
  }
  expect(Math.min(refused, read)).toBeGreaterThan(300)
})

describe('principal components of sparse rows are those of the same dense rows', () => {
  for (const whiten of [false, 'pca', 'zca'] as const) {
    test(`whiten ${whiten}: components, projections, errors and distances`, async () => {
      const { sparse, dense } = sparseSample(90, 12, 0.3)
      const [a, b] = [new Pca({ components: 3, whiten }), new Pca({ components: 3, whiten })]
      await a.fit(sparse)
      await b.fit(dense)
      expect(a.components).toEqual(b.components)
      expect(a.explainedVariance).toEqual(b.explainedVariance)
      const close = (x: ArrayLike<number>, y: ArrayLike<number>) =>
        expect(relativeDistance(x, y)).toBeLessThan(tolerances.float32VsFloat64Gradient.value)
      close((await a.transform(sparse)).data, (await b.transform(dense)).data)
      close(await a.reconstructionError(sparse), await b.reconstructionError(dense))
      close(
        (await a.reconstructionErrorPerFeature(sparse)).data,
        (await b.reconstructionErrorPerFeature(dense)).data,
      )
      close(await a.mahalanobis(sparse), await b.mahalanobis(dense))
      expectError(
        thrown(() => a.transformSync(sparse.slice(0, 1))),
        'ERR_ARGUMENT',
        'moves zeros',
      )
    })
  }

  test('with more columns than are decomposed whole', async () => {
    const { sparse, dense } = sparseSample(40, 2100, 0.02)
    const [a, b] = [new Pca({ components: 2, precision: 'float64' }), new Pca({ components: 2 })]
    await a.fit(sparse)
    await b.fit(dense)
    expect(a.components).toEqual(b.components)
    expect((await a.transform(sparse)).rows).toBe(40)
  })
})

describe('scalers of sparse rows', () => {
  test('find what they find of the same dense rows', async () => {
    const { sparse, dense } = sparseSample(200, 9, 0.3)
    const kinds = [
      () => new StandardScaler(),
      () => new StandardScaler({ center: false }),
      () => new MinMaxScaler(),
    ]
    for (const make of kinds) {
      const [a, b] = [await make().fit(sparse), await make().fit(dense)]
      expect(relativeDistance(a.factor, b.factor)).toBeLessThan(tolerances.scalerRoundTrip.value)
      expect(relativeDistance(a.shift, b.shift)).toBeLessThan(tolerances.scalerRoundTrip.value)
    }
  })

  test('weigh rows as they weigh the same dense rows', async () => {
    const { sparse, dense } = sparseSample(200, 9, 0.3)
    const rowWeights = Float64Array.from({ length: 200 }, (_, i) => i % 3)
    for (const make of [() => new StandardScaler(), () => new MinMaxScaler()]) {
      const [a, b] = [await make().fit(sparse, { rowWeights }), await make().fit(dense, { rowWeights })]
      expect(relativeDistance(a.factor, b.factor)).toBeLessThan(tolerances.scalerRoundTrip.value)
      expect(relativeDistance(a.shift, b.shift)).toBeLessThan(tolerances.scalerRoundTrip.value)
    }
  })

  test('that do not centre give columns of variance 1, are saved, and are taken by models', async () => {
    const { sparse, dense } = sparseSample(200, 9, 0.3)
    const scaling = await new StandardScaler({ center: false }).fit(sparse)
    expect(scaling.shift).toEqual(new Float64Array(9))
    const again = await new StandardScaler().fit(await scaling.transform(dense))
    for (const factor of again.factor) expect(factor).toBeCloseTo(1, 10)
    expect(StandardScaler.fromJSON(JSON.parse(JSON.stringify(scaling)))).toMatchObject({ center: false })
    const m = new SparseAutoencoder({
      inputs: 9,
      hidden: 3,
      outputActivation: 'identity',
      scaling,
      precision: 'float64',
    })
    const [codes, expected] = [await m.encode(sparse), await m.encode(dense)]
    expect(relativeDistance(codes.data, expected.data)).toBeLessThan(tolerances.float64VsOracleGradient.value)
    const loaded = await SparseAutoencoder.fromBytes(await m.toBytes())
    expect((loaded.scaling as StandardScaler).center).toBe(false)
    expect(await loaded.encode(sparse)).toEqual(codes)
  })

  test('refuse bad indices and no rows', async () => {
    for (const [, parts, message] of badIndices) {
      const x = SparseMatrix.from({ ...small(), ...parts })
      expectError(await rejection(new MinMaxScaler().fit(x)), 'ERR_RANGE', message)
    }
    const none = SparseMatrix.from({ indptr: [0], indices: [], values: [], rows: 0, cols: 4 })
    expectError(await rejection(new StandardScaler().fit(none)), 'ERR_SHAPE', 'at least one row')
  })
})

describe('a sparse matrix whose row starts were transferred away', () => {
  const transferred = () => {
    const x = SparseMatrix.from({ indptr: [0, 1, 2], indices: [0, 1], values: [1, 2], rows: 2, cols: 2 })
    giveAway(x.indptr)
    return x
  }

  test('is refused by slice and toMatrix', () => {
    expect(() => transferred().slice(0, 1)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }))
    expect(() => transferred().toMatrix()).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }))
  })

  test('is refused by the fit of a scaler', async () => {
    await expect(new StandardScaler({ center: false }).fit(transferred())).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    })
  })
})

test('encode refuses an out that lies over the values of its sparse rows', async () => {
  const values = new Float32Array([1, 2, 3, 4])
  const x = SparseMatrix.from({ indptr: [0, 2, 4], indices: [0, 1, 0, 1], values, rows: 2, cols: 2 })
  const model = new SparseAutoencoder({ inputs: 2, hidden: 2 })
  await expect(model.encode(x, { out: values })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' })
})
