import { spawnSync } from 'node:child_process'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** Reads in flight, as many as Node's threads. */
const IN_FLIGHT = 4
/** Bytes of a read: in order, and at random places as large as the blocks of a shuffled epoch. */
export const READS = { inOrder: 4 * 2 ** 20, blocks: 128 * 2 ** 10 } as const

export type Pattern = keyof typeof READS

/** The files of a data set's rows, in order. */
export async function shards(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => name.endsWith('.safetensors'))
    .sort()
    .map((name) => join(folder, name))
}

/** Attempts to make the system forget, and milliseconds between them: a process that mapped the files may be about to end. */
const PATIENCE = { attempts: 20, pause: 250 }

/**
 * Makes the system forget what it holds of files in memory.
 *
 * @returns what could not be done, or that nothing could check it
 */
export async function forget(files: readonly string[]): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    const remark = forgetNow(files)
    if (remark === undefined || attempt === PATIENCE.attempts || pagesHeld(files) === undefined) return remark
    await setTimeout(PATIENCE.pause)
  }
}

function forgetNow(files: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return 'this system has no means to forget the pages of a file'
  for (const file of files) {
    const { status, error } = spawnSync(
      'dd',
      [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'],
      { stdio: 'ignore' },
    )
    if (error || status !== 0) return `dd could not make the system forget ${file}`
  }
  const held = pagesHeld(files)
  if (held === undefined) return 'whether the pages are gone is not known: there is no fincore'
  return held > 0 ? `the system still holds ${held} bytes of the files` : undefined
}

/** Bytes of files that lie in memory; undefined without `fincore`. */
function pagesHeld(files: readonly string[]): number | undefined {
  const { status, stdout } = spawnSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', ...files], {
    encoding: 'utf8',
  })
  if (status !== 0) return undefined
  return stdout
    .trim()
    .split(/\s+/)
    .reduce((sum, bytes) => sum + Number(bytes), 0)
}

/**
 * Bytes a second of reads that do nothing else, of the first `bytes` of the files: each place at most once, until the seconds are over.
 *
 * @param seconds - `Infinity`: all of it
 */
export async function plainReads(
  files: readonly string[],
  bytes: number,
  pattern: Pattern,
  seconds: number,
): Promise<number> {
  const size = READS[pattern]
  const handles = await Promise.all(files.map((file) => open(file)))
  try {
    const places = await placesOf(files, handles, bytes, size)
    if (pattern === 'blocks') shuffle(places)
    const start = performance.now()
    let [next, sum] = [0, 0]
    const reader = async () => {
      const buffer = Buffer.allocUnsafeSlow(size)
      for (let place = places[next++]; place !== undefined; place = places[next++]) {
        if (performance.now() - start > 1000 * seconds) return
        sum += (await place.handle.read(buffer, 0, size, place.at)).bytesRead
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, reader))
    return sum / ((performance.now() - start) / 1000)
  } finally {
    await Promise.all(handles.map((handle) => handle.close()))
  }
}

interface Place {
  readonly handle: FileHandle
  readonly at: number
}

async function placesOf(
  files: readonly string[],
  handles: readonly FileHandle[],
  bytes: number,
  size: number,
): Promise<Place[]> {
  const places: Place[] = []
  let left = bytes
  for (const [k, file] of files.entries()) {
    const { size: length } = await stat(file)
    for (let at = 0; at < Math.min(length, left); at += size) places.push({ handle: handles[k]!, at })
    left -= length
  }
  return places
}

function shuffle(places: Place[]): void {
  for (let i = places.length - 1; i > 0; i--) {
    const k = Math.floor(Math.random() * (i + 1))
    ;[places[i], places[k]] = [places[k]!, places[i]!]
  }
}
