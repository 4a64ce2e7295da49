import { type FileHandle, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../base/errors.js'
import { allocate, type PlainUint8Array, type StoredArray } from '../../base/precision.js'
import { STORAGE_TYPES, type StorageType } from '../../base/storage-type.js'
import { binding } from '../../native/load.js'
import { brokenFileError } from '../file-rows.js'
import { SAFETENSORS_TYPES } from '../safetensors-header.js'
import { viewOf } from '../storage.js'
import { createTemporary } from '../temporary-file.js'
import { type Shard, shardName } from './manifest.js'

/** Numbers of a shard begin here: a multiple of a page and of a disk's block. */
export const SHARD_HEADER = 4096

/** What the metadata of a shard say about who wrote it. */
export const WRITER = 'layerwise'

/** Bytes that are collected before they are written: the next are collected meanwhile. 4 MiB. */
const STAGE_BYTES = 2 ** 22

/** Where and how shards are written. */
export interface ShardForm {
  readonly folder: string
  readonly type: StorageType
  readonly cols: number
  /** Rows of every shard but the last. */
  readonly shardRows: number
  /** The number of the first shard. */
  readonly first: number
}

/** A shard that is being written. */
interface OpenShard {
  readonly path: string
  readonly handle: FileHandle
  /** Bytes and checksum of the numbers that were written. */
  bytes: number
  crc32c: number
}

/** Writes numbers one after another, and cuts them into shards. It holds two stages of them, one of which is being written. */
export class ShardWriter {
  readonly #form: ShardForm
  readonly #rowBytes: number
  readonly #shards: Shard[] = []
  #stage: StoredArray
  #other: StoredArray
  /** Numbers in the stage. */
  #filled = 0
  /** Numbers that are missing to a full shard. */
  #left: number
  #open: OpenShard | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(form: ShardForm) {
    const { type, cols, shardRows } = form
    this.#form = form
    this.#rowBytes = cols * STORAGE_TYPES[type].bytes
    this.#left = shardRows * cols
    const length = Math.min(this.#left, STAGE_BYTES / STORAGE_TYPES[type].bytes)
    this.#stage = allocate<StorageType>(type, length, 'batches')
    this.#other = allocate<StorageType>(type, length, 'batches')
  }

  /**
   * Takes a copy of numbers as they are stored. Settles when there is room for more.
   *
   * @throws {@link LayerwiseError} `ERR_FILE` if they cannot be written
   */
  async add(numbers: StoredArray): Promise<void> {
    for (let at = 0; at < numbers.length; ) {
      const length = Math.min(numbers.length - at, this.#stage.length - this.#filled, this.#left)
      this.#stage.set(viewOf(numbers, at, at + length), this.#filled)
      at += length
      this.#filled += length
      this.#left -= length
      if (this.#filled === this.#stage.length) await this.#flush()
      if (this.#left === 0) await this.#close()
    }
  }

  /** Completes the last shard. Returns all of them. */
  async finish(): Promise<readonly Shard[]> {
    if (this.#filled > 0 || this.#open !== undefined) await this.#close()
    return this.#shards
  }

  /** Removes everything that was written. */
  async discard(): Promise<void> {
    await this.#writing.catch(() => {})
    await this.#open?.handle.close().catch(() => {})
    const files = this.#shards.map(({ file }) => join(this.#form.folder, file))
    if (this.#open !== undefined) files.push(this.#open.path)
    for (const file of files) await unlink(file).catch(() => {})
  }

  /** Begins to write the stage, after the other is written. */
  async #flush(): Promise<void> {
    await this.#writing
    const { buffer, BYTES_PER_ELEMENT: size } = this.#stage
    const bytes = new Uint8Array(buffer, 0, this.#filled * size)
    const shard = this.#open ?? (await this.#begin())
    this.#open = shard
    this.#writing = this.#reported(() => append(shard, bytes))
    // Whoever awaits it next gets the error.
    this.#writing.catch(() => {})
    this.#filled = 0
    const stage = this.#stage
    this.#stage = this.#other
    this.#other = stage
  }

  #begin(): Promise<OpenShard> {
    return this.#reported(async () => {
      const { path, handle } = await createTemporary(this.#form.folder, false)
      return { path, handle, bytes: 0, crc32c: 0 }
    })
  }

  async #close(): Promise<void> {
    if (this.#filled > 0) await this.#flush()
    await this.#writing
    const shard = this.#open!
    const { type, cols, folder, first, shardRows } = this.#form
    const rows = shard.bytes / this.#rowBytes
    const file = shardName(first + this.#shards.length)
    await this.#reported(async () => {
      await writeAll(shard.handle, headerOf(rows, cols, type, shard.bytes), 0)
      await shard.handle.sync()
      await shard.handle.close()
      await rename(shard.path, join(folder, file))
    })
    this.#open = undefined
    this.#shards.push({ file, rows, bytes: SHARD_HEADER + shard.bytes, crc32c: shard.crc32c })
    this.#left = shardRows * cols
  }

  /** Does something with a file; a failure of the system is one of the folder. */
  async #reported<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw writingError(this.#form.folder, error)
    }
  }
}

/** The error for a file system that fails while rows are written; other errors as they are. */
export function writingError(folder: string, error: unknown): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException
  if (syscall === undefined) return error
  const full = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : 'it cannot be written to'
  return brokenFileError(folder, `${full} (${messageOf(error)}); what was there before is unchanged`, error)
}

async function append(shard: OpenShard, bytes: PlainUint8Array): Promise<void> {
  const [crc32c] = await Promise.all([
    binding().checksum(bytes, shard.crc32c),
    writeAll(shard.handle, bytes, SHARD_HEADER + shard.bytes),
  ])
  shard.crc32c = crc32c
  shard.bytes += bytes.length
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** The header of a safetensors file with one array, padded with spaces. */
function headerOf(rows: number, cols: number, type: StorageType, bytes: number): Uint8Array {
  const [dtype] = Object.entries(SAFETENSORS_TYPES).find(([, stored]) => stored === type)!
  const entry = { dtype, shape: [rows, cols], data_offsets: [0, bytes] }
  const header = Buffer.alloc(SHARD_HEADER, ' ')
  header.writeBigUInt64LE(BigInt(SHARD_HEADER - 8))
  header.write(JSON.stringify({ __metadata__: { writer: WRITER }, rows: entry }), 8)
  return header
}
