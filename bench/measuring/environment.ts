import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { runtime } from '../../lib/index.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where, when and with what figures were taken: without it they mean nothing. */
export interface Environment {
  readonly version: string
  /** Hash of the commit; ends in `+changes` if files under version control, results and pictures aside, differ from it. */
  readonly commit: string
  /** ISO 8601. */
  readonly date: string
  readonly cpu: string
  readonly processors: number
  /** Runnable processes, averaged over the last minute: more than about 0.2 distorts figures. */
  readonly load: number
  readonly node: string
  readonly openblas: string
  readonly kernel: string
  readonly vectors: string
}

export function environment(): Environment {
  const { version, openblas, kernel, vectors } = runtime()
  return {
    version,
    commit: commit(),
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    load: loadavg()[0]!,
    node: process.versions.node,
    openblas,
    kernel,
    vectors,
  }
}

function commit(): string {
  try {
    const written = [':!docs/results.md', ':!docs/pictures']
    const changes = git('status', '--porcelain', '--untracked-files=no', '--', '.', ...written)
    return git('rev-parse', '--short', 'HEAD') + (changes === '' ? '' : '+changes')
  } catch {
    return 'unknown'
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}
