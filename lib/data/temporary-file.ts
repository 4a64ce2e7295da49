import { createHash, randomBytes } from 'node:crypto'
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  opendir,
  readdir,
  readFile,
  readlink,
  rm,
  unlink,
} from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { LayerwiseError, messageOf } from '../base/errors.js'

/** `.layerwise-WHERE-PID-SINCE-RANDOM.tmp`; version 0.1.0 wrote `.layerwise-PID-RANDOM.tmp`. */
const NAME = /^\.layerwise-(?:([0-9a-f]{8})-(\d+)-(\d+)|\d+)-[0-9a-f]{16}\.tmp$/

/** A temporary file whose writer is unknown is kept for this time after its last write: an hour. */
const FORGOTTEN_MS = 3600_000

/** The same of a temporary folder, which may be read long after it was written: a week. */
const FORGOTTEN_FOLDER_MS = 7 * 24 * FORGOTTEN_MS

/**
 * The writer of a temporary file, stored in its name, so that a file of a killed process can be distinguished from one that is being
 * written.
 */
interface Writer {
  /** The scope of process numbers: the current boot of this machine and, on Linux, the PID namespace. */
  readonly where: string
  /** When this process started, in the system's units; '0' if unknown. */
  readonly since: string
}

let known: Promise<Writer> | undefined

/** Creates a file with a unique name in a folder; with `secret` only this user may read it. */
export async function createTemporary(
  folder: string,
  secret: boolean,
): Promise<{ path: string; handle: FileHandle }> {
  const path = join(folder, await uniqueName())
  return { path, handle: await open(path, 'wx', secret ? 0o600 : 0o666) }
}

/** Creates a folder with a unique name in another. Only this user may read it. */
export async function createTemporaryFolder(parent: string): Promise<string> {
  const path = join(parent, await uniqueName())
  await mkdir(path, { mode: 0o700 })
  return path
}

/** What is thrown where the folder of a temporary file cannot be used. */
export function temporaryError(cause: unknown): LayerwiseError {
  return new LayerwiseError(
    'ERR_ARGUMENT',
    `folder: cannot write a temporary file: ${messageOf(cause)}`,
    { argument: 'folder', expected: 'a folder with room that this process can write to' },
    cause,
  )
}

async function uniqueName(): Promise<string> {
  known ??= thisWriter()
  const { where, since } = await known
  return `.layerwise-${where}-${process.pid}-${since}-${randomBytes(8).toString('hex')}.tmp`
}

/**
 * Removes temporary files and folders of processes that were killed. On this machine that is certain if the process no longer exists.
 * Others, of another machine or container that shares the folder or of an earlier boot, are removed after an hour without writes, folders
 * after a week. What cannot be inspected or removed stays.
 */
export async function sweepTemporaries(folder: string): Promise<void> {
  known ??= thisWriter()
  const { where } = await known
  const entries = await opendir(folder, { bufferSize: 512 }).catch(() => undefined)
  if (entries === undefined) return
  try {
    for await (const { name } of entries) {
      const [found, itsWhere, pid, since] = NAME.exec(name) ?? []
      if (found === undefined) continue
      const path = join(folder, name)
      const gone = itsWhere === where ? await isGone(Number(pid), since!) : await isForgotten(path)
      if (gone) await rm(path, { recursive: true, force: true }).catch(() => {})
    }
  } catch {
    // The folder cannot be read to its end: a later save may succeed.
  }
}

/** Removes all temporary files of a folder, of which the caller knows that no process is writing one. */
export async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (NAME.test(name)) await unlink(join(folder, name)).catch(() => {})
  }
}

async function isGone(pid: number, since: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  // The process exists; but it may be a zombie, or another process may have its number by now.
  const found = await processOf(pid)
  return found.ended || (since !== '0' && found.since !== '0' && found.since !== since)
}

async function isForgotten(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return false
  return Date.now() - found.mtimeMs > (found.isDirectory() ? FORGOTTEN_FOLDER_MS : FORGOTTEN_MS)
}

async function thisWriter(): Promise<Writer> {
  const [boot, processes, { since }] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
    processOf(process.pid),
  ])
  const place = createHash('sha256').update(`${hostname()} ${boot} ${processes}`)
  return { where: place.digest('hex').slice(0, 8), since }
}

/** Whether a process has ended, and when it started, in ticks since boot; '0' if unknown. */
async function processOf(pid: number): Promise<{ ended: boolean; since: string }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field, a name in brackets, may contain anything; the third is the state, the 22nd the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state = '', ticks = ''] = [fields[0], fields[19]]
  return { ended: /^[ZX]$/.test(state), since: /^\d+$/.test(ticks) ? ticks : '0' }
}
