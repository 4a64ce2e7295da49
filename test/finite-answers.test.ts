import { describe, expect, test } from 'vitest'
import {
  LayerwiseError,
  LinearAutoencoder,
  Matrix,
  MinMaxScaler,
  Pca,
  type Precision,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
  StackedClassifier,
} from '../lib/index.js'
import { seeded } from './oracle/points.js'
import { expectError } from './refusal.js'
import { rejection, sampleRows } from './sample.js'
import { tolerances } from './tolerances.js'

const inputs = 6
const labels = [0, 1, 2, 0]
/** The largest number of each precision, with a default for data without one. */
const LARGEST = { float32: 3.4028234663852886e38, float64: Number.MAX_VALUE }
const precisions = ['float32', 'float64'] as const

type Answer = ArrayLike<number>
type Method<M> = (model: M, x: Matrix) => Promise<Answer> | Answer

/** A model, its parameters, and the tested calls. */
interface Case<M> {
  readonly make: (precision: Precision) => M | Promise<M>
  readonly methods: Record<string, Method<M>>
}

const rowsOf = (x: Matrix) => Array.from({ length: x.rows }, (_, i) => x.row(i))
const each = <M>(ask: (model: M, row: Matrix) => ArrayLike<number> | number): Method<M> => {
  return (model, x) =>
    rowsOf(x).flatMap((row) => {
      const answer = ask(model, row)
      return typeof answer === 'number' ? [answer] : Array.from(answer)
    })
}

type AnyAutoencoder =
  | SparseAutoencoder<Precision>
  | StackedAutoencoder<Precision>
  | LinearAutoencoder<Precision>
const ofAutoencoders: Record<string, Method<AnyAutoencoder>> = {
  encode: async (model, x) => (await model.encode(x)).data,
  encodeSync: each((model, row) => model.encodeSync(row)),
  reconstruct: async (model, x) => (await model.reconstruct(x)).data,
  errors: async (model, x) => model.reconstructionError(x),
  errorSync: each((model, row) => model.reconstructionErrorSync(row)),
  errorsPerFeature: async (model, x) => (await model.reconstructionErrorPerFeature(x)).data,
}
const withCost: Record<string, Method<AnyAutoencoder>> = {
  ...ofAutoencoders,
  cost: async (model, x) => [(await model.cost(x)).total],
  gradient: async (model, x) => (await model.cost(x, { gradient: true })).gradient!,
}
type AnyClassifier = SoftmaxClassifier<Precision> | StackedClassifier<Precision>
const ofClassifiers: Record<string, Method<AnyClassifier>> = {
  probabilities: async (model, x) => (await model.predictProbabilities(x)).data,
  probabilitiesSync: each((model, row) => model.predictProbabilitiesSync(row)),
  classes: async (model, x) => model.predict(x),
  score: async (model, x) => {
    const { accuracy, logLoss } = await model.score(x, labels)
    return [accuracy, logLoss]
  },
  cost: async (model, x) => [(await model.cost(x, labels)).total],
  gradient: async (model, x) => (await model.cost(x, labels, { gradient: true })).gradient!,
}
/** As wide as codes are. */
const codesOf = (x: Matrix) =>
  Matrix.from(Float64Array.from(x.data.filter((_, k) => k % inputs < 2)), x.rows, 2)

const ofPca: Record<string, Method<Pca<Precision>>> = {
  transform: async (model, x) => (await model.transform(x)).data,
  transformSync: each((model, row) => model.transformSync(row)),
  inverse: async (model, x) => (await model.inverseTransform(codesOf(x))).data,
  errors: async (model, x) => model.reconstructionError(x),
  errorSync: each((model, row) => model.reconstructionErrorSync(row)),
}

/** Parameters that both precisions hold, of which some are large. */
function withParameters<
  M extends { parameters(): Float32Array | Float64Array; setParameters(theta: never): void },
>(model: M, size: number): M {
  const random = seeded(3)
  const theta = model.parameters().map(() => Math.fround(size * (random() - 0.5)))
  model.setParameters(theta as never)
  return model
}

const sparse = (options: object, size = 1): Case<AnyAutoencoder> => ({
  make: (precision) =>
    withParameters(new SparseAutoencoder<Precision>({ inputs, hidden: 5, precision, ...options }), size),
  methods: 'outputActivation' in options ? withCost : ofAutoencoders,
})

// biome-ignore lint/suspicious/noExplicitAny: each case goes with its own methods
const cases: Record<string, Case<any>> = {
  'SparseAutoencoder with bounded outputs': sparse({}),
  'SparseAutoencoder with linear outputs': sparse({ outputActivation: 'identity' }),
  'SparseAutoencoder of relu units': sparse({ activation: 'relu', outputActivation: 'identity' }),
  ...Object.fromEntries(
    (['leakyRelu', 'elu', 'softplus', 'gelu', 'silu'] as const).map((activation) => [
      `SparseAutoencoder of ${activation} units`,
      sparse({ activation, outputActivation: 'identity' }),
    ]),
  ),
  'SparseAutoencoder with gelu outputs': sparse({ activation: 'silu', outputActivation: 'gelu' }),
  'SparseAutoencoder of tanh units': sparse({ activation: 'tanh', outputActivation: 'identity' }),
  'SparseAutoencoder with large weights': sparse({ activation: 'relu', outputActivation: 'identity' }, 1e25),
  'SparseAutoencoder with large weights and bounded units': sparse({ outputActivation: 'identity' }, 1e30),
  StackedAutoencoder: {
    make: (precision) => {
      const layers = [{ hidden: 5, outputActivation: 'identity' }, { hidden: 4 }] as const
      return withParameters(new StackedAutoencoder<Precision>({ inputs, layers, precision }), 1)
    },
    methods: withCost,
  },
  'tied LinearAutoencoder': {
    make: (precision) =>
      withParameters(new LinearAutoencoder<Precision>({ inputs, hidden: 3, precision }), 1),
    methods: withCost,
  },
  'untied LinearAutoencoder': {
    make: (precision) =>
      withParameters(new LinearAutoencoder<Precision>({ inputs, hidden: 3, tied: false, precision }), 0.01),
    methods: withCost,
  },
  SoftmaxClassifier: {
    make: (precision) =>
      withParameters(new SoftmaxClassifier<Precision>({ inputs, classes: 3, precision }), 1),
    methods: ofClassifiers,
  },
  StackedClassifier: {
    make: (precision) => {
      const layers = [{ hidden: 5 }, { hidden: 4, activation: 'relu' }] as const
      return withParameters(new StackedClassifier<Precision>({ inputs, layers, classes: 3, precision }), 1)
    },
    methods: ofClassifiers,
  },
  Pca: {
    make: (precision) => new Pca<Precision>({ components: 2, precision }).fit(sampleRows(30, inputs)),
    methods: ofPca,
  },
}

/** Four rows, of which the third is as large as the precision allows, or alternates between both ends. */
function hugeRows(size: number, alternating: boolean): Matrix<Float64Array> {
  const { data } = sampleRows(4, inputs)
  for (let j = 0; j < inputs; j++) data[2 * inputs + j] = alternating && j % 2 === 1 ? -size : size
  return Matrix.from(data, 4, inputs)
}

/** The result of a call: numbers, or the error. */
async function outcome<M>(method: Method<M>, model: M, x: Matrix): Promise<Answer | LayerwiseError> {
  try {
    return await method(model, x)
  } catch (error) {
    if (error instanceof LayerwiseError) return error
    throw error
  }
}

/** The first row that is refused alone. */
async function firstRefused<M>(method: Method<M>, model: M, x: Matrix): Promise<number> {
  const alone = await Promise.all(rowsOf(x).map((row) => outcome(method, model, row)))
  return alone.findIndex((answer) => answer instanceof LayerwiseError)
}

const tables = Object.entries(cases).flatMap(([name, { make, methods }]) =>
  Object.entries(methods).map(([method, ask]) => ({ name, method, make, ask })),
)

describe.each(tables)(
  '$name: $method of finite rows is finite, or refused with the row',
  ({ make, ask, method }) => {
    test.each(
      precisions.flatMap((precision) =>
        [false, true].flatMap((alternating) =>
          [1, 0.01, 1e-19, 1e-160].map((part) => ({
            precision,
            size: LARGEST[precision] * part,
            alternating,
          })),
        ),
      ),
    )('in $precision, of size $size, alternating: $alternating', async ({ precision, size, alternating }) => {
      const x = hugeRows(size, alternating)
      const model = await make(precision)
      const got = await outcome(ask, model, x)
      if (got instanceof LayerwiseError) {
        expect(got.code).toBe('ERR_RANGE')
        // The cost is of all rows; other results are computed for single rows.
        if (!['score', 'cost', 'gradient'].includes(method) && !method.endsWith('Sync'))
          expect(got.details.row).toBe(await firstRefused(ask, model, x))
      } else {
        for (const value of Array.from(got)) expect(value).toSatisfy(Number.isFinite)
      }
      if (precision === 'float64') return
      // With the same parameters, float32 must return the result of float64 if it can represent it.
      const wanted = await outcome(ask, await make('float64'), x)
      if (wanted instanceof LayerwiseError) return
      const answeredInDoubles = ['errors', 'errorSync', 'cost', 'score', 'classes'].includes(method)
      const most = answeredInDoubles ? Infinity : LARGEST.float32 * (1 + 2 ** -25)
      const held = Array.from(wanted).every((value) => Math.abs(value) < most)
      expect(got instanceof LayerwiseError).toBe(!held)
      if (got instanceof LayerwiseError) return
      const largest = Math.max(...Array.from(wanted, Math.abs))
      for (let k = 0; k < wanted.length; k++) {
        expect(Math.abs(got[k]! - wanted[k]!), `${k}`).toBeLessThanOrEqual(
          tolerances.beyondFloat32.value * largest,
        )
      }
    })
  },
)

test('reconstruction errors of a float32 model have the range of float64, their squares that of float32', async () => {
  const pca = await new Pca({ components: 1 }).fit(sampleRows(30, 2))
  for (const size of [1e25, 1e30, 1e38]) {
    const x = Matrix.from(new Float64Array([size, -size]), 1, 2)
    const exact = await new Pca({ components: 1, precision: 'float64' }).fit(sampleRows(30, 2))
    const wanted = (await exact.reconstructionError(x))[0]!
    const got = (await pca.reconstructionError(x))[0]!
    expect(Math.abs(got - wanted)).toBeLessThanOrEqual(tolerances.beyondFloat32.value * wanted)
    expectError(await rejection(pca.reconstructionErrorPerFeature(x)), 'ERR_RANGE', 'row 0')
  }
})

describe.each(precisions)('in %s', (precision) => {
  test('reconstructions that overflow in the units of x are refused with their row', async () => {
    const scaling = await new MinMaxScaler().fit([
      [-8e307, 0],
      [8e307, 1],
    ])
    const options = { inputs: 2, hidden: 1, outputActivation: 'identity', scaling, precision } as const
    const model = withParameters(new SparseAutoencoder<Precision>(options), 1e6)
    const codes = Matrix.from(new Float64Array([0, 1e6]), 2, 1)
    expectError(await rejection(model.decode(codes)), 'ERR_RANGE', 'codes: ')
  })
})

test('a scaler refuses finite values that it would make infinite', async () => {
  const tiny = await new MinMaxScaler().fit([[1e-200], [2e-200], [4e-200]])
  expectError(await rejection(tiny.transform([[0], [1e200]])), 'ERR_RANGE', 'row 1, column 0')
  const wide = await new MinMaxScaler({ range: [0, 2] }).fit([[0], [1e-30]])
  const floats = Matrix.from(new Float32Array([1e-30, 1e38]), 2, 1)
  expectError(await rejection(wide.transform(floats)), 'ERR_RANGE', 'row 1, column 0')
})
