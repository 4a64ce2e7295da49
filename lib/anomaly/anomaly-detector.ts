import { argumentError, checkInteger, checkOptions, freezeDeep } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { allocate, type PlainFloat32Array, type PlainFloat64Array } from '../base/precision.js'
import type { Dataset } from '../data/dataset.js'
import { Matrix, type Row } from '../data/matrix.js'
import {
  type DenseFittingRows,
  type DenseRows,
  ownWidth,
  type Rows,
  type SingleRow,
  toMatrix,
} from '../data/rows.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import type { FolderOptions } from '../models/answers.js'
import { BaseModel } from '../models/base-model.js'
import type { CodesBatch, RowsOrBatches } from '../models/batches.js'
import type { OutOptions } from '../models/encode-options.js'
import { type ModelContent, type Restorer, readModel, readModelBytes } from '../models/model-file.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { TableBatches } from '../tables/encoding/checked-batches.js'
import { TableEncoder } from '../tables/encoding/table-encoder.js'
import {
  ANOMALY_SETTINGS,
  type AnomalyDetectorOptions,
  type AnomalyFitOptions,
  type AnomalyHistory,
  type AnomalySettings,
  checkAnomalySettings,
} from './anomaly-options.js'
import type { AnomalyAnswer, AnomalyAnswers, AnomalyUpdate } from './answers.js'
import { type ColumnNames, checkWidth, namedColumns } from './columns.js'
import { DETECTOR_FIELDS, detectorTensors, storedDetector } from './detector-file.js'
import { type Drift, driftOf } from './drift.js'
import { type ExplainedColumn, type ExplainOptions, explanationOf, saidAsNumbers } from './explanation.js'
import { checkFitOptions, encodedOptions } from './fit-options.js'
import { type Learned, type LearnOptions, learn, learnMore, scoresOf } from './learn.js'
import type { DetectorState } from './member.js'
import { recipes } from './recipe.js'
import {
  asTable,
  checkEncoder,
  encodedRow,
  encodedRows,
  SURPRISE,
  saidAsTable,
  type TableRow,
  withSurprises,
} from './table-rows.js'
import { normalProbability, type Threshold, thresholdOf } from './threshold.js'

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
 * Methods that return promises compute off the JavaScript thread and only reject. Arguments must not be written or transferred until the promise
 * settles. While `fit` or `update` runs, all others answer as before it.
 */
export class AnomalyDetector extends BaseModel<'float32'> {
  readonly #settings: AnomalySettings
  #state: DetectorState | undefined
  #threshold: Threshold | undefined
  #fits = 0
  #training = false

  /**
   * Knows nothing yet: call `await detector.fit(rows)` first.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for an unknown option, a wrong type, a number out of its range, names that are not different,
   *   groups that overlap, `contamination` beside `quantile` or with `trainedOn: 'clean'`
   */
  constructor(options?: AnomalyDetectorOptions) {
    const names = [...ANOMALY_SETTINGS, 'contamination', 'metadata']
    const given = checkOptions('options', options, names)
    super(given.metadata)
    this.#settings = freezeDeep(checkAnomalySettings(given))
  }

  override get kind(): 'AnomalyDetector' {
    return 'AnomalyDetector'
  }

  override get options(): AnomalySettings {
    return this.#settings
  }

  /** Columns of the rows it was fitted on. `ERR_STATE` before `fit`. */
  override get inputs(): number {
    return this.#known().members[0]!.network.inputs
  }

  override get precision(): 'float32' {
    return 'float32'
  }

  override get classes(): undefined {
    return undefined
  }

  /** A copy of the scaler of every input, which `fit` makes; undefined before `fit`. */
  override get scaling(): ModelScaler | undefined {
    return this.#state?.members[0]?.network.scaling?.copy()
  }

  /**
   * Learns from `x`, from the beginning; a second `fit` forgets the first, one that rejects changes nothing.
   *
   * A table is read twice: its columns are encoded by a TableEncoder, which is then part of the detector, and which names them. Later rows may be
   * tables with these columns, and single rows objects.
   *
   * @param x - a Matrix, an array of rows, or a table as readTable returns it, without labels
   * @param options - see {@link AnomalyFitOptions}
   * @returns what was learned from, the histories of the trainings, and the threshold
   * @throws `signal.reason`, if the signal is aborted; the error of `onProgress`, if it throws
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad options and rows, or other columns than there are names
   * @throws {@link LayerwiseError} `ERR_RANGE` for NaN and infinities: row and column in `details`
   * @throws {@link LayerwiseError} `ERR_BUSY` while `fit` or `update` runs
   */
  async fit(x: DenseFittingRows | TableBatches, options?: AnomalyFitOptions): Promise<AnomalyHistory> {
    const given = checkFitOptions(options, this.#settings.seed)
    const recipe = recipes[this.#settings.trainedOn]
    const table = asTable(x)
    if (table !== undefined) {
      checkUnnamed(this.#settings)
      return this.#exclusively('fit', async () => {
        const encoder = await new TableEncoder(this.#settings.encoder).fit(table)
        const learning = await encodedOptions(given, encoder)
        const { rows } = await encodedRows(encoder, table)
        return this.#take(await learn(rows, recipe, learning), encoder)
      })
    }
    const width = ownWidth(x as DenseFittingRows)
    checkWidth(this.#settings, width)
    return this.#exclusively('fit', async () => {
      const learning = await encodedOptions(given, undefined)
      const rows = await toMatrix('x', x as DenseFittingRows, width, 'float64', between(learning))
      return this.#take(await learn(rows, recipe, learning), undefined)
    })
  }

  /**
   * Goes on learning from new rows, and says how their scores differ from those of the rows held out before. The autoencoders are trained further,
   * on the new rows alone; typical errors, threshold and probabilities are then those of new rows, and the scaler stays as it is. A call that
   * rejects changes nothing.
   *
   * @param x - at least 100 rows like those of `fit`
   * @param options - see {@link AnomalyFitOptions}
   * @throws {@link LayerwiseError} as {@link fit}; `ERR_STATE` before `fit`; `ERR_SHAPE` also for fewer than 100 rows, and where fewer than 100
   *   were held out before
   */
  async update(x: DenseRows | TableBatches, options?: AnomalyFitOptions): Promise<AnomalyUpdate> {
    const given = checkFitOptions(options, this.#settings.seed)
    const known = this.#known()
    const { encoder } = known
    return this.#exclusively('update', async () => {
      const learning = await encodedOptions(given, encoder)
      const drift = await this.drift(x, learning.run)
      const table = asTable(x)
      const rows =
        table === undefined
          ? await toMatrix('x', x as DenseRows, this.inputs, 'float64', between(learning))
          : (await encodedRows(checkEncoder(encoder, x), table)).rows
      const learned = await learnMore(rows, known, recipes[this.#settings.trainedOn], learning)
      return { ...this.#take(learned, encoder), drift }
    })
  }

  /**
   * The score of each row: about 1 for rows like those that were learned from, the higher, the stranger.
   *
   * @throws {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows, `ERR_RANGE` for NaN and infinities
   */
  async score(x: Rows | TableBatches, options?: RunOptions): Promise<PlainFloat64Array> {
    const run = checkRunOptions(options)
    const { members, encoder } = this.#known()
    const table = asTable(x)
    if (table === undefined) return scoresOf(members, x as Rows, run)
    const { rows, surprises } = await encodedRows(checkEncoder(encoder, x), table)
    const scores = await scoresOf(members, rows, run)
    for (const [row, count] of surprises) scores[row]! += (count * SURPRISE) / rows.cols
    return scores
  }

  /**
   * {@link score} of one row, on the calling thread, in some microseconds: for single rows on a server's hot path.
   *
   * @param row - as many numbers as there are columns, or a Matrix of one row
   * @throws {@link LayerwiseError} as {@link score} rejects
   */
  scoreSync(row: SingleRow | TableRow): number {
    const { members, encoder } = this.#known()
    const encoded = encodedRow(encoder, row)
    if (encoded === undefined) return scoreOf(members, row as SingleRow)
    const { codes, surprises } = encoded
    return scoreOf(members, codes) + (surprises.length * SURPRISE) / codes.length
  }

  /**
   * The score of each row, whether it is above the threshold, and how probable such a score is among normal rows.
   *
   * @throws {@link LayerwiseError} as {@link score}
   */
  async predict(x: Rows | TableBatches, options?: RunOptions): Promise<AnomalyAnswers> {
    const { reference } = this.#known()
    const { score: threshold } = this.threshold
    const scores = await this.score(x, options)
    const isAnomaly = allocate('uint8', scores.length, 'answers')
    for (let i = 0; i < scores.length; i++) isAnomaly[i] = scores[i]! > threshold ? 1 : 0
    return { scores, isAnomaly, normal: scores.map((score) => normalProbability(reference, score)) }
  }

  /**
   * The same for one row, on the calling thread.
   *
   * @param row - as many numbers as there are columns, or a Matrix of one row
   * @throws {@link LayerwiseError} as {@link score} rejects
   */
  predictSync(row: SingleRow | TableRow): AnomalyAnswer {
    const score = this.scoreSync(row)
    const { reference } = this.#known()
    return {
      score,
      isAnomaly: score > this.threshold.score,
      normal: normalProbability(reference, score),
    }
  }

  /**
   * Why a row has its score: its columns, or groups of columns, with their values, what the detector expects there from the other columns, and
   * how much the score would fall with that; the largest effect first. On the calling thread: two passes through each autoencoder for each column
   * that is examined, some hundred microseconds.
   *
   * @param row - as many numbers as there are columns, or a Matrix of one row
   * @throws {@link LayerwiseError} as {@link score} rejects; `ERR_ARGUMENT` for bad options
   */
  explain(row: SingleRow | TableRow, options?: ExplainOptions): ExplainedColumn[] {
    const { most = 32 } = checkOptions('options', options, ['most'])
    checkInteger('most', most)
    const { members, encoder } = this.#known()
    // Checks the row as every other method does.
    this.scoreSync(row)
    const encoded = encodedRow(encoder, row)
    const codes = encoded?.codes ?? Matrix.fromRows([row as Row]).data
    const names = encoder === undefined ? this.#settings : namesOf(encoder)
    const named = namedColumns(names, codes.length)
    if (encoded === undefined || encoder === undefined)
      return explanationOf(codes, members, named, saidAsNumbers(codes, names), most as number)
    const said = saidAsTable(encoder, row as TableRow)
    const explained = explanationOf(codes, members, named, said, most as number)
    return withSurprises(explained, encoded, encoder)
  }

  /**
   * How far the scores of rows have moved from those of the rows held out by `fit`, without learning from them.
   *
   * @param x - at least 100 rows
   * @throws {@link LayerwiseError} as {@link score}; `ERR_SHAPE` also for fewer than 100 rows, here or held out
   */
  async drift(x: Rows | TableBatches, options?: RunOptions): Promise<Drift> {
    const { reference } = this.#known()
    const { score } = this.threshold
    const scores = await this.score(x, options)
    return driftOf(reference, scores.sort(), score)
  }

  /** The score above which a row is an anomaly, and how it came about. `ERR_STATE` before `fit`. */
  get threshold(): Threshold {
    const { reference } = this.#known()
    this.#threshold ??= freezeDeep(thresholdOf(reference, this.#settings.quantile))
    return this.#threshold
  }

  /**
   * Takes threshold and probabilities from other rows; what was learned stays as it is.
   *
   * @param x - rows that were not learned from, normal or as mixed as those of `fit`
   * @throws {@link LayerwiseError} as {@link score}; `ERR_BUSY` while `fit` or `update` runs
   */
  async refitThreshold(x: Rows | TableBatches, options?: RunOptions): Promise<Threshold> {
    const known = this.#known()
    return this.#exclusively('refitThreshold', async () => {
      const reference = (await this.score(x, options)).sort()
      this.#become({ ...known, reference, heldOut: reference.length })
      return this.threshold
    })
  }

  /**
   * Activations of the innermost layer of its first autoencoder: for pictures, and for rows that are alike.
   *
   * @throws {@link LayerwiseError} as {@link score}; `ERR_ARGUMENT`, `ERR_SHAPE` also for a bad `out`
   */
  override async encode(x: Rows, options?: OutOptions): Promise<Matrix<PlainFloat32Array>>
  /** The same, written to a folder as a dataset. */
  override async encode(x: Rows, options: FolderOptions): Promise<Dataset>
  override async encode(
    x: Rows,
    options?: OutOptions | FolderOptions,
  ): Promise<Matrix<PlainFloat32Array> | Dataset> {
    return this.#known().members[0]!.network.encode(x, options as OutOptions<'float32'>)
  }

  override encodeBatches(
    x: RowsOrBatches,
    options?: RunOptions,
  ): AsyncGenerator<CodesBatch<'float32'>, void> {
    return this.#known().members[0]!.network.encodeBatches(x, options)
  }

  /**
   * The same for one row, on the calling thread.
   *
   * @throws {@link LayerwiseError} as {@link encode} rejects
   */
  override encodeSync(row: SingleRow, out?: Float32Array): PlainFloat32Array {
    return this.#known().members[0]!.network.encodeSync(row, out)
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
          detector.#become(make(tensors, detector.#settings.seed))
          checkWidth(detector.#settings, detector.inputs)
          detector.#fits = file.fits
          return detector
        },
      }
    },
  }

  /** @internal */
  protected override content(): ModelContent {
    const state = this.#known()
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
    this.#become({ ...state, encoder })
    this.#fits++
    return { trained, leftOut, heldOut: state.heldOut, trainings, threshold: this.threshold }
  }

  #become(state: DetectorState): void {
    this.#state = state
    this.#threshold = undefined
  }

  #known(): DetectorState {
    if (this.#state === undefined)
      throw new LayerwiseError(
        'ERR_STATE',
        'this AnomalyDetector is not fitted: await detector.fit(rows) first',
      )
    return this.#state
  }
}

function between({ run }: LearnOptions): () => void {
  return () => run.signal?.throwIfAborted()
}

/** Mean over the members. */
function scoreOf(members: DetectorState['members'], row: SingleRow): number {
  let sum = 0
  for (const { scoring } of members) sum += scoring.reconstructionErrorSync(row)
  return sum / members.length
}

/** @throws {@link LayerwiseError} `ERR_ARGUMENT` where a table's own names would be hidden */
function checkUnnamed({ columns, groups }: AnomalySettings): void {
  for (const [option, value] of Object.entries({ columns, groups })) {
    if (value !== undefined)
      throw argumentError(option, 'nothing with a table, which names its columns', value)
  }
}

function namesOf(encoder: TableEncoder): ColumnNames {
  return { columns: encoder.columns.map(({ name }) => name), groups: encoder.groups }
}
