import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LayerwiseError } from '../base/errors.js'
import { checkPath, fileError } from '../data/read-file.js'
import { binding } from '../native/load.js'

/** Ends a lock. */
export type Unlock = () => Promise<void>

/**
 * Locks a checkpoint for one training, by the file `.NAME.lock` beside it. The lock is the system's: it is free when its process has ended,
 * however that was. The file is removed with the lock, or by the next training.
 *
 * @throws {@link LayerwiseError} `ERR_BUSY` if another training has it; `ERR_ARGUMENT` if its folder cannot be written
 */
export async function lockCheckpoint(path: string | URL): Promise<Unlock> {
  const name = checkPath('checkpoint.path', path)
  const lock = await lockFile(path).catch((error: unknown) => {
    throw fileError('write', name, error)
  })
  if (lock === null) throw busy(name)
  return () => binding().unlockFile(lock)
}

async function lockFile(path: string | URL) {
  const file = typeof path === 'string' ? path : fileURLToPath(path)
  const real = await realpath(file).catch(async () => join(await realpath(dirname(file)), basename(file)))
  return binding().lockFile(join(dirname(real), `.${basename(real)}.lock`))
}

function busy(name: string): LayerwiseError {
  const problem = `'${name}' is being written by another training; await that, or abort it by its signal, first`
  return new LayerwiseError('ERR_BUSY', `checkpoint.path: ${problem}`, {
    argument: 'checkpoint.path',
    expected: 'a file that no other training writes',
    received: name,
  })
}
