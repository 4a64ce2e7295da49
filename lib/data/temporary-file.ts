import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, lstat, open, opendir, readFile, readlink, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** `.layerwise-WHERE-PID-SINCE-RANDOM.tmp`; version 0.1.0 wrote `.layerwise-PID-RANDOM.tmp`. */
const NAME = /^\.layerwise-(?:([0-9a-f]{8})-(\d+)-(\d+)|\d+)-[0-9a-f]{16}\.tmp$/

/** A temporary file whose writer cannot be asked for is left alone for so long after it was last written to. An hour. */
const FORGOTTEN_MS = 3600_000

/** Who writes a temporary file: its name says it, so that what a killed process leaves can be told from what is being written. */
interface Writer {
  /** Where process numbers mean what they mean here: this start of this machine and, on Linux, this space of process numbers. */
  readonly where: string
  /** When this process began, in the system's units; '0' where that cannot be found out. */
  readonly since: string
}

let known: Promise<Writer> | undefined

/** Creates a file of a name of its own in a folder, for this process alone to read where `secret` is said. */
export async function createTemporary(
  folder: string,
  secret: boolean,
): Promise<{ path: string; handle: FileHandle }> {
  known ??= thisWriter()
  const { where, since } = await known
  const name = `.layerwise-${where}-${process.pid}-${since}-${randomBytes(8).toString('hex')}.tmp`
  const path = join(folder, name)
  return { path, handle: await open(path, 'wx', secret ? 0o600 : 0o666) }
}

/**
 * Removes the temporary files of writers that are gone: of processes that were killed while they wrote. Those of this machine are gone for
 * sure where there is no such process any more; others, of another machine or container that shares the folder or of a start before,
 * where nobody has written to them for an hour. What cannot be looked at or removed stays.
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
      if (gone) await unlink(path).catch(() => {})
    }
  } catch {
    // The folder cannot be read to its end: another save may.
  }
}

async function isGone(pid: number, since: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  // There is such a process; but it may have ended and wait for its parent, or another may have its number by now.
  const found = await processOf(pid)
  return found.ended || (since !== '0' && found.since !== '0' && found.since !== since)
}

async function isForgotten(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > FORGOTTEN_MS
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

/** Whether a process has ended, and when it began, in ticks since the start of the machine; '0' where the system does not say. */
async function processOf(pid: number): Promise<{ ended: boolean; since: string }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field, a name in brackets, may hold anything; the third is the state, the 22nd the time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state = '', ticks = ''] = [fields[0], fields[19]]
  return { ended: /^[ZX]$/.test(state), since: /^\d+$/.test(ticks) ? ticks : '0' }
}
