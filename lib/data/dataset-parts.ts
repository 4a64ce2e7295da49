import {
  argumentError,
  checkInteger,
  checkNumber,
  checkOptions,
  checkText,
  readArray,
  shapeError,
} from '../base/check.js'
import { isPrecision } from '../base/precision.js'
import { STORAGE_TYPES, type StorageType } from '../base/storage-type.js'
import type { Checksum, Segment } from './file-rows.js'

/** The properties of a `Dataset`, as `postMessage` or `structuredClone` copies them. */
export interface DatasetLike {
  /** Rows, at least 0. */
  readonly rows: number
  /** Columns, at least 1. */
  readonly cols: number
  /** What the stored numbers are. */
  readonly type: StorageType
  /** Factor on every stored number. */
  readonly scale: number
  /** Names of the columns. Default: they have none. */
  readonly columns?: readonly string[] | undefined
  /** Where it is. */
  readonly paths: readonly string[]
  /** Where its rows are. */
  readonly segments: readonly Segment[]
}

/** A storage type by its name. */
export function checkType(argument: string, value: unknown): StorageType {
  const names = Object.keys(STORAGE_TYPES) as StorageType[]
  const type = names.find((name) => name === value)
  if (type === undefined) throw argumentError(argument, names.map((name) => `'${name}'`).join(' | '), value)
  return type
}

/** A factor on numbers of this type. */
export function checkScale(argument: string, value: unknown, type: StorageType): number {
  const scale = checkNumber(argument, value)
  if (scale === 0) throw argumentError(argument, 'a number other than 0', scale)
  if (scale !== 1 && isPrecision(type))
    throw argumentError(argument, '1, unless the numbers are integers or 16-bit floats', scale)
  return scale
}

/** Names of all columns, or nothing. */
export function checkColumns(argument: string, value: unknown, cols: number): readonly string[] | undefined {
  if (value === undefined) return undefined
  const names = checkList(argument, value).map((name, k) => checkText(`${argument}[${k}]`, name))
  if (names.length !== cols) throw shapeError(argument, `${cols} names, one a column`, names.length)
  return names
}

/** The elements of an array, each read once. */
export function checkList(argument: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw argumentError(argument, 'an array', value)
  return readArray<unknown>(value)
}

/** A segment that another thread or copy of the package may have made. */
export function checkSegment(argument: string, value: unknown): Segment {
  const given = checkOptions(argument, value, ['path', 'offset', 'rows', 'identity', 'checksum'])
  const path = checkText(`${argument}.path`, given.path)
  const offset = checkInteger(`${argument}.offset`, given.offset, 0, Number.MAX_SAFE_INTEGER)
  const rows = checkInteger(`${argument}.rows`, given.rows, 0)
  const identity = checkText(`${argument}.identity`, given.identity)
  if (!/^\d+:\d+:\d+:\d+$/.test(identity)) {
    throw argumentError(`${argument}.identity`, 'device, inode, size and time of a file', identity)
  }
  const { checksum } = given
  return Object.freeze({
    ...{ path, offset, rows, identity },
    ...(checksum !== undefined && { checksum: checkChecksum(`${argument}.checksum`, checksum) }),
  })
}

function checkChecksum(argument: string, value: unknown): Checksum {
  const given = checkOptions(argument, value, ['crc32c', 'begin', 'bytes'])
  return Object.freeze({
    crc32c: checkInteger(`${argument}.crc32c`, given.crc32c, 0, 2 ** 32 - 1),
    begin: checkInteger(`${argument}.begin`, given.begin, 0, Number.MAX_SAFE_INTEGER),
    bytes: checkInteger(`${argument}.bytes`, given.bytes, 0, Number.MAX_SAFE_INTEGER),
  })
}
