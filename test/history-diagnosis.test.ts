import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  LinearAutoencoder,
  type Matrix,
  openDataset,
  Pca,
  SoftmaxClassifier,
  SparseAutoencoder,
  SparseMatrix,
  StackedAutoencoder,
  StandardScaler,
  writeDataset,
} from '../lib/index.js'
import { DependentColumns } from './anomaly-sample.js'
import { expectError } from './refusal.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const cols = 6
const rows = new DependentColumns(cols, 2, 3).rows(300)
const identity = { inputs: cols, hidden: 3, outputActivation: 'identity' } as const

/** R² of columns by the definition. */
function rSquared(x: number[][], y: number[][], columns: readonly number[]): number {
  let [error, spread] = [0, 0]
  for (const j of columns) {
    const mean = x.reduce((sum, row) => sum + row[j]!, 0) / x.length
    x.forEach((row, i) => {
      error += (row[j]! - y[i]![j]!) ** 2
      spread += (row[j]! - mean) ** 2
    })
  }
  return 1 - error / spread
}

describe('the history of an autoencoder', () => {
  test('has R² on the training rows, in all and of each column', async () => {
    const scaling = await new StandardScaler().fit(rows)
    const model = new SparseAutoencoder({ ...identity, scaling })
    const { reconstruction } = await model.fit(rows)
    const [x, y] = [
      (await scaling.transform(rows)).toArray(),
      (await scaling.transform(await model.reconstruct(rows))).toArray(),
    ]
    expect(reconstruction!.rows).toBe(300)
    expect(reconstruction!.rSquared).toBeCloseTo(rSquared(x, y, [0, 1, 2, 3, 4, 5]), 3)
    reconstruction!.perColumn.forEach((found, j) => {
      expect(found).toBeCloseTo(rSquared(x, y, [j]), 2)
    })
  })

  test('leaves constant columns out of R²', async () => {
    const x = sampleRows(50, 4)
      .toArray()
      .map((row) => [row[0]!, 0.1 + 0.2, row[1]!])
    const model = new SparseAutoencoder({ inputs: 3, hidden: 2 })
    const { reconstruction } = await model.fit(x, { epochs: 2 })
    expect(reconstruction!.perColumn[1]).toBeNull()
    expect(reconstruction!.rSquared).toBeCloseTo(
      rSquared(x, (await model.reconstruct(x)).toArray(), [0, 2]),
      4,
    )
    const constant = await new SparseAutoencoder({ inputs: 1, hidden: 1 }).fit([[0.5], [0.5]], { epochs: 1 })
    expect(constant.reconstruction).toMatchObject({ rSquared: null, perColumn: [null] })
    expect(constant.warnings).toEqual([])
  })

  test('looks at 2,048 rows that are spread over many, in memory and in files', async () => {
    const many = sampleRows(5000, 3)
    const fit = { epochs: 1, batchSize: 500, shuffle: false } as const
    const model = () => new SparseAutoencoder({ inputs: 3, hidden: 2 })
    const inMemory = (await model().fit(many, fit)).reconstruction!
    expect(inMemory.rows).toBe(2048)
    const path = join(folder, 'many')
    await writeDataset(path, [many], { type: 'float64' })
    const files = await openDataset(path)
    const inFiles = (await model().fit(files, { ...fit, shuffle: 'blocks' })).reconstruction!
    await files.close()
    expect(inFiles.rows).toBe(2048)
    const heldOut = (await model().fit(many, { ...fit, validation: 0.7 })).reconstruction!
    expect(heldOut.rows).toBe(1500)
  })

  test('is the same for sparse rows', async () => {
    const dense = sampleRows(40, 5)
      .toArray()
      .map((row, i) => row.map((value, j) => ((i + j) % 3 === 0 ? value : 0)))
    const indptr = new Uint32Array(41)
    const [indices, values]: [number[], number[]] = [[], []]
    dense.forEach((row, i) => {
      row.forEach((value, j) => {
        if (value === 0) return
        indices.push(j)
        values.push(value)
      })
      indptr[i + 1] = values.length
    })
    const sparse = SparseMatrix.from({
      indptr,
      indices: Uint32Array.from(indices),
      values: Float64Array.from(values),
      rows: 40,
      cols: 5,
    })
    const fit = { epochs: 1, batchSize: 8 }
    const model = () => new SparseAutoencoder({ inputs: 5, hidden: 2, precision: 'float64' })
    const [a, b] = [await model().fit(sparse, fit), await model().fit(dense, fit)]
    expect(a.reconstruction!.rSquared).toBeCloseTo(b.reconstruction!.rSquared!, 9)
    expect(a.units).toEqual(b.units)
  })

  test('counts units that are dead, identical and saturated', async () => {
    const model = new SparseAutoencoder({
      inputs: 2,
      hidden: 4,
      activation: 'satlin',
      outputActivation: 'identity',
    })
    const theta = model.parameters()
    // Units: always 0; x₀; x₀ again; far above 1 but for one row.
    theta.set([0, 0, 1, 0, 1, 0, 1e4, 0, -1, 0, 0, -10])
    model.setParameters(theta)
    const x = Array.from({ length: 200 }, (_, i) => [i / 200, 0.5])
    const { units } = await model.fit(x, { epochs: 1, batchSize: 'all', learningRate: 1e-12 })
    expect(units).toEqual([{ all: 4, dead: 1, identical: 2, saturated: 2 }])
  })

  test('has the parts of the cost as shares, which add up to 1', async () => {
    const model = new SparseAutoencoder({
      inputs: 4,
      hidden: 3,
      weightDecay: 0.1,
      sparsity: { kind: 'kl', target: 0.1, weight: 1 },
    })
    const { costShares, epochs } = await model.fit(sampleRows(40, 4), { epochs: 3 })
    expect(costShares.loss + costShares.sparsity + costShares.weightDecay).toBeCloseTo(1, 9)
    expect(costShares.sparsity).toBeCloseTo(epochs[2]!.cost.sparsity / epochs[2]!.cost.total, 9)
  })

  test('is plain data', async () => {
    const history = await new SparseAutoencoder(identity).fit(rows, { epochs: 1 })
    expect(JSON.parse(JSON.stringify(history))).toEqual(history)
    expect(structuredClone(history)).toEqual(history)
  })
})

describe('with comparePca, a history has R² of as many principal components', () => {
  const fit = { epochs: 1, comparePca: true }
  const reconstructed = async (pca: Pca<'float64'>, x: number[][]) =>
    pca.inverseTransform(await pca.transform(x))

  test('of the rows after scaling, constant columns left out', async () => {
    const x = rows.toArray().map((row) => [...row, 7])
    const scaling = await new StandardScaler().fit(x)
    const model = new SparseAutoencoder({ ...identity, inputs: cols + 1, scaling })
    const { reconstruction } = await model.fit(x, fit)
    const pca = await new Pca({ components: 3, scaling, precision: 'float64' }).fit(x)
    const scaled = async (y: number[][] | Matrix) => (await scaling.transform(y)).toArray()
    const expected = rSquared(await scaled(x), await scaled(await reconstructed(pca, x)), [0, 1, 2, 3, 4, 5])
    expect(reconstruction!.pca!.components).toBe(3)
    expect(reconstruction!.pca!.rSquared).toBeCloseTo(expected, 9)
  })

  test('of the rows that are looked at, in memory and in files', async () => {
    const many = sampleRows(5000, 4)
    const model = () => new SparseAutoencoder({ inputs: 4, hidden: 2 })
    const inMemory = (await model().fit(many, fit)).reconstruction!
    const path = join(folder, 'compared')
    await writeDataset(path, [many], { type: 'float64' })
    const files = await openDataset(path)
    const inFiles = (await model().fit(files, fit)).reconstruction!
    await files.close()
    expect([inMemory.rows, inFiles.rows]).toEqual([2048, 2048])
    const chosen = Array.from(
      { length: 2048 },
      (_, k) => many.row(Math.floor((k * 5000) / 2048)).toArray()[0]!,
    )
    const pca = await new Pca({ components: 2, precision: 'float64' }).fit(chosen)
    const expected = rSquared(chosen, (await reconstructed(pca, chosen)).toArray(), [0, 1, 2, 3])
    expect(inMemory.pca!.rSquared).toBeCloseTo(expected, 9)
    expect(inFiles.pca!.rSquared).toBeCloseTo(expected, 1)
  })

  test('of the inputs of each layer of a stack, and by its narrowest layer when it is fine-tuned', async () => {
    const scaling = await new StandardScaler().fit(rows)
    const stack = new StackedAutoencoder({
      inputs: cols,
      scaling,
      outputActivation: 'identity',
      layers: [{ hidden: 5 }, { hidden: 2 }],
    })
    const histories = await stack.fit(rows, { ...fit, fineTune: true })
    expect(histories.map(({ reconstruction }) => reconstruction!.pca!.components)).toEqual([5, 2, 2])
    const pca = await new Pca({ components: 2, scaling }).fit(rows)
    expect(histories[2]!.reconstruction!.pca!.rSquared).toBeCloseTo(
      pca.explainedVarianceRatio.reduce((sum, share) => sum + share, 0),
      6,
    )
  })

  test('whatever weights the rows have', async () => {
    const rowWeights = Array.from({ length: 300 }, (_, i) => i % 4)
    const compared = async (more: object) =>
      (await new SparseAutoencoder(identity).fit(rows, { ...fit, ...more })).reconstruction!.pca
    expect(await compared({ rowWeights })).toEqual(await compared({}))
  })

  test('as long as not all columns are constant', async () => {
    const { reconstruction } = await new SparseAutoencoder({ inputs: 1, hidden: 1 }).fit([[0.5], [0.5]], fit)
    expect(reconstruction).toEqual({ rSquared: null, perColumn: [null], rows: 2 })
  })

  test('which is 1 where there are as many units as columns, or nearly as many as rows', async () => {
    const wide = await new SparseAutoencoder({ inputs: 3, hidden: 4 }).fit(sampleRows(50, 3), fit)
    expect(wide.reconstruction!.pca).toEqual({ components: 3, rSquared: 1 })
    const few = await new SparseAutoencoder({ inputs: 2500, hidden: 7 }).fit(sampleRows(8, 2500), fit)
    expect(few.reconstruction!.pca).toEqual({ components: 7, rSquared: 1 })
  })

  test('of rows with thousands of columns', async () => {
    const x = sampleRows(40, 2500)
    const { reconstruction } = await new SparseAutoencoder({ inputs: 2500, hidden: 3 }).fit(x, fit)
    const pca = await new Pca({ components: 3 }).fit(x)
    expect(reconstruction!.pca!.rSquared).toBeCloseTo(
      pca.explainedVarianceRatio.reduce((sum, share) => sum + share, 0),
      6,
    )
  })

  test('and is refused where the loss is not squared, before anything is trained', async () => {
    const model = new SparseAutoencoder({ inputs: cols, hidden: 3, loss: 'crossEntropy' })
    const before = model.parameters()
    const x = sampleRows(40, cols)
    expectError(
      await rejection(model.fit(x, fit)),
      'ERR_ARGUMENT',
      'comparePca: expected nothing beside the loss',
    )
    expect(model.parameters()).toEqual(before)
    const classifier = new SoftmaxClassifier({ inputs: cols, classes: 2 })
    const labels = Array.from({ length: 40 }, (_, i) => i % 2)
    expectError(await rejection(classifier.fit(x, labels, fit)), 'ERR_ARGUMENT', 'comparePca: ')
    expectError(
      await rejection(new SparseAutoencoder(identity).fit(rows, { comparePca: 1 as never })),
      'ERR_ARGUMENT',
      'comparePca: expected true or false',
    )
  })
})

describe('warnings', () => {
  const warningsOf = async (model: SparseAutoencoder, x: Matrix, epochs: number) =>
    (await model.fit(x, { epochs })).warnings.join(' ')

  test('are absent where nothing is wrong', async () => {
    const scaling = await new StandardScaler().fit(rows)
    expect((await new SparseAutoencoder({ ...identity, scaling }).fit(rows)).warnings).toEqual([])
  })

  test('say that rows are reconstructed worse than by their means, and that they are far from unit scale', async () => {
    const said = await warningsOf(new SparseAutoencoder(identity), rows, 1)
    expect(said).toContain('worse than by their column means (R² -')
    expect(said).toContain('far from 1')
  })

  test('say which penalty dominates', async () => {
    const x = sampleRows(100, 5)
    const sparsity = { kind: 'kl', target: 0.01, weight: 100 } as const
    expect(await warningsOf(new SparseAutoencoder({ inputs: 5, hidden: 4, sparsity }), x, 1)).toMatch(
      /sparsity penalty is \d+% of the cost/,
    )
    expect(await warningsOf(new SparseAutoencoder({ inputs: 5, hidden: 4, weightDecay: 100 }), x, 1)).toMatch(
      /weight decay is \d+% of the cost/,
    )
  })

  test('say that the units of a layer are identical', async () => {
    const x = sampleRows(300, 8)
    const heavy = { kind: 'kl', target: 0.1, weight: 30 } as const
    const stack = new StackedAutoencoder({
      inputs: 8,
      layers: [
        { hidden: 12, sparsity: heavy },
        { hidden: 6, sparsity: heavy },
      ],
    })
    const said = (await stack.fit(x, { epochs: 300, batchSize: 32 }))
      .flatMap(({ warnings }) => warnings)
      .join(' ')
    expect(said).toMatch(/of layer 2 give the same output/)
  })
})

test('a linear autoencoder has R², a classifier has none', async () => {
  const linear = new LinearAutoencoder({ inputs: cols, hidden: 5, center: true })
  expect((await linear.fit(rows)).reconstruction!.rSquared).toBeLessThanOrEqual(1)
  const classifier = new SoftmaxClassifier({ inputs: cols, classes: 2 })
  const history = await classifier.fit(
    rows,
    Array.from({ length: 300 }, (_, i) => i % 2),
    { epochs: 1 },
  )
  expect(history).not.toHaveProperty('reconstruction')
  expect(history.costShares.loss).toBe(1)
})
