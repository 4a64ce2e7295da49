import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** The threads of a process. None but on Linux. */
export function allThreads(pid: number): readonly number[] {
  return process.platform === 'linux' ? readdirSync(`/proc/${pid}/task`).map(Number) : []
}

/** All threads but the first. */
export function otherThreads(pid: number): readonly number[] {
  return allThreads(pid).filter((thread) => thread !== pid)
}

/** Keeps threads on one of the processors that we may use: the one of this number, counted round and round. Without `taskset`, nothing. */
export function hold(threads: readonly number[], number: number): void {
  if (threads.length === 0 || !canHold()) return
  const allowed = processors(
    /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!,
  )
  const processor = `${allowed[number % allowed.length]}`
  for (const thread of threads) {
    const { status } = spawnSync('taskset', ['-cp', processor, `${thread}`], { stdio: 'ignore' })
    if (status !== 0) throw new Error(`taskset: thread ${thread} cannot be held on processor ${processor}`)
  }
}

export function canHold(): boolean {
  return process.platform === 'linux' && spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0
}

/** Their numbers, of a list as Linux writes it: `0-2,8`. */
export function processors(list: string): readonly number[] {
  return list.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}
