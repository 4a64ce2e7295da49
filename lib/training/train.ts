import { types } from 'node:util'
import { LayerwiseError } from '../base/errors.js'
import { allocate } from '../base/precision.js'
import type {
  Floats,
  NativeCorruption,
  NativeLayer,
  NativeObjective,
  NativeRows,
  NativeWeightConstraint,
  SpanPart,
  TrainingHandle,
} from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { costParts } from '../objective/cost.js'
import { AugmentedLagrangian } from './augmented-lagrangian.js'
import { BestEpoch } from './early-stopping.js'
import {
  type EpochRecord,
  type FitProgress,
  spread,
  type TrainingHistory,
  type TrainingPhase,
  type ValidationRecord,
} from './history.js'
import type { TrainingPlan } from './options.js'
import { type SpanPlan, Spans } from './spans.js'

/** Rows, and the argument they came from. */
export interface MeasuredRows {
  readonly argument: string
  readonly rows: NativeRows
}

/** By what is trained. */
export interface Recipe {
  /** For training: with the average the steps use. */
  readonly objective: NativeObjective
  /** For validation: exact over its rows. */
  readonly exactObjective: NativeObjective
  /** Of shuffles, splits and noise. */
  readonly seed: number
  /** Noise on the rows of each step, of these alone: validation is measured on clean rows. */
  readonly corruption?: NativeCorruption | undefined
  /** Not with L-BFGS. */
  readonly weightConstraint?: NativeWeightConstraint | undefined
  /** What events say of it. */
  readonly phase?: TrainingPhase | undefined
}

/** What is trained, on what. Any list of layers with any objective. */
export interface TrainingTask extends Recipe {
  readonly layers: readonly NativeLayer[]
  /** Where training starts; not written. */
  readonly parameters: Floats
  readonly rows: NativeRows
  /** Rows to measure after each epoch, and what the caller knows them as. */
  readonly validation: MeasuredRows | undefined
  /** How many fits there were before: part of the key of the shuffles. */
  readonly fit: number
  /** Makes these the model's parameters. Each time another array, which is not written any more. */
  readonly publish: (parameters: Floats) => void
}

/**
 * Trains epoch by epoch. After each epoch its parameters are published, the validation rows measured and `onEpoch` awaited.
 * However it ends, the parameters published last are whole: those of an epoch, or of the last complete step before an abort.
 *
 * @throws {@link LayerwiseError} `ERR_DIVERGED` if cost or parameters are no longer finite; the last finite epoch stays published
 */
export async function train(
  task: TrainingTask,
  plan: TrainingPlan,
  work: NativeWork,
): Promise<TrainingHistory> {
  const job = await open(task, plan, work)
  const spans = new Spans(job, task.rows, work, () => sameKind(task.parameters))
  try {
    return await trainEpochs(spans, task, plan, work)
  } catch (failure) {
    work.stop()
    throw failure
  } finally {
    const last = await spans.settle()
    const newer = work.aborted && spans.ahead ? sameKind(task.parameters) : undefined
    const written = binding().closeTraining(job, newer)
    const stopped = written ? newer : last
    if (work.aborted && stopped) task.publish(stopped)
  }
}

async function trainEpochs(
  spans: Spans,
  task: TrainingTask,
  plan: TrainingPlan,
  work: NativeWork,
): Promise<TrainingHistory> {
  const epochs: EpochRecord[] = []
  const best = plan.earlyStopping && new BestEpoch(plan.earlyStopping)
  const constraint = constraintOf(task, plan)
  // Where nobody has a say between two epochs, the next ones begin before the end of this has been read.
  const ahead = !(plan.onEpoch || plan.asksRate || task.validation || constraint)
  let stopped: TrainingHistory['stopped'] = 'completed'
  let secondsBefore = 0
  for (let epoch = 1; epoch <= plan.epochs && stopped === 'completed'; epoch++) {
    const asked = {
      epoch,
      learningRate: plan.rate?.(epoch) ?? 0,
      last: ahead ? plan.epochs : epoch,
      rate: plan.rate,
      constraint: constraint?.current,
    }
    const { last, measured } = await trainEpoch(spans, task, plan, work, asked, secondsBefore, constraint)
    secondsBefore += measured.seconds
    const validation = task.validation && (await validate(task, last.parameters!, task.validation, work))
    work.throwIfAborted()
    const record = {
      epoch,
      cost: costParts(last),
      ...accuracy(task, last, task.rows),
      ...(validation && { validation }),
      ...measured,
    }
    epochs.push(record)
    if (validation !== undefined) best?.observe(epoch, validation.total, last.parameters!)
    await work.until(plan.onEpoch?.({ ...record, ...task.phase }))
    work.throwIfAborted()
    stopped = settled(last, measured.constraintViolation) ?? (best?.exhausted ? 'earlyStopping' : 'completed')
  }
  if (best?.parameters === undefined) return { ...task.phase, epochs, stopped }
  task.publish(best.parameters)
  return { ...task.phase, epochs, stopped, bestEpoch: best.epoch }
}

/** One epoch in spans. Publishes its parameters when it is over, or those of the last complete step if it was aborted. */
async function trainEpoch(
  spans: Spans,
  task: TrainingTask,
  plan: TrainingPlan,
  work: NativeWork,
  asked: SpanPlan,
  secondsBefore: number,
  constraint: AugmentedLagrangian | undefined,
) {
  const { epoch, learningRate } = asked
  let seconds = 0
  for (;;) {
    const part = await spans.next(asked)
    seconds += part.seconds
    if (part.diverged) throw diverged(epoch, plan)
    if (part.parameters) task.publish(part.parameters)
    if (part.cancelled) work.throwIfAborted()
    if (part.latest) {
      await work.until(plan.onProgress?.(progress(task, plan, epoch, part, seconds, secondsBefore)))
    }
    if (part.epoch === undefined) continue
    const { meanActivation, gradientNorm, evaluations, stopped } = part.epoch
    const constraintViolation = constraint?.observe(meanActivation, part.stepsInEpoch, stopped !== undefined)
    const measured = {
      meanActivation: spread(meanActivation),
      ...(constraintViolation !== undefined && { constraintViolation }),
      gradientNorm,
      ...(plan.rate && { learningRate }),
      seconds,
      samplesPerSecond: samples(task, plan, part) / seconds,
      evaluations,
    }
    return { last: part, measured }
  }
}

/** The hard constraint of the task, if it has one: always the first layer's. */
function constraintOf(task: TrainingTask, plan: TrainingPlan): AugmentedLagrangian | undefined {
  const penalty = task.objective.penalties.find(({ kind }) => kind === 'constraint')
  if (penalty === undefined) return undefined
  const { outputs, activation } = task.layers[penalty.layer]!
  const firstOrder = plan.batchSize === 0 ? 'allRows' : 'minibatches'
  const method = plan.rate === undefined ? 'lbfgs' : firstOrder
  return new AugmentedLagrangian(penalty, outputs, activation === 'tanh', method)
}

/** Why L-BFGS has nothing left to do, if so. Where a constraint does not hold yet, another round lies ahead. */
function settled({ epoch }: SpanPart, violation: number | undefined): TrainingHistory['stopped'] | undefined {
  return violation === undefined || AugmentedLagrangian.holds(violation) ? epoch?.stopped : undefined
}

async function open(task: TrainingTask, plan: TrainingPlan, work: NativeWork): Promise<TrainingHandle> {
  const { layers, objective, parameters, rows, seed, fit, corruption, weightConstraint } = task
  const { batchSize, shuffle, optimizer } = plan
  const request = {
    ...{ layers, objective, parameters, rows, batchSize, shuffle, optimizer, seed, fit },
    ...(corruption && { corruption }),
    ...(weightConstraint && { weightConstraint }),
  }
  return work.call('x', async () => binding().openTraining({ ...request, form: 'fused' }))
}

async function validate(
  task: TrainingTask,
  parameters: Floats,
  { argument, rows }: MeasuredRows,
  work: NativeWork,
): Promise<ValidationRecord> {
  const { layers, exactObjective: objective } = task
  const parts = await work.read(argument, rows, (run) =>
    binding().evaluate({ ...run, layers, objective, parameters, rows }),
  )
  return { ...costParts(parts), ...accuracy(task, parts, rows) }
}

/** The fraction of rows that were right, where rows have labels. */
function accuracy(
  { objective }: TrainingTask,
  { correct }: { correct: number },
  { order, rows }: NativeRows,
): { accuracy?: number } {
  return objective.loss === 'logLoss' ? { accuracy: correct / (order?.length ?? rows) } : {}
}

/** Rows that went through cost and gradient in this epoch so far. */
function samples(task: TrainingTask, plan: TrainingPlan, span: SpanPart): number {
  const rows = task.rows.order?.length ?? task.rows.rows
  if (plan.rate === undefined) return rows * (span.epoch?.evaluations ?? 0)
  return Math.min(rows, span.steps * (plan.batchSize || rows))
}

function progress(
  task: TrainingTask,
  plan: TrainingPlan,
  epoch: number,
  span: SpanPart,
  seconds: number,
  secondsBefore: number,
): FitProgress {
  const done = epoch - 1 + span.steps / span.stepsInEpoch
  return {
    ...task.phase,
    epoch,
    epochs: plan.epochs,
    step: span.steps,
    steps: span.stepsInEpoch,
    cost: costParts(span),
    samplesPerSecond: samples(task, plan, span) / seconds,
    secondsLeft: done === 0 ? Infinity : ((secondsBefore + seconds) / done) * (plan.epochs - done),
  }
}

function diverged(epoch: number, plan: TrainingPlan): LayerwiseError {
  const remedy =
    plan.rate === undefined
      ? 'scale the data, or start from other parameters'
      : 'lower learningRate, or scale the data'
  return new LayerwiseError(
    'ERR_DIVERGED',
    `training diverged in epoch ${epoch}: cost or parameters are no longer finite; the model keeps those of the epoch before; ${remedy}`,
    { epoch },
  )
}

function sameKind(parameters: Floats): Floats {
  return types.isFloat64Array(parameters)
    ? allocate('float64', parameters.length, 'parameters')
    : allocate('float32', parameters.length, 'parameters')
}
