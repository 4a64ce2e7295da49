import type { Rows } from '../data/rows.js'
import { snapshot } from '../data/snapshot.js'
import type { NativeObjective, NativeRows } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { checkTargets } from '../objective/target-range.js'
import type { Precision } from '../precision.js'
import type { TrainingHistory } from '../training/history.js'
import type { FitPlan } from '../training/options.js'
import { holdOut } from '../training/split.js'
import { type MeasuredRows, train } from '../training/train.js'
import type { Network } from './network.js'

/** A network that learns to give back its inputs. */
export interface Fitting<P extends Precision> {
  readonly network: Network<P>
  readonly seed: number
  /** For the steps, and exact over the rows it is given. */
  readonly objective: NativeObjective
  readonly exactObjective: NativeObjective
  /** Checks what the caller gave as rows. */
  readonly toRows: (argument: string, x: Rows) => NativeRows
}

/** Checks the data, sets rows for validation apart, and trains. */
export async function fitNetwork<P extends Precision>(
  fitting: Fitting<P>,
  x: Rows,
  plan: FitPlan,
): Promise<TrainingHistory> {
  const { network } = fitting
  const work = new NativeWork(plan.run)
  try {
    return await network.exclusively('fit', async () => {
      const { training, validation } = await split(fitting, x, plan, work)
      return await train(
        {
          ...fitting,
          layers: network.layers,
          parameters: network.current,
          rows: training,
          validation,
          fit: network.nextFit(),
          publish: (parameters) => network.publish(parameters),
        },
        plan,
        work,
      )
    })
  } finally {
    work.release()
  }
}

async function split<P extends Precision>(
  { network, seed, toRows }: Fitting<P>,
  x: Rows,
  { validation, earlyStopping }: FitPlan,
  work: NativeWork,
): Promise<{ training: NativeRows; validation: MeasuredRows | undefined }> {
  const output = network.layers.at(-1)!.activation
  const copied = (argument: string, given: Rows) =>
    snapshot(argument, toRows(argument, given), () => work.throwIfAborted())
  const rows = await copied('x', x)
  const given =
    validation === undefined || typeof validation === 'number'
      ? undefined
      : await copied('validation', validation)
  await checkTargets('x', rows, output, network.precision, work)
  if (given !== undefined) {
    await checkTargets('validation', given, output, network.precision, work)
    return { training: rows, validation: { argument: 'validation', rows: given } }
  }
  if (typeof validation === 'number') {
    const parts = holdOut('x', rows, validation, seed)
    return { training: parts.training, validation: { argument: 'x', rows: parts.validation } }
  }
  return { training: rows, validation: earlyStopping && { argument: 'x', rows } }
}
