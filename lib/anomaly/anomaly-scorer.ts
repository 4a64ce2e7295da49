import { freezeDeep } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { allocateUnset, type PlainFloat32Array, type PlainFloat64Array } from '../base/precision.js'
import type { Dataset } from '../data/dataset.js'
import type { Matrix } from '../data/matrix.js'
import type { Rows, SingleRow } from '../data/rows.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import { rowSlices } from '../data/slices.js'
import type { FolderOptions } from '../models/answers.js'
import { BaseModel } from '../models/base-model.js'
import type { CodesBatch, RowsOrBatches } from '../models/batches.js'
import type { OutOptions } from '../models/encode-options.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import { TableEncoder } from '../tables/encoding/table-encoder.js'
import type { TableRow } from '../tables/table-row.js'
import type { AnomalySettings } from './anomaly-options.js'
import type { AnomalyAnswer, AnomalyAnswers, ScoresBatch } from './answers.js'
import { type Drift, driftOf } from './drift.js'
import { explainRow } from './explain-row.js'
import type { ExplainedColumn, ExplainOptions } from './explanation.js'
import { type AnomalyBatches, type Given, givenRows } from './given-rows.js'
import type { DetectorState } from './member.js'
import { scoreOfRow, scoreParts, scoresOfAll } from './scores.js'
import { sorted } from './sorted.js'
import { normalProbability, type Threshold, thresholdOf } from './threshold.js'

/** What an AnomalyDetector answers, by what it has learned. */
export abstract class AnomalyScorer extends BaseModel<'float32'> {
  readonly #settings: AnomalySettings
  #state: DetectorState | undefined
  #threshold: Threshold | undefined

  /** @internal */
  protected constructor(settings: AnomalySettings, metadata: unknown) {
    super(metadata)
    this.#settings = settings
  }

  override get options(): AnomalySettings {
    return this.#settings
  }

  /** Columns of the rows it was fitted on. `ERR_STATE` before `fit`. */
  override get inputs(): number {
    return this.known().members[0]!.network.inputs
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
   * A copy of the encoder of the table it was fitted on; undefined before `fit`, and of a detector of rows of numbers. Its `types` read later tables
   * as that one: `readTable(path, { types: detector.encoder.types })`.
   */
  get encoder(): TableEncoder | undefined {
    const encoder = this.#state?.encoder
    return encoder && TableEncoder.fromJSON(encoder.toJSON())
  }

  /**
   * The score of each row: about 1 for rows like those that were learned from, the higher, the stranger. Rows of files, tables and streams are read
   * once, in memory for some of them; the scores are in memory.
   *
   * @param x - rows of numbers, a table, or what gives either one after another: see {@link AnomalyBatches}
   * @throws {@link LayerwiseError} `ERR_STATE` before `fit`; `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows, `ERR_RANGE` for NaN and infinities,
   *   `ERR_FILE` if the files of a dataset fail; what a stream fails with
   */
  async score(x: Rows | AnomalyBatches, options?: RunOptions): Promise<PlainFloat64Array> {
    const run = checkRunOptions(options)
    const state = this.known()
    return scoresOfAll(state, await this.given(state, x, run), run)
  }

  /**
   * {@link score} part by part, for rows whose scores shall not be in memory either:
   *
   *     for await (const { from, scores } of detector.scoreBatches(readTable(stream))) …
   *
   * Scores of rows and tables are those of one call, to the bit. Batches of numbers are answered as a call with each of them alone. Answers are
   * those of the detector at the call.
   *
   * @param x - as {@link score}
   * @throws {@link LayerwiseError} (while it is iterated) as {@link score}
   */
  scoreBatches(x: Rows | AnomalyBatches, options?: RunOptions): AsyncGenerator<ScoresBatch, void> {
    return this.#parts(this.known(), x, checkRunOptions(options))
  }

  async *#parts(state: DetectorState, x: Rows | AnomalyBatches, run: RunOptions) {
    yield* scoreParts(state, await this.given(state, x, run), run)
  }

  /**
   * {@link score} of one row, on the calling thread, in some microseconds: for single rows on a server's hot path.
   *
   * @param row - as many numbers as there are columns, or a Matrix of one row; an object, if the detector was fitted on a table
   * @throws {@link LayerwiseError} as {@link score} rejects
   */
  scoreSync(row: SingleRow | TableRow): number {
    return scoreOfRow(this.known(), row)
  }

  /**
   * The score of each row, whether it is above the threshold, and how probable such a score is among normal rows.
   *
   * @throws {@link LayerwiseError} as {@link score}
   */
  async predict(x: Rows | AnomalyBatches, options?: RunOptions): Promise<AnomalyAnswers> {
    const { reference } = this.known()
    const { score: threshold } = this.threshold
    const scores = await this.score(x, options)
    const isAnomaly = allocateUnset('uint8', scores.length, 'answers')
    const normal = allocateUnset('float64', scores.length, 'answers')
    for await (const [from, to] of rowSlices(scores.length, 8)) {
      for (let i = from; i < to; i++) {
        isAnomaly[i] = scores[i]! > threshold ? 1 : 0
        normal[i] = normalProbability(reference, scores[i]!)
      }
    }
    return { scores, isAnomaly, normal }
  }

  /**
   * The same for one row, on the calling thread.
   *
   * @param row - as {@link scoreSync}
   * @throws {@link LayerwiseError} as {@link score} rejects
   */
  predictSync(row: SingleRow | TableRow): AnomalyAnswer {
    const score = this.scoreSync(row)
    const { reference } = this.known()
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
   * @param row - as {@link scoreSync}
   * @throws {@link LayerwiseError} as {@link score} rejects; `ERR_ARGUMENT` for bad options
   */
  explain(row: SingleRow | TableRow, options?: ExplainOptions): ExplainedColumn[] {
    // Checks the row as every other method does.
    this.scoreSync(row)
    return explainRow(this.known(), this.#settings, row, options)
  }

  /**
   * How far the scores of rows have moved from those of the rows held out by `fit`, without learning from them.
   *
   * @param x - at least 100 rows, as {@link score} takes them
   * @throws {@link LayerwiseError} as {@link score}; `ERR_SHAPE` also for fewer than 100 rows, here or held out
   */
  async drift(x: Rows | AnomalyBatches, options?: RunOptions): Promise<Drift> {
    const { reference } = this.known()
    const { score } = this.threshold
    return driftOf(reference, await sorted(await this.score(x, options)), score)
  }

  /** The score above which a row is an anomaly, and how it came about. `ERR_STATE` before `fit`. */
  get threshold(): Threshold {
    const { reference } = this.known()
    this.#threshold ??= freezeDeep(thresholdOf(reference, this.#settings.quantile))
    return this.#threshold
  }

  /**
   * Activations of the innermost layer of its first autoencoder: for pictures, and for rows that are alike. Written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as in memory; `ERR_ARGUMENT`, `ERR_BUSY` for a folder that cannot be used; `ERR_FILE` if the disk is full
   */
  override async encode(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * Activations of the innermost layer of its first autoencoder: for pictures, and for rows that are alike.
   *
   * @param x - rows of numbers
   * @throws {@link LayerwiseError} as {@link score}; `ERR_ARGUMENT`, `ERR_SHAPE` also for a bad `out`
   */
  override async encode(x: Rows, options?: OutOptions): Promise<Matrix<PlainFloat32Array>>
  override async encode(
    x: Rows,
    options?: OutOptions | FolderOptions,
  ): Promise<Matrix<PlainFloat32Array> | Dataset> {
    return this.known().members[0]!.network.encode(x, options as OutOptions<'float32'>)
  }

  override encodeBatches(
    x: RowsOrBatches,
    options?: RunOptions,
  ): AsyncGenerator<CodesBatch<'float32'>, void> {
    return this.known().members[0]!.network.encodeBatches(x, options)
  }

  /**
   * The same for one row, on the calling thread.
   *
   * @throws {@link LayerwiseError} as {@link encode} rejects
   */
  override encodeSync(row: SingleRow, out?: Float32Array): PlainFloat32Array {
    return this.known().members[0]!.network.encodeSync(row, out)
  }

  /** @internal What was given to a fitted detector. */
  protected given({ members, encoder }: DetectorState, x: unknown, run: RunOptions): Promise<Given> {
    return givenRows('x', x, run, { width: members[0]!.network.inputs, encoder })
  }

  /** @internal Takes what was learned. */
  protected become(state: DetectorState): void {
    this.#state = state
    this.#threshold = undefined
  }

  /** @internal What was learned. */
  protected known(): DetectorState {
    if (this.#state === undefined)
      throw new LayerwiseError(
        'ERR_STATE',
        'this AnomalyDetector is not fitted: await detector.fit(rows) first',
      )
    return this.#state
  }
}
