// Principal component analysis of handwritten digits. On the rows it was fitted to, its error is the sum of the omitted variances; on other
// digits it is close to that: with 30 components 13.87, as Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural
// networks", report.
//
//   npm run examples -- pca
import { fileURLToPath } from 'node:url'
import { type Matrix, Pca } from '../lib/index.js'
import { mnist } from './demo/mnist.js'

/** Mean over the rows of Σⱼ (yⱼ − xⱼ)². */
export async function meanError(
  model: { reconstructionError(x: Matrix): Promise<Float64Array> },
  x: Matrix,
): Promise<number> {
  const errors = await model.reconstructionError(x)
  return errors.reduce((sum, error) => sum + error, 0) / errors.length
}

export async function main(): Promise<void> {
  const [training, test] = await Promise.all([mnist('train'), mnist('t10k')])
  console.log('components  variance left out  error of training digits  error of test digits')
  for (const components of [1, 10, 30, 100, 196]) {
    const pca = await new Pca({ components, precision: 'float64' }).fit(training)
    const left = pca.explainedVariance.reduce((rest, variance) => rest - variance, pca.totalVariance)
    const [fitted, unseen] = [await meanError(pca, training), await meanError(pca, test)]
    const cells = [`${components}`.padStart(10), left.toFixed(4).padStart(17), fitted.toFixed(4).padStart(24)]
    console.log(`${cells.join('  ')}${unseen.toFixed(4).padStart(22)}`)
    if (Math.abs(fitted - left) > 1e-9 * pca.totalVariance) {
      throw new Error(
        `the error with ${components} components, ${fitted}, is not the variance left out, ${left}`,
      )
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
