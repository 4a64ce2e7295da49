import { checkBoolean, ownCopy } from '../base/check.js'
import { allocate, type FloatArray, type FloatInput, type Precision } from '../base/precision.js'
import type { RowWeightsOption } from '../data/row-weights.js'
import { checkScaler, type ModelScaler } from '../data/scaling/scaler.js'
import { type GivenRows, type ModelRowForm, takeRows } from '../data/take-rows.js'
import type { NativeLayer, NativeObjective } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import { type Cost, costParts } from '../objective/cost.js'
import { checkRowValues } from '../objective/row-check.js'
import { takeFitRows } from '../training/fit-rows.js'
import type { TrainingHistory } from '../training/history.js'
import type { FitSettings } from '../training/options.js'
import type { TrainingRequest } from '../training/request.js'
import { train } from '../training/train.js'
import { BaseModel } from './base-model.js'
import { type ModelContent, modelContents, type Restorer } from './model-file.js'
import { checkEntries, layerTensors, roomFor } from './model-tensors.js'
import type { Layer, Network, Stored, TrainingMethod } from './network.js'
import { restoredScaler } from './stored-scaler.js'

/** Options of `cost`. */
export interface CostOptions<P extends Precision = Precision> extends RunOptions, RowWeightsOption {
  /**
   * The parameters to use, in the order of `parameters()`; copied a slice at a time: must not be written until the promise settles.
   * Default: the model's own.
   */
  readonly parameters?: FloatInput<P> | undefined
  /** Whether the gradient is computed too. Default false. */
  readonly gradient?: boolean | undefined
}

/** The parts of a request that depend on the method and its options; the model adds the others. */
export type WholeRequest = Pick<TrainingRequest, 'phase' | 'objective' | 'seed' | 'settings'>

interface NetworkSettings {
  readonly inputs: number
  readonly precision: Precision
}

/** The common base of models that are one network, perhaps with a scaler. */
export abstract class NetworkModel<P extends Precision> extends BaseModel<P> {
  /** @internal */
  protected readonly network: Network<P>
  #scaler: ModelScaler | undefined

  /** @internal The scaler is the model's own, and fits its inputs. */
  protected constructor(network: Network<P>, scaler: ModelScaler | undefined, metadata: unknown) {
    super(metadata)
    this.network = network
    this.#scaler = scaler
  }

  override get inputs(): number {
    return this.network.layers[0]!.inputs
  }

  override get precision(): P {
    return this.network.precision
  }

  override get scaling(): ModelScaler | undefined {
    return this.#scaler
  }

  /** @internal */
  protected get scaler(): ModelScaler | undefined {
    return this.#scaler
  }

  /** @internal Sets the scaler of every input. */
  protected set scaler(scaler: ModelScaler | undefined) {
    this.#scaler = scaler
  }

  /** @internal The form of the model's rows. */
  protected get rowForm(): ModelRowForm {
    const { inputs: width, precision, scaler: scaling, classes } = this
    return { width, precision, scaling, classes }
  }

  /** @internal The check of row values before training and for the cost. */
  protected abstract get rowCheck(): 'range' | 'finite'

  /**
   * @internal Runs one training; meanwhile another one is refused, and its checkpoints hold this model.
   *
   * @param phaseCount - how many networks it trains, one after another
   */
  protected async exclusively<T>(
    method: TrainingMethod,
    { run, checkpoints }: Pick<FitSettings, 'run' | 'checkpoints'>,
    training: (work: NativeWork) => Promise<T>,
    phaseCount = 1,
  ): Promise<T> {
    return this.network.exclusively(method, run, async (work) => {
      checkpoints?.open({ method, phaseCount, model: () => modelContents(this.description()) })
      try {
        return await training(work)
      } finally {
        await checkpoints?.close()
      }
    })
  }

  /** @internal Trains all layers at once, on the caller's rows; another training is refused meanwhile. */
  protected async trainWhole(
    method: TrainingMethod,
    given: GivenRows,
    asked: WholeRequest,
  ): Promise<TrainingHistory> {
    const { network, rowForm, rowCheck } = this
    const { settings } = asked
    return this.exclusively(method, settings, async (work) => {
      const rows = await takeFitRows(given, settings, rowForm, work)
      const nextFit = () => network.nextFit()
      return train({ ...asked, network, nextFit, rows, rowCheck, classes: rowForm.classes }, work)
    })
  }

  /**
   * @internal The cost with the current parameters, over the caller's rows.
   *
   * @param options - the caller's {@link CostOptions}
   */
  protected async measure(
    given: Omit<GivenRows, 'rowWeights'>,
    options: unknown,
    objective: NativeObjective,
  ): Promise<Cost<P>> {
    const run = checkRunOptions(options, ['parameters', 'gradient', 'rowWeights'])
    const { network, rowForm, rowCheck } = this
    const { layers, precision } = network
    const own = network.parameters
    const wantsGradient = checkGradient(run.gradient)
    const work = new NativeWork(run)
    try {
      const between = () => work.throwIfAborted()
      const theta = run.parameters
      // Both begin at the call: what is small is copied before the caller can change it. Labels and weights follow the rows.
      const [parameters, rows] = await Promise.all([
        theta === undefined ? own : network.checked('parameters', theta, between),
        takeRows({ ...given, rowWeights: run.rowWeights }, rowForm, between),
      ])
      const gradient = wantsGradient ? allocate(precision, parameters.length, 'gradient') : undefined
      const largest = await checkRowValues('x', rows, rowCheck, network, work)
      const request = { layers, objective, parameters, rows, largest, ...(gradient && { gradient }) }
      const parts = await work.read('x', rows, (native) => binding().evaluate({ ...native, ...request }))
      return { ...costParts(parts), ...(gradient && { gradient }) }
    } finally {
      work.release()
    }
  }

  /** Its layers in order: sizes, activation, and copies of weights and biases, made on the calling thread at the speed of memory. */
  get layers(): readonly Layer<P>[] {
    return this.network.layerCopies()
  }

  /** A copy of all parameters, W₁ b₁ W₂ b₂, each W row-major [outputs, inputs], made on the calling thread at the speed of memory. */
  parameters(): FloatArray<P> {
    return this.network.copy()
  }

  /**
   * Replaces all parameters by a copy of `theta`, in the order of {@link parameters}. Copied and checked on the calling thread, some 2 ns each.
   *
   * @throws {@link LayerwiseError} `ERR_BUSY` while a fit runs; `ERR_ARGUMENT` for another kind of array, `ERR_SHAPE` for another length,
   *   `ERR_RANGE` for NaN and infinities
   */
  setParameters(theta: FloatInput<P>): void {
    this.network.set('theta', theta)
  }

  /** @internal */
  protected override content(): ModelContent {
    return { scaler: this.#scaler, fits: this.network.fits, tensors: layerTensors(this.network) }
  }

  /** @internal How a class restores its models, if its settings determine its layers. */
  protected static restorerOf<S extends NetworkSettings, M extends NetworkModel<Precision>>({
    class: name,
    settings: check,
    layers: layersOf,
    make,
  }: {
    class: string
    settings: (options: Record<string, unknown>) => S
    layers: (settings: S) => readonly NativeLayer[]
    make: (settings: S & { scaling?: ModelScaler }, start: Stored) => M
  }): Restorer<M> {
    return {
      class: name,
      restore: (file) => {
        const settings = check(file.options)
        const layers = layersOf(settings)
        checkEntries(file, layers, settings.precision)
        const scaling = restoredScaler(file, settings.inputs)
        const { parameters, places } = roomFor(layers, settings.precision)
        const start = { parameters, fits: file.fits }
        return { places, make: () => make(ownCopy({ ...settings, ...(scaling && { scaling }) }), start) }
      },
    }
  }
}

/** The model's own copy of a scaler: the caller's may be fitted again. */
export function copyScaler(scaling: unknown, inputs: number): ModelScaler | undefined {
  if (scaling === undefined) return undefined
  return checkScaler('scaling', scaling, inputs).copy().keepWidth()
}

function checkGradient(value: unknown): boolean {
  return value !== undefined && checkBoolean('gradient', value)
}
