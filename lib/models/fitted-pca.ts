import { ownCopy } from '../base/check.js'
import type { Precision } from '../base/precision.js'
import type { RowForm } from '../data/rows.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import type { NativeScaling } from '../native/binding.js'
import type { LayerRange } from './forward.js'
import { RowForward } from './forward-row.js'
import type { Network } from './network.js'
import type { PcaSettings } from './pca-options.js'
import type { PrincipalComponents } from './principal-components.js'
import { type Projection, projection } from './projection.js'

/** The state of a fitted `Pca`. */
export interface FittedPca<P extends Precision> extends PrincipalComponents {
  /** The layers that transform rows minus their mean, and the layers back. */
  readonly network: Network<P>
  readonly into: LayerRange
  readonly back: LayerRange
  /** Applied to rows before the network: the scaler, and subtraction of the mean. */
  readonly centring: NativeScaling
  /** The form of rows to transform. */
  readonly rowForm: RowForm
  readonly transformRow: RowForward<P>
  readonly reconstructRow: RowForward<P>
  /** Layers to centred coordinates along the components, each of variance 1, in float64; created at first use. */
  readonly whitening: { made?: Promise<Projection<'float64'>> }
  /** The same layers for rows that are not centred, and the form of such rows; created at first use. */
  readonly uncentred: { made?: Promise<Projection<P>>; whitening?: Promise<Projection<'float64'>> }
  readonly sparseForm: RowForm
  /** The scaler's numbers that these were made with: the scaler may be fitted again. */
  readonly scaledBy: Float64Array | undefined
}

/**
 * Makes of components what answers calls.
 *
 * @param argument - where the variances came from, for messages
 */
export async function fittedPca<P extends Precision>(
  found: PrincipalComponents,
  settings: PcaSettings<P>,
  scaler: ModelScaler | undefined,
  argument: string,
): Promise<FittedPca<P>> {
  const { whiten, epsilon = 0, precision } = ownCopy(settings)
  const made = await projection(found, whiten, epsilon, precision, argument)
  return { ...found, ...made, whitening: {}, uncentred: {}, ...centred(found, made, scaler) }
}

/** The parts that depend on the scaler's numbers. */
export function centred<P extends Precision>(
  { mean }: PrincipalComponents,
  { network, into }: Projection<P>,
  scaler: ModelScaler | undefined,
): Pick<
  FittedPca<P>,
  'scaledBy' | 'centring' | 'rowForm' | 'sparseForm' | 'transformRow' | 'reconstructRow'
> {
  const scaledBy = scaler?.shift
  const factor = scaler?.factor ?? mean.map(() => 1)
  const shift = scaler?.shift ?? mean.map(() => 0)
  const centring = { shift, factor, clipped: scaler?.clipped, centre: mean }
  const form = { width: mean.length, precision: network.precision }
  return {
    scaledBy,
    centring,
    rowForm: { ...form, scaling: centring },
    sparseForm: { ...form, scaling: scaler },
    transformRow: new RowForward(network, into, centring),
    reconstructRow: new RowForward(network, { from: 0, to: network.layers.length }, centring),
  }
}

/** What is made at the first call that needs it, kept in `place`; after a failure the next call makes it again. */
export function madeOnce<K extends string, T>(
  place: { [name in K]?: Promise<T> },
  name: K,
  make: () => Promise<T>,
): Promise<T> {
  const kept = place[name]
  if (kept !== undefined) return kept
  const made = make().catch((failure: unknown) => {
    delete place[name]
    throw failure
  })
  place[name] = made
  return made
}
