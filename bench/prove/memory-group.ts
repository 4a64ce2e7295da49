import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A control group of Linux that limits the memory of what runs in it, the system's copies of its files included. */
export interface MemoryGroup {
  /** A program that enters the group and becomes the one whose arguments follow. */
  readonly through: readonly string[]
  /** The most bytes that were in use. */
  readonly most: () => number
  readonly remove: () => void
}

const versions = [
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', most: 'memory.max_usage_in_bytes' },
  { root: '/sys/fs/cgroup', limit: 'memory.max', most: 'memory.peak' },
]

/** Makes a group of so many bytes; undefined where this process may not. */
export function memoryGroup(bytes: number): MemoryGroup | undefined {
  for (const { root, limit, most } of versions) {
    const folder = join(root, `layerwise-prove-${process.pid}`)
    try {
      mkdirSync(folder)
    } catch {
      continue
    }
    try {
      writeFileSync(join(folder, limit), String(bytes))
    } catch {
      rmdirSync(folder)
      continue
    }
    return {
      through: ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', folder],
      most: () => Number(readFileSync(join(folder, most), 'utf8')),
      remove: () => rmdirSync(folder),
    }
  }
  return undefined
}
