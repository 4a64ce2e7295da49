import { randomBytes } from 'node:crypto'
import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LayerwiseError } from '../errors.js'
import { checkPath, fileError } from './read-file.js'

/** Bytes handed to the file system at once. */
const chunkLength = 8 * 1024 * 1024

/**
 * Writes a file whole or not at all: into a temporary file in the same folder, which is synced and then renamed over `path`.
 * Readers see the old file or the new one. On failure the temporary file is removed and the old one stays.
 *
 * A file that is replaced hands on its permissions; through a symbolic link the file it points to is replaced. Devices, pipes and
 * folders are refused: a rename would put a file in their place.
 *
 * @param parts - bytes in order; taken one after another, so they may be made on the way
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if the file cannot be written
 */
export async function writeFileWhole(
  path: string | URL,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const name = checkPath('path', path)
  try {
    const { target, mode } = await replaceable(path instanceof URL ? fileURLToPath(path) : path)
    const folder = dirname(target)
    const temporary = join(folder, `.layerwise-${process.pid}-${randomBytes(8).toString('hex')}.tmp`)
    const handle = await open(temporary, 'wx')
    try {
      try {
        for await (const part of parts) await writeAll(handle, part)
        if (mode !== undefined) await handle.chmod(mode)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(temporary, target)
    } catch (error) {
      await unlink(temporary).catch(() => {})
      throw error
    }
    await syncFolder(folder)
  } catch (error) {
    throw error instanceof LayerwiseError ? error : fileError('write', name, error)
  }
}

/** The file itself behind any links, and its permissions; the path as it is where there is no file yet. */
async function replaceable(path: string): Promise<{ target: string; mode?: number }> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return { target: path }
  if (!found.isFile()) throw new Error('it is not a regular file')
  return { target: await realpath(path), mode: found.mode & 0o777 }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(chunkLength, bytes.length - done))
    if (bytesWritten === 0) throw new Error('the file system took no bytes')
    done += bytesWritten
  }
}

/** Makes the new name itself durable. Windows and some file systems cannot; the file's content is synced already. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
