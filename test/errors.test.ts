import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type LayerwiseError, Matrix, MinMaxScaler, SparseAutoencoder, StandardScaler } from '../lib/index.js'
import { detached, expectError, hollow, proxied, resizable, thrown } from './refusal.js'
import { rejection, sampleRows } from './sample.js'

const inputs = 3
const good = { inputs, hidden: 2 }
const x = sampleRows(6, inputs)
const kl = { kind: 'kl', target: 0.1, weight: 1 }
const wide = await new MinMaxScaler().fit(sampleRows(4, inputs + 1))
/** What is wrong; the options or arguments; the code; a part of the message, which begins with the argument. */
type Row = readonly [title: string, given: unknown, code: string, message: string]

const models: Row[] = [
  ['no options', undefined, 'ERR_ARGUMENT', 'inputs'],
  ['null for options', null, 'ERR_ARGUMENT', 'options'],
  ['an array for options', [], 'ERR_ARGUMENT', 'options'],
  [
    'a Map for options',
    new Map(Object.entries(good)),
    'ERR_ARGUMENT',
    'options: expected an object of options',
  ],
  ['an unknown option', { ...good, hiden: 3 }, 'ERR_ARGUMENT', "unknown option 'hiden'"],
  ['corruption', { ...good, corruption: {} }, 'ERR_ARGUMENT', 'corruption.kind'],
  ['a weight constraint', { ...good, weightConstraint: {} }, 'ERR_ARGUMENT', 'weightConstraint.kind'],
  ['no inputs', { hidden: 2 }, 'ERR_ARGUMENT', 'inputs: '],
  ['no hidden', { inputs }, 'ERR_ARGUMENT', 'hidden: '],
  ['zero inputs', { ...good, inputs: 0 }, 'ERR_ARGUMENT', 'inputs: '],
  ['fractional inputs', { ...good, inputs: 1.5 }, 'ERR_ARGUMENT', 'inputs: '],
  ['negative hidden', { ...good, hidden: -2 }, 'ERR_ARGUMENT', 'hidden: '],
  [
    'hidden as text',
    { ...good, hidden: '2' },
    'ERR_ARGUMENT',
    "hidden: expected a whole number between 1 and 2147483647, received '2' (string)",
  ],
  ['more than can be allocated', { inputs: 2 ** 31 - 1, hidden: 2 ** 31 - 1 }, 'ERR_MEMORY', 'parameters: '],
  ['an unknown activation', { ...good, activation: 'Sigmoid' }, 'ERR_ARGUMENT', 'activation: '],
  ['null for activation', { ...good, activation: null }, 'ERR_ARGUMENT', 'activation: '],
  ['an unknown output activation', { ...good, outputActivation: 1 }, 'ERR_ARGUMENT', 'outputActivation: '],
  ['an unknown loss', { ...good, loss: 'mse' }, 'ERR_ARGUMENT', 'loss: '],
  [
    'crossEntropy of tanh outputs',
    { ...good, activation: 'tanh', loss: 'crossEntropy' },
    'ERR_ARGUMENT',
    "'crossEntropy' needs 'sigmoid'",
  ],
  ['sparsity as text', { ...good, sparsity: 'kl' }, 'ERR_ARGUMENT', 'sparsity: '],
  ['sparsity without kind', { ...good, sparsity: {} }, 'ERR_ARGUMENT', 'sparsity.kind: '],
  [
    'a hard constraint with a weight',
    { ...good, sparsity: { kind: 'constraint', target: 0.1, weight: 1 } },
    'ERR_ARGUMENT',
    "unknown option 'weight'",
  ],
  [
    'kl without target',
    { ...good, sparsity: { kind: 'kl', weight: 1 } },
    'ERR_ARGUMENT',
    'sparsity.target: ',
  ],
  [
    'kl without weight',
    { ...good, sparsity: { kind: 'kl', target: 0.1 } },
    'ERR_ARGUMENT',
    'sparsity.weight: ',
  ],
  ['kl with target 0', { ...good, sparsity: { ...kl, target: 0 } }, 'ERR_ARGUMENT', 'sparsity.target: '],
  ['kl with target 1', { ...good, sparsity: { ...kl, target: 1 } }, 'ERR_ARGUMENT', 'sparsity.target: '],
  ['kl on relu', { ...good, activation: 'relu', sparsity: kl }, 'ERR_ARGUMENT', 'sparsity.kind: '],
  ...(['leakyRelu', 'elu', 'softplus', 'gelu', 'silu'] as const).flatMap((activation): Row[] => [
    [`kl on ${activation}`, { ...good, activation, sparsity: kl }, 'ERR_ARGUMENT', 'sparsity.kind: '],
    [
      `crossEntropy of ${activation} outputs`,
      { ...good, outputActivation: activation, loss: 'crossEntropy' },
      'ERR_ARGUMENT',
      `loss: expected a loss for ${activation} outputs ('crossEntropy' needs 'sigmoid')`,
    ],
    [
      `salt and pepper on ${activation} outputs`,
      { ...good, outputActivation: activation, corruption: { kind: 'saltAndPepper', amount: 0.1 } },
      'ERR_ARGUMENT',
      'corruption.kind: ',
    ],
  ]),
  [
    'l2 on elu with a target below its outputs',
    { ...good, activation: 'elu', sparsity: { kind: 'l2', target: -1.1, weight: 1 } },
    'ERR_ARGUMENT',
    'sparsity.target: ',
  ],
  ['kl on identity', { ...good, activation: 'identity', sparsity: kl }, 'ERR_ARGUMENT', 'sparsity.kind: '],
  ['a negative weight', { ...good, sparsity: { ...kl, weight: -1 } }, 'ERR_ARGUMENT', 'sparsity.weight: '],
  [
    'an unknown average',
    { ...good, sparsity: { ...kl, average: 'all' } },
    'ERR_ARGUMENT',
    'sparsity.average: ',
  ],
  [
    'an unknown sparsity option',
    { ...good, sparsity: { ...kl, rho: 1 } },
    'ERR_ARGUMENT',
    "sparsity: unknown option 'rho'",
  ],
  [
    'l1 with a target',
    { ...good, sparsity: { kind: 'l1', weight: 1, target: 0 } },
    'ERR_ARGUMENT',
    "unknown option 'target'",
  ],
  [
    'none with a weight',
    { ...good, sparsity: { kind: 'none', weight: 1 } },
    'ERR_ARGUMENT',
    "unknown option 'weight'",
  ],
  [
    'l2 on satlin with a target outside (0, 1)',
    { ...good, activation: 'satlin', sparsity: { kind: 'l2', target: 1.5, weight: 1 } },
    'ERR_ARGUMENT',
    'sparsity.target: ',
  ],
  [
    'l2 on relu with a negative target',
    { ...good, activation: 'relu', sparsity: { kind: 'l2', target: -0.1, weight: 1 } },
    'ERR_ARGUMENT',
    'sparsity.target: ',
  ],
  [
    'l2 on identity with an infinite target',
    { ...good, activation: 'identity', sparsity: { kind: 'l2', target: Infinity, weight: 1 } },
    'ERR_ARGUMENT',
    'sparsity.target: ',
  ],
  ['negative weight decay', { ...good, weightDecay: -1e-9 }, 'ERR_ARGUMENT', 'weightDecay: '],
  ['weight decay that is NaN', { ...good, weightDecay: Number.NaN }, 'ERR_ARGUMENT', 'weightDecay: '],
  ['an unknown precision', { ...good, precision: 'float16' }, 'ERR_ARGUMENT', 'precision: '],
  ['a negative seed', { ...good, seed: -1 }, 'ERR_ARGUMENT', 'seed: '],
  ['a seed too large to be exact', { ...good, seed: 2 ** 53 }, 'ERR_ARGUMENT', 'seed: '],
  ['a bigint for a seed', { ...good, seed: 1n }, 'ERR_ARGUMENT', 'seed: '],
  ['a scaler that is none', { ...good, scaling: { shift: [], factor: [] } }, 'ERR_ARGUMENT', 'scaling: '],
  ['a scaler of another width', { ...good, scaling: wide }, 'ERR_SHAPE', 'scaling: '],
  ['a scaler that is not fitted', { ...good, scaling: new StandardScaler() }, 'ERR_STATE', 'not fitted'],
]

const fits: Row[] = [
  ['an unknown option', { epoch: 3 }, 'ERR_ARGUMENT', "unknown option 'epoch'"],
  ['a number for options', 3, 'ERR_ARGUMENT', 'options: '],
  ['zero epochs', { epochs: 0 }, 'ERR_ARGUMENT', 'epochs: '],
  ['null epochs', { epochs: null }, 'ERR_ARGUMENT', 'epochs: '],
  ['fractional batches', { batchSize: 0.5 }, 'ERR_ARGUMENT', 'batchSize: '],
  ['batches by another word', { batchSize: 'full' }, 'ERR_ARGUMENT', 'batchSize: '],
  ['an optimizer as text', { optimizer: 'adam' }, 'ERR_ARGUMENT', 'optimizer: '],
  ['an unknown optimizer', { optimizer: { kind: 'sgd' } }, 'ERR_ARGUMENT', 'optimizer.kind: '],
  ['momentum of 1', { optimizer: { kind: 'momentum', momentum: 1 } }, 'ERR_ARGUMENT', 'optimizer.momentum: '],
  ['beta1 of 1', { optimizer: { kind: 'adam', beta1: 1 } }, 'ERR_ARGUMENT', 'optimizer.beta1: '],
  ['negative beta2', { optimizer: { kind: 'adam', beta2: -0.1 } }, 'ERR_ARGUMENT', 'optimizer.beta2: '],
  ['epsilon of 0', { optimizer: { kind: 'adam', epsilon: 0 } }, 'ERR_ARGUMENT', 'optimizer.epsilon: '],
  [
    'an epsilon that float32 rounds to 0',
    { optimizer: { kind: 'adam', epsilon: 1e-60 } },
    'ERR_ARGUMENT',
    'optimizer.epsilon: ',
  ],
  [
    'momentum for Adam',
    { optimizer: { kind: 'adam', momentum: 0 } },
    'ERR_ARGUMENT',
    "unknown option 'momentum'",
  ],
  [
    'no iterations',
    { optimizer: { kind: 'lbfgs', maxIterations: 0 } },
    'ERR_ARGUMENT',
    'optimizer.maxIterations: ',
  ],
  ['no history', { optimizer: { kind: 'lbfgs', history: 0 } }, 'ERR_ARGUMENT', 'optimizer.history: '],
  [
    'a negative tolerance',
    { optimizer: { kind: 'lbfgs', tolerance: -1 } },
    'ERR_ARGUMENT',
    'optimizer.tolerance: ',
  ],
  ['epochs with L-BFGS', { optimizer: { kind: 'lbfgs' }, epochs: 3 }, 'ERR_ARGUMENT', 'epochs: '],
  ['batches with L-BFGS', { optimizer: { kind: 'lbfgs' }, batchSize: 'all' }, 'ERR_ARGUMENT', 'batchSize: '],
  ['a rate with L-BFGS', { optimizer: { kind: 'lbfgs' }, learningRate: 1 }, 'ERR_ARGUMENT', 'learningRate: '],
  ['shuffling with L-BFGS', { optimizer: { kind: 'lbfgs' }, shuffle: false }, 'ERR_ARGUMENT', 'shuffle: '],
  ['shuffling all rows', { batchSize: 'all', shuffle: true }, 'ERR_ARGUMENT', 'shuffle: '],
  ['shuffle by a number', { shuffle: 1 }, 'ERR_ARGUMENT', 'shuffle: '],
  ['a learning rate of 0', { learningRate: 0 }, 'ERR_ARGUMENT', 'learningRate: '],
  ['a negative learning rate', { learningRate: -1 }, 'ERR_ARGUMENT', 'learningRate: '],
  ['a learning rate as text', { learningRate: '0.1' }, 'ERR_ARGUMENT', 'learningRate: '],
  ['an unknown schedule', { learningRate: { kind: 'linear' } }, 'ERR_ARGUMENT', 'learningRate.kind: '],
  ['a schedule without rate', { learningRate: { kind: 'cosine' } }, 'ERR_ARGUMENT', 'learningRate.rate: '],
  [
    'a step of 0 epochs',
    { learningRate: { kind: 'step', rate: 1, every: 0, factor: 1 } },
    'ERR_ARGUMENT',
    'learningRate.every: ',
  ],
  [
    'a constant that steps',
    { learningRate: { kind: 'constant', rate: 1, every: 2 } },
    'ERR_ARGUMENT',
    "'every'",
  ],
  ['a rate function that gives NaN', { learningRate: () => Number.NaN }, 'ERR_ARGUMENT', 'learningRate(1): '],
  ['a fraction of 0', { validation: 0 }, 'ERR_ARGUMENT', 'validation: '],
  ['a fraction of 1', { validation: 1 }, 'ERR_ARGUMENT', 'validation: '],
  ['validation by a flag', { validation: true }, 'ERR_ARGUMENT', 'validation: '],
  ['validation rows of another width', { validation: sampleRows(4, 2) }, 'ERR_SHAPE', 'validation: '],
  ['validation rows with NaN', { validation: [[0.1, Number.NaN, 0.1]] }, 'ERR_RANGE', 'validation: '],
  ['validation rows out of range', { validation: [[0.1, 0.1, 3]] }, 'ERR_RANGE', 'validation: '],
  ['no patience', { earlyStopping: {} }, 'ERR_ARGUMENT', 'earlyStopping.patience: '],
  [
    'a negative minDelta',
    { earlyStopping: { patience: 1, minDelta: -1 } },
    'ERR_ARGUMENT',
    'earlyStopping.minDelta: ',
  ],
  ['early stopping by a flag', { earlyStopping: true }, 'ERR_ARGUMENT', 'earlyStopping: '],
  ['a signal for options', new AbortController().signal, 'ERR_ARGUMENT', 'options: expected an object'],
  ['a promise for options', Promise.resolve({}), 'ERR_ARGUMENT', 'options: expected an object'],
  ['a signal that is none', { signal: {} }, 'ERR_ARGUMENT', 'signal: '],
  ['no threads', { threads: 0 }, 'ERR_ARGUMENT', 'threads: '],
  ['onEpoch that is no function', { onEpoch: {} }, 'ERR_ARGUMENT', 'onEpoch: '],
  ['onProgress that is no function', { onProgress: 1 }, 'ERR_ARGUMENT', 'onProgress: '],
]

const rows: Row[] = [
  ['nothing', undefined, 'ERR_ARGUMENT', 'x: '],
  ['text', 'abc', 'ERR_ARGUMENT', 'x: '],
  ['a Uint16Array', new Uint16Array(6), 'ERR_ARGUMENT', 'x: '],
  ['a flat array of numbers', [0.1, 0.2, 0.3], 'ERR_ARGUMENT', 'x'],
  ['numbers as text', [['0.1', '0.2', '0.3']], 'ERR_ARGUMENT', 'row 0, column 0'],
  ['shared memory', new Float32Array(new SharedArrayBuffer(24)), 'ERR_ARGUMENT', 'x: '],
  ['a proxy of an array', proxied(), 'ERR_ARGUMENT', 'x: '],
  ['an array in name only', [hollow()], 'ERR_ARGUMENT', 'x[0]: '],
  ['resizable memory', resizable(), 'ERR_ARGUMENT', 'x: '],
  ['transferred memory', detached(), 'ERR_ARGUMENT', 'x: '],
  ['another width', sampleRows(4, 4), 'ERR_SHAPE', 'x: '],
  ['a length that is no multiple', new Float32Array(7), 'ERR_SHAPE', 'x: '],
  ['rows of different lengths', [[0.1, 0.2, 0.3], [0.1]], 'ERR_SHAPE', 'x: '],
  ['no rows', [], 'ERR_SHAPE', 'x: '],
  ['an empty array', new Float32Array(0), 'ERR_SHAPE', 'x: '],
  ['an empty Matrix', x.slice(2, 2), 'ERR_SHAPE', 'x: '],
  ['NaN', new Float64Array([0.1, 0.2, 0.3, 0.4, Number.NaN, 0.5]), 'ERR_RANGE', 'row 1, column 1'],
  ['Infinity', [[0.1, 0.2, Infinity]], 'ERR_RANGE', 'row 0, column 2'],
  ['a number that float32 has not', [[0.1, 0.2, 1e300]], 'ERR_RANGE', 'row 0, column 2'],
]

describe('the constructor throws for', () => {
  test.each(models)('%s', (_, given, code, message) => {
    expectError(
      thrown(() => new SparseAutoencoder(given as never)),
      code,
      message,
    )
  })
})

describe('a value whose getters throw is refused like any other', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const throwing = {
    get constructor(): never {
      throw new Error('from the getter')
    },
  }
  test.each([
    ['a revoked proxy', proxy],
    ['a getter that throws', throwing],
    ['an array without a prototype', Object.setPrototypeOf(new Float32Array(2), null)],
  ])('%s', (_, value) => {
    const error = thrown(() => new SparseAutoencoder({ inputs, hidden: value as never }))
    expectError(error, 'ERR_ARGUMENT', 'hidden: expected a whole number')
  })
})

describe('fit rejects, and leaves the parameters, for', () => {
  test.each(fits)('%s', async (_, given, code, message) => {
    const model = new SparseAutoencoder(good)
    const before = model.parameters()
    expectError(await rejection(model.fit(x, given as never)), code, message)
    expect(model.parameters()).toEqual(before)
    expect((await model.fit(x, { epochs: 1 })).epochs).toHaveLength(1)
  })

  test.each([
    ['moving averages over all rows', 'moving', { batchSize: 'all' }],
    ['moving averages with L-BFGS', 'moving', { optimizer: { kind: 'lbfgs' } }],
    ['exact averages with minibatches', 'exact', { batchSize: 2 }],
  ] as const)('%s', async (_, average, options) => {
    const model = new SparseAutoencoder({
      ...good,
      sparsity: { kind: 'kl', target: 0.1, weight: 1, average },
    })
    expectError(await rejection(model.fit(x, options)), 'ERR_ARGUMENT', 'sparsity.average: ')
  })

  test('a fraction of one row', async () => {
    const error = await rejection(new SparseAutoencoder(good).fit(x.slice(0, 1), { validation: 0.5 }))
    expectError(error, 'ERR_SHAPE', 'x: ')
  })
})

describe('every method that takes rows rejects', () => {
  const model = new SparseAutoencoder(good)
  const methods = [
    'fit',
    'cost',
    'encode',
    'reconstruct',
    'reconstructionError',
    'reconstructionErrorPerFeature',
  ] as const
  const call = (method: (typeof methods)[number], given: unknown, options?: unknown) =>
    (model[method] as (x: unknown, options?: unknown) => Promise<unknown>).call(model, given, options)
  test.each([
    ['a typed array', Float64Array.of(0, 1e300, 0)],
    ['an array of rows', [[0, 1e300, 0]]],
  ])('numbers that become infinite in float32, with their value, in %s', async (_, given) => {
    for (const method of methods) {
      expectError(
        await rejection(call(method, given)),
        'ERR_RANGE',
        'x: expected numbers that float32 can hold',
      )
      expectError(await rejection(call(method, given)), 'ERR_RANGE', 'received 1e+300 in row 0, column 1')
    }
  })

  test.each(rows)('%s', async (_, given, code, message) => {
    for (const method of methods) expectError(await rejection(call(method, given)), code, message)
  })

  test('codes of another width, or not finite', async () => {
    expectError(await rejection(model.decode(x)), 'ERR_SHAPE', 'codes: ')
    expectError(await rejection(model.decode([[0, Number.NaN]])), 'ERR_RANGE', 'codes: ')
  })

  test('unknown options, bad signals and bad threads', async () => {
    for (const method of methods) {
      for (const [options, message] of [
        [{ thread: 1 }, "unknown option 'thread'"],
        [{ threads: 1.5 }, 'threads: '],
        [{ signal: 'stop' }, 'signal: '],
      ] as const) {
        const error = await rejection(call(method, x, options))
        expectError(error, 'ERR_ARGUMENT', message)
      }
    }
  })
})

describe('fit and cost reject values that the output activation cannot reach, naming place, value and remedy', () => {
  test.each([
    ['sigmoid', -0.01],
    ['sigmoid', 1.01],
    ['satlin', 1.01],
    ['tanh', -1.01],
    ['relu', -0.01],
    ['elu', -1.01],
    ['softplus', -0.01],
    ['gelu', -0.18],
    ['silu', -0.28],
  ] as const)('%s: %s', async (outputActivation, bad) => {
    const model = new SparseAutoencoder({ ...good, outputActivation })
    const data = [
      [0.5, 0.5, 0.5],
      [0.5, bad, bad],
    ]
    for (const call of [() => model.fit(data), () => model.cost(data)]) {
      const error = (await rejection(call())) as LayerwiseError
      expectError(error, 'ERR_RANGE', 'row 1, column 1')
      expect(error.details).toMatchObject({ argument: 'x', row: 1, column: 1 })
      expect(error.details.received).toBe(Math.fround(bad))
      expect(error.message).toMatch(/MinMaxScaler/)
    }
    expect((await model.encode(data)).rows).toBe(2)
  })

  test('after a scaler with the advice: identity outputs, or a MinMaxScaler that clips', async () => {
    const standard = await new StandardScaler().fit([[1], [2], [6]])
    const narrow = await new MinMaxScaler().fit([[1], [2]])
    for (const [scaling, late] of [
      [standard, [[1], [6]]],
      [narrow, [[1], [2.005]]],
    ] as const) {
      const model = new SparseAutoencoder({ inputs: 1, hidden: 1, scaling })
      const error = (await rejection(model.fit(late))) as LayerwiseError
      expectError(error, 'ERR_RANGE', 'after scaling')
      expect(error.message).toContain("outputActivation 'identity'")
      expect(error.message).toContain('clip: true')
      expect(error.message).not.toContain('scale or')
    }
    const clipping = await new MinMaxScaler({ clip: true }).fit([[1], [2]])
    const model = new SparseAutoencoder({ inputs: 1, hidden: 1, scaling: clipping })
    await model.fit([[1], [2.005]], { epochs: 1, validation: [[0.99], [1.5]] })
  })

  test.each(['identity', 'relu'] as const)('values beyond float32, for %s', async (outputActivation) => {
    const data = Matrix.from(new Float64Array([0, 0, 1e38, 0, 1e300, 0]), 2, 3)
    const model = new SparseAutoencoder({ ...good, outputActivation })
    for (const call of [() => model.fit(data), () => model.cost(data)]) {
      const error = (await rejection(call())) as LayerwiseError
      expectError(error, 'ERR_RANGE', 'float32')
      expect(error.details).toMatchObject({ argument: 'x', received: 1e300, row: 1, column: 1 })
    }
    const wider = new SparseAutoencoder({ ...good, outputActivation, precision: 'float64' })
    expect((await wider.cost(Matrix.from(new Float64Array([0, 0, 1e100]), 1, 3))).total).toBeGreaterThan(
      1e199,
    )
  })

  test('but accept every finite value for identity', async () => {
    const model = new SparseAutoencoder({ ...good, outputActivation: 'identity' })
    expect((await model.cost([[-1e6, 0, 1e6]])).total).toBeGreaterThan(0)
  })
})

test('docs/errors.md has a row for every code', () => {
  const text = readFileSync(new URL('../lib/base/errors.ts', import.meta.url), 'utf8')
  const documented = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
  const codes = [...new Set(text.match(/'ERR_[A-Z]+'/g))].map((code) => code.slice(1, -1))
  expect(codes.length).toBeGreaterThanOrEqual(9)
  for (const code of codes) expect(documented).toContain(`| \`${code}\` |`)
})

test('details have the parts of the message', () => {
  const error = thrown(() => new SparseAutoencoder({ ...good, weightDecay: -1 }))
  expect((error as LayerwiseError).name).toBe('LayerwiseError')
  expect((error as LayerwiseError).details).toEqual({
    argument: 'weightDecay',
    expected: 'a finite number of at least 0',
    received: -1,
  })
})

test('a Matrix given as x is not written', async () => {
  const data = Float64Array.from(x.data)
  const model = new SparseAutoencoder(good)
  await model.fit(Matrix.from(data, x.rows, x.cols), { epochs: 2, validation: 0.3 })
  expect(data).toEqual(x.data)
})
