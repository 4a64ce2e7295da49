import { ownCopy } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import type { Precision } from '../base/precision.js'
import { type BadValue, fileOfRow, type NativeLayer, type NativeRows } from '../native/binding.js'
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

/** What rows are for: the layers that they go through, and the precision of the computation. */
interface Reader {
  readonly layers: readonly NativeLayer[]
  readonly precision: Precision
}

/**
 * Refuses rows whose values a network cannot use, naming the first.
 *
 * @returns a bound on the size of the network's inputs
 * @throws {@link LayerwiseError} `ERR_RANGE` for NaN, infinities and numbers outside the range of the precision, or of what is checked for;
 *   `ERR_FILE` if their files fail
 */
export async function checkRowValues(
  argument: string,
  rows: NativeRows,
  check: Exclude<RowCheck, 'none'>,
  reader: Reader,
  work: NativeWork,
): Promise<number> {
  return checkRange(argument, rows, outputOf(check, reader), reader.precision, work)
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

/**
 * Rows of files whose values are refused while they are read, the first time that each is: there is no pass before. {@link asRefused} makes
 * the error.
 */
export function checkedWhileRead(
  rows: NativeRows,
  check: Exclude<RowCheck, 'none'>,
  reader: Reader,
): NativeRows {
  const within = boundsOf(outputOf(check, reader), LARGEST[reader.precision])
  return ownCopy({ ...rows, files: ownCopy({ ...rows.files!, within }) })
}

/** The error that {@link checkRowValues} throws for the value that reading such rows has refused; any other failure itself. */
export function asRefused(
  failure: unknown,
  rows: NativeRows,
  check: Exclude<RowCheck, 'none'>,
  reader: Reader,
): unknown {
  if (!(failure instanceof LayerwiseError) || failure.code !== 'ERR_RANGE') return failure
  const { argument = 'x', file, row, column, received } = failure.details
  if (file === undefined || row === undefined || column === undefined) return failure
  const found = { row, column, value: received as number }
  return valueError(argument, found, rows, outputOf(check, reader), reader.precision)
}

/** The output activation whose range the rows must be in. */
function outputOf(check: Exclude<RowCheck, 'none'>, { layers }: Reader): Activation {
  return check === 'finite' ? 'identity' : (layers.at(-1)!.activation as Activation)
}

/** The numbers that a reconstruction with this output activation can reach, up to a size. */
function boundsOf(output: Activation, most: number): [low: number, high: number] {
  const [low, high] = activationRange(output)
  return [Math.max(low - ROUNDING, -most), Math.min(high + ROUNDING, most)]
}

async function checkRange(
  argument: string,
  rows: NativeRows,
  output: Activation,
  precision: Precision,
  work: NativeWork,
): Promise<number> {
  const largest = LARGEST[precision]
  const scan = (most: number) => {
    const [low, high] = boundsOf(output, most)
    return work.read(argument, rows, (run) => binding().scan({ ...run, rows, low, high }))
  }
  if ((await scan(ORDINARY)) === null) return ORDINARY
  const found = await scan(largest)
  if (found === null) return largest
  throw valueError(argument, found, rows, output, precision)
}

function valueError(
  argument: string,
  found: BadValue,
  rows: NativeRows,
  output: Activation,
  precision: Precision,
): LayerwiseError {
  const { row, column, value } = found
  const file = fileOfRow(rows, row)
  if (found.fault !== undefined || !Number.isFinite(value))
    return badValueError(argument, found, rows.cols, file)
  const [low, high] = activationRange(output)
  const largest = LARGEST[precision]
  const beyond = Math.abs(value) > largest
  const expected = beyond
    ? `numbers that ${precision} can hold, up to ±${largest}`
    : `numbers that ${output} outputs can reach, from ${low} to ${high}`
  const after = rows.scaling === undefined ? '' : ' after scaling'
  const place = `in row ${row}, column ${column}${file === undefined ? '' : `, in '${file}'`}`
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received ${value}${after} ${place}; ${remedy(rows, beyond)}`,
    { argument, expected, received: value, row, column, ...(file !== undefined && { file }) },
  )
}

/** Advice for values outside the range, given the scaling already applied. */
function remedy({ scaling }: NativeRows, beyond: boolean): string {
  if (beyond)
    return "bring the data into range with a scaler (option 'scaling'), or choose precision 'float64'"
  if (scaling === undefined) {
    return (
      "bring the data into range with a Matrix's scale or a MinMaxScaler (option 'scaling'); for embeddings and standardised columns " +
      "choose outputActivation 'identity', which reaches every number, or a Pca"
    )
  }
  return (
    "choose outputActivation 'identity', which reaches every number, or scale by a MinMaxScaler fitted on all of the data; " +
    'with its option clip: true, values outside the range it was fitted on map to the ends of its own'
  )
}
