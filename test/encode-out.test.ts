import { describe, expect, test } from 'vitest'
import {
  Matrix,
  Pca,
  type Precision,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
} from '../lib/index.js'
import { everyModel, inputs, x } from './every-model.js'
import { giveAway } from './give-away.js'
import { detached, expectError, resizable } from './refusal.js'
import { rejection } from './sample.js'

const arrayOf = (precision: Precision, length: number) =>
  precision === 'float64' ? new Float64Array(length).fill(-7) : new Float32Array(length).fill(-7)

describe.each(everyModel)('encode of a %s in %s', (_, precision, make) => {
  test('writes the codes into an array of the caller, with the same bits', async () => {
    const model = await make()
    const expected = await model.encode(x)
    const out = arrayOf(precision, expected.data.length)
    const codes = await model.encode(x, { out: out as never })
    expect(codes.data).toBe(out)
    expect(codes).toEqual(expected)
    const whole = Matrix.from(arrayOf(precision, expected.data.length), expected.rows, expected.cols)
    expect((await model.encode(x.toArray(), { out: whole as never })).data).toBe(whole.data)
    expect(whole).toEqual(expected)
  })

  test('writes into a part of a larger array, and nothing beside it', async () => {
    const model = await make()
    const expected = await model.encode(x)
    const { length } = expected.data
    const large = arrayOf(precision, length + 6)
    const out = large.subarray(3, 3 + length)
    expect((await model.encode(x, { out: out as never })).data).toEqual(expected.data)
    expect([...large.subarray(0, 3), ...large.subarray(3 + length)]).toEqual(new Array(6).fill(-7))
  })
})

test('encode of a layer, transform and predictProbabilities write into an array of the caller', async () => {
  const stack = new StackedAutoencoder({ inputs, layers: [{ hidden: 4 }, { hidden: 3 }] })
  const first = new Float32Array(x.rows * 4)
  expect((await stack.encode(x, { layer: 1, out: first })).data).toBe(first)
  expect(first).toEqual((await stack.encode(x, { layer: 1 })).data)
  const pca = await new Pca({ components: 2 }).fit(x)
  const along = new Float32Array(x.rows * 2)
  expect((await pca.transform(x, { out: along })).data).toBe(along)
  expect(along).toEqual((await pca.transform(x)).data)
  const classifier = new SoftmaxClassifier({ inputs, classes: 3 })
  const probabilities = new Float32Array(x.rows * 3)
  expect((await classifier.predictProbabilities(x, { out: probabilities })).data).toBe(probabilities)
  expect(probabilities).toEqual((await classifier.predictProbabilities(x)).data)
})

describe('an array for the codes is refused', () => {
  const model = new SparseAutoencoder({ inputs: 3, hidden: 2 })
  const rows = new Float32Array(12)
  const shared = new Float32Array(new SharedArrayBuffer(32))
  test.each<[string, unknown, string, string]>([
    [
      'of another precision',
      new Float64Array(8),
      'ERR_ARGUMENT',
      'out: expected a Float32Array, or a Matrix over one',
    ],
    ['of bytes', new Uint8Array(8), 'ERR_ARGUMENT', 'out: expected a Float32Array'],
    ['that is a plain one', new Array(8).fill(0), 'ERR_ARGUMENT', 'out: expected a Float32Array'],
    ['that is null', null, 'ERR_ARGUMENT', 'out: expected a Float32Array'],
    ['that is too short', new Float32Array(7), 'ERR_SHAPE', 'out: expected 4 × 2 = 8 numbers, received 7'],
    ['that is too long', new Float32Array(9), 'ERR_SHAPE', 'received 9'],
    [
      'in a Matrix of another shape',
      Matrix.from(new Float32Array(8), 2, 4),
      'ERR_SHAPE',
      'a Matrix of 4 × 2',
    ],
    ['in shared memory', shared, 'ERR_ARGUMENT', 'SharedArrayBuffer'],
    ['in memory that may change its size', resizable(), 'ERR_ARGUMENT', 'resizable'],
    ['in memory that was transferred', detached(), 'ERR_ARGUMENT', 'transferred away'],
    ['that is x', rows, 'ERR_ARGUMENT', 'shares no memory with x'],
    ['that overlaps x', new Float32Array(rows.buffer, 16, 8), 'ERR_ARGUMENT', 'shares no memory with x'],
  ])('%s', async (_, out, code, message) => {
    expectError(await rejection(model.encode(rows, { out: out as never })), code, message)
    if (message.endsWith('with x')) {
      const matrix = Matrix.from(rows, 4, 3)
      expectError(await rejection(model.encode(matrix, { out: out as never })), code, message)
    }
  })

  test('by decode and reconstruct, which do not have it', async () => {
    const stack = new StackedAutoencoder({ inputs: 3, layers: [{ hidden: 2 }] })
    const out = new Float32Array(12)
    expectError(
      await rejection(stack.decode([[0, 0]], { out } as never)),
      'ERR_ARGUMENT',
      "unknown option 'out'",
    )
    expectError(
      await rejection(model.reconstruct(rows, { out } as never)),
      'ERR_ARGUMENT',
      "unknown option 'out'",
    )
  })

  test('if it is transferred during the call', async () => {
    const many = new Float32Array(3 * 200_000)
    for (const atOnce of [true, false]) {
      const out = new Float32Array(2 * 200_000)
      const outcome = model.encode(many, { out }).then(
        () => (out.length === 0 ? 'fulfilled' : 'ended before'),
        (error: unknown) => error,
      )
      const transfer = () => giveAway(out)
      if (atOnce) transfer()
      else setImmediate(transfer)
      const seen = await outcome
      // While other programs have the processor, the addon may be ready before the next turn.
      if (!atOnce && seen === 'ended before') continue
      expectError(seen, 'ERR_STATE', 'out: its buffer was transferred away')
    }
  })
})

test('codes beside the rows in one buffer are written', async () => {
  const model = new SparseAutoencoder({ inputs: 3, hidden: 2 })
  const { buffer } = new Float32Array(20)
  const out = new Float32Array(buffer, 48, 8)
  const codes = await model.encode(new Float32Array(buffer, 0, 12), { out })
  expect(codes.data).toEqual((await model.encode(new Float32Array(12))).data)
})
