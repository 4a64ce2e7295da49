// Principal component analysis of handwritten digits, by the covariance and eigenvectors that the native core computes.
// On the rows it was fitted to, its error is the sum of the eigenvalues left out; on other digits it comes close to that:
// with 30 components 13.87, as Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural networks", report.
//
//   npx tsx examples/pca.ts
import { fileURLToPath } from 'node:url'
import { Matrix, SparseAutoencoder } from '../lib/index.js'
import { NativeWork } from '../lib/native/call.js'
import { binding } from '../lib/native/load.js'
import { mnist } from './demo/mnist.js'

/** Mean, and the directions of greatest variance, one a row, with their variances falling. */
export interface PrincipalComponents {
  readonly mean: Float64Array
  readonly variances: Float64Array
  readonly directions: Matrix<Float64Array>
}

export async function principalComponents(x: Matrix): Promise<PrincipalComponents> {
  const n = x.cols
  const mean = new Float64Array(n)
  const covariance = new Float64Array(n * n)
  const variances = new Float64Array(n)
  const vectors = new Float64Array(n * n)
  const work = new NativeWork({})
  await work.call('x', (run) => binding().covariance({ ...run, rows: { ...x }, mean, covariance }))
  await work.call('x', (run) =>
    binding().eigen({ ...run, matrix: covariance, n, values: variances, vectors }),
  )
  return { mean, variances, directions: Matrix.from(vectors, n, n) }
}

/**
 * The projection on the first `count` directions V as a linear autoencoder: codes V(x − μ), reconstruction Vᵀcode + μ.
 */
export function pcaAutoencoder(pca: PrincipalComponents, count: number): SparseAutoencoder<'float64'> {
  const { mean, directions } = pca
  const n = directions.cols
  const theta = new Float64Array(count * n + count + n * count + n)
  const bias = count * n
  const decoder = bias + count
  for (let k = 0; k < count; k++) {
    const direction = directions.row(k)
    theta.set(direction, k * n)
    for (let j = 0; j < n; j++) {
      theta[bias + k]! -= direction[j]! * mean[j]!
      theta[decoder + j * count + k] = direction[j]!
    }
  }
  theta.set(mean, decoder + n * count)
  const model = new SparseAutoencoder({
    inputs: n,
    hidden: count,
    activation: 'identity',
    precision: 'float64',
  })
  model.setParameters(theta)
  return model
}

/** Mean over the rows of Σⱼ (yⱼ − xⱼ)². */
export async function meanError(model: SparseAutoencoder<'float32' | 'float64'>, x: Matrix): Promise<number> {
  const errors = await model.reconstructionError(x)
  return errors.reduce((sum, error) => sum + error, 0) / errors.length
}

export async function main(): Promise<void> {
  const [training, test] = await Promise.all([mnist('train'), mnist('t10k')])
  const pca = await principalComponents(training)
  const total = pca.variances.reduce((sum, variance) => sum + variance, 0)
  console.log('components  variance left out  error of training digits  error of test digits')
  for (const count of [1, 10, 30, 100, 196]) {
    const left = pca.variances.slice(count).reduce((sum, variance) => sum + variance, 0)
    const model = pcaAutoencoder(pca, count)
    const [fitted, unseen] = [await meanError(model, training), await meanError(model, test)]
    const cells = [`${count}`.padStart(10), left.toFixed(4).padStart(17), fitted.toFixed(4).padStart(24)]
    console.log(`${cells.join('  ')}${unseen.toFixed(4).padStart(22)}`)
    if (Math.abs(fitted - left) > 1e-9 * total) {
      throw new Error(`the error with ${count} components, ${fitted}, is not the variance left out, ${left}`)
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
