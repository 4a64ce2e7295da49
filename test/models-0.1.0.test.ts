import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadModel, Matrix, Pca, type Rows, SoftmaxClassifier, StackedClassifier } from '../lib/index.js'
import type { ParametricModel } from './every-model.js'
import { relativeDistance } from './sample.js'
import { tolerances } from './tolerances.js'

/** Written by version 0.1.0 and kept as they were: one file a kind of model and precision, and what that version answered. */
const folder = new URL('fixtures/models-0.1.0/', import.meta.url)

interface Expected {
  readonly class: string
  readonly parameters?: number[]
  readonly codes?: number[][]
  readonly reconstructed?: number[][]
  readonly errors?: number[]
  readonly probabilities?: number[][]
  readonly predictions?: number[] | string[]
  readonly explainedVariance?: number[]
  readonly totalVariance?: number
  readonly mean?: number[]
}

const { rows, models } = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as {
  rows: number[][]
  models: Record<string, Expected>
}
const x = Matrix.from(Float64Array.from(rows.flat()), rows.length, rows[0]!.length)

test('there is a file for each kind of model in both precisions', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors'))
  expect(files.sort()).toEqual(Object.keys(models).sort())
  for (const precision of ['float32', 'float64']) {
    const kinds = Object.entries(models).filter(([name]) => name.includes(precision))
    expect(new Set(kinds.map(([, model]) => model.class))).toEqual(
      new Set([
        'SparseAutoencoder',
        'StackedAutoencoder',
        'StackedClassifier',
        'SoftmaxClassifier',
        'LinearAutoencoder',
        'Pca',
      ]),
    )
  }
})

describe.each(Object.entries(models))('a file of version 0.1.0, %s,', (name, expected) => {
  const { value: close } = name.includes('float64') ? tolerances.reloadedFloat64 : tolerances.reloadedFloat32
  const expectClose = (actual: Matrix, wanted: number[][] | undefined) =>
    expect(relativeDistance(actual.data, wanted!.flat())).toBeLessThan(close)

  test('gives the results of that version', async () => {
    const model = (await loadModel(new URL(name, folder))) as ParametricModel
    expect(model.constructor.name).toBe(expected.class)
    if (model instanceof Pca) {
      const codes = await model.transform(x)
      expectClose(codes, expected.codes)
      expectClose(await model.inverseTransform(codes), expected.reconstructed)
      expect([...model.explainedVariance]).toEqual(expected.explainedVariance)
      expect(model.totalVariance).toBe(expected.totalVariance)
      expect([...model.mean]).toEqual(expected.mean)
      return
    }
    expect([...model.parameters()]).toEqual(expected.parameters)
    if (model instanceof SoftmaxClassifier || model instanceof StackedClassifier) {
      expectClose(await model.predictProbabilities(x), expected.probabilities)
      expect([...(await model.predict(x))]).toEqual(expected.predictions)
      return
    }
    expectClose(await model.encode(x), expected.codes)
    expectClose(await model.reconstruct(x), expected.reconstructed)
    const errors = await model.reconstructionError(x)
    expect(relativeDistance(errors, expected.errors!)).toBeLessThan(close)
  })

  test('can be trained further', async () => {
    await train((await loadModel(new URL(name, folder))) as ParametricModel, x)
  })
})

async function train(model: ParametricModel, x: Rows): Promise<void> {
  if (model instanceof Pca) await model.fit(x as Matrix)
  else if (model instanceof SoftmaxClassifier) await model.fit(x, ['low', 'middle', 'high', 'low'])
  else if (model instanceof StackedClassifier) await model.fineTune(x, [0, 1, 2, 0], { epochs: 1 })
  else await model.fit(x, { epochs: 1 })
}
