import {
  allocate,
  type FloatArray,
  type PlainFloat64Array,
  type PlainUint32Array,
  type Precision,
} from '../base/precision.js'
import { Matrix } from '../data/matrix.js'
import type { Between } from '../data/slices.js'
import { type ForwardRequest, type NativeRows, type NativeScaling, nativeScaling } from '../native/binding.js'
import { nativeRead } from '../native/call.js'
import { binding } from '../native/load.js'
import type { RunOptions } from '../native/run-options.js'
import type { Network, Part } from './network.js'

/** The layers to compute: from the first to the last, not included. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Reads the caller's rows, calling a function between slices. */
export type TakeRows = (between: Between) => NativeRows | Promise<NativeRows>

/** Computes some layers for rows, with the current parameters. With a scaling the outputs are converted back to the units of x. */
export async function forward<P extends Precision>(
  network: Network<P>,
  span: Span,
  argument: string,
  take: TakeRows,
  options: RunOptions,
  scaling?: NativeScaling,
): Promise<Matrix<FloatArray<P>>> {
  const unscale = scaling && nativeScaling(scaling)
  return forwardMatrix(network, span, argument, take, options, 'outputs', unscale)
}

/** The same for rows that are already read, written to `out`, [rows, outputs of the last layer]. */
export async function forwardInto<P extends Precision>(
  out: FloatArray<P>,
  network: Network<P>,
  span: Span,
  argument: string,
  rows: NativeRows,
  options: RunOptions,
): Promise<void> {
  await run(
    network.part(span.from, span.to),
    argument,
    () => rows,
    options,
    'outputs',
    () => out,
  )
}

/** Squared differences between rows and outputs, [rows, outputs]. */
export async function forwardSquares<P extends Precision>(
  network: Network<P>,
  span: Span,
  argument: string,
  take: TakeRows,
  options: RunOptions,
): Promise<Matrix<FloatArray<P>>> {
  return forwardMatrix(network, span, argument, take, options, 'squares')
}

/** Their sums, one a row. */
export async function forwardErrors<P extends Precision>(
  network: Network<P>,
  span: Span,
  argument: string,
  take: TakeRows,
  options: RunOptions,
): Promise<PlainFloat64Array> {
  const room = (rows: number) => allocate('float64', rows, 'errors')
  return run(network.part(span.from, span.to), argument, take, options, 'errors', room)
}

/** The index of the largest output of the last layer, the first of equals, for each row. */
export async function forwardClasses<P extends Precision>(
  part: Part<P>,
  argument: string,
  take: TakeRows,
  options: RunOptions,
): Promise<PlainUint32Array> {
  return run(part, argument, take, options, 'classes', (rows) => allocate('uint32', rows, 'classes'))
}

async function forwardMatrix<P extends Precision>(
  network: Network<P>,
  span: Span,
  argument: string,
  take: TakeRows,
  options: RunOptions,
  result: 'outputs' | 'squares',
  unscale?: NativeScaling,
): Promise<Matrix<FloatArray<P>>> {
  const { outputs } = network.layers[span.to - 1]!
  const room = (rows: number) => allocate(network.precision, rows * outputs, result)
  const out = await run(network.part(span.from, span.to), argument, take, options, result, room, unscale)
  return Matrix.from(out, out.length / outputs, outputs)
}

/** Reads rows, allocates the result, and computes. */
async function run<Out extends ForwardRequest['out']>(
  { layers, parameters }: Part<Precision>,
  argument: string,
  take: TakeRows,
  options: RunOptions,
  result: ForwardRequest['result'],
  room: (rows: number) => Out,
  unscale?: NativeScaling,
): Promise<Out> {
  const rows = await take(() => options.signal?.throwIfAborted())
  const out = room(rows.rows)
  const request = { layers, parameters, rows, result, out, ...(unscale && { unscale }) }
  await nativeRead(argument, rows, options, (native) => binding().forward({ ...native, ...request }))
  return out
}
