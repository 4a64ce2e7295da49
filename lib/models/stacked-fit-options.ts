import {
  argumentError,
  checkBoolean,
  checkOptions,
  checkWithin,
  readArray,
  shapeError,
} from '../base/check.js'
import type { Precision } from '../base/precision.js'
import { checkRunOptions } from '../native/run-options.js'
import { checkpointsOf } from '../training/asked-options.js'
import {
  checkFitOptions,
  FIT_OPTIONS,
  type FitOptions,
  type FitSettings,
  LAYER_FIT_OPTIONS,
  type LayerFitOptions,
} from '../training/options.js'
import type { TrainingObjective } from '../training/request.js'
import { layerObjective, type Settings } from './sparse-autoencoder-options.js'

/** How to train a stack layer by layer. Options beside `layers` apply to every layer. */
export type StackedFitOptions = FitOptions & {
  /**
   * Options of single layers, in order; layers beyond the end have none. An entry with another kind of optimizer inherits none of
   * `optimizer`, `epochs`, `batchSize`, `learningRate`, `shuffle` and `clipNorm`. Default: all layers have the same options.
   */
  readonly layers?: readonly LayerFitOptions[] | undefined
  /**
   * Whether the codes of the layer below are computed again for each batch instead of being kept for all rows: less memory, more
   * work. The results agree to rounding, not to the bit, since products of a batch are cut in other places than those of all rows.
   * Default false.
   */
  readonly recompute?: boolean | undefined
  /**
   * Whether `fineTune` of the stack follows, with the same options; or with others, which are given as those of a layer. `x` must not
   * change until the promise settles. Not with `checkpoint`: call `fineTune` yourself, with a checkpoint of its own. Default false.
   */
  readonly fineTune?: boolean | LayerFitOptions | undefined
}

/** The training options of one layer. */
export interface LayerFit {
  readonly settings: FitSettings
  readonly objective: TrainingObjective
}

/** Checked options of every layer. */
export interface StackedFitSettings {
  /** The options that all layers share. */
  readonly shared: FitSettings
  readonly layers: readonly LayerFit[]
  readonly recompute: boolean
  /** The options of fine-tuning, if it follows. */
  readonly fineTune: FitOptions | undefined
}

/** Options that belong to an optimizer: another one has different rates, or none of these. */
const OPTIMIZER_BOUND = LAYER_FIT_OPTIONS.filter((option) => option !== 'earlyStopping')

/** Checks everything that can be checked before the first layer is trained. */
export function checkStackedFit(
  options: unknown,
  models: readonly Settings<Precision>[],
): StackedFitSettings {
  const { fineTune, ...given } = checkRunOptions(options, [...FIT_OPTIONS, 'layers', 'recompute', 'fineTune'])
  const { layers: own, recompute, checkpoint, ...common } = given
  const shared = checkFitOptions(common)
  const entries = checkEntries(own, models.length)
  const layers = models.map((model, k) => {
    const place = `layers[${k}]`
    const options = merged(common, checkOptions(place, entries[k], LAYER_FIT_OPTIONS))
    return checkWithin(place, () => {
      const settings = checkFitOptions(options)
      return { settings, objective: layerObjective(model, settings) }
    })
  })
  const again = recompute !== undefined && checkBoolean('recompute', recompute)
  const checkpoints = checkpointsOf(given)
  return {
    shared: { ...shared, checkpoints },
    layers: layers.map((layer) => ({ ...layer, settings: { ...layer.settings, checkpoints } })),
    recompute: again,
    fineTune: checkFineTune(fineTune, common, checkpoint),
  }
}

/** Options of `fineTune` that are known to be good, or undefined if it does not follow. */
function checkFineTune(
  value: unknown,
  common: Readonly<Record<string, unknown>>,
  checkpoint: unknown,
): FitOptions | undefined {
  if (value === undefined || value === false) return undefined
  if (checkpoint !== undefined)
    throw argumentError('fineTune', 'nothing beside checkpoint: call fineTune after fit, with its own', value)
  const own = value === true ? {} : checkOptions('fineTune', value, LAYER_FIT_OPTIONS)
  const options = merged(common, own)
  checkWithin('fineTune', () => checkFitOptions(options))
  return options as FitOptions
}

function checkEntries(value: unknown, most: number): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw argumentError('layers', 'an array of options, one entry a layer', value)
  if (value.length > most) throw shapeError('layers', `at most ${most} entries, one a layer`, value.length)
  return readArray(value)
}

function merged(
  shared: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const said = Object.entries(own).filter(([, value]) => value !== undefined)
  const replaced = own.optimizer !== undefined && kindOf(own.optimizer) !== kindOf(shared.optimizer)
  const taken = Object.entries(shared).filter(([option]) => !(replaced && OPTIMIZER_BOUND.includes(option)))
  return Object.fromEntries([...taken, ...said])
}

function kindOf(optimizer: unknown): unknown {
  return optimizer === undefined ? 'adam' : (optimizer as { kind?: unknown } | null)?.kind
}
