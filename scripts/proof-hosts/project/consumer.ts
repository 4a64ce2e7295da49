/** Checks the published declarations with TypeScript, with library checks on. */
import { loadModel, Matrix, type Model, Pca, SoftmaxClassifier, SparseAutoencoder } from 'layerwise'

export async function use(maybeSignal: AbortSignal | undefined, maybeSeed: number | undefined) {
  const model = new SparseAutoencoder({ inputs: 2, hidden: 2, seed: maybeSeed, sparsity: undefined })
  await model.fit([[0, 1]], {
    signal: maybeSignal,
    epochs: 3,
    earlyStopping: maybeSeed === 1 ? { patience: 2 } : undefined,
  })
  const codes = await model.encode(Matrix.from(new Float32Array(4), 2, 2))
  const errors = await model.reconstructionError([[1, 2]])
  const any: Model = await loadModel('file')
  const again: Matrix = await any.encode([[1, 2]])
  const classes = await new SoftmaxClassifier({ inputs: 2, classes: 3 }).predict(again)
  const components = (await new Pca({ components: 1 }).fit([[1, 2]])).components
  const numbers: Float32Array = model.parameters()
  model.setParameters(numbers)
  const double: Float64Array = new SparseAutoencoder({
    inputs: 2,
    hidden: 2,
    precision: 'float64',
  }).parameters()
  const posted = Matrix.from({ data: double, rows: 1, cols: double.length })
  return [new Blob([codes.data, errors, classes, components.data, await model.toBytes()]), posted.row(0)]
}
