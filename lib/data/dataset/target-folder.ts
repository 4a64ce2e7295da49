import { lstat, mkdir, readdir, realpath, rmdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { argumentError } from '../../base/check.js'
import { LayerwiseError } from '../../base/errors.js'
import type { LockHandle } from '../../native/binding.js'
import { binding } from '../../native/load.js'
import type { Dataset } from '../dataset.js'
import { fileError, withFile } from '../read-file.js'
import { readSafetensorsHeader } from '../safetensors-header.js'
import { removeTemporaries } from '../temporary-file.js'
import { syncFolder, writeFileWhole } from '../write-file.js'
import { MANIFEST, type Manifest, manifestText, readManifest, SHARD_NAME } from './manifest.js'
import { WRITER, writingError } from './shard-writer.js'

/** The file that is locked while a folder is written to. Its name begins with a dot, as those of temporary files do. */
const LOCK = '.layerwise-dataset.lock'

/** A folder that this process alone writes to. */
export class TargetFolder {
  /** Without links. */
  readonly path: string
  /** What was there before; undefined if there was no dataset. */
  readonly old: Manifest | undefined
  readonly #lock: LockHandle
  readonly #isNew: boolean
  #isCommitted = false

  private constructor(path: string, old: Manifest | undefined, lock: LockHandle, isNew: boolean) {
    this.path = path
    this.old = old
    this.#lock = lock
    this.#isNew = isNew
  }

  /**
   * Locks a folder for writing, creates it if its parent exists, and removes what killed writers left.
   *
   * @param source - the dataset whose rows are to be written, if it is one: it must not be in this folder
   * @throws {@link LayerwiseError} `ERR_BUSY` if it is being written to; `ERR_ARGUMENT` if it has files that are not ours, has those of
   *   `source`, or cannot be written to; `ERR_FORMAT` if its manifest is damaged
   */
  static async lock(name: string, source: Dataset | undefined): Promise<TargetFolder> {
    const isNew = await created(name)
    try {
      const path = await realpath(name)
      if (!(await stat(path)).isDirectory()) throw new Error('it is not a folder')
      await refuseForeign(path, source, (await readManifest(path))?.manifest)
      const lock = await binding().lockFile(join(path, LOCK))
      if (lock === null) throw busyError(name)
      try {
        const found = await readManifest(path)
        // Again: another writer may have been at work until now.
        const orphans = await refuseForeign(path, source, found?.manifest)
        for (const orphan of orphans) await unlink(join(path, orphan))
        await removeTemporaries(path)
        return new TargetFolder(path, found?.manifest, lock, isNew)
      } catch (error) {
        await binding().unlockFile(lock)
        throw error
      }
    } catch (error) {
      if (isNew) await rmdir(name).catch(() => {})
      throw error instanceof LayerwiseError ? error : fileError('write', name, error)
    }
  }

  /** The number of the next shard. */
  get next(): number {
    const numbers = this.old?.shards.map(({ file }) => Number(SHARD_NAME.exec(file)![1])) ?? []
    return numbers.reduce((most, number) => Math.max(most, number), -1) + 1
  }

  /**
   * Puts a manifest in the place of the old one, when its shards are there. Then removes shards that it does not name.
   *
   * @throws {@link LayerwiseError} `ERR_FILE` if it cannot be written
   */
  async commit(manifest: Manifest): Promise<void> {
    // The names of the shards must be durable before that of the manifest.
    await syncFolder(this.path)
    try {
      await writeFileWhole(join(this.path, MANIFEST), [Buffer.from(manifestText(manifest))])
    } catch (error) {
      throw error instanceof LayerwiseError ? writingError(this.path, error.cause) : error
    }
    this.#isCommitted = true
    const named = new Set(manifest.shards.map(({ file }) => file))
    for (const { file } of this.old?.shards ?? []) {
      if (!named.has(file)) await unlink(join(this.path, file)).catch(() => {})
    }
  }

  /** Ends the lock. A folder that was created and got no manifest is removed. */
  async unlock(): Promise<void> {
    await binding().unlockFile(this.#lock)
    if (this.#isNew && !this.#isCommitted) await rmdir(this.path).catch(() => {})
  }
}

async function created(name: string): Promise<boolean> {
  try {
    await mkdir(name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw fileError('write', name, error)
  }
}

/**
 * Refuses a folder with files that are not of a dataset, or with files of the source. Returns shards that no manifest names, which a killed
 * writer left. Files whose names begin with a dot are ignored.
 */
async function refuseForeign(
  folder: string,
  source: Dataset | undefined,
  manifest: Manifest | undefined,
): Promise<string[]> {
  const named = new Set([MANIFEST, ...(manifest?.shards.map(({ file }) => file) ?? [])])
  const read = new Set(source?.segments.map(({ identity }) => identity.split(':', 2).join(':')))
  const orphans: string[] = []
  for (const name of await readdir(folder)) {
    if (name.startsWith('.')) continue
    const path = join(folder, name)
    // A link that leads nowhere is a file of others.
    const { dev, ino } = await stat(path, { bigint: true }).catch(() => lstat(path, { bigint: true }))
    if (read.has(`${dev}:${ino}`)) {
      throw argumentError('folder', 'another folder than that of the rows to be written', folder)
    }
    if (named.has(name)) continue
    if (!SHARD_NAME.test(name) || !(await isOurs(path))) {
      const expected = `a folder of its own for the dataset, without files such as '${name.slice(0, 80)}'`
      throw argumentError('folder', expected, folder)
    }
    orphans.push(name)
  }
  return orphans
}

/** Whether a shard was written by this package. */
async function isOurs(path: string): Promise<boolean> {
  try {
    const { metadata } = await withFile(path, (file) => readSafetensorsHeader(file))
    return metadata.writer === WRITER
  } catch {
    return false
  }
}

function busyError(folder: string): LayerwiseError {
  return new LayerwiseError('ERR_BUSY', `'${folder}': another writeDataset is writing to it`, {
    argument: 'folder',
    received: folder,
  })
}
