import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import {
  encodePng,
  LayerwiseError,
  LinearAutoencoder,
  Matrix,
  MinMaxScaler,
  Pca,
  plot,
  preparePatches,
  principalAngles,
  type Row,
  type Rows,
  readNpy,
  rocAuc,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StandardScaler,
  samplePatches,
  scalerFromJSON,
  scatterPlot,
  writeNpy,
} from '../lib/index.js'
import { giveAway } from './give-away.js'
import { expectError, thrown } from './refusal.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const [inputs, rows] = [4, 10]
const numbers = Float32Array.from(sampleRows(rows, inputs).data)
const model = new SparseAutoencoder({ inputs, hidden: 3, outputActivation: 'identity' })
const classifier = new SoftmaxClassifier({ inputs, classes: 3 })
const labels = Uint8Array.from({ length: rows }, (_, i) => i % 3)
const { length: parameters } = model.parameters()

/** Subclasses of Float32Array, as in libraries, whose overridden members do not agree with their contents. */
const subclasses: Record<string, new (data: Float32Array) => Float32Array> = {
  'with a length of its own': class extends Float32Array {
    override get length() {
      return 2
    }
  } as never,
  'with an iterator of its own': class extends Float32Array {
    override *[Symbol.iterator](): ReturnType<Float32Array[typeof Symbol.iterator]> {
      yield 7
    }
  },
  'whose species is no typed array': class extends Float32Array {
    static get [Symbol.species]() {
      return Array
    }
  } as never,
  'whose species is of another type': class extends Float32Array {
    static get [Symbol.species]() {
      return Uint8Array
    }
  } as never,
  'with a subarray of its own': class extends Float32Array {
    override subarray(): never {
      throw new Error('subarray')
    }
  },
  'with a buffer of its own': class extends Float32Array {
    override get buffer() {
      return new ArrayBuffer(8)
    }
    override get byteLength() {
      return 8
    }
  } as never,
}

/** Everything that reads a typed array of a caller's, given one of 40 numbers, as plain numbers. */
const readers: Record<string, (data: Float32Array) => unknown> = {
  'Matrix.toArray': (data) => Matrix.from(data, rows, inputs).toArray(),
  'Matrix.slice': (data) => Matrix.from(data, rows, inputs).slice(2, 5).toArray(),
  'Matrix.at': (data) => Matrix.from(data, rows, inputs).at(3, 2),
  'Matrix.select': (data) => Matrix.from(data, rows, inputs).select([4, 1]).toArray(),
  'Matrix.split': (data) => Matrix.from(data, rows, inputs).split(0.3)[0].toArray(),
  'Matrix.fromRows': (data) => Matrix.fromRows([data, data]).toArray(),
  fit: async (data) => {
    const fresh = new SparseAutoencoder({ inputs, hidden: 3, outputActivation: 'identity' })
    await fresh.fit(data, { epochs: 2, batchSize: 4, validation: data })
    return fresh.parameters()
  },
  'fit of a stack': async (data) => {
    const fresh = new StackedAutoencoder({ inputs, layers: [{ hidden: 3 }] })
    await fresh.fit(data, { epochs: 2, batchSize: 4 })
    return fresh.parameters()
  },
  encode: async (data) => (await model.encode(data)).toArray(),
  'encode of typed rows': async (data) => {
    const kind = data.constructor as typeof Float32Array
    const list = Array.from({ length: rows }, (_, i) => new kind(numbers.slice(i * inputs, (i + 1) * inputs)))
    return (await model.encode(list)).toArray()
  },
  'encode into an array': async (data) => {
    const out = new (data.constructor as typeof Float32Array)(new Float32Array(3 * rows))
    await model.encode(numbers, { out })
    return Float32Array.prototype.map.call(new Float32Array(plainBuffer(out)), (value) => value)
  },
  'scaler.fit of typed rows': async (data) => {
    const kind = data.constructor as typeof Float32Array
    return (await new StandardScaler().fit([new kind(numbers), new kind(numbers.map(Math.sqrt))])).toJSON()
  },
  'encode of a Matrix': async (data) => (await model.encode(Matrix.from(data, rows, inputs))).toArray(),
  encodeSync: (data) =>
    model.encodeSync(new (data.constructor as typeof Float32Array)(numbers.slice(0, inputs))),
  'encodeSync into an array': (data) => {
    const out = new (data.constructor as typeof Float32Array)(new Float32Array(3))
    expect(model.encodeSync(numbers.slice(0, inputs), out)).toBe(out)
    return Float32Array.prototype.map.call(new Float32Array(plainBuffer(out)), (value) => value)
  },
  cost: async (data) => (await model.cost(data)).total,
  'cost at given parameters': async (data) => {
    const theta = new (data.constructor as typeof Float32Array)(
      Float32Array.from({ length: parameters }, (_, i) => i / 50),
    )
    return (await model.cost(numbers, { parameters: theta })).total
  },
  setParameters: (data) => {
    const fresh = new SparseAutoencoder({ inputs, hidden: 3 })
    const theta = new (data.constructor as typeof Float32Array)(
      Float32Array.from({ length: parameters }, (_, i) => i / 50),
    )
    fresh.setParameters(theta)
    return fresh.parameters()
  },
  'predict and score': async (data) => [await classifier.predict(data), await classifier.score(data, labels)],
  StandardScaler: async (data) => {
    const matrix = Matrix.from(data, rows, inputs)
    const scaler = await new StandardScaler().fit(matrix)
    return [scaler.toJSON(), (await scaler.transform(data)).toArray()]
  },
  MinMaxScaler: async (data) => (await new MinMaxScaler().fit(Matrix.from(data, rows, inputs))).toJSON(),
  Pca: async (data) => {
    const pca = await new Pca().fit(Matrix.from(data, rows, inputs))
    return [pca.explainedVariance, (await pca.transform(data)).toArray()]
  },
  principalAngles: (data) => principalAngles(Matrix.from(data, 2, 20), [new Array(20).fill(1)]),
  samplePatches: async (data) =>
    (await samplePatches(Matrix.from(data, rows, inputs), { size: 2, count: 5, imageWidth: 2 })).toArray(),
  preparePatches: async (data) => (await preparePatches(Matrix.from(data, rows, inputs))).toArray(),
  scatterPlot: (data) => scatterPlot(Matrix.from(data, 20, 2), new Array(20).fill(1)),
  writeNpy: async (data) => {
    const path = join(folder, 'hostile.npy')
    await writeNpy(path, Matrix.from(data, rows, inputs))
    return (await readNpy(path)).toArray()
  },
}

function plainBuffer(array: Float32Array): ArrayBuffer {
  const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Float32Array.prototype), 'buffer')!
  return get!.call(array) as ArrayBuffer
}

describe.each(Object.entries(subclasses))('a typed array %s', (_, Subclass) => {
  test.each(Object.entries(readers))('is read by its contents in %s', async (_, read) => {
    const expected = await read(new Float32Array(numbers))
    expect(await read(new Subclass(numbers))).toEqual(expected)
  })
})

test('a Buffer is read like any other bytes', async () => {
  const bytes = Uint8Array.from(numbers, (value) => 255 * value)
  const [plain, buffer] = [Matrix.from(bytes, rows, inputs), Matrix.from(Buffer.from(bytes), rows, inputs)]
  expect(buffer.toArray()).toEqual(plain.toArray())
  expect((await model.encode(Buffer.from(bytes))).data).toEqual((await model.encode(bytes)).data)
  const image = { width: 4, height: 10, channels: 1 } as const
  expect(await encodePng({ ...image, data: Buffer.from(bytes) })).toEqual(
    await encodePng({ ...image, data: bytes }),
  )
  await model.save(join(folder, 'bytes.safetensors'))
  const file = readFileSync(join(folder, 'bytes.safetensors'))
  expect((await SparseAutoencoder.fromBytes(file)).parameters()).toEqual(model.parameters())
})

test('a species defined on Float32Array itself has no effect', async () => {
  const matrix = Matrix.from(new Float32Array(numbers), rows, inputs)
  const expected = [matrix.slice(1, 3).toArray(), matrix.select([2]).toArray()]
  const own = Object.getOwnPropertyDescriptor(Float32Array, Symbol.species)
  Object.defineProperty(Float32Array, Symbol.species, { value: Array, configurable: true })
  try {
    expect([matrix.slice(1, 3).toArray(), matrix.select([2]).toArray()]).toEqual(expected)
  } finally {
    if (own) Object.defineProperty(Float32Array, Symbol.species, own)
    else Reflect.deleteProperty(Float32Array, Symbol.species)
  }
})

/** Methods that take one row on the calling thread. */
const synchronous: Record<string, (row: Row) => unknown> = {
  encodeSync: (row) => model.encodeSync(row),
  'encodeSync into an array': (row) => model.encodeSync(row, new Float32Array(3)),
  reconstructionErrorSync: (row) => model.reconstructionErrorSync(row),
  predictSync: (row) => classifier.predictSync(row),
  predictProbabilitiesSync: (row) => classifier.predictProbabilitiesSync(row),
}

describe.each(Object.entries(synchronous))('%s', (_, method) => {
  const row = [0.1, 0.2, 0.3, 0.4]

  test('returns the result of its own row if a getter of that row calls it for another', () => {
    const expected = method(row)
    let inner: unknown
    const tricky = [...row]
    Object.defineProperty(tricky, 2, {
      get() {
        inner ??= method([9, 8, 7, 6])
        return 0.3
      },
    })
    expect(method(tricky)).toEqual(expected)
    expect(inner).toEqual(method([9, 8, 7, 6]))
    expect(method(row)).toEqual(expected)
  })

  test('refuses a row that becomes shorter while it is read', () => {
    const shrinking = [...row]
    Object.defineProperty(shrinking, 1, {
      get() {
        shrinking.length = 2
        return 0.2
      },
    })
    expectError(
      thrown(() => method(shrinking)),
      'ERR_ARGUMENT',
      'column 2',
    )
  })
})

test('an array of rows that changes its length while it is copied gives the original rows, or is refused', () => {
  const list = sampleRows(3, 2).toArray() as (readonly number[])[]
  const expected = Matrix.fromRows(list).toArray()
  const [first, second, third] = list
  for (const length of [1, 5]) {
    const changing = [first!, second!, third!]
    Object.defineProperty(changing, 1, {
      get() {
        changing.length = length
        return second
      },
    })
    if (length === 5) expect(Matrix.fromRows(changing).toArray()).toEqual(expected)
    else
      expectError(
        thrown(() => Matrix.fromRows(changing)),
        'ERR_ARGUMENT',
        'rows[2]',
      )
  }
})

/** Every call that reads an array where it lies, as a function of it. */
const doors: Record<string, (data: Float32Array) => unknown> = {
  'Matrix.from': async (data) => Matrix.from(data, rows, inputs),
  fit: (data) => model.fit(data),
  encode: (data) => model.encode(data),
  'encode into an array': (data) => model.encode(numbers, { out: data }),
  encodeSync: async (data) => model.encodeSync(data),
  'encodeSync into an array': async (data) => model.encodeSync(numbers.slice(0, inputs), data),
  cost: (data) => model.cost(data),
  'scaler.transform': async (data) =>
    (
      await new StandardScaler().fit([
        [1, 2, 3, 4],
        [2, 3, 4, 6],
      ])
    ).transform(data),
}

/** Lists that are read whole where they are well-formed, given one of four billion holes. */
const lists: Record<string, (holes: never) => unknown> = {
  'rows of Matrix.fromRows': (holes) => Matrix.fromRows(holes),
  'indices of Matrix.select': (holes) => Matrix.from(new Float32Array(6), 3, 2).select(holes),
  'classes of a classifier': (classes) => new SoftmaxClassifier({ inputs, classes }),
  'classWeights of a classifier': (classWeights) =>
    new SoftmaxClassifier({ inputs, classes: 3, classWeights }),
  'sparsity.target of a LinearAutoencoder': (target) =>
    new LinearAutoencoder({ inputs, hidden: 2, sparsity: { kind: 'l2', target, weight: 1 } }),
  'layers of a stack': (layers) => new StackedAutoencoder({ inputs, layers }),
  'range of a MinMaxScaler': (range) => new MinMaxScaler({ range }),
  'numbers of a scaler in JSON': (shift) => scalerFromJSON({ kind: 'standard', shift, factor: shift }),
  'labels of a scatterPlot': (holes) => scatterPlot(Matrix.from(new Float32Array(6), 3, 2), holes),
  'series of a plot': (series) => plot(series),
  'points of a plot': (points) => plot([{ label: 'a', points }]),
  'scores of rocAuc': (holes) => rocAuc(holes, holes),
  'a row of encodeSync': (row) => model.encodeSync(row),
  'a value of metadata': (a) => new Pca({ metadata: { a } }),
}

test.each(Object.entries(lists))('%s as an array of billions of holes is refused at once', (_, read) => {
  const error = thrown(() => read(new Array(4e9) as never)) as LayerwiseError
  expect(error).toBeInstanceOf(LayerwiseError)
  expect(['ERR_ARGUMENT', 'ERR_SHAPE', 'ERR_FORMAT', 'ERR_MEMORY']).toContain(error.code)
})

test('a hole among the numbers of a scaler in JSON is refused', () => {
  const json = { kind: 'standard', shift: Object.assign(new Array(3), { 0: 0, 2: 1 }), factor: [1, 1, 1] }
  expectError(
    thrown(() => scalerFromJSON(json)),
    'ERR_FORMAT',
    'shift is not an array of finite numbers',
  )
})

describe('memory of another realm', () => {
  const realm = createContext({})
  const shared = runInContext('new Float32Array(new SharedArrayBuffer(160))', realm) as Float32Array
  const resizable = runInContext(
    'new Float32Array(new ArrayBuffer(160, { maxByteLength: 320 }))',
    realm,
  ) as Float32Array

  test.each(Object.entries(doors))('is refused by %s if it is shared or resizable', async (_, door) => {
    expectError(await rejection(door(shared) as Promise<unknown>), 'ERR_ARGUMENT', 'SharedArrayBuffer')
    expectError(await rejection(door(resizable) as Promise<unknown>), 'ERR_ARGUMENT', 'resizable ArrayBuffer')
  })
})

describe('memory that is transferred away while a promise is pending', () => {
  const transfer = (data: Rows) => {
    giveAway(data instanceof Matrix ? data.data : (data as Float32Array))
  }
  /** Methods of models, each with the rows it reads. */
  const methods: Record<string, (x: Float32Array, labels: Uint8Array) => Promise<unknown>> = {
    encode: async (x) => (await model.encode(x)).data,
    reconstruct: async (x) => (await model.reconstruct(x)).data,
    reconstructionError: (x) => model.reconstructionError(x),
    cost: (x) => model.cost(x),
    predict: (x) => classifier.predict(x),
    predictProbabilities: async (x) => (await classifier.predictProbabilities(x)).data,
    score: (x, given) => classifier.score(x, given),
    'Pca.fit': async (x) =>
      (await new Pca({ components: 2 }).fit(Matrix.from(x, x.length / inputs, inputs))).mean,
  }
  const many = (count: number) =>
    Float32Array.from({ length: count * inputs }, (_, i) => numbers[i % numbers.length]!)
  const classes = (count: number) => Uint8Array.from({ length: count }, (_, i) => i % 3)

  test.each(Object.entries(methods))('has no effect on %s of up to 1 MiB', async (_, method) => {
    const count = 2 ** 20 / 4 / inputs
    const expected = await method(many(count), classes(count))
    const x = many(count)
    const answer = method(x, classes(count))
    transfer(x)
    expect(await answer).toEqual(expected)
  })

  test.each(Object.entries(methods))('is noticed by %s of more than 1 MiB', async (_, method) => {
    const count = 2 ** 20 / 4 / inputs + 1
    const x = many(count)
    const answer = method(x, classes(count))
    transfer(x)
    expectError(await rejection(answer), 'ERR_STATE', 'x: ')
  })

  const square = 2 ** 9
  /** Work on the JavaScript thread, in slices. */
  const sliced: Record<string, (x: Matrix) => Promise<unknown>> = {
    'StandardScaler.fit': (x) => new StandardScaler().fit(x),
    'MinMaxScaler.fit': (x) => new MinMaxScaler().fit(x),
    'scaler.transform': async (x) =>
      StandardScaler.fromJSON({
        kind: 'standard',
        shift: new Array(square).fill(0),
        factor: new Array(square).fill(1),
      }).transform(x),
    'scaler.inverseTransform': async (x) =>
      StandardScaler.fromJSON({
        kind: 'standard',
        shift: new Array(square).fill(0),
        factor: new Array(square).fill(1),
      }).inverseTransform(x),
    preparePatches: (x) => preparePatches(x as Matrix<Float32Array>),
    samplePatches: (x) => samplePatches(x, { size: 16, count: 2000, imageWidth: 32 }),
    principalAngles: (x) => principalAngles(x, x),
  }
  test.each(Object.entries(sliced))('is a LayerwiseError in %s', async (_, work) => {
    const x = Matrix.from(new Float32Array(square * square).fill(0.5), square, square)
    const pending = work(x)
    transfer(x)
    expectError(await rejection(pending), 'ERR_STATE', 'transferred')
  })

  test.each(Object.entries({ ...sliced }))('before the call is a LayerwiseError in %s', async (_, work) => {
    const x = Matrix.from(new Float32Array(square * square).fill(0.5), square, square)
    transfer(x)
    expectError(await rejection(work(x)), 'ERR_ARGUMENT', 'transferred away')
  })
})
