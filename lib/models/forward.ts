import { ownCopy } from '../base/check.js'
import {
  allocateUnset,
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

/** What is computed of rows: the outputs of some layers, with the parameters that they had when it was made. */
export interface ForwardTask<P extends Precision = Precision> {
  readonly dense: DenseLayers<P>
  readonly precision: P
  /** Numbers of an output. */
  readonly outputs: number
  /** What the caller called the rows. */
  readonly argument: string
  /** The form of the rows. */
  readonly form: RowForm
  /** Converts outputs back to the units of the rows; undefined: they stay as they are. */
  readonly unscale: NativeScaling | undefined
}

/** A task of these layers of a network, with its current parameters. */
export function forwardTask<P extends Precision>(
  network: Network<P>,
  range: LayerRange,
  argument: string,
  form: RowForm,
  scaling?: NativeScaling,
): ForwardTask<P> {
  return {
    dense: network.slice(range.from, range.to),
    precision: network.precision,
    outputs: network.layers[range.to - 1]!.outputs,
    argument,
    form,
    unscale: scaling && nativeScaling(scaling),
  }
}

/** The outputs for all rows, [rows, outputs]; or, `squares`, their squared differences from the rows. With `out` they are written there. */
export async function forward<P extends Precision>(
  task: ForwardTask<P>,
  x: Rows,
  options: RunOptions,
  out?: Out<P>,
  result: 'outputs' | 'squares' = 'outputs',
): Promise<Matrix<FloatArray<P>>> {
  const { outputs, precision } = task
  const room = (rows: number) => roomIn(out, rows, outputs, precision, result)
  const written = await run(task, x, options, result, room).finally(() => {
    if (out !== undefined && options.signal?.aborted !== true) checkStillThere(out)
  })
  return Matrix.from(written, written.length / outputs, outputs)
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
  const request = requestOf(network.slice(range.from, range.to), rows, 'outputs', out)
  await nativeRead(argument, rows, options, (native) => binding().forward({ ...native, ...request }))
}

/** The sums of the squared differences between rows and outputs, one a row. */
export async function forwardErrors(
  task: ForwardTask,
  x: Rows,
  options: RunOptions,
): Promise<PlainFloat64Array> {
  return run(task, x, options, 'errors', (rows) => allocateUnset('float64', rows, 'errors'))
}

/** The index of the largest output, the first of equals, for each row. */
export async function forwardClasses(
  task: ForwardTask,
  x: Rows,
  options: RunOptions,
): Promise<PlainUint32Array> {
  return run(task, x, options, 'classes', (rows) => allocateUnset('uint32', rows, 'classes'))
}

/** Reads the caller's rows, allocates the result, and computes. */
async function run<Out extends ForwardRequest['out']>(
  { dense, argument, form, unscale }: ForwardTask,
  x: Rows,
  options: RunOptions,
  result: ForwardRequest['result'],
  room: (rows: number) => Out,
): Promise<Out> {
  const rows = await toRows(argument, x, form, () => options.signal?.throwIfAborted())
  const out = room(rows.rows)
  const request = requestOf(dense, rows, result, out, unscale)
  await nativeRead(argument, rows, options, (native) => binding().forward({ ...native, ...request }))
  return out
}

/** The request of a native call, but for its threads. */
export function requestOf(
  { layers, parameters }: DenseLayers<Precision>,
  rows: NativeRows,
  result: ForwardRequest['result'],
  out: ForwardRequest['out'],
  unscale?: NativeScaling,
): Omit<ForwardRequest, 'threads' | 'flags'> {
  return ownCopy({ layers, parameters, rows, result, out, ...(unscale && { unscale }) })
}
