import { LayerwiseError } from '../base/errors.js'
import { allocate, type Precision } from '../base/precision.js'
import { rowSlices } from '../data/slices.js'
import type { LayerRange } from './forward.js'
import { Network } from './network.js'
import { parameterOffsets } from './parameter-layout.js'
import type { Whitening } from './pca-options.js'
import type { PrincipalComponents } from './principal-components.js'

/** Linear layers that transform centred rows, and the layers back. */
export interface Projection<P extends Precision> {
  readonly network: Network<P>
  readonly into: LayerRange
  readonly back: LayerRange
}

/**
 * With V [k, n] and S = diag(w + ε)^½, where 1/0 counts as 0:
 *
 * - no whitening: V, and back Vᵀ
 * - `pca`: S⁻¹V, and back VᵀS
 * - `zca`: VᵀS⁻¹V, and back VᵀSV, each as two layers, the second being the first transposed
 *
 * @param argument - where the variances came from, for messages
 */
export async function projection<P extends Precision>(
  { directions, variances }: PrincipalComponents,
  whiten: Whitening,
  epsilon: number,
  precision: P,
  argument: string,
): Promise<Projection<P>> {
  const k = variances.length
  if (precision === 'float32' && !isHeldWhole(Math.sqrt(variances[0]!))) {
    throw spreadError(argument, 'variances whose roots', variances[0]!, 0)
  }
  const n = directions.length / k
  const down = { inputs: n, outputs: k, activation: 'identity', biases: false } as const
  const up = { inputs: k, outputs: n, activation: 'identity', biases: false } as const
  const layers = {
    none: [down, { ...up, tied: 0 }],
    pca: [down, up],
    zca: [down, { ...up, tied: 0 }, down, { ...up, tied: 2 }],
  }[whiten || 'none']
  const middle = layers.length / 2

  const theta = allocate(precision, parameterOffsets(layers).at(-1)!, 'components')
  const [first, second] = [theta.subarray(0, k * n), theta.subarray(k * n)]
  if (whiten === false) {
    for await (const [from, to] of rowSlices(k, n)) {
      first.set(directions.subarray(from * n, to * n), from * n)
    }
  } else {
    // VᵀS^½ S^½V: each of the two layers of zca has a square root.
    const power = whiten === 'pca' ? 0.5 : 0.25
    for await (const [from, to] of rowSlices(k, n)) {
      for (let i = from; i < to; i++) {
        const spread = (variances[i]! + epsilon) ** power
        const inverse = spread > 0 ? 1 / spread : 0
        if (precision === 'float32' && !Number.isFinite(Math.fround(Math.max(spread, inverse)))) {
          throw spreadError(argument, 'variances whose roots and their inverses', variances[i]! + epsilon, i)
        }
        for (let j = 0; j < n; j++) {
          const entry = directions[i * n + j]!
          first[i * n + j] = entry * inverse
          second[whiten === 'pca' ? j * k + i : i * n + j] = entry * spread
        }
      }
    }
  }
  const network = new Network(layers, precision, { parameters: theta, fits: 0 })
  return { network, into: { from: 0, to: middle }, back: { from: middle, to: layers.length } }
}

/** Whether float32 can represent numbers of this size with full precision. */
function isHeldWhole(size: number): boolean {
  return size === 0 || (size >= 2 ** -102 && size < 2 ** 127)
}

function spreadError(argument: string, what: string, variance: number, component: number): LayerwiseError {
  const expected = `${what} float32 can hold`
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received ${variance} along component ${component} (epsilon included, where there is one); ` +
      "scale the data, or choose precision 'float64' or a larger epsilon",
    { argument, expected, received: variance },
  )
}
