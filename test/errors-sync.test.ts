import { describe, expect, test } from 'vitest'
import { Matrix, SparseAutoencoder, StandardScaler } from '../lib/index.js'
import { detached, expectError, hollow, proxied, thrown } from './refusal.js'
import { rejection, sampleRows } from './sample.js'

const inputs = 3
const good = { inputs, hidden: 2 }
const x = sampleRows(6, inputs)

describe('encodeSync throws for', () => {
  const model = new SparseAutoencoder(good)
  const bad: [string, unknown, unknown, string, string][] = [
    ['nothing', undefined, undefined, 'ERR_ARGUMENT', 'row: '],
    ['a row too short', [1, 2], undefined, 'ERR_SHAPE', 'row: '],
    ['a row too long', new Float32Array(4), undefined, 'ERR_SHAPE', 'row: '],
    ['a Matrix of two rows', x.slice(0, 2), undefined, 'ERR_SHAPE', 'row: '],
    ['a Matrix of another width', sampleRows(1, 2), undefined, 'ERR_SHAPE', 'row: '],
    ['text among numbers', [1, '2', 3], undefined, 'ERR_ARGUMENT', 'column 1'],
    ['shared memory', new Float32Array(new SharedArrayBuffer(12)), undefined, 'ERR_ARGUMENT', 'row: '],
    ['a row that was transferred', detached(), undefined, 'ERR_ARGUMENT', 'row: '],
    ['NaN', [1, Number.NaN, 3], undefined, 'ERR_RANGE', 'column 1'],
    ['Infinity', new Float32Array([1, 2, Infinity]), undefined, 'ERR_RANGE', 'column 2'],
    ['out of another precision', [1, 2, 3], new Float64Array(2), 'ERR_ARGUMENT', 'out: '],
    ['out of another length', [1, 2, 3], new Float32Array(3), 'ERR_SHAPE', 'out: '],
    ['null for out', [1, 2, 3], null, 'ERR_ARGUMENT', 'out: '],
    ['a proxy of an array', proxied(), undefined, 'ERR_ARGUMENT', 'row: '],
    ['an array in name only', hollow(), undefined, 'ERR_ARGUMENT', 'row: '],
    ['a proxy for out', [1, 2, 3], proxied(), 'ERR_ARGUMENT', 'out: '],
  ]
  test.each(bad)('%s', (_, row, out, code, message) => {
    const error = thrown(() => model.encodeSync(row as never, out as never))
    expectError(error, code, message)
  })
})

test('encodeSync names the column whose scaling overflows the precision', async () => {
  const tiny = Matrix.from(new Float64Array([1, 1e-40, 2, 2e-40, 3, 4e-40]), 3, 2)
  const scaling = await new StandardScaler().fit(tiny)
  const model = new SparseAutoencoder({ inputs: 2, hidden: 1, scaling })
  expect(model.encodeSync([1, 0])[0]).toBeGreaterThan(0)
  const error = thrown(() => model.encodeSync([1, 1]))
  expectError(error, 'ERR_RANGE', 'column 1')
})

describe('parameters are refused', () => {
  const model = new SparseAutoencoder(good)
  const before = model.parameters()
  const withNaN = model.parameters()
  withNaN[4] = Number.NaN
  test.each([
    ['of another kind', new Float64Array(before), 'ERR_ARGUMENT'],
    ['that are a proxy', new Proxy(before.slice(), {}), 'ERR_ARGUMENT'],
    ['as numbers', [...before], 'ERR_ARGUMENT'],
    ['that are none', undefined, 'ERR_ARGUMENT'],
    ['too few', before.slice(1), 'ERR_SHAPE'],
    ['with NaN', withNaN, 'ERR_RANGE'],
  ])('%s', async (_, theta, code) => {
    expectError(
      thrown(() => model.setParameters(theta as never)),
      code,
      'theta: ',
    )
    expect(model.parameters()).toEqual(before)
    if (theta === undefined) return
    expectError(await rejection(model.cost(x, { parameters: theta as never })), code, 'parameters: ')
  })

  test('together with a gradient that is neither true nor false', async () => {
    const error = await rejection(model.cost(x, { gradient: 1 as never }))
    expectError(error, 'ERR_ARGUMENT', 'gradient: ')
  })
})
