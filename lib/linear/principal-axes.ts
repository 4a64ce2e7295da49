import { argumentError } from '../base/check.js'
import { allocate } from '../base/precision.js'
import { rowSlices } from '../data/slices.js'
import { checkLayers, type LayeredModel } from '../models/check-layers.js'
import { type SingularVectors, singularVectors } from './singular-vectors.js'

/**
 * The axes a linear autoencoder has found: the left singular vectors of its decoder's weights W₂ [inputs, hidden], one a row, with
 * their singular values. For tied weights, where W₂ = Wᵀ, these are the right singular vectors of W.
 *
 * Trained with weight decay, they are the principal directions, and the values those of {@link linearOptimum}. Without it only their span
 * is determined. The rows of W are not the axes in either case: the cost does not change when W becomes QW, Q orthogonal.
 *
 * Computed on the JavaScript thread, a slice at a time: hidden² · inputs operations, some ten times.
 *
 * Source: Kunin et al. 2019, "Loss landscapes of regularized linear autoencoders", theorem 2; Plaut 2018.
 *
 * @returns values falling; vectors [rank, inputs], unit rows, the entry of largest absolute value in each positive
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but a model, and for one whose layers are not all linear
 */
export async function principalAxes(model: LayeredModel): Promise<SingularVectors> {
  const layers = checkLayers('model', model)
  const other = layers.find(({ activation }) => activation !== 'identity')
  if (other !== undefined) throw argumentError('model', 'linear layers', other.activation)
  const { weights } = layers.at(-1)!
  const { rows: n, cols: h, data } = weights
  let largest = 0
  for await (const [from, to] of rowSlices(data.length, 1)) {
    for (let k = from; k < to; k++) largest = Math.max(largest, Math.abs(data[k]!))
  }
  // Squares must neither overflow nor underflow; scaling by a power of two is exact.
  const unit = 2 ** Math.floor(Math.log2(largest || 1))
  const columns = allocate('float64', n * h, 'axes')
  for await (const [from, to] of rowSlices(h, n)) {
    for (let k = from; k < to; k++) for (let i = 0; i < n; i++) columns[k * n + i] = data[i * h + k]! / unit
  }
  const { values, vectors } = await singularVectors(columns, n)
  return { values: values.map((value) => value * unit), vectors }
}
