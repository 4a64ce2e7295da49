import {
  allocate,
  type FloatArray,
  type PlainFloat64Array,
  type PlainUint32Array,
  type Precision,
} from '../base/precision.js'
import { Matrix } from '../data/matrix.js'
import { type RowForm, type Rows, toRows } from '../data/rows.js'
import { type ForwardRequest, type NativeRows, type NativeScaling, nativeScaling } from '../native/binding.js'
import { nativeRead } from '../native/call.js'
import { binding } from '../native/load.js'
import type { RunOptions } from '../native/run-options.js'
import type { DenseLayers, Network } from './network.js'
import { checkStillThere, type Out, roomIn } from './out.js'

/** The layers to compute: from the first to the last, not included. */
export interface LayerRange {
  readonly from: number
  readonly to: number
}

/**
 * Computes some layers for rows, with the current parameters. With a scaling the outputs are converted back to the units of x; with `out`
 * they are written there.
 */
export async function forward<P extends Precision>(
  network: Network<P>,
  range: LayerRange,
  argument: string,
  x: Rows,
  form: RowForm,
  options: RunOptions,
  scaling?: NativeScaling,
  out?: Out<P>,
): Promise<Matrix<FloatArray<P>>> {
  const unscale = scaling && nativeScaling(scaling)
  return forwardMatrix(network, range, argument, x, form, options, 'outputs', unscale, out)
}

/** The same for rows that are already read, written to `out`, [rows, outputs of the last layer]. */
export async function forwardInto<P extends Precision>(
  out: FloatArray<P>,
  network: Network<P>,
  range: LayerRange,
  argument: string,
  rows: NativeRows,
  options: RunOptions,
): Promise<void> {
  await compute(network.slice(range.from, range.to), argument, rows, options, 'outputs', out)
}

/** Squared differences between rows and outputs, [rows, outputs]. */
export async function forwardSquares<P extends Precision>(
  network: Network<P>,
  range: LayerRange,
  argument: string,
  x: Rows,
  form: RowForm,
  options: RunOptions,
): Promise<Matrix<FloatArray<P>>> {
  return forwardMatrix(network, range, argument, x, form, options, 'squares')
}

/** Their sums, one a row. */
export async function forwardErrors<P extends Precision>(
  network: Network<P>,
  range: LayerRange,
  argument: string,
  x: Rows,
  form: RowForm,
  options: RunOptions,
): Promise<PlainFloat64Array> {
  const room = (rows: number) => allocate('float64', rows, 'errors')
  return run(network.slice(range.from, range.to), argument, x, form, options, 'errors', room)
}

/** The index of the largest output of the last layer, the first of equals, for each row. */
export async function forwardClasses<P extends Precision>(
  layers: DenseLayers<P>,
  argument: string,
  x: Rows,
  form: RowForm,
  options: RunOptions,
): Promise<PlainUint32Array> {
  return run(layers, argument, x, form, options, 'classes', (rows) => allocate('uint32', rows, 'classes'))
}

async function forwardMatrix<P extends Precision>(
  network: Network<P>,
  range: LayerRange,
  argument: string,
  x: Rows,
  form: RowForm,
  options: RunOptions,
  result: 'outputs' | 'squares',
  unscale?: NativeScaling,
  out?: Out<P>,
): Promise<Matrix<FloatArray<P>>> {
  const { outputs } = network.layers[range.to - 1]!
  const room = (rows: number) => roomIn(out, rows, outputs, network.precision, result)
  const layers = network.slice(range.from, range.to)
  const written = await run(layers, argument, x, form, options, result, room, unscale).finally(() => {
    if (out !== undefined && options.signal?.aborted !== true) checkStillThere(out)
  })
  return Matrix.from(written, written.length / outputs, outputs)
}

/** Reads the caller's rows, allocates the result, and computes. */
async function run<Out extends ForwardRequest['out']>(
  layers: DenseLayers<Precision>,
  argument: string,
  x: Rows,
  form: RowForm,
  options: RunOptions,
  result: ForwardRequest['result'],
  room: (rows: number) => Out,
  unscale?: NativeScaling,
): Promise<Out> {
  const rows = await toRows(argument, x, form, () => options.signal?.throwIfAborted())
  const out = room(rows.rows)
  await compute(layers, argument, rows, options, result, out, unscale)
  return out
}

async function compute(
  { layers, parameters }: DenseLayers<Precision>,
  argument: string,
  rows: NativeRows,
  options: RunOptions,
  result: ForwardRequest['result'],
  out: ForwardRequest['out'],
  unscale?: NativeScaling,
): Promise<void> {
  const request = { layers, parameters, rows, result, out, ...(unscale && { unscale }) }
  await nativeRead(argument, rows, options, (native) => binding().forward({ ...native, ...request }))
}
