import {
  argumentError,
  checkBoolean,
  checkFunction,
  checkInteger,
  checkOptions,
  shapeError,
} from '../../base/check.js'
import { LayerwiseError, messageOf } from '../../base/errors.js'
import { STORAGE_TYPES, type StorageType } from '../../base/storage-type.js'
import { checkSignal } from '../../native/run-options.js'
import type { Dataset } from '../dataset.js'
import { checkColumns, checkScale, checkType } from '../dataset-parts.js'
import { checkPath } from '../read-file.js'
import { Extremes, formOf, type KnownForm, type NumberForm, numbersOf, rowsOfBatch } from './batch-numbers.js'
import type { Manifest } from './manifest.js'
import { openDataset } from './open-dataset.js'
import { absolutePath, LARGEST_SIZE } from './row-file.js'
import { ShardWriter } from './shard-writer.js'
import { batchesOf, type RowBatches, sourceOf } from './source-batches.js'
import { TargetFolder } from './target-folder.js'

/** Bytes of the numbers of a shard, as many whole rows as they hold. 512 MiB. */
const SHARD_BYTES = 2 ** 29

/** How far writing has come. */
export interface WriteProgress {
  /** Rows that were taken from the source. */
  readonly rows: number
  /** Bytes of their numbers as they are stored. */
  readonly bytes: number
}

/** How a dataset is written. */
export interface WriteDatasetOptions {
  /**
   * The type of the stored numbers. Default: that of the dataset that is appended to, else that of the first batch; `'float32'` where that is
   * an array of rows.
   */
  readonly type?: StorageType | undefined
  /**
   * Factor on every stored number of integers and 16-bit floats, finite and not 0: values are divided by it before they are stored. Default:
   * that of the dataset that is appended to, else that of a first batch that is a Matrix of the same type, else 1.
   */
  readonly scale?: number | undefined
  /** Names of the columns. Default: those of the dataset that is appended to, or none. */
  readonly columns?: readonly string[] | undefined
  /** Numbers of a row, which flat arrays do not say. Default: what the columns, the dataset that is appended to, or the first batch say. */
  readonly cols?: number | undefined
  /** Whether the rows are added to a dataset that is there, behind its own. Default false: they take its place, when all are written. */
  readonly append?: boolean | undefined
  /** Stops the call when it is aborted: it rejects with `signal.reason` itself. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined
  /** Called after each batch. What it throws ends the call, which rejects with it. Default: nothing is called. */
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined
}

const OPTIONS = ['type', 'scale', 'columns', 'cols', 'append', 'signal', 'onProgress']

/**
 * Writes rows into a folder, in their order: shards of 512 MiB, which are safetensors files, and `dataset.json`, which names them. The next
 * batch is asked for while the last is written, so that at most two are in memory, however fast the source is.
 *
 * A Matrix and arrays of rows are values, which are stored as `type`, divided by `scale` and rounded to the nearest number, of two as near
 * the even one. A flat array of the type's own kind holds numbers as they are stored, before the scale.
 *
 * The dataset appears when all rows are written: until then, and after any failure, the folder has what it had before, without new or
 * temporary files. Meanwhile no other call can write to it, in no process. See docs/datasets.md.
 *
 * @param folder - a path (string or file: URL) of a folder that holds nothing, or a dataset; it is created if its parent exists
 * @param batches - an iterable or async iterable of rows: each a Matrix, a flat typed array, an array of rows, or `{ from, rows }` as `batches`
 *   of a Dataset gives it; or a Dataset. Batches without rows are passed over
 * @returns the dataset, opened
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for a bad option or batch, a folder with other files, one that holds the rows to be written, or
 *   that cannot be written to; `ERR_SHAPE` for rows of another width, and no rows at all
 * @throws {@link LayerwiseError} `ERR_RANGE` for NaN, infinities, and values that `type` cannot hold: the message names the batch, its row and
 *   column
 * @throws {@link LayerwiseError} `ERR_BUSY` if another call writes to the folder; `ERR_FORMAT` if its `dataset.json` is damaged
 * @throws {@link LayerwiseError} `ERR_FILE` if the disk is full or fails; the rows that were there before can be used, and appended to. If the
 *   message says that all rows were written, the new ones are there, and only opening them failed
 */
export async function writeDataset(
  folder: string | URL,
  batches: RowBatches,
  options?: WriteDatasetOptions,
): Promise<Dataset> {
  return writeShards(folder, batches, options, SHARD_BYTES)
}

/** The same, with shards of another size. */
export async function writeShards(
  folder: string | URL,
  batches: RowBatches,
  options: WriteDatasetOptions | undefined,
  shardBytes: number,
): Promise<Dataset> {
  checkPath('folder', folder)
  const path = absolutePath(folder)
  const settings = checkWriteOptions(options)
  settings.signal?.throwIfAborted()
  const target = await TargetFolder.lock(path, sourceOf(batches))
  try {
    await writeInto(target, batches, settings, shardBytes)
  } finally {
    await target.unlock()
  }
  try {
    return await openDataset(path)
  } catch (error) {
    // Whoever wrote them again would have them twice.
    const problem = `all rows were written, but cannot be read now: ${messageOf(error)}`
    const details = { argument: 'folder', received: path, file: path }
    throw new LayerwiseError('ERR_FILE', `'${path}': ${problem}`, details, error)
  }
}

interface Settings extends KnownForm {
  readonly columns: readonly string[] | undefined
  readonly append: boolean
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: WriteProgress) => void) | undefined
}

function checkWriteOptions(value: WriteDatasetOptions | undefined): Settings {
  const given = checkOptions('options', value, OPTIONS)
  const type = given.type === undefined ? undefined : checkType('type', given.type)
  const cols = given.cols === undefined ? undefined : checkInteger('cols', given.cols)
  if (given.columns !== undefined && !Array.isArray(given.columns))
    throw argumentError('columns', 'an array of names', given.columns)
  const width = cols ?? (given.columns as readonly unknown[] | undefined)?.length
  const columns = checkColumns('columns', given.columns, width ?? 0)
  if (columns?.length === 0) throw shapeError('columns', 'at least one name', 0)
  return {
    ...{ type, columns, cols: width },
    scale: given.scale === undefined ? undefined : checkScale('scale', given.scale, type ?? 'uint8'),
    append: given.append === undefined ? false : checkBoolean('append', given.append),
    signal: checkSignal('signal', given.signal),
    onProgress: checkFunction('onProgress', given.onProgress as Settings['onProgress']),
  }
}

async function writeInto(
  target: TargetFolder,
  batches: RowBatches,
  settings: Settings,
  shardBytes: number,
): Promise<void> {
  const { signal, onProgress } = settings
  const base = settings.append ? target.old : undefined
  const { type, scale, cols } = base === undefined ? settings : sameAs(base, settings)
  const extremes = new Extremes()
  let form: NumberForm | undefined
  let writer: ShardWriter | undefined
  let rows = 0
  let count = 0
  try {
    for await (const batch of batchesOf(batches, signal)) {
      const argument = `batches[${count++}]`
      const given = rowsOfBatch(batch)
      if (isEmpty(given)) continue
      form ??= checkForm(formOf(argument, given, { type, scale, cols }))
      writer ??= writerFor(target, form, shardBytes)
      let taken = 0
      for await (const numbers of numbersOf(argument, given, form, extremes, () =>
        signal?.throwIfAborted(),
      )) {
        await writer.add(numbers)
        taken += numbers.length
      }
      rows += taken / form.cols
      if (rows + (base?.rows ?? 0) > LARGEST_SIZE)
        throw shapeError('batches', `at most ${LARGEST_SIZE} rows in all`, rows)
      onProgress?.({ rows, bytes: rows * form.cols * STORAGE_TYPES[form.type].bytes })
    }
    if (writer === undefined || form === undefined) throw shapeError('batches', 'at least one row', 0)
    const shards = await writer.finish()
    signal?.throwIfAborted()
    await target.commit(manifestOf({ ...form, rows, columns: settings.columns, shards }, extremes, base))
  } catch (error) {
    await writer?.discard()
    throw error
  }
}

function writerFor(
  { path, next }: TargetFolder,
  { type, cols }: NumberForm,
  shardBytes: number,
): ShardWriter {
  const shardRows = Math.max(1, Math.floor(shardBytes / (cols * STORAGE_TYPES[type].bytes)))
  return new ShardWriter({ folder: path, type, cols, shardRows, first: next })
}

/** What is known of rows that are added to a dataset: what it says, with which the options must agree. */
function sameAs(base: Manifest, settings: Settings): KnownForm {
  for (const name of ['type', 'scale', 'cols'] as const) {
    const given = settings[name]
    if (given !== undefined && given !== base[name])
      throw argumentError(name, `${base[name]}, as the dataset has that is appended to`, given)
  }
  const { columns } = settings
  if (
    columns !== undefined &&
    (base.columns === undefined || columns.some((name, k) => name !== base.columns![k]))
  ) {
    throw argumentError('columns', 'those of the dataset that is appended to', columns)
  }
  return { type: base.type, scale: base.scale, cols: base.cols }
}

function checkForm(form: NumberForm): NumberForm {
  checkScale('scale', form.scale, form.type)
  return form
}

/** Whether a batch has no rows. */
export function isEmpty(rows: unknown): boolean {
  if (rows === null || typeof rows !== 'object') return false
  const { length, rows: count } = rows as { length?: unknown; rows?: unknown }
  return length === 0 || (length === undefined && count === 0)
}

/** All rows: those of `base` and behind them the new ones. */
function manifestOf(
  added: Omit<Manifest, 'min' | 'max'>,
  { min, max }: Extremes,
  base: Manifest | undefined,
): Manifest {
  const ends = [min * added.scale, max * added.scale, ...(base === undefined ? [] : [base.min, base.max])]
  const [least, most] = [Math.min(...ends), Math.max(...ends)]
  if (base === undefined) return { ...added, min: least, max: most }
  return {
    ...base,
    rows: base.rows + added.rows,
    ...{ min: least, max: most },
    shards: [...base.shards, ...added.shards],
  }
}
