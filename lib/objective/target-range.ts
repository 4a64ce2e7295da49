import { notFiniteError } from '../data/slices.js'
import { LayerwiseError } from '../errors.js'
import type { NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import type { Precision } from '../precision.js'
import { type Activation, activationRange } from './activation.js'

/** Scaling in float32 may carry a number past the end of its range by its last bits. */
const ROUNDING = 1e-6

/** The largest finite number of each precision. */
const LARGEST = { float32: (2 - 2 ** -23) * 2 ** 127, float64: Number.MAX_VALUE }

/**
 * Refuses rows that a reconstruction with this output activation, in this precision, could never reach, naming the first of them.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE` for NaN, infinities and numbers outside the range of the activation or the precision
 */
export async function checkTargets(
  argument: string,
  rows: NativeRows,
  output: Activation,
  precision: Precision,
  work: NativeWork,
): Promise<void> {
  const [low, high] = activationRange(output)
  const largest = LARGEST[precision]
  const found = await work.read(argument, rows, (run) =>
    binding().scan({
      ...run,
      rows,
      low: Math.max(low - ROUNDING, -largest),
      high: Math.min(high + ROUNDING, largest),
    }),
  )
  if (found === null) return
  const { row, column, value } = found
  if (!Number.isFinite(value)) throw notFiniteError(argument, value, row, column)
  const beyond = Math.abs(value) > largest
  const expected = beyond
    ? `numbers that ${precision} can hold, up to ±${largest}`
    : `numbers that ${output} outputs can reach, from ${low} to ${high}`
  const other = beyond ? "precision 'float64'" : 'another outputActivation'
  const after = rows.scaling === undefined ? '' : ' after scaling'
  throw new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received ${value}${after} in row ${row}, column ${column}; ` +
      `bring the data into range with a Matrix's scale or a scaler (option 'scaling'), or choose ${other}`,
    { argument, expected, received: value, row, column },
  )
}
