import type { NativeWork } from '../native/call.js'
import type { SplitRows } from './fit-rows.js'
import type { FitSettings } from './options.js'
import type { TrainingRequest } from './request.js'
import type { RunState } from './run-state.js'
import type { RateOf } from './schedule.js'
import type { Spans } from './spans.js'

/** A running training. */
export interface Run {
  readonly request: TrainingRequest
  readonly rows: SplitRows
  readonly work: NativeWork
  readonly spans: Spans
  readonly state: RunState
  /** The number of this fit. */
  readonly fit: number
  /** The learning rate of an epoch; undefined for L-BFGS. */
  readonly rate: RateOf | undefined
  /** Nobody has a say between two epochs: the next ones begin before the end of this has been read. */
  readonly ahead: boolean
}

export function isAhead({ settings }: TrainingRequest, rows: SplitRows, { constraint }: RunState): boolean {
  return !(settings.onEpoch || settings.asksRate || rows.validation || constraint)
}

/** Epochs that are counted on from another training count for the learning rate. */
export function rateOfRun({ rate, ratesGoOn }: FitSettings, { epochsBefore }: RunState): RateOf | undefined {
  return rate && ratesGoOn ? (epoch) => rate(epochsBefore + epoch) : rate
}
