import type { NativeWork } from '../native/call.js'
import type { RunOptions } from '../native/run-options.js'
import { checkTargets } from '../objective/target-range.js'
import type { Precision } from '../precision.js'
import type { MeasuredRows } from '../training/train.js'
import type { FitRows } from './fit-network.js'
import { forward } from './forward.js'
import type { Network } from './network.js'

/**
 * Rows as the layer after the first `k` sees them, labels kept: codes, made once and held in memory; or, with `recompute`, the rows
 * themselves, which then pass through the first `k` layers at each step.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE` for rows that are not finite
 */
export async function codesOf<P extends Precision>(
  network: Network<P>,
  k: number,
  { training, validation }: FitRows,
  recompute: boolean,
  run: RunOptions,
  work: NativeWork,
): Promise<FitRows> {
  const codes = async ({ argument, rows }: MeasuredRows): Promise<MeasuredRows> => {
    if (recompute) {
      await checkTargets(argument, rows, 'identity', network.precision, work)
      return { argument, rows: { ...rows, through: network.part(0, k) } }
    }
    const { data, cols } = await forward(network, { from: 0, to: k }, argument, rows, run)
    const labels = rows.labels && { labels: rows.labels }
    return {
      argument: `codes of ${argument} in layer ${k}`,
      rows: { data, rows: rows.rows, cols, scale: 1, ...labels },
    }
  }
  return {
    training: await codes(training),
    validation: typeof validation === 'object' ? await codes(validation) : validation,
  }
}
