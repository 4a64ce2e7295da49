import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { deserialize, serialize } from 'node:v8'
import { checkOptions, checkText } from '../base/check.js'
import { LayerwiseError, messageOf } from '../base/errors.js'
import { brokenFileError } from '../data/file-rows.js'
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
 * @throws (rejects) {@link LayerwiseError} `ERR_ARGUMENT` if the file cannot be created, `ERR_FILE` if the disk is full or fails; whatever the table rejects
 *   with
 */
export async function spoolTable(table: Table, options?: SpoolOptions): Promise<SpooledTable> {
  const { folder: given = tmpdir() } = checkOptions('options', options, ['folder'])
  const folder = checkText('folder', given)
  await sweepTemporaries(folder)
  const { path, handle } = await createTemporary(folder, true).catch((cause: unknown) => {
    throw temporaryError(cause)
  })
  const places: Place[] = []
  let [rows, position] = [0, 0]
  try {
    for await (const batch of table) {
      const bytes = bytesOf(table.name, batch)
      await attempt(path, () => writeAll(handle, bytes))
      places.push({ position, length: bytes.length })
      position += bytes.length
      rows += batch.rows
    }
    await attempt(path, () => handle.close())
    const file = await attempt(path, () => SpoolFile.open(path, places))
    return new SpooledTable(table.name, rows, file)
  } catch (error) {
    await handle.close().catch(() => {})
    await unlink(path).catch(() => {})
    throw error
  }
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

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw brokenFileError(path, `rows of a table cannot be kept there (${messageOf(cause)})`, cause)
  }
}

/** The temporary file, open for reading. */
class SpoolFile {
  readonly #handle: FileHandle
  readonly #places: readonly Place[]
  readonly #path: string
  /** A file could not be removed while it is open. */
  readonly #isThere: boolean
  #isOpen = true

  private constructor(handle: FileHandle, places: readonly Place[], path: string, isThere: boolean) {
    this.#handle = handle
    this.#places = places
    this.#path = path
    this.#isThere = isThere
  }

  static async open(path: string, places: readonly Place[]): Promise<SpoolFile> {
    const handle = await open(path, 'r')
    const isRemoved = await unlink(path).then(
      () => true,
      () => false,
    )
    return new SpoolFile(handle, places, path, !isRemoved)
  }

  async *batches(): AsyncGenerator<TableBatch, void> {
    for (const { position, length } of this.#places) {
      this.#checkOpen()
      const bytes = Buffer.alloc(length)
      for (let at = 0; at < length; ) {
        const read = () => this.#handle.read(bytes, at, length - at, position + at)
        const { bytesRead } = await attempt(this.#path, read).catch((error: unknown) => {
          // It may have been closed meanwhile.
          this.#checkOpen()
          throw error
        })
        if (bytesRead === 0)
          throw brokenFileError(this.#path, 'the temporary file of a spooled table was cut')
        at += bytesRead
      }
      yield deserialize(bytes) as TableBatch
      await turn()
    }
  }

  #checkOpen(): void {
    if (!this.#isOpen)
      throw new LayerwiseError('ERR_STATE', 'this spooled table is closed', { argument: 'table' })
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#handle.close()
    if (this.#isThere) await unlink(this.#path).catch(() => {})
  }
}
