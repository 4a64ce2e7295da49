import { argumentError, checkOptions, checkWithin, readArray, shapeError } from '../base/check.js'
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
import { type CodeOptions, type CodeSettings, checkCodeOptions } from './code-folder.js'
import { layerObjective, type Settings } from './sparse-autoencoder-options.js'

/** How to train a stack layer by layer. Options beside `layers` apply to every layer. */
export type StackedFitOptions = FitOptions &
  CodeOptions & {
    /**
     * Options of single layers, in order; layers beyond the end have none. An entry with another kind of optimizer inherits none of
     * `optimizer`, `epochs`, `batchSize`, `learningRate`, `shuffle` and `clipNorm`. Default: all layers have the same options.
     */
    readonly layers?: readonly LayerFitOptions[] | undefined
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
  readonly codes: CodeSettings
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
  const known = [...FIT_OPTIONS, 'layers', 'recompute', 'codes', 'fineTune']
  const { fineTune, ...given } = checkRunOptions(options, known)
  const codes = checkCodeOptions(given)
  const { layers: own, recompute, codes: _, checkpoint, ...common } = given
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
  for (const [k, { settings }] of layers.entries()) if (k > 0) checkShuffled(settings, codes)
  const checkpoints = checkpointsOf({ ...given, codes: codes.codes })
  return {
    shared: { ...shared, checkpoints },
    layers: layers.map((layer) => ({ ...layer, settings: { ...layer.settings, checkpoints } })),
    codes,
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

/** Refuses a shuffle of single rows of files before the first of them is written. */
export function checkShuffled({ shuffle }: FitSettings, { codes }: CodeSettings): void {
  if (codes === undefined || shuffle !== 'rows') return
  throw argumentError(
    'shuffle',
    "true, false or 'blocks' beside 'codes', whose single rows are slow to read",
    shuffle,
  )
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
