import { checkInteger, checkOptions, checkText, checkWithin, ownCopy, shapeError } from '../base/check.js'
import { LayerwiseError } from '../base/errors.js'
import { allocate, allocateUnset, type StoredArray } from '../base/precision.js'
import { STORAGE_TYPES, type StorageType } from '../base/storage-type.js'
import { type NativeRows, type NativeScaling, nativeScaling } from '../native/binding.js'
import { checkSignal } from '../native/run-options.js'
import {
  checkColumns,
  checkList,
  checkScale,
  checkSegment,
  checkType,
  type DatasetLike,
} from './dataset-parts.js'
import { readSegments, type Segment, segmentsBetween, verifySegments } from './file-rows.js'
import { halfNumbers, isHalf } from './halves.js'
import { Matrix } from './matrix.js'
import { rowSlices, SCANNED } from './slices.js'

/** Bytes of rows that a batch has unless its size is given. 8 MiB. */
const BATCH_BYTES = 2 ** 23

const MEMBERS = ['rows', 'cols', 'type', 'scale', 'columns', 'paths', 'segments']

/** Consecutive rows of a {@link Dataset}. */
export interface Batch {
  /** The number of the first row. */
  readonly from: number
  /** The rows. */
  readonly rows: Matrix<StoredArray>
}

/** Options of {@link Dataset.verify}. */
export interface VerifyOptions {
  /** Stops the call when it is aborted: it rejects with `signal.reason` itself. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined
}

/** Whether a dataset and its slices are closed. */
interface State {
  closed: boolean
}

const states = new WeakMap<Dataset, State>()
const sources = new WeakMap<object, Dataset>()

/**
 * Rows in files, which are read when they are used: as many as the disk holds. It goes wherever rows go, to `fit`, `encode` and the others.
 * `openDataset` opens one, `writeDataset` creates one.
 *
 * It keeps no file open. A file that is replaced, changed, cut or removed after the dataset was opened is noticed when its rows are read
 * (`ERR_FILE`). `postMessage` and `structuredClone` copy its properties; the copy is accepted wherever a Dataset is, and is read from the same
 * files: {@link Dataset.from} makes it a Dataset again.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the method is defined below, where the runtime has its name.
export class Dataset {
  /** Rows, at least 0: samples. */
  readonly rows: number
  /** Columns, at least 1: inputs. */
  readonly cols: number
  /** What the stored numbers are: `'uint8'`, `'float16'` and so on. */
  readonly type: StorageType
  /** Factor on every stored number, 1 unless given. Always 1 for float32 and float64. */
  readonly scale: number
  /** Names of the columns, if they are known. */
  declare readonly columns?: readonly string[]
  /** The folder, or the files, as absolute paths. */
  readonly paths: readonly string[]
  /** Where the rows are, in their order: file, first byte, number of rows, and which file it was when it was opened. */
  readonly segments: readonly Segment[]

  private constructor(parts: DatasetLike, state: State) {
    this.rows = parts.rows
    this.cols = parts.cols
    this.type = parts.type
    this.scale = parts.scale
    if (parts.columns !== undefined) this.columns = Object.freeze([...parts.columns])
    this.paths = Object.freeze([...parts.paths])
    this.segments = Object.freeze([...parts.segments])
    states.set(this, state)
    Object.freeze(this)
  }

  /**
   * Rebuilds a dataset from the properties that `postMessage` or `structuredClone` copied. Its files are not opened: that they are still the
   * same is checked when rows are read.
   *
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for what is no copy of a Dataset, `ERR_SHAPE` for sizes that do not match
   */
  static from(posted: DatasetLike): Dataset {
    const given = posted instanceof Dataset ? ownCopy(posted) : checkOptions('dataset', posted, MEMBERS)
    const rows = checkInteger('rows', given.rows, 0)
    const cols = checkInteger('cols', given.cols, 1)
    const type = checkType('type', given.type)
    const segments = checkList('segments', given.segments).map((one, k) =>
      checkSegment(`segments[${k}]`, one),
    )
    const held = segments.reduce((sum, segment) => sum + segment.rows, 0)
    if (held !== rows) throw shapeError('segments', `${rows} rows in all`, held)
    const paths = checkList('paths', given.paths).map((path, k) => checkText(`paths[${k}]`, path))
    const columns = checkColumns('columns', given.columns, cols)
    const scale = checkScale('scale', given.scale, type)
    return new Dataset({ rows, cols, type, scale, columns, paths, segments }, { closed: false })
  }

  /**
   * Rows `from` to `to` (not included), in the same files. Closed together with this dataset.
   *
   * @param from - from 0 to `rows`
   * @param to - from `from` to `rows`; default `rows`
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` outside these bounds, `ERR_STATE` after `close`
   */
  slice(from: number, to: number = this.rows): Dataset {
    checkInteger('from', from, 0, this.rows)
    checkInteger('to', to, from, this.rows)
    const state = openState('dataset', this)
    return new Dataset(
      { ...this, rows: to - from, segments: segmentsBetween(this.segments, from, to, rowBytes(this)) },
      state,
    )
  }

  /**
   * Rows `from` to `to` (not included) in memory: as they are stored, with the same scale; of `'float16'` and `'bfloat16'` the values, scaled,
   * as float32.
   *
   * @param from - from 0 to `rows`
   * @param to - from `from` to `rows`; default `rows`
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` outside these bounds, `ERR_STATE` after `close`, `ERR_MEMORY` if there is no room
   * @throws {@link LayerwiseError} `ERR_FILE` if a file is gone, was changed, or cannot be read
   */
  async read(from: number, to: number = this.rows): Promise<Matrix<StoredArray>> {
    checkInteger('from', from, 0, this.rows)
    checkInteger('to', to, from, this.rows)
    openState('dataset', this)
    const { cols, type, scale } = this
    const stored = allocateUnset<StorageType>(type, (to - from) * cols, 'rows')
    const size = rowBytes(this)
    await readSegments(segmentsBetween(this.segments, from, to, size), size, stored)
    if (!isHalf(type)) return Matrix.from(stored, to - from, cols, { scale, type })
    const numbers = halfNumbers(stored, type)!
    const values = allocateUnset('float32', stored.length, 'rows')
    for await (const [begin, end] of rowSlices(stored.length, 1, SCANNED)) {
      for (let k = begin; k < end; k++) values[k] = numbers[stored[k]!]! * scale
    }
    return Matrix.from(values, to - from, cols)
  }

  /**
   * All rows in their order, read batch by batch, as {@link read} gives them. The iterable can be used again: it begins anew.
   *
   * @param n - rows of a batch, of which the last may have fewer; default: as many as take 8 MiB in the file, at least 1
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another number, `ERR_STATE` after `close`; while it is iterated, as {@link read}
   */
  batches(n: number = Math.max(1, Math.floor(BATCH_BYTES / rowBytes(this)))): AsyncIterable<Batch> {
    checkInteger('n', n, 1)
    openState('dataset', this)
    return fromDataset(this, { [Symbol.asyncIterator]: () => this.#read(n) })
  }

  async *#read(n: number): AsyncGenerator<Batch, void> {
    for (let from = 0; from < this.rows; from += n) {
      yield { from, rows: await this.read(from, Math.min(this.rows, from + n)) }
    }
  }

  /**
   * Reads every byte of the rows. In a folder of ours each shard is compared with the checksum (CRC32C) that was taken when it was written;
   * of other files it shows only that they can be read. Of a slice, the whole of each shard is read that it has rows of.
   *
   * @throws {@link LayerwiseError} `ERR_FORMAT` naming a shard whose numbers are not those that were written
   * @throws {@link LayerwiseError} `ERR_FILE` if a file is gone, was changed, or cannot be read; `ERR_STATE` after `close`
   */
  async verify(options?: VerifyOptions): Promise<void> {
    const signal = checkSignal('signal', checkOptions('options', options, ['signal']).signal)
    openState('dataset', this)
    await verifySegments(this.segments, rowBytes(this), signal)
  }

  /**
   * Ends the use of this dataset and its slices: later calls are refused with `ERR_STATE`. Running calls go on. It frees nothing, since no
   * file is kept open; `await using` calls it, where the runtime has it.
   */
  async close(): Promise<void> {
    states.get(this)!.closed = true
  }
}

/** What `await using` calls, where the constructor of symbols has a name for it. */
type Disposing<C> = C extends { readonly asyncDispose: infer S extends symbol }
  ? Record<S, () => Promise<void>>
  : Record<never, never>

/** Also with `[Symbol.asyncDispose]()`, which closes it. */
export interface Dataset extends Disposing<SymbolConstructor> {}

const { asyncDispose } = Symbol as { readonly asyncDispose?: symbol }
if (asyncDispose !== undefined) {
  Object.defineProperty(Dataset.prototype, asyncDispose, {
    configurable: true,
    writable: true,
    value: async function (this: Dataset): Promise<void> {
      await this.close()
    },
  })
}

/** `value` if it is a Dataset; a new one for one of another copy of the package or a posted one; undefined for anything else. */
export function asDataset(argument: string, value: unknown): Dataset | undefined {
  if (value instanceof Dataset) return value
  // A Dataset has all of them; an object without one is something else.
  const isMeant =
    value !== null &&
    typeof value === 'object' &&
    ['rows', 'cols', 'scale', 'paths', 'segments'].every((member) => Object.hasOwn(value, member))
  return isMeant ? checkWithin(argument, () => Dataset.from(value as DatasetLike)) : undefined
}

/** Marks an iterable whose batches come from the rows of a dataset. */
export function fromDataset<I extends object>(dataset: Dataset, iterable: I): I {
  sources.set(iterable, dataset)
  return iterable
}

/** The dataset whose batches an iterable gives. */
export function sourceOfBatches(iterable: object): Dataset | undefined {
  return sources.get(iterable)
}

/**
 * A dataset for the addon, which reads its files itself.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE` for a wrong width, `ERR_STATE` after `close` or if the scaler was not fitted
 */
export function datasetRows(
  argument: string,
  dataset: Dataset,
  { width, scaling }: { readonly width: number; readonly scaling: NativeScaling | undefined },
): NativeRows {
  openState(argument, dataset)
  const { rows, cols, type, scale, segments } = dataset
  if (cols !== width) throw shapeError(argument, `${width} columns`, cols)
  const taken = scaling && nativeScaling(scaling)
  if (taken && taken.shift.length !== width)
    throw shapeError('scaling', `a scaler fitted on ${width} columns`, taken.shift.length)
  const data = allocate<StorageType>(type, 0, argument)
  return ownCopy({ data, type, rows, cols, scale, files: { segments }, ...(taken && { scaling: taken }) })
}

/** Bytes of a row in the file. */
function rowBytes({ cols, type }: Dataset): number {
  return cols * STORAGE_TYPES[type].bytes
}

function openState(argument: string, dataset: Dataset): State {
  const state = states.get(dataset)!
  if (state.closed) throw new LayerwiseError('ERR_STATE', `${argument}: the dataset was closed`, { argument })
  return state
}
