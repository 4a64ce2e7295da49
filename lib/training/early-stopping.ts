import { type Complete, checkInteger, checkNumber, checkOptions } from '../base/check.js'
import type { Floats, NativeTrainingState } from '../native/binding.js'
import { defaults } from './defaults.js'
import { oneNumber, vector, wholeNumber } from './state-entries.js'

/**
 * Stops a fit when its cost no longer falls, and leaves the model with the parameters of its best epoch, also where all epochs
 * were completed. What is watched is `validation.total`. Without validation rows the training rows themselves are measured after each
 * epoch, exactly, and stand as `validation` in the history.
 */
export interface EarlyStopping {
  /** Epochs without improvement after which the fit ends, at least 1. */
  readonly patience: number
  /** How far below the best a cost must lie to count as better, at least 0. Default 0. */
  readonly minDelta?: number | undefined
}

export function checkEarlyStopping(argument: string, value: unknown): Complete<EarlyStopping> {
  const { patience, minDelta = defaults.minDelta } = checkOptions(argument, value, ['patience', 'minDelta'])
  return {
    patience: checkInteger(`${argument}.patience`, patience),
    minDelta: checkNumber(`${argument}.minDelta`, minDelta, { min: 0 }),
  }
}

/** The best epoch so far, and how long ago it was. */
export class BestEpoch {
  readonly #options: Complete<EarlyStopping>
  #cost = Infinity
  #latest = 0
  epoch = 0
  parameters: Floats | undefined

  constructor(options: Complete<EarlyStopping>) {
    this.#options = options
  }

  observe(epoch: number, cost: number, parameters: Floats): void {
    this.#latest = epoch
    if (this.parameters !== undefined && !(cost < this.#cost - this.#options.minDelta)) return
    // A cost that is not a number is worse than any.
    this.#cost = Number.isNaN(cost) ? Infinity : cost
    this.epoch = epoch
    this.parameters = parameters
  }

  get exhausted(): boolean {
    return this.#latest - this.epoch >= this.#options.patience
  }

  /** As a checkpoint holds it. */
  entries(): NativeTrainingState {
    return {
      'best.cost': Float64Array.of(this.#cost),
      'best.epoch': this.epoch,
      'best.latest': this.#latest,
      ...(this.parameters && { 'best.parameters': this.parameters }),
    }
  }

  /** Takes over {@link entries}, of a model with so many parameters. */
  restore(entries: NativeTrainingState, parameters: number): void {
    this.#cost = oneNumber(entries, 'best.cost')
    this.epoch = wholeNumber(entries, 'best.epoch')
    this.#latest = wholeNumber(entries, 'best.latest')
    this.parameters = this.epoch === 0 ? undefined : vector(entries, 'best.parameters', parameters)
  }
}
