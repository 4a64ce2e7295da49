import { defaults } from './defaults.js'
import type { FitSettings } from './options.js'

/** How long to train, and how many rows a step sees. */
export interface Steps {
  readonly epochs: number
  readonly batchSize: number
}

/**
 * Epochs and batch where neither was given. What trains a network is steps, not epochs: of few rows a batch has fewer of them, in powers of two,
 * so that the usual epochs have `defaults.steps` steps; where the smallest batch is not enough there are more epochs.
 */
export function stepsFor(rows: number): Steps {
  const perEpoch = defaults.steps / defaults.epochs
  const fitting = 2 ** Math.floor(Math.log2(Math.max(1, rows / perEpoch)))
  const batchSize = Math.min(defaults.batchSize, Math.max(defaults.smallestBatch, fitting))
  const steps = Math.ceil(rows / batchSize)
  return { batchSize, epochs: Math.max(defaults.epochs, Math.ceil(defaults.steps / steps)) }
}

/** The settings for so many rows: others only where neither epochs nor batchSize was given. */
export function settingsFor(settings: FitSettings, rows: number): FitSettings {
  const { rateOver } = settings
  if (rateOver === undefined) return settings
  const { epochs, batchSize } = stepsFor(rows)
  return { ...settings, epochs, batchSize, rate: rateOver(epochs) }
}
