import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'

/** The threads of a process. None but on Linux. */
export function allThreads(pid: number): readonly number[] {
  return process.platform === 'linux' ? readdirSync(`/proc/${pid}/task`).map(Number) : []
}

/** Those beside its first. */
export function otherThreads(pid: number): readonly number[] {
  return allThreads(pid).filter((thread) => thread !== pid)
}

/** Keeps threads on one processor: the one of this number, counted round and round. */
export function hold(threads: readonly number[], number: number): void {
  const processor = `${number % cpus().length}`
  for (const thread of threads) {
    const { status, error } = spawnSync('taskset', ['-cp', processor, `${thread}`], { stdio: 'ignore' })
    if (error) throw error
    if (status !== 0) throw new Error(`taskset: thread ${thread} cannot be held on processor ${processor}`)
  }
}
