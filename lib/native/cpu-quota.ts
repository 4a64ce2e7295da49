import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The text of a file, or undefined if there is none. */
export type ReadText = (path: string) => string | undefined

/**
 * The CPU quota of this process's control groups, in processors, e.g. 1.5; Infinity without a limit.
 *
 * The process's own group or any parent may have a limit, so all are read. Inside a container the path that `/proc/self/cgroup` names is
 * often not visible; the walk upwards then ends at the container's own root.
 *
 * Source: Linux kernel, Documentation/admin-guide/cgroup-v2.rst (`cpu.max`) and scheduler/sched-bwc.rst (`cpu.cfs_quota_us`).
 */
export function cpuQuota(read: ReadText = readText): number {
  let quota = Infinity
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [id, controllers, ...path] = line.split(':')
    if (path.length === 0) continue
    const group = path.join(':')
    if (id === '0' && controllers === '') {
      quota = Math.min(
        quota,
        lowest('/sys/fs/cgroup', group, (folder) => quotaV2(folder, read)),
      )
    } else if (controllers?.split(',').includes('cpu')) {
      for (const mount of new Set([`/sys/fs/cgroup/${controllers}`, '/sys/fs/cgroup/cpu'])) {
        quota = Math.min(
          quota,
          lowest(mount, group, (folder) => quotaV1(folder, read)),
        )
      }
    }
  }
  return quota
}

function lowest(mount: string, group: string, quotaOf: (folder: string) => number): number {
  const parts = group.split('/').filter((part) => part !== '' && part !== '..')
  let quota = Infinity
  for (let depth = parts.length; depth >= 0; depth--) {
    quota = Math.min(quota, quotaOf(join(mount, ...parts.slice(0, depth))))
  }
  return quota
}

function quotaV2(folder: string, read: ReadText): number {
  const [limit, period] = (read(`${folder}/cpu.max`) ?? '').trim().split(/\s+/)
  return ratio(limit, period)
}

function quotaV1(folder: string, read: ReadText): number {
  return ratio(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`))
}

function ratio(limit: string | undefined, period: string | undefined): number {
  const quotient = Number(limit) / Number(period)
  return quotient > 0 ? quotient : Infinity
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
