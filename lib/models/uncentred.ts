import { allocate, type Precision } from '../base/precision.js'
import { rowSlices } from '../data/slices.js'
import { Network } from './network.js'
import { parameterOffsets } from './parameter-layout.js'
import type { Projection } from './projection.js'

/**
 * The same projection of rows that are not centred: its first layer subtracts the projected mean, W(x − μ) = Wx − Wμ, and its last adds μ.
 * For sparse rows, which would lose their zeros if the mean were subtracted first.
 *
 * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room for another copy of the weights
 */
export async function uncentred<P extends Precision>(
  { network, into, back }: Projection<P>,
  mean: Float64Array,
): Promise<Projection<P>> {
  const { precision } = network
  const last = network.layers.length - 1
  const layers = network.layers.map((layer, index) => ({ ...layer, biases: index === 0 || index === last }))
  const offsets = parameterOffsets(layers)
  const theta = allocate(precision, offsets.at(-1)!, 'components')
  const [k, n] = [layers[0]!.outputs, mean.length]
  for (const [index, { inputs, outputs, tied }] of layers.entries()) {
    if (tied !== undefined) continue
    theta.set(network.slice(index, index + 1).parameters.subarray(0, inputs * outputs), offsets[index])
  }
  for await (const [from, to] of rowSlices(k, n)) {
    for (let i = from; i < to; i++) {
      let sum = 0
      for (let j = 0; j < n; j++) sum += theta[i * n + j]! * mean[j]!
      theta[k * n + i] = -sum
    }
  }
  theta.set(mean, theta.length - n)
  return { network: new Network(layers, precision, { parameters: theta, fits: 0 }), into, back }
}
