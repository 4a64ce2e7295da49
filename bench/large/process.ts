import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Ticks of the kernel's clock of threads a second. */
const TICKS = 100
/** The name of the threads that read files. */
const READER = 'layerwise-read'

/** MiB of memory that this process has had at most, as the kernel counts them. */
export function mostMemory(): number {
  return process.resourceUsage().maxRSS / 1024
}

/** MiB that it has now. */
export function memory(): number {
  return process.memoryUsage.rss() / 2 ** 20
}

/** Seconds of processor time of this process's threads that read files, as long as they live; undefined if there are none. */
export function readerSeconds(): number | undefined {
  const tasks = '/proc/self/task'
  if (!existsSync(tasks)) return undefined
  const seconds = readdirSync(tasks).map((task) => secondsOf(`${tasks}/${task}/stat`))
  const readers = seconds.filter((one) => one !== undefined)
  return readers.length === 0 ? undefined : readers.reduce((sum, one) => sum + one, 0)
}

/** Undefined for other threads, and for one that has ended. */
function secondsOf(path: string): number | undefined {
  let stat: string
  try {
    stat = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  const end = stat.lastIndexOf(')')
  if (stat.slice(stat.indexOf('(') + 1, end) !== READER) return undefined
  const fields = stat.slice(end + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}
