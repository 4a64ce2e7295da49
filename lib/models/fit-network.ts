import { ownCopy } from '../base/check.js'
import type { Precision } from '../base/precision.js'
import { type Classes, checkSeveralClasses } from '../data/labels.js'
import type { Rows } from '../data/rows.js'
import type { Between } from '../data/slices.js'
import { snapshot } from '../data/snapshot.js'
import type { Floats, NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import type { Activation } from '../objective/activation.js'
import { checkTargets } from '../objective/target-range.js'
import type { TrainingHistory } from '../training/history.js'
import type { FitPlan, TrainingPlan } from '../training/options.js'
import { holdOut } from '../training/split.js'
import { type MeasuredRows, type Recipe, train } from '../training/train.js'
import type { Learner, Network } from './network.js'

/** Takes rows of the caller's, which he knows as `argument`. */
export type ToRows = (argument: string, x: Rows, between: Between) => Promise<NativeRows>

/** What learns, and by what. */
export interface Fitting<P extends Precision> extends Recipe {
  readonly learner: Learner<P>
  /** The output activation, where outputs are compared with the rows: these must lie in its range. Undefined for classifiers. */
  readonly targets: Activation | undefined
  /** Of labeled rows, for messages. */
  readonly classes?: Classes
}

/** Rows to train on; and to measure after each epoch, rows of their own or a fraction of those. */
export interface FitRows {
  readonly training: MeasuredRows
  readonly validation: MeasuredRows | number | undefined
}

/** Checks the data, sets rows for validation apart, and trains a whole network, which refuses another training meanwhile. */
export async function fitNetwork<P extends Precision>(
  network: Network<P>,
  fitting: Omit<Fitting<P>, 'learner'>,
  toRows: ToRows,
  x: Rows,
  plan: FitPlan,
): Promise<TrainingHistory> {
  const what = fitting.phase?.phase === 'fineTune' ? 'fineTune' : 'fit'
  return network.exclusively(what, plan.run, async (work) =>
    fitRows({ ...fitting, learner: network }, await takeRows(toRows, x, plan, work), plan, work),
  )
}

/** What the caller gave as rows, checked in form and safe from being changed meanwhile. */
export async function takeRows(
  toRows: ToRows,
  x: Rows,
  { validation }: FitPlan,
  work: NativeWork,
): Promise<FitRows> {
  const between = () => work.throwIfAborted()
  const taken = async (argument: string, given: Rows) => ({
    argument,
    rows: await snapshot(argument, await toRows(argument, given, between), between),
  })
  const training = await taken('x', x)
  if (validation === undefined || typeof validation === 'number') return { training, validation }
  return { training, validation: await taken('validation', validation) }
}

/** Checks values, holds rows out, and trains. For callers that see to exclusiveness and rows themselves. */
export async function fitRows<P extends Precision>(
  asked: Fitting<P>,
  { training, validation }: FitRows,
  plan: TrainingPlan,
  work: NativeWork,
): Promise<TrainingHistory> {
  const fitting = ownCopy(asked)
  const { learner, targets, seed } = fitting
  const given = typeof validation === 'number' ? undefined : validation
  if (targets !== undefined) {
    for (const { argument, rows } of [training, ...(given ? [given] : [])]) {
      await checkTargets(argument, rows, targets, learner.precision, work)
    }
  }
  const { argument } = training
  const between = () => work.throwIfAborted()
  const parts =
    typeof validation === 'number'
      ? await holdOut(argument, training.rows, validation, seed, between)
      : { training: training.rows, validation: given?.rows ?? (plan.earlyStopping && training.rows) }
  if (fitting.classes !== undefined) await checkSeveralClasses(parts.training, fitting.classes, between)
  const measured = parts.validation && { argument: given?.argument ?? argument, rows: parts.validation }
  const task = ownCopy({
    ...fitting,
    layers: learner.layers,
    parameters: learner.parameters,
    rows: parts.training,
    validation: measured,
    fit: learner.nextFit(),
    publish: (parameters: Floats) => learner.publish(parameters),
  })
  return train(task, plan, work)
}
