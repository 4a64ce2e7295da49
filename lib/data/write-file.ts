import { type FileHandle, lstat, open, readlink, realpath, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, sep } from 'node:path'
import { LayerwiseError } from '../base/errors.js'
import { checkPath, fileError, filePath } from './read-file.js'
import { createTemporary, sweepTemporaries } from './temporary-file.js'

/** Bytes written at once. */
const chunkLength = 8 * 1024 * 1024

/** Symbolic links that are followed one after another, as many as Linux follows. */
const MOST_LINKS = 40

/**
 * Writes a file whole or not at all: into a temporary file in the same folder, which is synced and then renamed over the old one. Readers
 * see the old file or the new one. On failure the temporary file is removed and the old one stays. The temporary file of a killed process
 * is removed by the next process that writes into the folder.
 *
 * The new file gets the permissions of the replaced one and, if this process may change them, owner and group; until then only its owner
 * may read the temporary file. Symbolic links are followed: their target is replaced, or created. Devices, pipes and folders are refused: a
 * rename would replace them.
 *
 * @param parts - bytes in order. For an array, the lengths at the call determine the number of bytes; of another iterable, each part is
 *   taken after the one before is written, so that it can be created on demand
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if the file cannot be written
 * @throws {@link LayerwiseError} `ERR_STATE` if the memory of a part is transferred away before it is written
 */
export async function writeFileWhole(
  path: string | URL,
  parts: readonly Uint8Array[] | AsyncIterable<Uint8Array>,
): Promise<void> {
  const name = checkPath('path', path)
  const place = filePath('write', path)
  const content = withLengths(parts)
  try {
    const { target, old } = await replaceable(place)
    const folder = dirname(target)
    const temporary = await createTemporary(folder, old !== undefined)
    const { handle } = temporary
    try {
      try {
        for await (const part of content) await writeAll(handle, name, part)
        if (old !== undefined) await inherit(handle, old)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(temporary.path, target)
    } catch (error) {
      await unlink(temporary.path).catch(() => {})
      throw error
    }
    await syncFolder(folder)
    await sweepTemporaries(folder)
  } catch (error) {
    throw error instanceof LayerwiseError ? error : fileError('write', name, explained(error))
  }
}

/** Bytes and their number; a transferred array has no bytes left. */
interface Part {
  readonly bytes: Uint8Array
  readonly length: number
}

interface OldFile {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** The file behind any links, and the attributes that its replacement should have. */
async function replaceable(path: string): Promise<{ target: string; old?: OldFile }> {
  const target = await behindLinks(path)
  const old = await stat(target).catch(() => undefined)
  if (old === undefined) return { target }
  if (!old.isFile()) throw new Error('it is not a regular file')
  return { target, old }
}

/**
 * The target of links, whether it exists or not.
 *
 * @throws the system's error where its folder is not there; an error for the name of a folder, and links that lead to each other
 */
export async function behindLinks(path: string): Promise<string> {
  if (path.endsWith('/') || path.endsWith(sep)) throw new Error('it is the name of a folder')
  let place = path
  for (let links = 0; links <= MOST_LINKS; links++) {
    // Links of the folder are resolved first: the meaning of `..` in a link depends on its real folder.
    const folder = await realpath(dirname(place))
    const found = join(folder, basename(place))
    if (!(await lstat(found).catch(() => undefined))?.isSymbolicLink()) return found
    const link = await readlink(found)
    place = isAbsolute(link) ? link : `${folder}/${link}`
  }
  throw new Error('too many symbolic links')
}

/** Owner and group first: changing them may remove permissions of a file. */
async function inherit(handle: FileHandle, { mode, uid, gid }: OldFile): Promise<void> {
  const { uid: ownUid, gid: ownGid } = await handle.stat()
  if (uid !== ownUid) await handle.chown(uid, gid).catch(() => {})
  if (gid !== ownGid) await handle.chown(-1, gid).catch(() => {})
  await handle.chmod(mode & 0o777)
}

/** Parts of an iterable with their length when they are taken; those of an array with their current length. */
function withLengths(
  parts: readonly Uint8Array[] | AsyncIterable<Uint8Array>,
): Iterable<Part> | AsyncIterable<Part> {
  return Array.isArray(parts) ? parts.map(withLength) : measured(parts as AsyncIterable<Uint8Array>)
}

async function* measured(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Part, void> {
  for await (const bytes of parts) yield withLength(bytes)
}

function withLength(bytes: Uint8Array): Part {
  return { bytes, length: bytes.length }
}

async function writeAll(handle: FileHandle, name: string, { bytes, length }: Part): Promise<void> {
  for (let done = 0; ; ) {
    // Also after the last write: the new owner of the memory may have changed it before it was written.
    if (bytes.length !== length) {
      const problem = 'the data was transferred while it was written; nothing was replaced'
      throw new LayerwiseError('ERR_STATE', `'${name}': ${problem}`, { argument: 'path', received: name })
    }
    if (done === length) return
    const { bytesWritten } = await handle.write(bytes, done, Math.min(chunkLength, length - done))
    if (bytesWritten === 0) throw new Error('the file system took no bytes')
    done += bytesWritten
  }
}

/** Explains a system error whose own message is unclear here. */
function explained(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EBUSY') return error
  const { message } = error as Error
  const why =
    'the file is mounted by itself, as single files of a container are, or held by another program: ' +
    'no other can take its place. Mount its folder instead'
  return Object.assign(new Error(`${why} (${message})`, { cause: error }), { code: 'EBUSY' })
}

/** Makes the new name itself durable. Windows and some file systems cannot; the file's content is synced already. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
