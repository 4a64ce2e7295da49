import { checkBoolean, ownCopy } from '../base/check.js'
import { allocate, type FloatArray, type FloatInput, type Precision } from '../base/precision.js'
import { type Rows, toRows } from '../data/rows.js'
import { checkScaler, type ModelScaler } from '../data/scaling/scaler.js'
import type { Between } from '../data/slices.js'
import type { NativeLayer, NativeObjective, NativeRows } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { Activation } from '../objective/activation.js'
import { type Cost, costParts } from '../objective/cost.js'
import { checkTargets } from '../objective/target-range.js'
import { BaseModel } from './base-model.js'
import type { ModelContent, Restorer } from './model-file.js'
import { checkEntries, layerTensors, roomFor } from './model-tensors.js'
import type { Layer, Network, Stored } from './network.js'
import { restoredScaler } from './stored-scaler.js'

/** Options of `cost`. */
export interface CostOptions<P extends Precision = Precision> extends RunOptions {
  /**
   * The parameters to use, in the order of `parameters()`; copied a slice at a time: must not be written until the promise settles.
   * Default: the model's own.
   */
  readonly parameters?: FloatInput<P> | undefined
  /** Whether the gradient is computed too. Default false. */
  readonly gradient?: boolean | undefined
}

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

  /** @internal Rows as the network's input. */
  protected toRows(argument: string, x: Rows, between: Between): Promise<NativeRows> {
    return toRows(argument, x, this.inputs, this.precision, between, this.#scaler)
  }

  /**
   * @internal The cost with the current parameters, over rows that are read when the work has begun.
   *
   * @param options - the caller's {@link CostOptions}
   * @param range - the activation whose range the rows must lie in
   */
  protected async measure(
    options: unknown,
    objective: NativeObjective,
    range: Activation,
    take: (work: NativeWork) => NativeRows | Promise<NativeRows>,
  ): Promise<Cost<P>> {
    const run = checkRunOptions(options, ['parameters', 'gradient'])
    const { network } = this
    const { layers, precision } = network
    const own = network.parameters
    const wantsGradient = checkGradient(run.gradient)
    const work = new NativeWork(run)
    try {
      const between = () => work.throwIfAborted()
      const given = run.parameters
      // Both begin at the call, before the caller can change the arrays.
      const [parameters, rows] = await Promise.all([
        given === undefined ? own : network.checked('parameters', given, between),
        take(work),
      ])
      const gradient = wantsGradient ? allocate(precision, parameters.length, 'gradient') : undefined
      const largest = await checkTargets('x', rows, range, precision, work)
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
