import { checkCheckpoint } from '../checkpoint/options.js'
import { Checkpoints } from './checkpoints.js'

/** Options that no file can hold, and whose absence a resumed training must not overlook. */
export const CARRIED = ['validation', 'rowWeights', 'onEpoch', 'onProgress', 'signal'] as const

/**
 * The checkpoints that a call asks for.
 *
 * @param given - its options, all checked but `checkpoint`; the resumption of a training has its {@link Checkpoints} there
 */
export function checkpointsOf(given: Readonly<Record<string, unknown>>): Checkpoints | undefined {
  const { checkpoint, threads, ...asked } = given
  if (checkpoint === undefined || Checkpoints.is(checkpoint)) return checkpoint
  const settings = checkCheckpoint(checkpoint)
  const { path, ...plain } = settings
  const options: Record<string, unknown> = {}
  const carried: string[] = []
  for (const [name, value] of Object.entries<unknown>({ ...asked, checkpoint: plain })) {
    const isData = (CARRIED as readonly string[]).includes(name) && typeof value !== 'number'
    if (isData || typeof value === 'function') carried.push(name)
    else if (name === 'layers') options.layers = plainLayers(value as readonly object[], carried)
    else options[name] = plainCopy(value)
  }
  return new Checkpoints(settings, { options, carried })
}

/** Options of single layers. */
function plainLayers(layers: readonly (object | undefined)[], carried: string[]): unknown[] {
  return layers.map((layer, k) => {
    const { learningRate, ...plain } = (layer ?? {}) as { learningRate?: unknown }
    if (typeof learningRate !== 'function') return plainCopy(layer ?? {})
    carried.push(`layers[${k}].learningRate`)
    return plainCopy(plain)
  })
}

function plainCopy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
