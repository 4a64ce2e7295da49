import { checkInteger } from '../base/check.js'
import type { FloatInput, Precision } from '../base/precision.js'
import type { Matrix } from '../data/matrix.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import { checkPlace, checkTo, type Folder } from './answers.js'
import type { LayerRange } from './forward.js'

/** Options of `encode`, of every model. */
export interface OutOptions<P extends Precision = Precision> extends RunOptions {
  /**
   * Where the codes are written: an array of the model's precision with one number for each row and code, or a Matrix of that shape over
   * one. It must not share memory with `x`, and must not be read, written or transferred until the promise settles; after a rejection it
   * may hold some of the codes. The Matrix that `encode` resolves to lies over the same memory. Default: a new array.
   */
  readonly out?: FloatInput<P> | Matrix<FloatInput<P>> | undefined
}

/** Options of `encode` of a model with several layers, and of `decode` of a stack. */
export interface EncodeOptions extends RunOptions {
  /** The layer of the activations, counted from 1. Default: the last encoding layer. */
  readonly layer?: number | undefined
}

/** The layers to go through, of `layers` that encode. */
export function checkEncodeOptions(
  options: unknown,
  layers: number,
): { run: RunOptions; range: LayerRange; to: Folder } {
  const run = checkRunOptions(options, ['layer', 'to'])
  return { run, range: rangeTo(run.layer, layers), to: checkTo(run.to) }
}

/** The same where the answer comes batch by batch. */
export function checkLayerOptions(options: unknown, layers: number): { run: RunOptions; range: LayerRange } {
  const run = checkRunOptions(options, ['layer'])
  return { run, range: rangeTo(run.layer, layers) }
}

/** Options of `encode`, with the place for the codes of the rows of `x`. */
export function checkOutOptions<P extends Precision>(
  options: unknown,
  precision: P,
  x: unknown,
): { run: RunOptions; place: ReturnType<typeof checkPlace<P>> } {
  const run = checkRunOptions(options, ['out', 'to'])
  return { run, place: checkPlace(run, precision, x) }
}

/** The same for a model with several layers. */
export function checkLayerOutOptions<P extends Precision>(
  options: unknown,
  layers: number,
  precision: P,
  x: unknown,
): { run: RunOptions; range: LayerRange; place: ReturnType<typeof checkPlace<P>> } {
  const run = checkRunOptions(options, ['layer', 'out', 'to'])
  return { run, range: rangeTo(run.layer, layers), place: checkPlace(run, precision, x) }
}

function rangeTo(layer: unknown, layers: number): LayerRange {
  return { from: 0, to: layer === undefined ? layers : checkInteger('layer', layer, 1, layers) }
}
