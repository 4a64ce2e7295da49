import { checkInteger } from '../base/check.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { LayerRange } from './forward.js'

/** Options of `encode` of a model with several layers, and of `decode` of a stack. */
export interface EncodeOptions extends RunOptions {
  /** The layer of the activations, counted from 1. Default: the last encoding layer. */
  readonly layer?: number | undefined
}

/** The layers to go through, of `layers` that encode. */
export function checkEncodeOptions(options: unknown, layers: number): { run: RunOptions; range: LayerRange } {
  const run = checkRunOptions(options, ['layer'])
  const to = run.layer === undefined ? layers : checkInteger('layer', run.layer, 1, layers)
  return { run, range: { from: 0, to } }
}
