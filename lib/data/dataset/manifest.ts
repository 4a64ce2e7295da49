import { join } from 'node:path'
import { LayerwiseError, messageOf } from '../../base/errors.js'
import { STORAGE_TYPES, type StorageType } from '../../base/storage-type.js'
import { checkColumns, checkScale, checkType } from '../dataset-parts.js'
import { type ByteSource, formatError, readExactly, withFile } from '../read-file.js'
import { parseJsonBytes } from '../strict-json.js'
import { LARGEST_SIZE } from './row-file.js'

/** The file of a folder that says what is in it. */
export const MANIFEST = 'dataset.json'

/** The files of a folder that hold its rows. */
export const SHARD_NAME = /^rows-(\d{5,9})\.safetensors$/

/** The name of the shard with this number. */
export function shardName(number: number): string {
  return `rows-${String(number).padStart(5, '0')}.safetensors`
}

const FORMAT = 'layerwise dataset'

/** The most shards of a folder: half a petabyte of rows. */
const MOST_SHARDS = 2 ** 20

/** An entry of a shard has six names; the folder has some more. */
const LIMITS = { depth: 4, names: 6 * MOST_SHARDS + 16 }

/** The longest manifest: the most shards, and a hundred bytes for each name of a million columns. */
const LONGEST = 2 ** 28

/** What `dataset.json` says of a shard. */
export interface Shard {
  /** Its name in the folder. */
  readonly file: string
  readonly rows: number
  /** Of the file. */
  readonly bytes: number
  /** CRC32C of its numbers. */
  readonly crc32c: number
}

/** What `dataset.json` says. */
export interface Manifest {
  readonly rows: number
  readonly cols: number
  readonly type: StorageType
  readonly scale: number
  readonly columns?: readonly string[] | undefined
  /** The least and the largest value, scaled. */
  readonly min: number
  readonly max: number
  /** In the order of their rows. */
  readonly shards: readonly Shard[]
}

/** A manifest as text. */
export function manifestText(manifest: Manifest): string {
  const { rows, cols, type, scale, columns, min, max, shards } = manifest
  const listed = shards.map(({ crc32c, ...shard }) => ({ ...shard, crc32c: hex(crc32c) }))
  const entry = { format: FORMAT, version: 1, rows, cols, type, scale, columns, min, max, shards: listed }
  return `${JSON.stringify(entry, null, 1)}\n`
}

/**
 * The manifest of a folder, and its bytes; undefined if there is none.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` if it is damaged or contradictory; `ERR_ARGUMENT` if it cannot be read
 */
export async function readManifest(
  folder: string,
): Promise<{ manifest: Manifest; bytes: Buffer } | undefined> {
  try {
    return await withFile(join(folder, MANIFEST), manifestFrom)
  } catch (error) {
    const { cause } = error as { cause?: NodeJS.ErrnoException }
    if (cause?.code === 'ENOENT') return undefined
    throw error
  }
}

/** The manifest that a file holds, and its bytes, as {@link readManifest}. */
export async function manifestFrom(file: ByteSource): Promise<{ manifest: Manifest; bytes: Buffer }> {
  if (file.size > LONGEST)
    throw formatError(file.name, `it has ${file.size} bytes; at most ${LONGEST} are read`)
  const bytes = Buffer.alloc(file.size)
  await readExactly(file, bytes, 0)
  const value = await parseJsonBytes(bytes, LIMITS, (problem, cause) =>
    formatError(file.name, `it is not the JSON of a dataset: ${problem}`, cause),
  )
  return { manifest: checkManifest(file.name, value), bytes }
}

function checkManifest(name: string, value: unknown): Manifest {
  try {
    return manifestOf(name, value)
  } catch (error) {
    // Checks of type, scale and columns know of no file.
    if (!(error instanceof LayerwiseError) || error.code === 'ERR_FORMAT') throw error
    throw formatError(name, messageOf(error), error)
  }
}

function manifestOf(source: string, value: unknown): Manifest {
  const { format, version, shards, columns: names, ...entry } = members(source, value, 'it')
  if (format !== FORMAT) throw formatError(source, `it is no ${FORMAT}`)
  if (version !== 1)
    throw formatError(source, `its version is ${JSON.stringify(version)?.slice(0, 20)}; 1 is read`)
  const known = 'cols,max,min,rows,scale,type'
  if (Object.keys(entry).sort().join() !== known)
    throw formatError(source, `its members are not format, version, ${known}, shards and perhaps columns`)
  const type = checkType('type', entry.type)
  const cols = whole(source, 'cols', entry.cols, 1)
  const rows = whole(source, 'rows', entry.rows, 1)
  const scale = checkScale('scale', entry.scale, type)
  const [min, max] = [finite(source, 'min', entry.min), finite(source, 'max', entry.max)]
  if (min > max) throw formatError(source, `its min, ${min}, is above its max, ${max}`)
  if (!Array.isArray(shards) || shards.length > MOST_SHARDS)
    throw formatError(source, 'its shards are no list')
  const list = shards.map((shard, k) =>
    shardOf(source, `shards[${k}]`, shard, cols * STORAGE_TYPES[type].bytes),
  )
  if (new Set(list.map(({ file }) => file)).size < list.length)
    throw formatError(source, 'it names a shard twice')
  const held = list.reduce((sum, shard) => sum + shard.rows, 0)
  if (held !== rows) throw formatError(source, `it promises ${rows} rows, and its shards hold ${held}`)
  return { rows, cols, type, scale, columns: checkColumns('columns', names, cols), min, max, shards: list }
}

function shardOf(source: string, place: string, value: unknown, rowBytes: number): Shard {
  const { file, crc32c, ...entry } = members(source, value, place)
  if (typeof file !== 'string' || !SHARD_NAME.test(file))
    throw formatError(source, `${place}: its file is no name of a shard`)
  if (typeof crc32c !== 'string' || !/^[0-9a-f]{8}$/.test(crc32c))
    throw formatError(source, `${place}: its crc32c is not eight hexadecimal digits`)
  if (Object.keys(entry).sort().join() !== 'bytes,rows')
    throw formatError(source, `${place}: its members are not file, rows, bytes and crc32c`)
  const rows = whole(source, `${place}.rows`, entry.rows, 1)
  const bytes = whole(source, `${place}.bytes`, entry.bytes, rows * rowBytes, Number.MAX_SAFE_INTEGER)
  return { file, rows, bytes, crc32c: Number.parseInt(crc32c, 16) }
}

function members(source: string, value: unknown, place: string): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw formatError(source, `${place} is no JSON object`)
  return value as Record<string, unknown>
}

function whole(source: string, name: string, value: unknown, least: number, most = LARGEST_SIZE): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw formatError(source, `${name} is no whole number from ${least} to ${most}`)
}

function finite(source: string, name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw formatError(source, `${name} is no finite number`)
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0')
}
