import { types } from 'node:util'
import { argumentError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { allocateUnset } from '../base/precision.js'
import { usedRows } from '../data/used-rows.js'
import type {
  Floats,
  JobRequest,
  NativeCorruption,
  NativeRows,
  NativeTrainingState,
  TrainingHandle,
} from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { checkStateSize } from './checkpoints.js'
import { diagnosed } from './diagnosis.js'
import { progressOf, recordEpoch, validate } from './epochs.js'
import { refusalOf, splitRows } from './fit-rows.js'
import type { TrainingHistory } from './history.js'
import { checkKept, type KeptOptimizer, keptOptimizer, withKept } from './kept-optimizer.js'
import type { FitSettings } from './options.js'
import { checkComparison } from './pca-reconstruction.js'
import type { TrainingRequest } from './request.js'
import { isAhead, type Run, rateOfRun } from './run.js'
import type { RunState } from './run-state.js'
import { shuffleOf } from './shuffle.js'
import { settingsFor } from './small-sets.js'
import { type NextEpochs, type ReadPart, Spans } from './spans.js'
import { startOf } from './start.js'

/**
 * Checks and splits the rows, then trains epoch by epoch. After each epoch its parameters are published, the validation rows measured and
 * `onEpoch` awaited. However it ends, the parameters published last are whole: those of an epoch, or of the last complete step before an abort
 * or before a file of rows failed.
 *
 * An interrupted training goes on where its checkpoint was written.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE`, `ERR_SHAPE` for rows that {@link splitRows} refuses, `ERR_ARGUMENT` for a shuffle, noise or moments
 *   that do not go with them, or a comparison with PCA without the loss `squared`, `ERR_MEMORY` for a state too large for checkpoints; nothing is published then
 * @throws {@link LayerwiseError} `ERR_DIVERGED` if cost or parameters are no longer finite; the last finite epoch stays published
 */
export async function train(given: TrainingRequest, work: NativeWork): Promise<TrainingHistory> {
  checkComparison(given)
  const shuffle = shuffleOf(given.settings, given.rows.training.rows)
  const rows = await splitRows(given, work)
  const request = { ...given, settings: settingsFor(given.settings, usedRows(rows.training)) }
  const { network, settings, phase } = request
  const { checkpoints } = settings
  const resumption = checkpoints?.resumption(phase)
  const kept = resumption === undefined && settings.keepsOptimizer ? network.optimizer.kept : undefined
  checkKept(settings.optimizer.kind, kept)
  if (checkpoints) checkStateSize(settings.optimizer, network.parameters)
  const state = startOf(request, resumption, kept)
  const isOver = resumption?.isOver && state.isOver(settings.epochs)
  if (isOver) return historyOf(request, state, rows.training, work)
  network.optimizer.kept = undefined
  const fit = resumption?.fit ?? request.nextFit()
  const open = (state: NativeTrainingState | undefined) =>
    openJob(request, rows.training, shuffle, fit, state, work)
  const job = await (kept ? openKept(open, request, rows.training, kept, work) : open(resumption?.job))
  const spans = new Spans(
    job,
    rows.training,
    work,
    () => sameKind(network.parameters),
    () => (checkpoints === undefined ? false : checkpoints.wantsState()),
  )
  const ahead = isAhead(request, rows, state)
  let hasBrokenFile = false
  const run: Run = { request, rows, work, spans, state, fit, rate: rateOfRun(settings, state), ahead }
  try {
    while (!state.isOver(settings.epochs)) {
      if (state.ended === undefined) await trainEpoch(run)
      await finishEpoch(run)
    }
    return await complete(run)
  } catch (failure) {
    work.stop()
    const unread = await spans.settle()
    if (work.aborted) await leave(run, unread)
    hasBrokenFile = failure instanceof LayerwiseError && failure.code === 'ERR_FILE'
    throw refusalOf(failure, request)
  } finally {
    await spans.settle()
    const isNewer = hasBrokenFile || (work.aborted && spans.ahead)
    const newer = isNewer ? sameKind(network.parameters) : undefined
    if (binding().closeTraining(job, newer) && newer) network.publish(newer)
  }
}

/** A job that begins with the moments of another training. */
async function openKept(
  open: (state: NativeTrainingState | undefined) => Promise<TrainingHandle>,
  { network }: TrainingRequest,
  rows: NativeRows,
  kept: KeptOptimizer,
  work: NativeWork,
): Promise<TrainingHandle> {
  const fresh = await open(undefined)
  const array = () => network.parameters
  try {
    const spans = new Spans(fresh, rows, work, array, () => false)
    return await open(withKept(await spans.state(), kept))
  } finally {
    binding().closeTraining(fresh)
  }
}

async function openJob(
  { network, objective, seed, settings }: TrainingRequest,
  rows: NativeRows,
  shuffle: JobRequest['shuffle'],
  fit: number,
  state: NativeTrainingState | undefined,
  work: NativeWork,
): Promise<TrainingHandle> {
  const { layers, parameters } = network
  const { training, corruption, weightConstraint } = objective
  checkSparseNoise(rows, corruption)
  const { batchSize, optimizer, clipNorm } = settings
  const job: JobRequest = {
    ...{ layers, objective: training, parameters, rows, batchSize, shuffle, optimizer, seed },
    ...{ fit, form: 'fused' },
    ...(corruption && { corruption }),
    ...(weightConstraint && { weightConstraint }),
    ...(clipNorm !== undefined && { clipNorm }),
    ...(state && { state }),
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

/** The rest of one epoch, in spans. Publishes its parameters when it is over, or those of the last complete step if it was aborted. */
async function trainEpoch(run: Run): Promise<void> {
  const { request, work, spans, state, rate, ahead } = run
  const { network, settings } = request
  const epoch = state.epochs.length + 1
  state.learningRate ??= rate?.(epoch) ?? 0
  const next: NextEpochs = {
    epoch,
    learningRate: state.learningRate,
    last: ahead ? settings.epochs : epoch,
    rate,
    constraint: state.constraint?.current,
  }
  while (state.ended === undefined) {
    const part = await spans.next(next)
    if (part.diverged) throw diverged(epoch, settings)
    takePart(run, part)
    if (part.parameters) network.publish(part.parameters)
    if (part.cancelled) work.throwIfAborted()
    if (part.latest) await work.until(settings.onProgress?.(progressOf(run, part)))
    if (state.ended === undefined) writeCheckpoint(run)
  }
}

/** Takes over what a part of a span did. */
function takePart({ request, state }: Run, part: ReadPart): void {
  const { epoch, steps, stepsInEpoch, loss, weightDecay, sparsity, correct } = part
  request.settings.checkpoints?.done(steps - state.steps, epoch === undefined ? 0 : 1)
  state.seconds += part.seconds
  state.steps = steps
  if (part.parameters) state.parameters = part.parameters
  if (part.state) state.job = part.state
  if (epoch !== undefined) state.ended = { epoch, steps, stepsInEpoch, loss, weightDecay, sparsity, correct }
}

/** Measures the validation rows at the end of an epoch, and makes its record. */
async function finishEpoch(run: Run): Promise<void> {
  const { request, rows, work, state } = run
  const { phase, settings } = request
  const validation = rows.validation && (await validate(request, state.parameters!, rows.validation, work))
  work.throwIfAborted()
  const record = recordEpoch(run, validation)
  await work.until(settings.onEpoch?.({ ...record, ...phase }))
  work.throwIfAborted()
  writeCheckpoint(run)
}

/** Begins to write a checkpoint, if a state for it has come. */
function writeCheckpoint({ request: { phase, settings }, state, fit }: Run): void {
  const { job } = state
  if (job === undefined) return
  state.job = undefined
  settings.checkpoints?.write({ phase, fit, batchSize: settings.batchSize, state, job })
}

/** The end of a training: its best parameters, if it looked for them, and what it leaves. */
async function complete({ request, rows, work, spans, state, fit }: Run): Promise<TrainingHistory> {
  const { network, phase, settings } = request
  if (state.best?.parameters) network.publish(state.best.parameters)
  await spans.settle()
  const history = await historyOf(request, state, rows.training, work)
  if (settings.optimizer.kind === 'lbfgs' && settings.checkpoints === undefined) return history
  const job = await spans.state()
  keepOptimizer(request, state, job)
  await settings.checkpoints?.writeNow({ phase, fit, batchSize: settings.batchSize, state, job, history })
  return history
}

/** What an aborted training leaves: a checkpoint at its last complete step. */
async function leave(run: Run, unread: readonly ReadPart[]): Promise<void> {
  const { request, spans, state, fit, ahead } = run
  const { network, phase, settings } = request
  const last = unread.findLast(({ parameters }) => parameters !== undefined)?.parameters
  if (last) network.publish(last)
  if (unread.some((part) => part.diverged)) return
  if (ahead && state.ended) recordEpoch(run, undefined)
  for (const part of unread) {
    takePart(run, part)
    if (ahead && state.ended) recordEpoch(run, undefined)
  }
  // The state comes in its turn behind the work of others: nobody waits for it without a checkpoint.
  if (settings.checkpoints === undefined) return
  const job = await spans.state()
  keepOptimizer(request, state, job)
  await settings.checkpoints.writeNow({ phase, fit, batchSize: settings.batchSize, state, job })
}

function keepOptimizer(
  { network, settings }: TrainingRequest,
  state: RunState,
  job: NativeTrainingState,
): void {
  const epochs = state.epochsBefore + state.epochs.length
  network.optimizer.kept = keptOptimizer(settings.optimizer.kind, job, epochs)
}

/** The history of a training whose parameters are published. */
async function historyOf(
  request: TrainingRequest,
  { epochs, stopped, best, parameters }: RunState,
  rows: NativeRows,
  work: NativeWork,
): Promise<TrainingHistory> {
  const bestEpoch = best?.parameters && { bestEpoch: best.epoch }
  const last = best?.parameters ?? parameters ?? request.network.parameters
  const diagnosis = await diagnosed({ request, rows, parameters: last, cost: epochs.at(-1)?.cost }, work)
  return { ...request.phase, epochs: [...epochs], stopped, ...bestEpoch, ...diagnosis }
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
    ? allocateUnset('float64', parameters.length, 'parameters')
    : allocateUnset('float32', parameters.length, 'parameters')
}
