import { basename, dirname, join } from 'node:path'
import { LayerwiseError } from '../base/errors.js'
import { fileError } from '../data/read-file.js'
import { behindLinks } from '../data/write-file.js'
import { binding } from '../native/load.js'

/** A file that one training writes. */
export interface LockedFile {
  /** Behind any links: what they lead to later is no matter. */
  readonly file: string
  /** Ends the lock. */
  readonly unlock: () => Promise<void>
}

/**
 * Locks a checkpoint for one training, by the file `.NAME.lock` beside it. The lock is the system's: it is free when its process has ended,
 * however that was. The file is removed with the lock, or by the next training.
 *
 * @throws {@link LayerwiseError} `ERR_BUSY` if another training has it; `ERR_ARGUMENT` if its folder cannot be written
 */
export async function lockCheckpoint(path: string): Promise<LockedFile> {
  const { file, lock } = await lockFile(path).catch((error: unknown) => {
    throw fileError('write', path, error)
  })
  if (lock === null) throw busy(path)
  return { file, unlock: () => binding().unlockFile(lock) }
}

async function lockFile(path: string) {
  const file = await behindLinks(path)
  return { file, lock: await binding().lockFile(join(dirname(file), `.${basename(file)}.lock`)) }
}

function busy(name: string): LayerwiseError {
  const problem = `'${name}' is being written by another training; await that, or abort it by its signal, first`
  return new LayerwiseError('ERR_BUSY', `checkpoint.path: ${problem}`, {
    argument: 'checkpoint.path',
    expected: 'a file that no other training writes',
    received: name,
  })
}
