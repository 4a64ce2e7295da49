import { stat } from 'node:fs/promises'
import {
  argumentError,
  checkInteger,
  checkOptions,
  checkText,
  readArray,
  shapeError,
} from '../../base/check.js'
import { LayerwiseError } from '../../base/errors.js'
import { Dataset } from '../dataset.js'
import { checkColumns, checkScale, checkType, type DatasetLike } from '../dataset-parts.js'
import { checkPath, fileError } from '../read-file.js'
import { openFolder } from './folder.js'
import { inGroups } from './in-groups.js'
import { absolutePath, LARGEST_SIZE, openRowFile, type RawLayout, type RowFileOptions } from './row-file.js'

/** How a dataset is opened. */
export interface OpenDatasetOptions extends RowFileOptions {
  /**
   * Factor on the numbers of integers and 16-bit floats, finite and not 0. Default: what the folder says; 1/255 for images of an IDX file, as
   * `readIdx` has it; 1 for all others.
   */
  readonly scale?: number | undefined
  /** Names of the columns. Default: what the folder says, or none. */
  readonly columns?: readonly string[] | undefined
  /** Of how many parts, of nearly the same number of consecutive rows each, one is opened. Default 1: all rows. */
  readonly parts?: number | undefined
  /** Which part, counted from 0; must be given if `parts` is. By default there are no parts. */
  readonly part?: number | undefined
}

const OPTIONS = ['tensor', 'raw', 'scale', 'columns', 'parts', 'part']

/**
 * Opens rows in files: a folder that `writeDataset` wrote; a NumPy array (.npy), a safetensors file, an uncompressed IDX file, or a file of
 * another kind whose layout `raw` states; or a list of these, whose rows follow one another. Numbers are uint8, int8, uint16, int16, uint32,
 * int32, float16, bfloat16, float32 or float64, in one or two dimensions, row-major and little-endian.
 *
 * Only headers are read, so a dataset of any size opens in milliseconds. What its numbers are is not checked here: NaN and infinities are
 * refused where rows are used. See docs/datasets.md.
 *
 * @param path - a path (string or file: URL), or an array of them
 * @throws {@link LayerwiseError} `ERR_FORMAT` naming a file of no known format, cut, too long or contradictory, or a folder without
 *   `dataset.json`
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for a bad option, or a file that cannot be opened; `ERR_SHAPE` for files of a list that do not
 *   have the same columns, an empty list, and more than 2³¹ − 1 rows
 */
export async function openDataset(
  path: string | URL | readonly (string | URL)[],
  options?: OpenDatasetOptions,
): Promise<Dataset> {
  const given = checkOptions('options', options, OPTIONS)
  const file = checkFileOptions(given)
  const part = checkPart(given)
  const paths = checkPaths(path)
  const whole = joined(await inGroups(paths, (one) => openPath(one, file)))
  const scale = given.scale === undefined ? whole.scale : checkScale('scale', given.scale, whole.type)
  const columns = checkColumns('columns', given.columns, whole.cols) ?? whole.columns
  const dataset = Dataset.from({ ...whole, scale, columns })
  if (part === undefined) return dataset
  const edge = (k: number) => Math.floor((k * dataset.rows) / part.parts)
  return dataset.slice(edge(part.part), edge(part.part + 1))
}

function checkFileOptions({ tensor, raw }: Record<string, unknown>): RowFileOptions {
  if (tensor !== undefined) checkText('tensor', tensor)
  if (raw === undefined) return { tensor: tensor as string | undefined }
  if (tensor !== undefined)
    throw argumentError('tensor', 'nothing beside raw, which has no arrays by name', tensor)
  const { type, cols, offset = 0 } = checkOptions('raw', raw, ['type', 'cols', 'offset'])
  return {
    raw: {
      type: checkType('raw.type', type),
      cols: checkInteger('raw.cols', cols, 1),
      offset: checkInteger('raw.offset', offset, 0, Number.MAX_SAFE_INTEGER),
    } satisfies RawLayout,
  }
}

function checkPart({ part, parts }: Record<string, unknown>): { part: number; parts: number } | undefined {
  if (part === undefined && parts === undefined) return undefined
  const count = checkInteger('parts', parts)
  return { parts: count, part: checkInteger('part', part, 0, count - 1) }
}

function checkPaths(given: unknown): string[] {
  const list = Array.isArray(given) ? readArray<unknown>(given) : [given]
  if (list.length === 0) throw shapeError('paths', 'at least one path', 0)
  return list.map((path, k) => {
    checkPath(Array.isArray(given) ? `paths[${k}]` : 'path', path)
    return absolutePath(path as string | URL)
  })
}

async function openPath(path: string, options: RowFileOptions): Promise<DatasetLike> {
  const found = await stat(path).catch((error: unknown) => {
    throw fileError('read', path, error)
  })
  if (!found.isDirectory()) {
    const { segment, ...layout } = await openRowFile(path, options)
    return { ...layout, paths: [path], segments: [segment] }
  }
  const [name] = Object.entries(options).find(([, value]) => value !== undefined) ?? []
  if (name !== undefined)
    throw argumentError(name, `nothing, since '${path}' is a folder of ours`, options.tensor ?? options.raw)
  return openFolder(path)
}

/** One after another. */
function joined(files: readonly DatasetLike[]): DatasetLike {
  const [first, ...others] = files
  const { cols, type, scale, columns } = first!
  for (const { cols: width, paths, ...other } of others) {
    const [name, firstName] = [paths[0]!, first!.paths[0]!]
    if (width !== cols) throw shapeError('paths', `${cols} columns in '${name}', as in '${firstName}'`, width)
    if (other.type !== type) throw mixedError('type', name, firstName, other.type, type)
    if (other.scale !== scale) throw mixedError('scale', name, firstName, other.scale, scale)
  }
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  if (rows > LARGEST_SIZE) throw shapeError('paths', `at most ${LARGEST_SIZE} rows in all`, rows)
  const [paths, segments] = [files.flatMap((file) => file.paths), files.flatMap((file) => file.segments)]
  return { rows, cols, type, scale, columns, paths, segments }
}

function mixedError(
  what: string,
  name: string,
  firstName: string,
  received: string | number,
  expected: string | number,
): LayerwiseError {
  const message = `paths: expected ${what} ${expected} in '${name}', as in '${firstName}', received ${received}`
  return new LayerwiseError('ERR_ARGUMENT', message, {
    argument: 'paths',
    expected: String(expected),
    received,
  })
}
