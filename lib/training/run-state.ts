import type { Floats, NativeTrainingState, SpanPart } from '../native/binding.js'
import type { AugmentedLagrangian } from './augmented-lagrangian.js'
import type { BestEpoch } from './early-stopping.js'
import type { EpochRecord, TrainingHistory } from './history.js'
import { oneNumber, vector, wholeNumber } from './state-entries.js'

/** Why a training ended, numbered in files. */
const STOPPED = ['completed', 'earlyStopping', 'tolerance', 'precision'] as const

/** The end of an epoch that the job has come to. */
export type EpochEnd = Pick<
  SpanPart,
  'steps' | 'stepsInEpoch' | 'loss' | 'weightDecay' | 'sparsity' | 'correct'
> & {
  readonly epoch: NonNullable<SpanPart['epoch']>
}

/**
 * What a training knows besides the job's own state: all that its next steps and its history depend on. With the state of the job at the
 * same step it is what a checkpoint holds.
 */
export class RunState {
  readonly epochs: EpochRecord[]
  /** The sum of their seconds. */
  spent: number
  /** Epochs of an earlier training from which those of this are counted on. */
  epochsBefore = 0
  /** With early stopping. */
  readonly best: BestEpoch | undefined
  /** With a hard sparsity constraint. */
  readonly constraint: AugmentedLagrangian | undefined
  /** Seconds spent in the epoch that has no record yet. */
  seconds = 0
  /** The end of that epoch, if the job has come to it: validation rows have not been measured yet. */
  ended: EpochEnd | undefined
  /** Why there are no more epochs; `completed`: for no other reason than their number. */
  stopped: TrainingHistory['stopped'] = 'completed'
  /** The learning rate of that epoch, once it was asked for; 0 for L-BFGS. */
  learningRate: number | undefined
  /** Steps of that epoch. */
  steps = 0
  /** The parameters that were read last: those at the end of that epoch, if the job has come to it. */
  parameters: Floats | undefined
  /** The job's own state, if it came with what was read last. */
  job: NativeTrainingState | undefined

  constructor(
    best: BestEpoch | undefined,
    constraint: AugmentedLagrangian | undefined,
    epochs: readonly EpochRecord[] = [],
  ) {
    this.epochs = [...epochs]
    this.spent = epochs.reduce((sum, { seconds }) => sum + seconds, 0)
    this.best = best
    this.constraint = constraint
  }

  /** Whether nothing is left to do in a training of so many epochs. */
  isOver(epochs: number): boolean {
    return this.ended === undefined && (this.stopped !== 'completed' || this.epochs.length >= epochs)
  }

  /** Adds the record of the epoch that has ended. */
  push(record: EpochRecord): void {
    this.epochs.push(record)
    this.spent += record.seconds
    this.seconds = 0
    this.steps = 0
    this.ended = undefined
    this.learningRate = undefined
  }

  /** As a checkpoint holds it: vectors and whole numbers by name. The records are not in it. */
  entries(): NativeTrainingState {
    const { best, constraint, epochsBefore, seconds, learningRate, ended, stopped } = this
    return {
      'run.seconds': Float64Array.of(seconds),
      'run.stopped': STOPPED.indexOf(stopped),
      'run.epochsBefore': epochsBefore,
      ...(learningRate !== undefined && { 'run.learningRate': Float64Array.of(learningRate) }),
      ...(ended && endEntries(ended)),
      ...best?.entries(),
      ...constraint?.entries(),
    }
  }

  /**
   * Takes over {@link entries} and the state of a job with so many parameters. A missing or wrong entry is a TypeError.
   */
  restore(entries: NativeTrainingState, job: NativeTrainingState, parameters: number): void {
    this.epochsBefore = wholeNumber(entries, 'run.epochsBefore')
    this.parameters = vector(job, 'parameters', parameters)
    this.seconds = oneNumber(entries, 'run.seconds')
    this.stopped = STOPPED[wholeNumber(entries, 'run.stopped')] ?? 'completed'
    if (entries['run.learningRate']) this.learningRate = oneNumber(entries, 'run.learningRate')
    this.ended = entries['run.end'] === undefined ? undefined : endOf(entries)
    this.best?.restore(entries, parameters)
    this.constraint?.restore(entries)
  }
}

function endEntries({ epoch, steps, stepsInEpoch, ...cost }: EpochEnd): NativeTrainingState {
  const { loss, weightDecay, sparsity, correct } = cost
  const { gradientNorm, evaluations, meanActivation, stopped = 'completed' } = epoch
  return {
    'run.end': Float64Array.of(loss, weightDecay, sparsity, correct, gradientNorm),
    'run.end.means': meanActivation,
    'run.end.steps': steps,
    'run.end.stepsInEpoch': stepsInEpoch,
    'run.end.evaluations': evaluations,
    'run.end.stopped': STOPPED.indexOf(stopped),
  }
}

function endOf(entries: NativeTrainingState): EpochEnd {
  const [loss = 0, weightDecay = 0, sparsity = 0, correct = 0, gradientNorm = 0] = vector(
    entries,
    'run.end',
    5,
  )
  const stopped = STOPPED[wholeNumber(entries, 'run.end.stopped')]
  return {
    steps: wholeNumber(entries, 'run.end.steps'),
    stepsInEpoch: wholeNumber(entries, 'run.end.stepsInEpoch'),
    ...{ loss, weightDecay, sparsity, correct },
    epoch: {
      gradientNorm,
      evaluations: wholeNumber(entries, 'run.end.evaluations'),
      meanActivation: vector(entries, 'run.end.means') as Float64Array,
      ...((stopped === 'tolerance' || stopped === 'precision') && { stopped }),
    },
  }
}
