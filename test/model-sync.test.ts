import { beforeAll, describe, expect, test } from 'vitest'
import { Matrix, Pca, SoftmaxClassifier, StackedClassifier } from '../lib/index.js'
import { everyModel, inputs, labels, namedLabels, names, type ParametricModel, x } from './every-model.js'
import { expectError, thrown } from './refusal.js'
import { tolerances } from './tolerances.js'

/** Rows of every kind: dense, mostly zeros, all zeros, and negative. */
const rows = Matrix.from(
  Float64Array.from([
    ...x.data.subarray(0, 3 * inputs),
    ...[0, 0.7, 0, 0, 0],
    ...[0, 0, 0, 0, 0],
    ...[-1, 0.5, -0.25, 0, -3],
  ]),
  6,
  inputs,
)
const bytes = Matrix.from(Uint8Array.from([0, 255, 3, 128, 77]), 1, inputs, { scale: 1 / 255 })

describe.each(everyModel)('single rows of a %s in %s', (_, precision, make) => {
  const { value: close } = precision === 'float64' ? tolerances.singleRowFloat64 : tolerances.singleRowFloat32
  let model: ParametricModel
  beforeAll(async () => {
    model = await make()
  })

  /** Every method for one row, and the method for many rows. */
  function pairs(): [
    sync: (row: Matrix | number[]) => ArrayLike<number>,
    all: (x: Matrix) => Promise<Matrix>,
  ][] {
    const column = async (values: Promise<Float64Array>) =>
      Matrix.from(await values, (await values).length, 1)
    const list: ReturnType<typeof pairs> = [[(row) => model.encodeSync(row), (x) => model.encode(x)]]
    const any = model
    if (any instanceof Pca) list.push([(row) => any.transformSync(row), (x) => any.transform(x)])
    if (any instanceof SoftmaxClassifier || any instanceof StackedClassifier) {
      list.push([(row) => any.predictProbabilitiesSync(row), (x) => any.predictProbabilities(x)])
    } else {
      list.push([(row) => [any.reconstructionErrorSync(row)], (x) => column(any.reconstructionError(x))])
      if (!(any instanceof Pca)) list.push([(row) => any.reconstructSync(row), (x) => any.reconstruct(x)])
    }
    return list
  }

  /** Relative to the largest value, or to 1. */
  function expectNear(found: ArrayLike<number>, expected: ArrayLike<number>): void {
    expect(found).toHaveLength(expected.length)
    const scale = Math.max(1, ...Array.from(expected, Math.abs))
    for (let j = 0; j < found.length; j++) {
      expect(Math.abs(found[j]! - expected[j]!)).toBeLessThan(close * scale)
    }
  }

  test('give the results of many rows, up to rounding', async () => {
    for (const [sync, all] of pairs()) {
      const together = (await all(rows)).toArray()
      for (let i = 0; i < rows.rows; i++) {
        const found = sync(rows.slice(i, i + 1))
        expect(Array.from(sync(rows.toArray()[i]!))).toEqual(Array.from(found))
        expectNear(found, together[i]!)
      }
    }
  })

  test('use the scale of a Matrix', async () => {
    for (const [sync, all] of pairs()) {
      expectNear(sync(bytes), (await all(bytes)).data)
    }
  })

  test('use the current parameters', async () => {
    if (model instanceof Pca) return
    const before = model.parameters()
    for (const [sync, all] of pairs()) {
      sync(bytes)
      model.setParameters(before.map((value) => value / 2) as never)
      expectNear(sync(bytes), (await all(bytes)).data)
      model.setParameters(before as never)
    }
  })

  test('are refused if they are not one row of finite numbers', () => {
    for (const [sync] of pairs()) {
      for (const [bad, code, message] of [
        [[1, 2], 'ERR_SHAPE', '5 numbers'],
        [rows, 'ERR_SHAPE', 'one row'],
        [[1, 2, 3, 4, Number.NaN], 'ERR_RANGE', 'column 4'],
        [[1, 2, '3', 4, 5], 'ERR_ARGUMENT', 'column 2'],
        ['row', 'ERR_ARGUMENT', 'row'],
        [undefined, 'ERR_ARGUMENT', 'row'],
      ] as const) {
        expectError(
          thrown(() => sync(bad as never)),
          code,
          message,
        )
      }
    }
  })
})

describe('predictSync', () => {
  test('returns the class that predict returns, by number or by name', async () => {
    const numbered = new StackedClassifier({ inputs, layers: [{ hidden: 4 }], classes: 3 })
    const named = new SoftmaxClassifier({ inputs, classes: names, precision: 'float64' })
    await numbered.fineTune(x, labels, { epochs: 60, batchSize: 8 })
    await named.fit(x, namedLabels, { epochs: 60, batchSize: 8 })
    const number: number = numbered.predictSync([1, 2, 3, 4, 5])
    const name: string = named.predictSync([1, 2, 3, 4, 5])
    expect([number, name]).toEqual([expect.any(Number), expect.any(String)])
    for (const model of [numbered, named]) {
      const each = Array.from({ length: x.rows }, (_, i) => model.predictSync(x.slice(i, i + 1)))
      expect(each).toEqual([...(await model.predict(x))])
      expect(new Set(each).size).toBeGreaterThan(1)
    }
  })

  test('returns the first of equally probable classes', () => {
    const model = new SoftmaxClassifier({ inputs, classes: 3 })
    model.setParameters(new Float32Array(model.parameters().length))
    expect(model.predictSync([1, 2, 3, 4, 5])).toBe(0)
  })
})
