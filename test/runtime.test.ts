import { execFileSync, spawnSync } from 'node:child_process'
import { afterEach, describe, expect, test } from 'vitest'
import { configure, LayerwiseError, Matrix, runtime, SparseAutoencoder } from '../lib/index.js'
import { cpuQuota } from '../lib/native/cpu-quota.js'
import packageJson from '../package.json' with { type: 'json' }

/** Several starts of TypeScript on a busy machine take some ten seconds; a process that never ends would take forever. */
const MOST_MS = 90_000

/** What takes seconds, or a start of Node, is not waited for: this is how long a busy machine may need to end a process. */
const AT_ONCE_MS = 5000

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url).pathname
const run = (name: string, ...args: string[]) =>
  execFileSync(process.execPath, ['--import', 'tsx', fixture(name), ...args], {
    encoding: 'utf8',
    timeout: MOST_MS,
  })

describe('runtime', () => {
  test('returns the versions and kernels in use', () => {
    const info = runtime()
    expect(info.version).toBe(packageJson.version)
    expect(info.openblas).toMatch(/^\d+\.\d+/)
    expect(info.kernel).not.toBe('')
    expect(['avx512', 'avx2', 'baseline', 'neon']).toContain(info.vectors)
    expect(info.threads).toBeGreaterThanOrEqual(1)
  })

  test('returns the threads given to configure', () => {
    const before = runtime().threads
    configure({ threads: 3 })
    expect(runtime().threads).toBe(3)
    configure({ threads: before })
    expect(runtime().threads).toBe(before)
  })

  test.each([0, -1, 1.5, Number.NaN, 257, '2', null, undefined])(
    'refuses configure with %s threads',
    (threads) => {
      const before = runtime().threads
      expect(() => configure({ threads: threads as number })).toThrow(
        expect.objectContaining({
          code: 'ERR_ARGUMENT',
          details: expect.objectContaining({ argument: 'threads' }),
        }),
      )
      expect(runtime().threads).toBe(before)
    },
  )

  test('refuses unknown options of configure', () => {
    expect(() => configure({ threads: 1, cores: 2 } as never)).toThrow(/unknown option 'cores'/)
  })
})

test('LAYERWISE_THREADS is used without configure, and is refused at the first use if it is no number of threads', {
  timeout: MOST_MS,
}, () => {
  const refused = 'ERR_ARGUMENT LAYERWISE_THREADS'
  expect(JSON.parse(run('threads.mjs', '5', '256', '0', '-1', '1.5', 'many', '1e2', '257'))).toEqual({
    answers: [5, 256, refused, refused, refused, refused, refused, refused],
    configured: 2,
  })
})

describe('the CPU quota', () => {
  const quotaOf = (files: Record<string, string>) => cpuQuota((path) => files[path])

  test('is infinite without control groups, and without a limit', () => {
    expect(quotaOf({})).toBe(Infinity)
    expect(quotaOf({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' })).toBe(
      Infinity,
    )
  })

  test('of version 2 is the smallest of the own group and its parents', () => {
    const files = {
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/cpu.max': '400000 100000\n',
      '/sys/fs/cgroup/a/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/a/b/cpu.max': 'max 100000\n',
    }
    expect(quotaOf(files)).toBe(1.5)
  })

  test('of a container whose path is not visible is that of the container’s root', () => {
    const files = { '/proc/self/cgroup': '0::/docker/0123\n', '/sys/fs/cgroup/cpu.max': '200000 100000\n' }
    expect(quotaOf(files)).toBe(2)
  })

  test('of version 1 is cpu.cfs_quota_us ÷ cpu.cfs_period_us, unless it is −1', () => {
    const files = {
      '/proc/self/cgroup': '12:memory:/x\n4:cpu,cpuacct:/x\n',
      '/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us': '300000\n',
      '/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    }
    expect(quotaOf(files)).toBe(3)
    expect(quotaOf({ ...files, '/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us': '-1\n' })).toBe(Infinity)
  })
})

describe('the process', { timeout: MOST_MS }, () => {
  test('exits when training is over', () => {
    expect(run('trains-and-ends.mjs')).toBe('trained\n')
  })

  test('exits while the addon is idle', () => {
    expect(run('loads-and-ends.mjs')).toBe('loaded\n')
  })

  test.each([
    ['process.exit', 'exit', 3],
    ['an exception that nobody catches', 'throw', 1],
  ])('can exit by %s during a run, with its own exit status', (_, how, status) => {
    for (let i = 0; i < 5; i++) {
      const child = spawnSync(process.execPath, ['--import', 'tsx', fixture('exits-in-mid-fit.mjs'), how], {
        encoding: 'utf8',
        timeout: MOST_MS,
      })
      expect({ status: child.status, signal: child.signal }).toEqual({ status, signal: null })
    }
  })

  test.each(
    ['process.exit', 'terminate'].flatMap((how) =>
      ['eigen-decomposition', 'leading directions'].map((kind) => [how, kind] as const),
    ),
  )('exits at once by %s during a Pca.fit by %s', (how, kind) => {
    const written = run('exits-amid-pca.mjs', how, kind)
    expect(Date.now() - Number(/^leaving ([\d.]+)\n$/.exec(written)?.[1])).toBeLessThan(AT_ONCE_MS)
  })

  test.skipIf(process.platform !== 'linux').each([
    [10, 'privileged'],
    [10, 'unprivileged'],
    [17, 'unprivileged'],
  ])('under nice -n %i, %s, computes on threads with at most its own priority', (nice, right) => {
    const script = [process.execPath, '--import', 'tsx', fixture('niceness.mjs'), right]
    const written = execFileSync('nice', ['-n', String(nice), ...script], {
      encoding: 'utf8',
      timeout: MOST_MS,
    })
    const { process: own, threads } = JSON.parse(written) as { process: number; threads: number[] }
    expect(own).toBeGreaterThanOrEqual(nice)
    const nicer = Math.min(19, own + 5)
    // Coordinator and two helpers, of training and of long answers.
    expect(threads.filter((of) => of === nicer).length).toBeGreaterThanOrEqual(6)
    expect(new Set(threads)).toEqual(new Set([own, nicer]))
  })

  test('survives worker threads that are terminated during a run', () => {
    expect(run('terminated-workers.mjs')).toBe('survived 4 terminations\n')
  })

  test('can train in worker threads and in the main thread at once, with the same result', () => {
    expect(run('training-workers.mjs')).toBe('same bits in 3 threads\n')
  })
})

describe('JavaScript’s own numbers', () => {
  const denormal = () => Number('5e-324') * 1
  afterEach(() => expect(denormal()).toBe(5e-324))

  test('keep their denormals after the addon has computed', async () => {
    const model = new SparseAutoencoder({ inputs: 2, hidden: 2 })
    await model.fit(Matrix.from(new Float32Array([0.1, 0.2]), 1, 2), { epochs: 1 })
    model.encodeSync([0.1, 0.2])
    expect(denormal()).toBe(5e-324)
  })
})

test('errors from native code are LayerwiseErrors with the caller’s stack', async () => {
  const model = new SparseAutoencoder({ inputs: 2, hidden: 2 })
  const error = await model.encode(new Float32Array([1, Number.NaN])).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(LayerwiseError)
  expect((error as LayerwiseError).stack).toContain('runtime.test.ts')
})
