import { describe, expect, test } from 'vitest'
import {
  configure,
  confusionPlot,
  excitingInputs,
  featureImage,
  LayerwiseError,
  LinearAutoencoder,
  learningCurve,
  linearOptimum,
  loadModel,
  Matrix,
  MinMaxScaler,
  Pca,
  plot,
  preparePatches,
  principalAngles,
  principalAxes,
  readIdx,
  readNpy,
  reconstructionImage,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
  StandardScaler,
  samplePatches,
  scatterPlot,
  writeNpy,
  writePng,
} from '../lib/index.js'
import { sampleRows } from './sample.js'

const inputs = 3
const x = sampleRows(10, inputs)
const labels = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
const bigints = new BigInt64Array(inputs)

const autoencoder = () => new SparseAutoencoder({ inputs, hidden: 2 })
const stack = () => new StackedAutoencoder({ inputs, layers: [{ hidden: 3 }, { hidden: 2 }] })
const softmax = () => new SoftmaxClassifier({ inputs, classes: 2 })
const named = () => new SoftmaxClassifier({ inputs, classes: ['cat', 'dog'] })
const classifier = () => new StackedClassifier({ inputs, layers: [{ hidden: 2 }], classes: 2 })

async function refusal(call: () => unknown): Promise<LayerwiseError> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(LayerwiseError)
    return error as LayerwiseError
  }
  throw new Error('nothing was refused')
}

interface Case {
  readonly title: string
  readonly call: () => unknown
  readonly says: readonly string[]
}

type Line = readonly [title: string, call: () => unknown, ...says: string[]]

function table(lines: readonly Line[]): void {
  const cases = lines.map(([title, call, ...says]): Case => ({ title, call, says }))
  test.each(cases)('$title', async ({ call, says }) => {
    const { message } = await refusal(call)
    for (const part of says) expect(message).toContain(part)
  })
}

describe('the message about training labels of one class after a hold-out', () => {
  /** Only the first row is of another class, and a seed holds it out. */
  const rare = labels.map((_, i) => (i === 0 ? 1 : 0))
  const seeds = Array.from({ length: 40 }, (_, seed) => seed)
  const holding = async (model: (seed: number) => { fit: SoftmaxClassifier['fit'] }, given: unknown[]) => {
    for (const seed of seeds) {
      const refused = await model(seed)
        .fit(x, given as number[], { validation: 0.2, epochs: 1 })
        .then(() => undefined)
        .catch((error: unknown) => error as LayerwiseError)
      if (refused !== undefined) return refused
    }
    throw new Error('no seed holds the first row out')
  }
  const models = {
    softmax: (seed: number) => new SoftmaxClassifier({ inputs, classes: 2, seed }),
    stacked: (seed: number) =>
      new StackedClassifier({ inputs, layers: [{ hidden: 2 }], classes: 2, seed }) as never,
  }

  test.each(Object.entries(models))('%s', async (_, model) => {
    const { message, code, details } = await holding(model, rare)
    expect(code).toBe('ERR_RANGE')
    expect(message).toContain('received class 0 in all 8 held-in rows')
    expect(message).toContain('among the 2 that validation held out')
    expect(message).not.toContain('every row')
    expect(details).toMatchObject({ argument: 'labels', received: 0 })
  })

  test('by name, if classes have names', async () => {
    const model = (seed: number) => new SoftmaxClassifier({ inputs, classes: ['cat', 'dog'], seed })
    const error = await holding(
      model as never,
      rare.map((k) => ['cat', 'dog'][k]),
    )
    expect(error.message).toContain("class 'cat' in all 8 held-in rows")
  })

  test('and for labels that are all of one class', async () => {
    const same = labels.map(() => 'dog')
    for (const validation of [undefined, 0.2]) {
      const { message } = await refusal(() => named().fit(x, same, { validation }))
      expect(message).toContain("received class 'dog' in every row")
    }
  })
})

describe('what is expected is listed', () => {
  const refused: [string, () => unknown, string][] = [
    [
      'options, for a number',
      () => new SparseAutoencoder({ inputs, hidden: 2, sparsity: 0.1 as never }),
      'sparsity: expected an object of options (kind, target, weight, average), received 0.1 (number)',
    ],
    [
      'names of classes, for another name',
      () => new SoftmaxClassifier({ inputs: 3, classes: ['a', 'b', 'c', 'd'] }).fit(x, Array(10).fill('e')),
      "labels: expected the name of a class ('a', 'b', 'c', …), received 'e' in row 0",
    ],
  ]
  test.each(refused)('%s', async (_, call, message) => {
    expect((await refusal(call)).message).toBe(message)
  })
})

describe('a message about a wrong size has numbers and words, without quotes', () => {
  const refused: [string, () => unknown, string][] = [
    ['labels', () => softmax().fit(x, [0, 1]), 'expected 10 labels, one a row, received 2 labels'],
    ['a row', () => autoencoder().encodeSync(x), 'expected a Matrix of one row, received 10 rows'],
    [
      'that it is one row',
      () => autoencoder().encodeSync([[1, 2, 3]] as never),
      'row: expected one row of 3 numbers (of several rows, the method without Sync), received an array of 1',
    ],
    ['its width', () => autoencoder().encodeSync([1, 2]), 'expected 3 numbers, received 2 numbers'],
  ]
  test.each(refused)('%s', async (_, call, message) => {
    expect((await refusal(call)).message).toContain(message)
  })
})

describe('with L-BFGS an option of other optimizers is refused with its replacement', () => {
  const optimizer = { kind: 'lbfgs' }
  const options: [string, unknown, string][] = [
    ['epochs', 5, 'optimizer.maxIterations'],
    ['batchSize', 5, 'sees all rows'],
    ['batchSize', 'all', 'sees all rows'],
    ['learningRate', 0.1, 'line search'],
    ['shuffle', false, 'sees all rows'],
    ['clipNorm', 1, 'line search'],
  ]
  const trainings: [string, (options: never) => Promise<unknown>][] = [
    ['SparseAutoencoder', (o) => autoencoder().fit(x, o)],
    ['LinearAutoencoder', (o) => new LinearAutoencoder({ inputs, hidden: 2 }).fit(x, o)],
    ['StackedAutoencoder', (o) => stack().fit(x, o)],
    ['a layer of one', (o) => stack().fit(x, { layers: [o] })],
    ['fineTune', (o) => stack().fineTune(x, o)],
    ['SoftmaxClassifier', (o) => softmax().fit(x, labels, o)],
    ['StackedClassifier', (o) => classifier().fineTune(x, labels, o)],
  ]
  table(
    trainings.flatMap(([model, train]) =>
      options.map(
        ([name, value, instead]): Line => [
          `${model}: ${name} ${value}`,
          () => train({ optimizer, [name]: value } as never),
          `${name}: expected nothing, since lbfgs has no ${name}: `,
          instead,
        ],
      ),
    ),
  )
})

describe('numbers that the outputs cannot reach are refused with what reaches them', () => {
  const signed = x.toArray().map((row) => row.map((value) => value - 0.5))
  const scaler = async () => new StandardScaler().fit(signed)
  table([
    [
      'embeddings',
      () => autoencoder().fit(signed),
      "outputActivation 'identity'",
      'or a Pca',
      'MinMaxScaler',
    ],
    [
      'standardised columns',
      async () => new SparseAutoencoder({ inputs, hidden: 2, scaling: await scaler() }).fit(signed),
      "outputActivation 'identity'",
      'MinMaxScaler',
    ],
  ])
})

describe('BigInts are refused with how to convert them', () => {
  const convert = 'BigInts are not read, Float64Array.from(values, Number) converts them'
  table([
    ['rows', () => autoencoder().encode(bigints as never), convert],
    ['a row', () => autoencoder().encodeSync(bigints as never), convert],
    ['a number of a row', () => autoencoder().encodeSync([1, 2n, 3] as never), 'column 1', 'Number(value)'],
    [
      'a number of rows',
      () => autoencoder().encode([[1, 2n, 3]] as never),
      'row 0, column 1',
      'Number(value)',
    ],
    ['a Matrix', () => Matrix.from(bigints as never, 1, 3), convert],
    ['parameters', () => autoencoder().setParameters(bigints as never), convert],
    [
      'an option',
      () => new SparseAutoencoder({ inputs: 3n, hidden: 2 } as never),
      'received 3n',
      'Number(value)',
    ],
  ])
})

describe('a promise is refused with the advice to await it', () => {
  const waiting = ', to be awaited first'
  const fitted = () => new StandardScaler().fit(x)
  table([
    ['rows', () => autoencoder().fit(Promise.resolve(x) as never), 'x: ', waiting],
    ['labels', () => softmax().fit(x, Promise.resolve(labels) as never), 'labels: ', waiting],
    ['codes', () => autoencoder().decode(Promise.resolve(x) as never), 'codes: ', waiting],
    ['a scaler', () => new SparseAutoencoder({ inputs, hidden: 2, scaling: fitted() as never }), waiting],
    ['a model', () => featureImage(Promise.resolve(autoencoder()) as never, { width: 3 }), waiting],
    ['a history', () => learningCurve(autoencoder().fit(x, { epochs: 1 }) as never), waiting],
  ])
})

describe('rows that are nearly right are refused with the correction', () => {
  table([
    [
      'a flat array',
      () => autoencoder().encode([1, 2, 3] as never),
      'x[0]: expected a row',
      'one row alone is [row]',
    ],
    [
      '16 bits of an unknown type',
      () => autoencoder().encode(new Uint16Array(3) as never),
      'x: expected an array that says what its numbers are',
      "Matrix.from(data, rows, cols, { type: 'uint16' | 'float16' | 'bfloat16' })",
    ],
    [
      'rows of 16 bits of an unknown type',
      () => autoencoder().encode([[1, 2, 3], new Uint16Array(3)] as never),
      'x[1]: expected',
    ],
    [
      'a flat array, as a Matrix',
      () => Matrix.from([1, 2, 3] as never, 1, 3),
      'a typed array of integers or floats of 8 to 64 bits',
      'Float64Array.from',
    ],
    [
      'clamped bytes',
      () => autoencoder().encode(new Uint8ClampedArray(3) as never),
      'a typed array of integers or floats of 8 to 64 bits',
      'Uint8Array.from',
    ],
    [
      'a flat typed array',
      () => autoencoder().encode(new Float32Array(4)),
      'rows of 3 numbers',
      'received 4',
    ],
    [
      'what has no numbers',
      () => autoencoder().encodeSync({ a: 1 } as never),
      'a Matrix of one row',
      '{ a }',
    ],
    [
      'a missing number',
      () => autoencoder().encode([[1, null, 3]] as never),
      'row 0, column 1, received null',
    ],
    [
      'validation without labels',
      () => softmax().fit(x, labels, { validation: x as never }),
      '{ x, labels }',
    ],
    [
      'a fraction of 0',
      () => autoencoder().fit(x, { validation: 0 }),
      'validation: expected rows, or the fraction of x',
    ],
    ['a fraction of 1', () => softmax().fit(x, labels, { validation: 1 }), 'above 0 and below 1'],
    [
      'options for labels',
      () => softmax().fit(x, { epochs: 5 } as never),
      'labels: ',
      'received an object { epochs }',
    ],
  ])
})

test('a message says if the output activation is a default', async () => {
  const layers = [{ hidden: 3, activation: 'relu' }, { hidden: 2 }] as const
  const { message } = await refusal(() => new StackedAutoencoder({ inputs, layers }))
  expect(message).toContain(
    'layers[1].outputActivation: expected an activation that reaches what it reconstructs',
  )
  expect(message).toContain("received 'sigmoid', its default since activation is that")
  const given = [layers[0], { hidden: 2, outputActivation: 'sigmoid' }] as const
  const explicit = await refusal(() => new StackedAutoencoder({ inputs, layers: given }))
  expect(explicit.message).toMatch(/received 'sigmoid'$/)
})

describe('details.received is short and plain, so that a log never contains a whole row', () => {
  const secret = 4.123456789
  const long = Array.from({ length: 5000 }, () => secret)
  const circular: Record<string, unknown> = { name: 'x'.repeat(5000) }
  circular.self = circular
  const throwing = Object.defineProperty({}, 'constructor', {
    get: () => {
      throw new Error('not to be asked')
    },
  })
  const values: [string, unknown][] = [
    ['a long array', long],
    ['an array of long arrays', [long, long]],
    ['an array of long texts', ['y'.repeat(5000), 'y'.repeat(5000)]],
    ['a typed array', Int16Array.from({ length: 5000 }, () => 4123)],
    ['a Matrix', Matrix.from(new Float64Array(5000).fill(secret), 5000, 1)],
    ['a long text', 'z'.repeat(5000)],
    ['a long BigInt', 7n ** 3000n],
    ['an object of many keys', Object.fromEntries(long.map((value, i) => [`key${i}`.repeat(20), value]))],
    ['an object that holds itself', circular],
    ['an object that throws', throwing],
    [
      'a proxy',
      new Proxy([1], { get: (_, key) => (key === 'length' || key === 'constructor' ? long : undefined) }),
    ],
    ['a function', () => long],
    ['a symbol', Symbol('s'.repeat(5000))],
    ['a Map', new Map([['key', long]])],
    ['a Promise', Promise.resolve(long)],
    [
      'an object of a class with a long name',
      new { [`C${'c'.repeat(5000)}`]: class {} }[`C${'c'.repeat(5000)}`]!(),
    ],
  ]
  type Any = never
  const calls: [string, (value: Any) => unknown][] = [
    ['options', (v) => new SparseAutoencoder(v)],
    ['inputs', (v) => new SparseAutoencoder({ inputs: v, hidden: 2 })],
    ['activation', (v) => new SparseAutoencoder({ inputs, hidden: 2, activation: v })],
    ['sparsity.kind', (v) => new SparseAutoencoder({ inputs, hidden: 2, sparsity: { kind: v } as never })],
    [
      'sparsity.target',
      (v) => new SparseAutoencoder({ inputs, hidden: 2, sparsity: { kind: 'kl', target: v, weight: 1 } }),
    ],
    ['scaling', (v) => new SparseAutoencoder({ inputs, hidden: 2, scaling: v })],
    ['layers', (v) => new StackedAutoencoder({ inputs, layers: [v] })],
    ['classes', (v) => new SoftmaxClassifier({ inputs, classes: [v, 'b'] })],
    ['classWeights', (v) => new SoftmaxClassifier({ inputs, classes: 2, classWeights: [v, 1] })],
    ['whiten', (v) => new Pca({ whiten: v })],
    ['x', (v) => autoencoder().fit([v, v])],
    ['a number of x', (v) => autoencoder().encode([[1, v, 3]])],
    ['row', (v) => autoencoder().encodeSync([1, v, 3])],
    ['out', (v) => autoencoder().encodeSync([1, 2, 3], v)],
    ['codes', (v) => autoencoder().decode([v])],
    ['epochs', (v) => autoencoder().fit(x, { epochs: v })],
    ['optimizer', (v) => autoencoder().fit(x, { optimizer: v })],
    ['learningRate', (v) => autoencoder().fit(x, { learningRate: { kind: v } as never })],
    ['signal', (v) => autoencoder().encode(x, { signal: v })],
    ['parameters', (v) => autoencoder().cost(x, { parameters: v })],
    ['theta', (v) => autoencoder().setParameters(v)],
    ['labels', (v) => softmax().fit(x, [v, 0, 0, 0, 0, 0, 0, 0, 0, 0] as never)],
    ['labels by name', (v) => named().score(x, [v, 'cat'] as never)],
    ['Matrix.from', (v) => Matrix.from(v, 7, 3)],
    ['a scaler', (v) => new MinMaxScaler({ range: v })],
    ['rows of a scaler', (v) => new StandardScaler().fit([[v]])],
    ['metadata', (v) => new SparseAutoencoder({ inputs, hidden: 2, metadata: { v } })],
    [
      'a name in metadata',
      (v) => new SparseAutoencoder({ inputs, hidden: 2, metadata: { ['n'.repeat(5000)]: v } }),
    ],
    ['an unknown option', (v) => new Pca({ ['n'.repeat(5000)]: v })],
    ['a path', (v) => loadModel([v] as never)],
    ['a path to read', (v) => readNpy([v] as never)],
    ['threads', (v) => configure({ threads: v })],
    ['layers of a model', (v) => principalAxes({ layers: [v] })],
    ['unit', (v) => excitingInputs(autoencoder(), { layer: 1, units: [v] })],
    ['images', (v) => samplePatches([v], { size: 1, count: 1 })],
    ['patches', (v) => preparePatches([v] as never)],
    ['a basis', (v) => principalAngles(x, [v] as never)],
    ['variances', (v) => linearOptimum([v], { hidden: 1 })],
    ['reconstructions', (v) => reconstructionImage(x, [v], { width: 3 })],
    ['series', (v) => plot([{ label: 'a', points: [v] }])],
    ['labels of a plot', (v) => scatterPlot(sampleRows(1, 2), [v])],
    ['confusion', (v) => confusionPlot({ confusion: [[v]] })],
    ['image', (v) => writePng('never.png', [v] as never)],
    ['matrix', (v) => writeNpy('never.npy', [v] as never)],
    ['idx', (v) => readIdx([v] as never)],
  ]

  test.each(calls)('%s', async (_, call) => {
    for (const [title, value] of values) {
      const refused = await Promise.resolve()
        .then(() => call(value as never))
        .then(
          () => undefined,
          (error: unknown) => error,
        )
      // Some of them are right somewhere.
      if (refused === undefined) continue
      expect(refused, title).toBeInstanceOf(LayerwiseError)
      const { message, details } = refused as LayerwiseError
      expect(message.length, `${title}: ${message}`).toBeLessThan(500)
      const { received = null } = details
      expect(received === null || ['string', 'number', 'boolean'].includes(typeof received), title).toBe(true)
      expect(JSON.stringify(details).length, `${title}: ${JSON.stringify(details)}`).toBeLessThan(600)
    }
  })

  test('but has kind, size and first entries of a value', async () => {
    const received = async (call: () => unknown) => (await refusal(call)).details.received
    expect(await received(() => new SparseAutoencoder({ inputs: long as never, hidden: 2 }))).toBe(
      `an array of 5000: ${secret}, ${secret}, ${secret}, …`,
    )
    expect(await received(() => new Pca({ whiten: ['a', [1], undefined] as never }))).toBe(
      "an array of 3: 'a', …, undefined",
    )
    expect(await received(() => softmax().fit(x, new Float32Array([1, 2]) as never))).toBe(
      'a Float32Array of 2: 1, 2',
    )
    expect(await received(() => new Pca({ whiten: x as never }))).toBe('a Matrix of 10 × 3')
    expect(await received(() => new Pca({ whiten: { a: 1, b: 2, c: 3, d: 4 } as never }))).toBe(
      'an object { a, b, c, … }',
    )
    expect(await received(() => new Pca({ whiten: 'z'.repeat(5000) as never }))).toBe(`${'z'.repeat(199)}…`)
    expect(await received(() => new Pca({ whiten: 7 as never }))).toBe(7)
    expect(await received(() => new Pca({ whiten: null as never }))).toBe(null)
  })
})
