import { LayerwiseError } from '../base/errors.js'
import type { Precision } from '../base/precision.js'
import { fileOfRow, type NativeLayer, type NativeRows } from '../native/binding.js'
import { badValueError, type NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { type Activation, activationRange } from './activation.js'

/**
 * The check of row values. `range`: they must be within the range of the output activation; `finite`: within the range of the precision;
 * `none`: no check, since they are outputs of layers that are not stored.
 */
export type RowCheck = 'range' | 'finite' | 'none'

/** Scaling in float32 may move a number beyond the end of its range by its last bits. */
const ROUNDING = 1e-6

/** The largest finite number of each precision. */
const LARGEST = { float32: (2 - 2 ** -23) * 2 ** 127, float64: Number.MAX_VALUE }

/** With ordinary weights, sums of products of numbers of this size are far from overflow in float32. */
const ORDINARY = 2 ** 40

/**
 * Refuses rows whose values a network cannot use, naming the first.
 *
 * @returns a bound on the size of the network's inputs
 * @throws {@link LayerwiseError} `ERR_RANGE` for NaN, infinities and numbers outside the range of the precision, or of what is checked for
 */
export async function checkRowValues(
  argument: string,
  rows: NativeRows,
  check: Exclude<RowCheck, 'none'>,
  { layers, precision }: { readonly layers: readonly NativeLayer[]; readonly precision: Precision },
  work: NativeWork,
): Promise<number> {
  return check === 'finite'
    ? checkFinite(argument, rows, precision, work)
    : checkRange(argument, rows, layers.at(-1)!.activation as Activation, precision, work)
}

/** Refuses rows that hold NaN, infinities or numbers outside the range of the precision, as {@link checkRowValues} does. */
export async function checkFinite(
  argument: string,
  rows: NativeRows,
  precision: Precision,
  work: NativeWork,
): Promise<number> {
  return checkRange(argument, rows, 'identity', precision, work)
}

/** Refuses rows that a reconstruction with this output activation, in this precision, could never reach. */
async function checkRange(
  argument: string,
  rows: NativeRows,
  output: Activation,
  precision: Precision,
  work: NativeWork,
): Promise<number> {
  const [low, high] = activationRange(output)
  const largest = LARGEST[precision]
  const scan = (most: number) =>
    work.read(argument, rows, (run) =>
      binding().scan({
        ...run,
        rows,
        low: Math.max(low - ROUNDING, -most),
        high: Math.min(high + ROUNDING, most),
      }),
    )
  if ((await scan(ORDINARY)) === null) return ORDINARY
  const found = await scan(largest)
  if (found === null) return largest
  const { row, column, value } = found
  const file = fileOfRow(rows, row)
  if (found.fault !== undefined || !Number.isFinite(value))
    throw badValueError(argument, found, rows.cols, file)
  const beyond = Math.abs(value) > largest
  const expected = beyond
    ? `numbers that ${precision} can hold, up to ±${largest}`
    : `numbers that ${output} outputs can reach, from ${low} to ${high}`
  const after = rows.scaling === undefined ? '' : ' after scaling'
  const place = `row ${row}, column ${column}${file === undefined ? '' : ` of '${file}'`}`
  throw new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received ${value}${after} in ${place}; ${remedy(rows, beyond)}`,
    { argument, expected, received: value, row, column, ...(file !== undefined && { file }) },
  )
}

/** Advice for values outside the range, given the scaling already applied. */
function remedy({ scaling }: NativeRows, beyond: boolean): string {
  if (beyond)
    return "bring the data into range with a scaler (option 'scaling'), or choose precision 'float64'"
  if (scaling === undefined) {
    return "bring the data into range with a Matrix's scale or a MinMaxScaler (option 'scaling'), or choose another outputActivation"
  }
  return (
    "choose outputActivation 'identity', which reaches every number, or scale by a MinMaxScaler fitted on all of the data; " +
    'with its option clip: true, values outside the range it was fitted on map to the ends of its own'
  )
}
