import { argumentError } from '../base/check.js'
import type { NativeOptimizer, NativeTrainingState } from '../native/binding.js'

/** What a training leaves for another one that goes on with its moments. */
export interface KeptOptimizer {
  readonly kind: NativeOptimizer['kind']
  /** Moments and moving means. */
  readonly entries: NativeTrainingState
  /** All epochs that led to them. */
  readonly epochs: number
}

/** What the names of these entries begin with. */
const KEPT = /^(?:adam|momentum|movingMeans)\./

/** Of a job's state; L-BFGS leaves nothing, since its pairs are of a cost that other rows do not have. */
export function keptOptimizer(
  kind: NativeOptimizer['kind'],
  job: NativeTrainingState,
  epochs: number,
): KeptOptimizer | undefined {
  if (kind === 'lbfgs') return undefined
  return {
    kind,
    entries: Object.fromEntries(Object.entries(job).filter(([name]) => KEPT.test(name))),
    epochs,
  }
}

/**
 * Refuses moments of another optimizer.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` if they are
 */
export function checkKept(kind: NativeOptimizer['kind'], kept: KeptOptimizer | undefined): void {
  if (kept === undefined || kept.kind === kind) return
  throw argumentError('optimizerState', `'fresh', since the training before was by ${kept.kind}`, 'keep')
}

/** The state of a job that has not begun, with the moments of another. */
export function withKept(fresh: NativeTrainingState, kept: KeptOptimizer): NativeTrainingState {
  const fitting = Object.entries(kept.entries).filter(
    ([name, value]) => sizeOf(fresh[name]) === sizeOf(value),
  )
  return { ...fresh, ...Object.fromEntries(fitting) }
}

/** Two entries of one size can take each other's place. */
function sizeOf(value: NativeTrainingState[string] | undefined): number | undefined {
  return typeof value === 'object' ? value.length : value === undefined ? undefined : -1
}
