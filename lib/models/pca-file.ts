import { ownCopy } from '../base/check.js'
import type { PlainFloat64Array, Precision } from '../base/precision.js'
import { formatError } from '../data/read-file.js'
import type { Tensor } from '../data/safetensors.js'
import type { ModelFile, Tensors } from './model-file.js'
import { checkTensors } from './model-tensors.js'
import { isFraction, type PcaSettings } from './pca-options.js'
import type { PrincipalComponents } from './principal-components.js'

/** The arrays of a `Pca` in its file. */
export function pcaTensors({ mean, directions, variances, totalVariance }: PrincipalComponents): Tensor[] {
  return [
    { name: 'mean', shape: [mean.length], data: mean },
    { name: 'components', shape: [variances.length, mean.length], data: directions },
    { name: 'explainedVariance', shape: [variances.length], data: variances },
    { name: 'totalVariance', shape: [1], data: Float64Array.of(totalVariance) },
  ]
}

/** The number of columns, if a file's arrays are consistent. */
export function checkPcaTensors(file: ModelFile, settings: PcaSettings<Precision>): number {
  const { components: wanted } = ownCopy(settings)
  const [k = 0, n = 0] = file.entries.find(({ name }) => name === 'components')?.shape ?? []
  if (k < 1 || k > n || (!isFraction(wanted) && k !== (wanted ?? n))) {
    throw formatError(
      file.name,
      `it has ${k} components of ${n} columns where ${wanted ?? 'all'} were wanted`,
    )
  }
  const shapes = { mean: [n], components: [k, n], explainedVariance: [k], totalVariance: [1] }
  checkTensors(
    file,
    Object.entries(shapes).map(([key, shape]) => ({ key, shape })),
    'float64',
  )
  return n
}

/** The components in a file's arrays; `name` is the file's. */
export function storedComponents(name: string, tensors: Tensors): PrincipalComponents {
  const part = (key: string) => tensors.get(key)!.data as PlainFloat64Array
  const variances = part('explainedVariance')
  if (variances.some((variance) => variance < 0)) throw formatError(name, 'a variance is negative')
  return {
    mean: part('mean'),
    directions: part('components'),
    variances,
    totalVariance: part('totalVariance')[0]!,
  }
}
