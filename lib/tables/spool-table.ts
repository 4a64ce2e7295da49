import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { deserialize, serialize } from 'node:v8'
import { checkOptions, checkText } from '../base/check.js'
import { LayerwiseError, messageOf } from '../base/errors.js'
import { turn } from '../data/slices.js'
import { createTemporary, sweepTemporaries, temporaryError } from '../data/temporary-file.js'
import { Table, type TableReader } from './table.js'
import type { TableBatch } from './table-batch.js'
import { tableError } from './table-error.js'

/** Options of {@link spoolTable}. */
export interface SpoolOptions {
  /** Where the temporary file is written. Default the system's folder for such files. */
  readonly folder?: string | undefined
}

/** Where a batch lies in the temporary file. */
interface Place {
  readonly position: number
  readonly length: number
}

/** A table whose rows were copied to a temporary file, so that it can be iterated again. */
export class SpooledTable extends Table {
  /** How many rows it has. */
  readonly rows: number
  readonly #file: SpoolFile

  /** @internal */
  constructor(name: string, rows: number, file: SpoolFile) {
    const reader: TableReader = { name, onePass: false, batches: () => file.batches() }
    super(reader)
    this.rows = rows
    this.#file = file
  }

  /** Frees the disk space. Iterating it afterwards is `ERR_STATE`. */
  close(): Promise<void> {
    return this.#file.close()
  }
}

/**
 * Copies the rows of a table that can be read once only, a stream say, to a temporary file: no more than a batch of them is in memory. The file is readable by this
 * user only; it has no name any more once it is written, where the system allows that, so that it vanishes with the process.
 *
 *     const table = await spoolTable(readTable(stream))
 *     const encoder = await new TableEncoder().fit(table)
 *     const rows = await encoder.transform(table)
 *     await table.close()
 *
 * @throws (rejects) {@link LayerwiseError} `ERR_ARGUMENT` if the file cannot be written; whatever the table rejects with
 */
export async function spoolTable(table: Table, options?: SpoolOptions): Promise<SpooledTable> {
  const { folder: given = tmpdir() } = checkOptions('options', options, ['folder'])
  const folder = checkText('folder', given)
  await sweepTemporaries(folder)
  const { path, handle } = await attempt(() => createTemporary(folder, true))
  const places: Place[] = []
  let [rows, position, isWritten] = [0, 0, false]
  try {
    for await (const batch of table) {
      const bytes = bytesOf(table.name, batch)
      await attempt(() => writeAll(handle, bytes))
      places.push({ position, length: bytes.length })
      position += bytes.length
      rows += batch.rows
    }
    isWritten = true
  } finally {
    await handle.close()
    if (!isWritten) await unlink(path).catch(() => {})
  }
  const file = await attempt(() => SpoolFile.open(path, places))
  return new SpooledTable(table.name, rows, file)
}

function bytesOf(name: string, batch: TableBatch): Uint8Array {
  try {
    return serialize(batch)
  } catch (cause) {
    throw tableError(name, {}, `its lists cannot be stored: ${messageOf(cause)}`, undefined, cause)
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw temporaryError(cause)
  }
}

/** The temporary file, open for reading. */
class SpoolFile {
  readonly #handle: FileHandle
  readonly #places: readonly Place[]
  /** Of a file that could not be removed while it is open. */
  #path: string | undefined
  #isOpen = true

  private constructor(handle: FileHandle, places: readonly Place[], path: string | undefined) {
    this.#handle = handle
    this.#places = places
    this.#path = path
  }

  static async open(path: string, places: readonly Place[]): Promise<SpoolFile> {
    const handle = await open(path, 'r')
    const isRemoved = await unlink(path).then(
      () => true,
      () => false,
    )
    return new SpoolFile(handle, places, isRemoved ? undefined : path)
  }

  async *batches(): AsyncGenerator<TableBatch, void> {
    for (const { position, length } of this.#places) {
      if (!this.#isOpen)
        throw new LayerwiseError('ERR_STATE', 'this spooled table is closed', { argument: 'table' })
      const bytes = Buffer.alloc(length)
      for (let at = 0; at < length; ) {
        const { bytesRead } = await this.#handle.read(bytes, at, length - at, position + at)
        if (bytesRead === 0)
          throw new LayerwiseError('ERR_FILE', 'the temporary file of a spooled table was cut')
        at += bytesRead
      }
      yield deserialize(bytes) as TableBatch
      await turn()
    }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#handle.close()
    if (this.#path !== undefined) await unlink(this.#path).catch(() => {})
  }
}
