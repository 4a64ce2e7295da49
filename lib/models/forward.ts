import { Matrix } from '../data/matrix.js'
import type { Scaler } from '../data/scaler.js'
import type { NativeRows } from '../native/binding.js'
import { nativeCall } from '../native/call.js'
import { binding } from '../native/load.js'
import type { RunOptions } from '../native/run-options.js'
import { allocate, type FloatArray, type Precision } from '../precision.js'
import type { Network, Part } from './network.js'

/** Which layers rows go through: from the first to the last, not included. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Rows through some layers. With a scaler the outputs are brought back to the units of x. */
export async function forward<P extends Precision>(
  network: Network<P>,
  span: Span,
  argument: string,
  rows: NativeRows,
  options: RunOptions,
  scaler?: Scaler,
): Promise<Matrix<FloatArray<P>>> {
  const unscale = scaler && { shift: scaler.shift, factor: scaler.factor }
  return forwardMatrix(network, span, argument, rows, options, 'outputs', unscale)
}

/** The same, written to `out`, [rows, outputs of the last layer]. */
export async function forwardInto<P extends Precision>(
  out: FloatArray<P>,
  network: Network<P>,
  span: Span,
  argument: string,
  rows: NativeRows,
  options: RunOptions,
): Promise<void> {
  const request = { ...network.part(span.from, span.to), rows, result: 'outputs' as const, out }
  await nativeCall(argument, options, (run) => binding().forward({ ...run, ...request }))
}

/** Squared differences between rows and outputs, [rows, outputs]. */
export async function forwardSquares<P extends Precision>(
  network: Network<P>,
  span: Span,
  argument: string,
  rows: NativeRows,
  options: RunOptions,
): Promise<Matrix<FloatArray<P>>> {
  return forwardMatrix(network, span, argument, rows, options, 'squares')
}

/** Their sums, one a row. */
export async function forwardErrors<P extends Precision>(
  network: Network<P>,
  span: Span,
  argument: string,
  rows: NativeRows,
  options: RunOptions,
): Promise<Float64Array> {
  const out = allocate('float64', rows.rows, 'errors')
  const request = { ...network.part(span.from, span.to), rows, result: 'errors' as const, out }
  await nativeCall(argument, options, (run) => binding().forward({ ...run, ...request }))
  return out
}

/** Which of the last layer's outputs is largest, the first of equals: one a row. */
export async function forwardClasses<P extends Precision>(
  { layers, parameters }: Part<P>,
  argument: string,
  rows: NativeRows,
  options: RunOptions,
): Promise<Uint32Array> {
  const out = allocate('uint32', rows.rows, 'classes')
  const request = { layers, parameters, rows, result: 'classes' as const, out }
  await nativeCall(argument, options, (run) => binding().forward({ ...run, ...request }))
  return out
}

async function forwardMatrix<P extends Precision>(
  network: Network<P>,
  span: Span,
  argument: string,
  rows: NativeRows,
  options: RunOptions,
  result: 'outputs' | 'squares',
  unscale?: { shift: Float64Array; factor: Float64Array },
): Promise<Matrix<FloatArray<P>>> {
  const { outputs } = network.layers[span.to - 1]!
  const out = allocate(network.precision, rows.rows * outputs, result)
  const request = { ...network.part(span.from, span.to), rows, result, out, ...unscale }
  await nativeCall(argument, options, (run) => binding().forward({ ...run, ...request }))
  return Matrix.from(out, rows.rows, outputs)
}
