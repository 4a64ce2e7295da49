import { argumentError, checkChoice, checkInteger, checkNumber, checkWithin, ownCopy } from '../base/check.js'
import type { FittingRows } from '../data/rows.js'
import type { MetadataOption } from '../models/metadata.js'
import type { RunOptions } from '../native/run-options.js'
import { checkEncoderOptions, type TableEncoderOptions } from '../tables/encoding/encoder-options.js'
import type { ColumnGroup, TableEncoder } from '../tables/encoding/table-encoder.js'
import type { EarlyStopping } from '../training/early-stopping.js'
import type { FitProgress, TrainingHistory } from '../training/history.js'
import { checkColumns } from './columns.js'
import type { AnomalyBatches } from './given-rows.js'
import type { TrainedOn } from './recipe.js'
import type { Threshold } from './threshold.js'

/** Options of an AnomalyDetector. */
export interface AnomalyDetectorOptions extends MetadataOption {
  /**
   * `'clean'`: the rows of `fit` are all normal. `'mixed'`: they are unlabelled, and up to a third of them may be anomalies. It chooses how the
   * detector learns. Default `'mixed'`, which is the safe choice: with a few anomalies among rows that were called clean, the detector learns to
   * reconstruct these too.
   */
  readonly trainedOn?: TrainedOn | undefined
  /**
   * With `'mixed'`: the share of rows that are anomalies, above 0 and below 1. The threshold is set so that at most this share of the rows it is
   * taken from scores higher. Default: `quantile` decides.
   */
  readonly contamination?: number | undefined
  /**
   * The share of normal rows that shall be found normal, above 0 and below 1. The threshold is the least score that at least this share of the
   * rows it is taken from do not exceed. Not with `contamination`, which is 1 − `quantile`. Default 0.99.
   */
  readonly quantile?: number | undefined
  /** Names of the columns, for `explain` and errors, all different. Default `'column 0'` and so on. */
  readonly columns?: readonly string[] | undefined
  /**
   * Columns that belong together, in their order, as `groups` of a TableEncoder gives them: the categories of one column of a table. `explain`
   * names them as one. Default: none.
   */
  readonly groups?: readonly ColumnGroup[] | undefined
  /**
   * How a table is encoded, if `fit` is given one: options of the {@link TableEncoder} that is then part of the detector. Default: those of its
   * own.
   */
  readonly encoder?: TableEncoderOptions | undefined
  /** Fixes first weights, shuffles and which rows are held out; a whole number of at least 0. Default 0. */
  readonly seed?: number | undefined
}

/** All of them but `metadata`; those without a default only if they were given. */
export interface AnomalySettings {
  /** What the rows of `fit` are. */
  readonly trainedOn: TrainedOn
  /** The share of the rows that score at most the threshold. */
  readonly quantile: number
  /** Names of the columns. Default: absent, they are numbered. */
  readonly columns?: readonly string[]
  /** Columns that belong together. Default: absent, there are none. */
  readonly groups?: readonly ColumnGroup[]
  /** How a table is encoded. Default: absent, as a TableEncoder does it by itself. */
  readonly encoder?: TableEncoderOptions
  /** Fixes first weights, shuffles and which rows are held out. */
  readonly seed: number
}

/** Names of the settings in a file. */
export const ANOMALY_SETTINGS = ['trainedOn', 'quantile', 'columns', 'groups', 'encoder', 'seed']

/** How `fit` and `update` train. */
export interface AnomalyFitOptions extends RunOptions {
  /**
   * Rows that are not learned from: the threshold and the probabilities are taken from their scores. Rows like those of `fit`, or the fraction of
   * these to hold out, in (0, 1); 0 holds none out, and the scores of the training rows are used, which are too low. Default 0.2.
   */
  readonly validation?: FittingRows | AnomalyBatches | number | undefined
  /**
   * Where temporary files are written, if rows are longer than memory or can be read once only: a path (string or file: URL) of a folder. They are
   * removed when the call ends, also if it fails. Default: the system's folder for such files.
   */
  readonly folder?: string | URL | undefined
  /** Ends the training of each autoencoder when the cost of the held-out rows no longer falls. Default: all epochs of the recipe. */
  readonly earlyStopping?: EarlyStopping | undefined
  /** Called about every 100 ms while an autoencoder trains, and awaited. Default: none. */
  readonly onProgress?:
    | ((progress: AnomalyProgress) => void)
    | ((progress: AnomalyProgress) => Promise<void>)
    | undefined
}

/** What `onProgress` is given. */
export interface AnomalyProgress extends FitProgress {
  /** The autoencoder that is trained, counted from 1. */
  readonly member: number
  /** How many there are. */
  readonly members: number
}

/** How a fit went. Plain data. */
export interface AnomalyHistory {
  /** Rows that were learned from. */
  readonly trained: number
  /** Rows that lie far from the centre and were not learned from: none with `trainedOn: 'clean'`. */
  readonly leftOut: number
  /** Rows whose scores gave threshold and probabilities; 0 if those of the training rows did. */
  readonly heldOut: number
  /** A history for each training of each autoencoder, in order. */
  readonly trainings: readonly TrainingHistory[]
  /** The threshold that was set. */
  readonly threshold: Threshold
}

/** Settings from options whose names are checked. */
export function checkAnomalySettings(given: Record<string, unknown>): AnomalySettings {
  const { trainedOn: on = 'mixed', contamination, seed = 0 } = given
  const trainedOn = checkChoice('trainedOn', on, ['clean', 'mixed'] as const)
  const columns = checkColumns(given.columns, given.groups)
  return {
    trainedOn,
    quantile: checkQuantile(trainedOn, contamination, given.quantile),
    ...ownCopy(columns),
    ...(given.encoder !== undefined && { encoder: checkEncoder(given.encoder) }),
    seed: checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER),
  }
}

/** A plain copy, in which what is undefined is absent. */
function checkEncoder(value: unknown): TableEncoderOptions {
  if (typeof (value as Partial<TableEncoder> | null)?.fit === 'function')
    throw argumentError('encoder', 'options of a TableEncoder, of which fit makes one of its own', value)
  checkWithin('encoder', () => checkEncoderOptions(value))
  return JSON.parse(JSON.stringify(value)) as TableEncoderOptions
}

function checkQuantile(trainedOn: TrainedOn, contamination: unknown, quantile: unknown): number {
  if (contamination === undefined) return checkShare('quantile', quantile === undefined ? 0.99 : quantile)
  if (quantile !== undefined)
    throw argumentError('quantile', 'nothing beside contamination, which is 1 − quantile', quantile)
  if (trainedOn === 'clean') {
    const expected =
      "nothing with trainedOn 'clean', whose rows hold no anomalies: quantile sets the threshold"
    throw argumentError('contamination', expected, contamination)
  }
  return 1 - checkShare('contamination', contamination)
}

/** A number between 0 and 1, both excluded. */
export function checkShare(argument: string, value: unknown): number {
  return checkNumber(argument, value, { min: 0, max: 1, open: true })
}
