import { usedRows } from '../data/used-rows.js'
import type { Floats, NativeRows, SpanPart } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { costParts } from '../objective/cost.js'
import { AugmentedLagrangian } from './augmented-lagrangian.js'
import {
  type EpochRecord,
  type FitProgress,
  spread,
  type TrainingHistory,
  type ValidationRecord,
} from './history.js'
import type { NamedRows } from './named-rows.js'
import type { TrainingRequest } from './request.js'
import type { Run } from './run.js'
import type { EpochEnd } from './run-state.js'

/**
 * Makes the record of the epoch that has ended, and draws its consequences: for the best epoch, for the hard constraint, and whether training
 * goes on.
 */
export function recordEpoch(run: Run, validation: ValidationRecord | undefined): EpochRecord {
  const { request, rows, state, rate } = run
  const { seconds, best, constraint } = state
  const last = state.ended!
  const { meanActivation, gradientNorm, evaluations, stopped } = last.epoch
  const epoch = state.epochs.length + 1
  const constraintViolation = constraint?.observe(meanActivation, last.stepsInEpoch, stopped !== undefined)
  const record = {
    epoch,
    cost: costParts(last),
    ...accuracy(request, last, rows.training),
    ...(validation && { validation }),
    meanActivation: spread(meanActivation),
    ...(constraintViolation !== undefined && { constraintViolation }),
    gradientNorm,
    ...(rate && { learningRate: state.learningRate ?? rate(epoch) }),
    seconds,
    samplesPerSecond: samples(run, last) / seconds,
    evaluations,
  }
  state.push(record)
  if (validation !== undefined) best?.observe(epoch, validation.total, state.parameters!)
  state.stopped = settled(last, constraintViolation) ?? (best?.exhausted ? 'earlyStopping' : 'completed')
  return record
}

/** Why L-BFGS has nothing left to do, if so. Where a constraint does not hold yet, another round lies ahead. */
function settled({ epoch }: EpochEnd, violation: number | undefined): TrainingHistory['stopped'] | undefined {
  return violation === undefined || AugmentedLagrangian.holds(violation) ? epoch.stopped : undefined
}

/** The exact cost of rows. */
export async function validate(
  request: TrainingRequest,
  parameters: Floats,
  { argument, rows }: NamedRows,
  work: NativeWork,
): Promise<ValidationRecord> {
  const { layers } = request.network
  const objective = request.objective.exact
  const parts = await work.read(argument, rows, (run) =>
    binding().evaluate({ ...run, layers, objective, parameters, rows }),
  )
  return { ...costParts(parts), ...accuracy(request, parts, rows) }
}

/** The fraction of rows that were right, of the weights where there are some, where rows have labels. */
function accuracy(
  { objective }: TrainingRequest,
  { correct }: { correct: number },
  rows: NativeRows,
): { accuracy?: number } {
  return objective.training.loss === 'logLoss' ? { accuracy: Math.min(1, correct / usedRows(rows)) } : {}
}

/** Rows that went through cost and gradient in this epoch so far. */
function samples(
  { request: { settings }, rows: { training } }: Run,
  { epoch, steps }: Pick<SpanPart, 'epoch' | 'steps'>,
): number {
  const rows = usedRows(training)
  if (settings.rate === undefined) return rows * (epoch?.evaluations ?? 0)
  return Math.min(rows, steps * (settings.batchSize || rows))
}

/** What `onProgress` is told after a part of the epoch that has no record yet. */
export function progressOf(run: Run, part: SpanPart): FitProgress {
  const { phase, settings } = run.request
  const { epochs, seconds, spent } = run.state
  const done = epochs.length + part.steps / part.stepsInEpoch
  return {
    ...phase,
    epoch: epochs.length + 1,
    epochs: settings.epochs,
    step: part.steps,
    steps: part.stepsInEpoch,
    cost: costParts(part),
    samplesPerSecond: samples(run, part) / seconds,
    secondsLeft: done === 0 ? Infinity : ((spent + seconds) / done) * (settings.epochs - done),
  }
}
