import type { NativeObjective, NativeRows } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import type { Activation } from '../objective/activation.js'
import { checkTargets } from '../objective/target-range.js'
import type { Precision } from '../precision.js'
import type { TrainingHistory } from '../training/history.js'
import type { FitPlan } from '../training/options.js'
import { holdOut } from '../training/split.js'
import { train } from '../training/train.js'
import type { Network } from './network.js'

/** A network that learns to give back its inputs. */
export interface Fitting<P extends Precision> {
  readonly network: Network<P>
  readonly seed: number
  /** For the steps, and exact over the rows it is given. */
  readonly objective: NativeObjective
  readonly exactObjective: NativeObjective
  /** Checks what the caller gave as rows. */
  readonly toRows: (argument: string, x: unknown) => NativeRows
}

/** Checks the data, holds out rows for validation where a fraction is asked for, and trains. */
export async function fitNetwork<P extends Precision>(
  fitting: Fitting<P>,
  x: unknown,
  plan: FitPlan,
): Promise<TrainingHistory> {
  const { network } = fitting
  const work = new NativeWork(plan)
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
  x: unknown,
  plan: FitPlan,
  work: NativeWork,
): Promise<{ training: NativeRows; validation: NativeRows | undefined }> {
  const output = network.layers.at(-1)!.activation satisfies Activation
  const rows = toRows('x', x)
  const others =
    plan.validation === undefined || typeof plan.validation === 'number'
      ? undefined
      : toRows('validation', plan.validation)
  await checkTargets('x', rows, output, work)
  if (others !== undefined) await checkTargets('validation', others, output, work)
  return typeof plan.validation === 'number'
    ? holdOut('x', rows, plan.validation, seed)
    : { training: rows, validation: others }
}
