import { allocateUnset, type FloatArray, type FloatInput, type Precision } from '../base/precision.js'
import type { Dataset } from '../data/dataset.js'
import {
  type Classes,
  classCount,
  type Labels,
  type Prediction,
  type Predictions,
  toPredictions,
} from '../data/labels.js'
import type { Matrix } from '../data/matrix.js'
import type { RowWeightsOption } from '../data/row-weights.js'
import type { Rows, SingleRow } from '../data/rows.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import { takeRows } from '../data/take-rows.js'
import type { NativeObjective } from '../native/binding.js'
import { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { Cost } from '../objective/cost.js'
import { checkRowValues } from '../objective/row-check.js'
import type { FitOptions } from '../training/options.js'
import { answerRows, checkFolderOptions, type FolderOptions, writeParts } from './answers.js'
import {
  type CodesBatch,
  classBatches,
  codeBatches,
  type IndicesBatch,
  type RowsOrBatches,
} from './batches.js'
import { checkOutOptions, type OutOptions } from './encode-options.js'
import { type ForwardTask, forwardClasses, forwardTask } from './forward.js'
import { forwardParts } from './forward-parts.js'
import { RowForward } from './forward-row.js'
import type { Network } from './network.js'
import { type CostOptions, NetworkModel } from './network-model.js'
import { checkScorable, type Score, type ScoreOptions, scoreOf } from './score.js'

/** Rows whose classes are known. */
export interface LabeledRows<C extends Classes = Classes> extends RowWeightsOption {
  /** Rows of `inputs` numbers. */
  readonly x: Rows
  /** The class of each row. */
  readonly labels: Labels<C>
}

/** The classes of consecutive rows. */
export interface ClassesBatch<C extends Classes = Classes> {
  /** The number of the first row, counted from 0 through all batches. */
  readonly from: number
  /** As `predict` returns them. */
  readonly classes: Predictions<C>
}

/** As {@link FitOptions}, but validation rows come with their labels: `{ x, labels, rowWeights? }`, or a fraction of the training rows. */
export type ClassifierFitOptions<C extends Classes = Classes> = FitOptions<LabeledRows<C>>

/**
 * The common base of classifiers: a network that ends in a softmax.
 *
 * Methods that return promises compute off the JavaScript thread and only reject. During a training all others use the parameters of the
 * last finished epoch. Arguments must not be written or transferred until the promise settles; training copies labels, and rows of up to
 * 256 MiB, when it begins, and later changes to these have no effect.
 */
export abstract class Classifier<P extends Precision, C extends Classes> extends NetworkModel<P> {
  readonly #classes: C
  readonly #probabilitiesOfRow: RowForward<P>

  /** @internal The network ends in as many softmax units as there are classes. */
  protected constructor(network: Network<P>, scaler: ModelScaler | undefined, classes: C, metadata: unknown) {
    super(network, scaler, metadata)
    this.#classes = classes
    this.#probabilitiesOfRow = new RowForward(network, { from: 0, to: network.layers.length }, scaler)
  }

  override get classes(): C {
    return this.#classes
  }

  /** @internal What `cost` measures, exact over the rows it is given. */
  protected abstract costObjective(): NativeObjective

  /** @internal Outputs are compared with labels, not with the rows. */
  protected override get rowCheck(): 'finite' {
    return 'finite'
  }

  /**
   * The number of the most probable class of each row, also where the classes have names, written to a folder as a dataset of one column, in
   * uint32.
   *
   * @throws {@link LayerwiseError} as in memory; `ERR_ARGUMENT`, `ERR_BUSY` for a folder that cannot be used; `ERR_FILE` if the disk is full
   */
  async predict(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * The most probable class of each row, the first of equally probable ones: class numbers, or names where the classes have names.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE` for bad rows, `ERR_RANGE` for NaN and infinities, `ERR_FILE` if the files of a
   *   dataset fail
   */
  async predict(x: Rows, options?: RunOptions): Promise<Predictions<C>>
  async predict(x: Rows, options?: RunOptions | FolderOptions): Promise<Predictions<C> | Dataset> {
    const { run, to } = checkFolderOptions(options)
    const task = this.#task()
    if (to !== undefined) return writeParts(to, x, forwardParts(task, x, run, 'classes'), 'uint32', 1, run)
    return (await toPredictions(await forwardClasses(task, x, run), this.#classes)) as Predictions<C>
  }

  /**
   * {@link predict} batch by batch, for rows longer than memory, also for those that come only once.
   *
   * @param x - rows, or batches of them: see {@link encodeBatches}
   * @throws {@link LayerwiseError} (while it is iterated) as {@link predict}
   */
  predictBatches(x: RowsOrBatches, options?: RunOptions): AsyncGenerator<ClassesBatch<C>, void> {
    const task = this.#task()
    return this.#predicted(classBatches(() => task, x, checkRunOptions(options)))
  }

  async *#predicted(batches: AsyncIterable<IndicesBatch>): AsyncGenerator<ClassesBatch<C>, void> {
    for await (const { from, indices } of batches) {
      yield { from, classes: (await toPredictions(indices, this.#classes)) as Predictions<C> }
    }
  }

  #task(): ForwardTask<P> {
    return forwardTask(this.network, { from: 0, to: this.network.layers.length }, 'x', this.rowForm)
  }

  /**
   * The probability of each class, [rows, classes]; each row sums to 1. Written to a folder as a dataset.
   *
   * @throws {@link LayerwiseError} as {@link predict}
   */
  async predictProbabilities(x: Rows, options: FolderOptions): Promise<Dataset>
  /**
   * The probability of each class, [rows, classes]; each row sums to 1.
   *
   * @throws {@link LayerwiseError} as {@link predict}; `ERR_ARGUMENT`, `ERR_SHAPE` for a bad `out`
   */
  async predictProbabilities(x: Rows, options?: OutOptions<P>): Promise<Matrix<FloatArray<P>>>
  async predictProbabilities(
    x: Rows,
    options?: OutOptions<P> | FolderOptions,
  ): Promise<Matrix<FloatArray<P>> | Dataset> {
    const { run, place } = checkOutOptions(options, this.precision, x)
    return answerRows(this.#task(), x, run, place)
  }

  /** @internal {@link predictProbabilities} batch by batch. */
  protected probabilityBatches(x: RowsOrBatches, run: RunOptions): AsyncGenerator<CodesBatch<P>, void> {
    const task = this.#task()
    return codeBatches(() => task, x, run)
  }

  /**
   * The most probable class of one row, as {@link predict} returns it, on the calling thread: for single rows on a server's hot path.
   * Probabilities agree with `predict` up to rounding, so for two almost equally probable classes the result may differ.
   *
   * @param row - `inputs` numbers, or a Matrix or SparseMatrix of one row
   * @throws {@link LayerwiseError} as {@link predict} rejects
   */
  predictSync(row: SingleRow): Prediction<C> {
    const probabilities = this.predictProbabilitiesSync(row)
    let most = 0
    for (let k = 1; k < probabilities.length; k++) if (probabilities[k]! > probabilities[most]!) most = k
    const classes: Classes = this.#classes
    return (typeof classes === 'number' ? most : classes[most]!) as Prediction<C>
  }

  /**
   * The probability of each class for one row, on the calling thread. The first call stores a transposed copy of the first layer's weights;
   * the first call after a training renews it.
   *
   * @param row - `inputs` numbers, or a Matrix or SparseMatrix of one row
   * @param out - where to put them, [classes], in the model's precision; default a new array
   * @returns `out`
   * @throws {@link LayerwiseError} as {@link predict} rejects
   */
  predictProbabilitiesSync(row: SingleRow, out?: FloatInput<P>): FloatArray<P> {
    return this.#probabilitiesOfRow.run('row', row, out)
  }

  /**
   * Accuracy and other scores of the rows, from one pass over them. Products are cut as in `cost`, so a row with almost equally probable
   * classes may count for another class than {@link predict} returns.
   *
   * @throws {@link LayerwiseError} as {@link predict}; `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_RANGE` for wrong labels and weights; `ERR_MEMORY` with more
   *   than 4,096 classes
   */
  async score(x: Rows, labels: Labels<C>, options?: ScoreOptions): Promise<Score> {
    const run = checkRunOptions(options, ['rowWeights'])
    checkScorable(classCount(this.#classes))
    const { network, rowForm, rowCheck } = this
    const { layers, parameters } = network
    const objective = { loss: 'logLoss', weightDecay: layers.map(() => 0), penalties: [] } as const
    const work = new NativeWork(run)
    try {
      const rows = await takeRows({ x, labels, rowWeights: run.rowWeights }, rowForm, () =>
        work.throwIfAborted(),
      )
      const largest = await checkRowValues('x', rows, rowCheck, network, work)
      const predicted = allocateUnset('uint32', rows.rows, 'classes')
      const request = { layers, parameters, objective, rows, largest, predicted }
      const { loss } = await work.read('x', rows, (native) => binding().evaluate({ ...native, ...request }))
      return await scoreOf(rows, predicted, classCount(this.#classes), loss)
    } finally {
      work.release()
    }
  }

  /**
   * The cost J over the rows of `x` with these labels, exactly.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_RANGE`, `ERR_FILE` as `fit`, but labels may be all of one class
   */
  async cost(x: Rows, labels: Labels<C>, options?: CostOptions<P>): Promise<Cost<P>> {
    return this.measure({ x, labels }, options, this.costObjective())
  }
}
