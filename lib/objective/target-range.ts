import { notFiniteError } from '../data/slices.js'
import { LayerwiseError } from '../errors.js'
import type { NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { type Activation, activationRange } from './activation.js'

/** Scaling in float32 may carry a number past the end of its range by its last bits. */
const ROUNDING = 1e-6

/**
 * Refuses rows that a reconstruction with this output activation could never reach, naming the first of them.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE` for NaN, infinities and numbers outside the activation's range
 */
export async function checkTargets(
  argument: string,
  rows: NativeRows,
  output: Activation,
  work: NativeWork,
): Promise<void> {
  const [low, high] = activationRange(output)
  const found = await work.call(argument, (run) =>
    binding().scan({ ...run, rows, low: low - ROUNDING, high: high + ROUNDING }),
  )
  if (found === null) return
  const { row, column, value } = found
  if (!Number.isFinite(value)) throw notFiniteError(argument, value, row, column)
  const expected = `numbers that ${output} outputs can reach, from ${low} to ${high}`
  const after = rows.factor === undefined ? '' : ' after scaling'
  throw new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received ${value}${after} in row ${row}, column ${column}; ` +
      `bring the data into range with a Matrix's scale or a scaler (option 'scaling'), or choose another outputActivation`,
    { argument, expected, received: value, row, column },
  )
}
