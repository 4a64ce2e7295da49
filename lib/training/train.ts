import { types } from 'node:util'
import { argumentError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { allocate } from '../base/precision.js'
import { usedRows } from '../data/used-rows.js'
import type {
  Floats,
  JobRequest,
  NativeCorruption,
  NativeRows,
  SpanPart,
  TrainingHandle,
} from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import type { Activation } from '../objective/activation.js'
import { costParts } from '../objective/cost.js'
import { AugmentedLagrangian } from './augmented-lagrangian.js'
import { BestEpoch } from './early-stopping.js'
import { type SplitRows, splitRows } from './fit-rows.js'
import {
  type EpochRecord,
  type FitProgress,
  spread,
  type TrainingHistory,
  type ValidationRecord,
} from './history.js'
import type { FitSettings } from './options.js'
import type { NamedRows, TrainingRequest } from './request.js'
import { shuffleOf } from './shuffle.js'
import { type NextEpochs, Spans } from './spans.js'

/** A running training. */
interface Run {
  readonly request: TrainingRequest
  readonly rows: SplitRows
  readonly work: NativeWork
  readonly spans: Spans
  readonly state: RunState
}

/** What a training knows after each epoch besides the job's own state: all that the next epoch depends on. */
interface RunState {
  readonly epochs: EpochRecord[]
  /** The sum of their seconds. */
  seconds: number
  /** With early stopping. */
  readonly best: BestEpoch | undefined
  /** With a hard sparsity constraint. */
  readonly constraint: AugmentedLagrangian | undefined
}

/**
 * Checks and splits the rows, then trains epoch by epoch. After each epoch its parameters are published, the validation rows measured and
 * `onEpoch` awaited. However it ends, the parameters published last are whole: those of an epoch, or of the last complete step before an abort.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE`, `ERR_SHAPE` for rows that {@link splitRows} refuses, `ERR_ARGUMENT` for a shuffle or noise that does
 *   not go with them; nothing is published then
 * @throws {@link LayerwiseError} `ERR_DIVERGED` if cost or parameters are no longer finite; the last finite epoch stays published
 */
export async function train(request: TrainingRequest, work: NativeWork): Promise<TrainingHistory> {
  const { network, settings } = request
  const { parameters } = network
  const shuffle = shuffleOf(settings, request.rows.training.rows)
  const rows = await splitRows(request, work)
  const job = await openJob(request, rows.training, shuffle, work)
  const spans = new Spans(job, rows.training, work, () => sameKind(parameters))
  try {
    return await trainEpochs({ request, rows, work, spans, state: initialState(request) })
  } catch (failure) {
    work.stop()
    throw failure
  } finally {
    const last = await spans.settle()
    const newer = work.aborted && spans.ahead ? sameKind(parameters) : undefined
    const written = binding().closeTraining(job, newer)
    const stopped = written ? newer : last
    if (work.aborted && stopped) network.publish(stopped)
  }
}

async function openJob(
  { network, nextFit, objective, seed, settings }: TrainingRequest,
  rows: NativeRows,
  shuffle: JobRequest['shuffle'],
  work: NativeWork,
): Promise<TrainingHandle> {
  const { layers, parameters } = network
  const { training, corruption, weightConstraint } = objective
  checkSparseNoise(rows, corruption)
  const { batchSize, optimizer, clipNorm } = settings
  const job: JobRequest = {
    ...{ layers, objective: training, parameters, rows, batchSize, shuffle, optimizer, seed },
    ...{ fit: nextFit(), form: 'fused' },
    ...(corruption && { corruption }),
    ...(weightConstraint && { weightConstraint }),
    ...(clipNorm !== undefined && { clipNorm }),
  }
  return work.call('x', async () => binding().openTraining(job))
}

/** Refuses noise under which the zeros of sparse rows would not stay zeros. */
function checkSparseNoise({ sparse, through }: NativeRows, corruption: NativeCorruption | undefined): void {
  if (sparse === undefined || through !== undefined) return
  if (corruption === undefined || corruption.kind === 'masking') return
  throw argumentError(
    'corruption.kind',
    "'masking' for sparse rows, whose zeros stay zeros under it (of a small SparseMatrix, x.toMatrix())",
    corruption.kind,
  )
}

async function trainEpochs(run: Run): Promise<TrainingHistory> {
  const { request, rows, work, state } = run
  const { epochs, best, constraint } = state
  const { network, phase, settings } = request
  // Where nobody has a say between two epochs, the next ones begin before the end of this has been read.
  const ahead = !(settings.onEpoch || settings.asksRate || rows.validation || constraint)
  let stopped: TrainingHistory['stopped'] = 'completed'
  for (let epoch = epochs.length + 1; epoch <= settings.epochs && stopped === 'completed'; epoch++) {
    const next = {
      epoch,
      learningRate: settings.rate?.(epoch) ?? 0,
      last: ahead ? settings.epochs : epoch,
      rate: settings.rate,
      constraint: constraint?.current,
    }
    const { last, measured } = await trainEpoch(run, next)
    state.seconds += measured.seconds
    const validation = rows.validation && (await validate(request, last.parameters!, rows.validation, work))
    work.throwIfAborted()
    const record = {
      epoch,
      cost: costParts(last),
      ...accuracy(request, last, rows.training),
      ...(validation && { validation }),
      ...measured,
    }
    epochs.push(record)
    if (validation !== undefined) best?.observe(epoch, validation.total, last.parameters!)
    await work.until(settings.onEpoch?.({ ...record, ...phase }))
    work.throwIfAborted()
    stopped = settled(last, measured.constraintViolation) ?? (best?.exhausted ? 'earlyStopping' : 'completed')
  }
  if (best?.parameters === undefined) return { ...phase, epochs, stopped }
  network.publish(best.parameters)
  return { ...phase, epochs, stopped, bestEpoch: best.epoch }
}

/** One epoch in spans. Publishes its parameters when it is over, or those of the last complete step if it was aborted. */
async function trainEpoch(run: Run, next: NextEpochs) {
  const { request, work, spans, state } = run
  const { network, settings } = request
  const { epoch, learningRate } = next
  let seconds = 0
  for (;;) {
    const part = await spans.next(next)
    seconds += part.seconds
    if (part.diverged) throw diverged(epoch, settings)
    if (part.parameters) network.publish(part.parameters)
    if (part.cancelled) work.throwIfAborted()
    if (part.latest) {
      await work.until(settings.onProgress?.(progress(run, epoch, part, seconds)))
    }
    if (part.epoch === undefined) continue
    const { meanActivation, gradientNorm, evaluations, stopped } = part.epoch
    const constraintViolation = state.constraint?.observe(
      meanActivation,
      part.stepsInEpoch,
      stopped !== undefined,
    )
    const measured = {
      meanActivation: spread(meanActivation),
      ...(constraintViolation !== undefined && { constraintViolation }),
      gradientNorm,
      ...(settings.rate && { learningRate }),
      seconds,
      samplesPerSecond: samples(run, part) / seconds,
      evaluations,
    }
    return { last: part, measured }
  }
}

function initialState(request: TrainingRequest): RunState {
  const { earlyStopping } = request.settings
  const best = earlyStopping && new BestEpoch(earlyStopping)
  return { epochs: [], seconds: 0, best, constraint: constraintOf(request) }
}

/** The hard constraint that is asked for, if there is one: always the first layer's. */
function constraintOf({ network, objective, settings }: TrainingRequest): AugmentedLagrangian | undefined {
  const penalty = objective.training.penalties.find(({ kind }) => kind === 'constraint')
  if (penalty === undefined) return undefined
  const { outputs, activation } = network.layers[penalty.layer]!
  const firstOrder = settings.batchSize === 0 ? 'allRows' : 'minibatches'
  const method = settings.rate === undefined ? 'lbfgs' : firstOrder
  return new AugmentedLagrangian(penalty, outputs, activation as Activation, method)
}

/** Why L-BFGS has nothing left to do, if so. Where a constraint does not hold yet, another round lies ahead. */
function settled({ epoch }: SpanPart, violation: number | undefined): TrainingHistory['stopped'] | undefined {
  return violation === undefined || AugmentedLagrangian.holds(violation) ? epoch?.stopped : undefined
}

async function validate(
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
function samples({ request: { settings }, rows: { training } }: Run, part: SpanPart): number {
  const rows = usedRows(training)
  if (settings.rate === undefined) return rows * (part.epoch?.evaluations ?? 0)
  return Math.min(rows, part.steps * (settings.batchSize || rows))
}

function progress(run: Run, epoch: number, part: SpanPart, seconds: number): FitProgress {
  const { phase, settings } = run.request
  const spent = run.state.seconds + seconds
  const done = epoch - 1 + part.steps / part.stepsInEpoch
  return {
    ...phase,
    epoch,
    epochs: settings.epochs,
    step: part.steps,
    steps: part.stepsInEpoch,
    cost: costParts(part),
    samplesPerSecond: samples(run, part) / seconds,
    secondsLeft: done === 0 ? Infinity : (spent / done) * (settings.epochs - done),
  }
}

function diverged(epoch: number, settings: FitSettings): LayerwiseError {
  const remedy =
    settings.rate === undefined
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
