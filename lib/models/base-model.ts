import { LayerwiseError } from '../base/errors.js'
import type { FloatArray, FloatInput, PlainUint8Array, Precision } from '../base/precision.js'
import type { Classes } from '../data/labels.js'
import type { Matrix, Row } from '../data/matrix.js'
import type { Rows } from '../data/rows.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import type { RunOptions } from '../native/run-options.js'
import { checkMetadata, type ModelMetadata } from './metadata.js'
import { type ModelContent, type ModelDescription, modelBytes, writeModel } from './model-file.js'

/**
 * What every model can be asked, whatever its class.
 *
 * `new X({ ...model.options, scaling: model.scaling, metadata: model.metadata })`, X being the model's class, is another such model, not
 * trained; a LinearAutoencoder takes no `scaling`.
 */
export abstract class BaseModel<P extends Precision> {
  #metadata: ModelMetadata | undefined

  /** @internal Takes `metadata` as its constructor was given it. */
  protected constructor(metadata: unknown) {
    this.#metadata = checkMetadata(metadata)
  }

  /** The name of its class. Where a model may be of any class, this tells TypeScript which it is. */
  abstract get kind(): string

  /**
   * The constructor's options with all defaults filled in: a frozen plain object. Options without a default are there only where they
   * were given; `scaling` and `metadata` are properties of the model instead.
   */
  abstract get options(): object

  /** Numbers a row has. */
  abstract get inputs(): number

  /** Of parameters, computation and results. */
  abstract get precision(): P

  /** Of a classifier, how many classes there are, or their names; undefined of any other model. */
  abstract get classes(): Classes | undefined

  /**
   * The scaler that every input goes through, the model's own; undefined where there is none. `toJSON()` tells its numbers; `fit` finds
   * others, for rows of the same width: the model's next call uses them, a training that runs does not.
   */
  abstract get scaling(): ModelScaler | undefined

  /**
   * Rows as the model describes them: activations of the last hidden layer; of a Pca, rows along its components; of a SoftmaxClassifier,
   * which has no hidden layer, the probabilities of its classes.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows, `ERR_RANGE` for NaN and infinities
   */
  abstract encode(x: Rows, options?: RunOptions): Promise<Matrix<FloatArray<P>>>

  /**
   * The same for one row, on the calling thread.
   *
   * @throws {@link LayerwiseError} as {@link encode} rejects
   */
  abstract encodeSync(row: Row, out?: FloatInput<P>): FloatArray<P>

  /** @internal What it has learnt, for its file. */
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
   * Writes one safetensors file: arrays by name, everything else as JSON in its metadata. The file appears whole or not at all.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be written; `ERR_STATE` for a Pca before `fit`
   */
  async save(path: string | URL): Promise<void> {
    await writeModel(path, this.#description())
  }

  /**
   * The bytes that {@link save} would write, of the model as it is at the call: for a database, for a worker. `fromBytes` and
   * `modelFromBytes` make the model of them again. Copied a slice at a time, so that the event loop goes on.
   *
   * It is a property of the model itself, a function: `structuredClone` and `postMessage` therefore refuse a model, which they would leave
   * without class and parameters.
   *
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room; `ERR_STATE` for a Pca before `fit`
   */
  readonly toBytes = async (): Promise<PlainUint8Array> => modelBytes(this.#description())

  /**
   * Keeps JSON.stringify from losing the parameters without a word.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` always, saying what to do instead
   */
  toJSON(): never {
    throw new LayerwiseError(
      'ERR_ARGUMENT',
      `a ${this.kind} has no JSON: its parameters are numbers in binary. Keep await model.toBytes(), which fromBytes reads, or save it to a ` +
        'file; model.options, model.scaling and model.metadata have JSON',
    )
  }

  #description(): ModelDescription {
    const { kind, options, metadata } = this
    return { class: kind, options, metadata, ...this.content() }
  }
}
