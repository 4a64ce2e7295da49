import { LayerwiseError } from '../base/errors.js'
import type { FloatArray, FloatInput, PlainUint8Array, Precision } from '../base/precision.js'
import type { Dataset } from '../data/dataset.js'
import type { Classes } from '../data/labels.js'
import type { Matrix } from '../data/matrix.js'
import type { Rows, SingleRow } from '../data/rows.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import type { RunOptions } from '../native/run-options.js'
import type { FolderOptions } from './answers.js'
import type { CodesBatch, RowsOrBatches } from './batches.js'
import type { OutOptions } from './encode-options.js'
import { checkMetadata, type ModelMetadata } from './metadata.js'
import { type ModelContent, type ModelDescription, modelBytes, writeModel } from './model-file.js'

/**
 * The common members of all models.
 *
 * `new X({ ...model.options, scaling: model.scaling, metadata: model.metadata })`, X being the model's class, creates an untrained model of
 * the same kind; a LinearAutoencoder takes no `scaling`.
 */
export abstract class BaseModel<P extends Precision> {
  #metadata: ModelMetadata | undefined

  /** @internal Takes `metadata` as its constructor was given it. */
  protected constructor(metadata: unknown) {
    this.#metadata = checkMetadata(metadata)
  }

  /** The name of its class. TypeScript narrows a model of any class by it. */
  abstract get kind(): string

  /**
   * The constructor's options with all defaults filled in: a frozen plain object. Options without a default are present only if they were
   * given; `scaling` and `metadata` are properties of the model instead.
   */
  abstract get options(): object

  /** Numbers a row has. */
  abstract get inputs(): number

  /** Of parameters, computation and results. */
  abstract get precision(): P

  /** For a classifier the number of classes, or their names; undefined for any other model. */
  abstract get classes(): Classes | undefined

  /**
   * The scaler of every input, owned by the model; undefined if there is none. `toJSON()` returns its numbers; `fit` computes new ones, for
   * rows of the same width: the model's next call uses them, a running training does not.
   */
  abstract get scaling(): ModelScaler | undefined

  /**
   * Rows as the model describes them, written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as in memory; `ERR_ARGUMENT`, `ERR_BUSY` for a folder that cannot be used; `ERR_FILE` if the disk is full
   */
  abstract encode(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * Rows as the model describes them: activations of the last hidden layer; of a Pca, rows along its components; of a SoftmaxClassifier,
   * which has no hidden layer, the probabilities of its classes.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows or a bad `out`, `ERR_RANGE` for NaN and infinities, `ERR_STATE` for
   *   memory that is transferred during the call
   */
  abstract encode(x: Rows, options?: OutOptions<P>): Promise<Matrix<FloatArray<P>>>

  /**
   * {@link encode} batch by batch, for rows longer than memory, also for those that come only once:
   *
   *     for await (const { from, codes } of model.encodeBatches(rows)) …
   *
   * Of rows, a Dataset or a Matrix, batches are made of some 10 MB and a multiple of 512 rows: they are `encode` of all rows to the bit. Of an
   * iterable, each batch is answered as a call with it alone would, and the next is asked for when the answer has been taken. Answers are those
   * of the model at the call.
   *
   * @param x - rows, or batches of them
   * @throws {@link LayerwiseError} (while it is iterated) as {@link encode}; messages name the batch of an iterable
   */
  abstract encodeBatches(x: RowsOrBatches, options?: RunOptions): AsyncGenerator<CodesBatch<P>, void>

  /**
   * The same for one row, on the calling thread.
   *
   * @throws {@link LayerwiseError} as {@link encode} rejects
   */
  abstract encodeSync(row: SingleRow, out?: FloatInput<P>): FloatArray<P>

  /** @internal Its trained state, for its file. */
  protected abstract content(): ModelContent

  /**
   * JSON of your own, which is saved with the model: a deeply frozen copy of what was set. Set another object to change it, undefined to
   * have none.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, when it is set, for what {@link ModelMetadata} excludes; the old one then stays
   */
  get metadata(): ModelMetadata | undefined {
    return this.#metadata
  }

  set metadata(value: ModelMetadata | undefined) {
    this.#metadata = checkMetadata(value)
  }

  /**
   * Writes one safetensors file: arrays by name, everything else as JSON in its metadata. The file is written completely or not at all.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be written; `ERR_STATE` for a Pca before `fit`
   */
  async save(path: string | URL): Promise<void> {
    await writeModel(path, this.description())
  }

  /**
   * The bytes that {@link save} would write, of the model at the call: for a database, for a worker. `fromBytes` and `modelFromBytes`
   * restore the model from them. Copied a slice at a time, so that the event loop stays free.
   *
   * It is a function among the model's own properties: `structuredClone` and `postMessage` therefore refuse a model, whose class and
   * parameters they would lose.
   *
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room; `ERR_STATE` for a Pca before `fit`
   */
  readonly toBytes = async (): Promise<PlainUint8Array> => modelBytes(this.description())

  /**
   * Prevents JSON.stringify from silently losing the parameters.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` always, with what to do instead
   */
  toJSON(): never {
    throw new LayerwiseError(
      'ERR_ARGUMENT',
      `a ${this.kind} has no JSON: its parameters are numbers in binary. Keep await model.toBytes(), which fromBytes reads, or save it to a ` +
        'file; model.options, model.scaling and model.metadata have JSON',
    )
  }

  /** @internal What its file says. */
  protected description(): ModelDescription {
    const { kind, options, metadata } = this
    return { class: kind, options, metadata, ...this.content() }
  }
}
