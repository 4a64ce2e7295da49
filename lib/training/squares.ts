import { allocate } from '../base/precision.js'
import { rowSlices } from '../data/slices.js'
import { usedRows } from '../data/used-rows.js'
import type { Floats, NativeLayer, NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import type { TrainableLayers } from './request.js'

/** Sums over some rows, of each column, after scaling. */
export interface ColumnSquares {
  readonly rows: number
  /** Σ(x − y)², y being the reconstruction. */
  readonly errors: Float64Array
  /** Σ(x − mean)². */
  readonly spreads: Float64Array
  /** 1 where all these rows have the same value, but for rounding. */
  readonly constant: Uint8Array
}

export async function columnSquares(
  { layers }: TrainableLayers,
  parameters: Floats,
  rows: NativeRows,
  work: NativeWork,
): Promise<ColumnSquares> {
  const errors = await sumsOfSquares(layers, parameters, rows, work)
  const { values, squares } = await sumsOfValues(rows, work)
  const count = usedRows(rows)
  const spreads = squares.map((sum, j) => Math.max(0, sum - values[j]! ** 2 / count))
  const constant = Uint8Array.from(spreads, (spread, j) => (spread <= 1e-12 * squares[j]! ? 1 : 0))
  return { rows: count, errors, spreads, constant }
}

/**
 * Whatever rows are stored as: layers without weights output their biases b, and Σ(x − b)² for b = 0 and for b = 1 give Σx² and Σx.
 */
async function sumsOfValues(rows: NativeRows, work: NativeWork) {
  const { cols: inputs } = rows
  const layers: NativeLayer[] = [
    { inputs, outputs: 1, activation: 'identity', biases: false },
    { inputs: 1, outputs: inputs, activation: 'identity' },
  ]
  const parameters = allocate('float64', 3 * inputs, 'parameters')
  const squares = await sumsOfSquares(layers, parameters, rows, work)
  const ones = parameters.slice().fill(1, 2 * inputs)
  const fromOne = await sumsOfSquares(layers, ones, rows, work)
  const count = usedRows(rows)
  return { squares, values: squares.map((sum, j) => (count + sum - fromOne[j]!) / 2) }
}

/** Σ(x − y)² of each column. */
async function sumsOfSquares(
  layers: readonly NativeLayer[],
  parameters: Floats,
  rows: NativeRows,
  work: NativeWork,
): Promise<Float64Array> {
  const width = layers.at(-1)!.outputs
  const out = roomLike(parameters, usedRows(rows) * width)
  const request = { layers, parameters, rows, result: 'squares', out } as const
  await work.read('x', rows, (run) => binding().forward({ ...run, ...request }))
  const sums = allocate('float64', width, 'squares')
  for await (const [from, to] of rowSlices(usedRows(rows), width)) {
    for (let i = from, k = from * width; i < to; i++) for (let j = 0; j < width; j++) sums[j]! += out[k++]!
  }
  return sums
}

/** Zeros of the type of these numbers. */
export function roomLike(parameters: Floats, length: number): Floats {
  return parameters.BYTES_PER_ELEMENT === 8
    ? allocate('float64', length, 'diagnosis')
    : allocate('float32', length, 'diagnosis')
}
