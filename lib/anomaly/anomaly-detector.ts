import { argumentError, checkOptions, freezeDeep } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import type { Dataset } from '../data/dataset.js'
import { type DenseRows, type FittingRows, ownWidth, type Rows } from '../data/rows.js'
import { type ModelContent, type Restorer, readModel, readModelBytes } from '../models/model-file.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import { TableEncoder } from '../tables/encoding/table-encoder.js'
import {
  ANOMALY_SETTINGS,
  type AnomalyDetectorOptions,
  type AnomalyFitOptions,
  type AnomalyHistory,
  type AnomalySettings,
  checkAnomalySettings,
} from './anomaly-options.js'
import { AnomalyScorer } from './anomaly-scorer.js'
import type { AnomalyUpdate } from './answers.js'
import { checkWidth } from './columns.js'
import { DETECTOR_FIELDS, detectorTensors, storedDetector } from './detector-file.js'
import { driftOf } from './drift.js'
import { checkFitOptions, type FitSettings } from './fit-options.js'
import { type AnomalyBatches, givenRows } from './given-rows.js'
import { type Learned, type LearnOptions, learn, learnMore } from './learn.js'
import { recipes } from './recipe.js'
import { IN_MEMORY, type RowStore, withRowStore } from './row-store.js'
import { scoresOfAll } from './scores.js'
import { sorted } from './sorted.js'
import type { Threshold } from './threshold.js'

/**
 * Finds rows that are unlike the others, and says because of which columns. It learns from rows without labels: known to be normal
 * (`trainedOn: 'clean'`), or perhaps with anomalies among them (`'mixed'`, the default).
 *
 * A score is the reconstruction error of autoencoders, each column in units of its own typical error (the mean over the rows that were learned
 * from), and the mean over the columns: about 1 for rows like those, the higher, the stranger. Columns are standardised first. With `'mixed'` the
 * third of the rows that lies farthest from the centre is not learned from.
 *
 * Its parts are public models: StandardScaler, StackedAutoencoder, Pca. New rows may lie anywhere: values outside the range of the rows of `fit`
 * are scored, and a column that was constant and moves raises the score.
 *
 * Rows are those of numbers (a Matrix, an array of rows, a Dataset), a table, or batches of either one after another, from an iterable or a stream.
 * They may be longer than memory: a Dataset and the encoded rows of a table of more than 256 MiB are learned from in files. For each row some 40 bytes
 * stay in memory while it learns from mixed rows, and 8 for its score.
 *
 * Methods that return promises compute off the JavaScript thread and only reject. Arguments must not be written or transferred until the promise
 * settles. While `fit` or `update` runs, all others answer as before it.
 */
export class AnomalyDetector extends AnomalyScorer {
  #fits = 0
  #training = false

  /** @internal Rows of more bytes than this are learned from in files. Written by tests only. */
  inMemory = IN_MEMORY

  /**
   * Knows nothing yet: call `await detector.fit(rows)` first.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for an unknown option, a wrong type, a number out of its range, names that are not different,
   *   groups that overlap, `contamination` beside `quantile` or with `trainedOn: 'clean'`
   */
  constructor(options?: AnomalyDetectorOptions) {
    const given = checkOptions('options', options, [...ANOMALY_SETTINGS, 'contamination', 'metadata'])
    super(freezeDeep(checkAnomalySettings(given)), given.metadata)
  }

  override get kind(): 'AnomalyDetector' {
    return 'AnomalyDetector'
  }

  /**
   * Learns from `x`, from the beginning; a second `fit` forgets the first, one that rejects changes nothing.
   *
   * The columns of a table are encoded by a TableEncoder, which is then part of the detector, and which names them. Later rows may be tables with
   * these columns, and single rows objects. A table is read twice; rows from a stream or another iterable than an array are copied to a temporary file first.
   *
   * A Dataset of at most 256 MiB is learned from as the same rows in memory, to the bit. A longer one is learned from in files, in the same steps,
   * and its rows are shuffled by blocks. The rows that are learned from and those that are held out are copied to temporary files meanwhile (see
   * `folder`), which take up to one and a half times its size.
   *
   * @param x - rows of numbers, a table, or what gives either one after another: see {@link AnomalyBatches}. Without labels
   * @param options - see {@link AnomalyFitOptions}
   * @returns what was learned from, the histories of the trainings, and the threshold
   * @throws `signal.reason`, if the signal is aborted; the error of `onProgress`, if it throws; what a stream fails with
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad options and rows, or other columns than there are names
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN and infinities: row and column in `details`
   * @throws {@link LayerwiseError} `ERR_FILE` if the files of a dataset fail, or the disk is full
   * @throws {@link LayerwiseError} `ERR_BUSY` while `fit` or `update` runs
   */
  async fit(x: FittingRows | AnomalyBatches, options?: AnomalyFitOptions): Promise<AnomalyHistory> {
    const { options: settings } = this
    const given = checkFitOptions(options, settings.seed)
    return this.#learning('fit', given, async (store) => {
      const rows = await store.again(await givenRows('x', x, given.run))
      if (rows.kind === 'table') checkUnnamed(settings)
      const encoder =
        rows.kind === 'table' ? await new TableEncoder(settings.encoder).fit(rows.table) : undefined
      const width = rows.kind === 'table' ? encoder!.width : ownWidth(rows.rows as FittingRows)
      checkWidth(settings, width)
      const learning = await learnOptions(given, store, width, encoder)
      const taken = await store.take('x', rows, width, encoder)
      return this.#take(await learn(taken, recipes[settings.trainedOn], learning, store), encoder)
    })
  }

  /**
   * Goes on learning from new rows, and says how their scores differ from those of the rows held out before. The autoencoders are trained further,
   * on the new rows alone; typical errors, threshold and probabilities are then those of new rows, and the scaler stays as it is. A call that
   * rejects changes nothing.
   *
   * @param x - at least 100 rows like those of `fit`, from the same kinds of sources
   * @param options - see {@link AnomalyFitOptions}
   * @throws {@link LayerwiseError} as {@link fit}; `ERR_STATE` before `fit`; `ERR_SHAPE` also for fewer than 100 rows, and where fewer than 100
   *   were held out before
   */
  async update(x: DenseRows | Dataset | AnomalyBatches, options?: AnomalyFitOptions): Promise<AnomalyUpdate> {
    const given = checkFitOptions(options, this.options.seed)
    const known = this.known()
    const { encoder, reference } = known
    const { score: threshold } = this.threshold
    return this.#learning('update', given, async (store) => {
      const rows = await store.again(await this.given(known, x, given.run), this.inputs)
      const scores = await scoresOfAll(known, rows, given.run)
      const drift = await driftOf(reference, await sorted(scores), threshold)
      const learning = await learnOptions(given, store, this.inputs, encoder)
      const taken = await store.take('x', rows, this.inputs, encoder)
      const learned = await learnMore(taken, known, recipes[this.options.trainedOn], learning, store)
      return { ...this.#take(learned, encoder), drift }
    })
  }

  /**
   * Takes threshold and probabilities from other rows; what was learned stays as it is.
   *
   * @param x - rows that were not learned from, normal or as mixed as those of `fit`, as {@link score} takes them
   * @throws {@link LayerwiseError} as {@link score}; `ERR_BUSY` while `fit` or `update` runs
   */
  async refitThreshold(x: Rows | AnomalyBatches, options?: RunOptions): Promise<Threshold> {
    const run = checkRunOptions(options)
    const known = this.known()
    return this.#exclusively('refitThreshold', async () => {
      const reference = await sorted(await this.score(x, run))
      this.become({ ...known, reference, heldOut: reference.length })
      return this.threshold
    })
  }

  /**
   * Reads what {@link save} wrote.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is no model file, is truncated or damaged, or has a model of another
   *   class
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
   */
  static async load(path: string | URL): Promise<AnomalyDetector> {
    return readModel(path, [AnomalyDetector.restorer])
  }

  /**
   * Restores a detector from the bytes of {@link toBytes}, or of a file. They are copied.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` as {@link load}; `ERR_ARGUMENT` for anything but a Uint8Array over an ordinary buffer,
   *   `ERR_STATE` if that is transferred during the call
   */
  static async fromBytes(bytes: Uint8Array): Promise<AnomalyDetector> {
    return readModelBytes(bytes, [AnomalyDetector.restorer])
  }

  /** @internal */
  static readonly restorer: Restorer<AnomalyDetector> = {
    class: 'AnomalyDetector',
    fields: DETECTOR_FIELDS,
    restore: (file) => {
      const options = checkOptions('options', file.options, ANOMALY_SETTINGS)
      const detector = new AnomalyDetector(options as AnomalyDetectorOptions)
      const { places, make } = storedDetector(file)
      return {
        places,
        make: (tensors) => {
          detector.become(make(tensors, detector.options.seed))
          checkWidth(detector.options, detector.inputs)
          detector.#fits = file.fits
          return detector
        },
      }
    },
  }

  /** @internal */
  protected override content(): ModelContent {
    const state = this.known()
    const [first] = state.members
    const hidden = first!.network.options.layers.map((layer) => layer.hidden)
    return {
      scaler: first!.network.scaling,
      fits: this.#fits,
      more: {
        hidden,
        members: state.members.length,
        heldOut: state.heldOut,
        encoder: state.encoder?.toJSON() ?? null,
      },
      tensors: detectorTensors(state),
    }
  }

  /** Runs one change of the detector that has rows to keep. */
  #learning<T>(
    method: string,
    { folder, run }: FitSettings,
    change: (store: RowStore) => Promise<T>,
  ): Promise<T> {
    return this.#exclusively(method, () => withRowStore({ folder, inMemory: this.inMemory }, run, change))
  }

  /** Runs one change of the detector; another is refused meanwhile. */
  async #exclusively<T>(method: string, change: () => Promise<T>): Promise<T> {
    if (this.#training) {
      const remedy = 'await its fit or update, or abort it by its signal, first'
      throw new LayerwiseError('ERR_BUSY', `${method}: this detector is being trained; ${remedy}`)
    }
    this.#training = true
    try {
      return await change()
    } finally {
      this.#training = false
    }
  }

  #take({ state, trained, leftOut, trainings }: Learned, encoder: TableEncoder | undefined): AnomalyHistory {
    this.become({ ...state, encoder })
    this.#fits++
    return { trained, leftOut, heldOut: state.heldOut, trainings, threshold: this.threshold }
  }
}

/** Takes the rows for validation. */
async function learnOptions(
  { run, validation, earlyStopping, onProgress, seed }: FitSettings,
  store: RowStore,
  width: number,
  encoder: TableEncoder | undefined,
): Promise<LearnOptions> {
  const options = { run, earlyStopping, onProgress, seed }
  if (typeof validation === 'number') return { ...options, validation }
  const given = await givenRows('validation', validation, run, { width, encoder })
  return { ...options, validation: await store.take('validation', given, width, encoder) }
}

/** @throws {@link LayerwiseError} `ERR_ARGUMENT` where a table's own names would be hidden */
function checkUnnamed({ columns, groups }: AnomalySettings): void {
  for (const [option, value] of Object.entries({ columns, groups })) {
    if (value !== undefined)
      throw argumentError(option, 'nothing with a table, which names its columns', value)
  }
}
