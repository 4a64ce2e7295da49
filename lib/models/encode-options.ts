import { checkInteger } from '../base/check.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { Span } from './forward.js'

/** What `encode` of a model of several layers may be told, and `decode` of a stack. */
export interface EncodeOptions extends RunOptions {
  /** Which layer's activations, counted from 1. Default: the last that encodes. */
  readonly layer?: number | undefined
}

/** The layers to go through, of `layers` that encode. */
export function checkEncodeOptions(options: unknown, layers: number): { run: RunOptions; span: Span } {
  const run = checkRunOptions(options, ['layer'])
  const to = run.layer === undefined ? layers : checkInteger('layer', run.layer, 1, layers)
  return { run, span: { from: 0, to } }
}
