import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runtime } from '../lib/index.js'
import { findOpenblas, threadingOf } from '../scripts/openblas.mjs'
import { commandLine, familyOf, hasPackage, installCommands } from '../scripts/system-packages.mjs'
import { levelsOfProcessor } from '../scripts/vector-levels.mjs'

const debian = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
const ubuntu = 'NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'
const mint = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n'
const fedora = 'NAME="Fedora Linux"\nID=fedora\nVARIANT_ID=container\n'
const rocky = 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n'
const alpine = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.0\n'

describe('familyOf', () => {
  test.each([
    ['Debian', debian, 'debian'],
    ['Ubuntu', ubuntu, 'debian'],
    ['Mint, by what it is like', mint, 'debian'],
    ['Fedora', fedora, 'fedora'],
    ['Rocky, by what it is like', rocky, 'fedora'],
    ['Alpine', alpine, 'alpine'],
    ['an unknown system', 'ID=plan9\n', undefined],
    ['a system without the file', '', undefined],
  ])('recognises %s', (_name, osRelease, family) => {
    expect(familyOf('linux', osRelease)).toBe(family)
  })

  test('recognises macOS without the file', () => {
    expect(familyOf('darwin', '')).toBe('macos')
  })

  test('has no packages for Windows', () => {
    expect(familyOf('win32', '')).toBeUndefined()
  })
})

describe('installCommands', () => {
  test('apt installs everything in one command, after refreshing stale lists', () => {
    expect(installCommands('debian', ['compiler', 'openblas'], { refreshLists: true })).toEqual([
      ['apt-get', 'update'],
      ['apt-get', 'install', '--yes', '--no-install-recommends', 'g++', 'libopenblas-pthread-dev'],
    ])
  })

  test('apt does not refresh fresh lists', () => {
    expect(installCommands('debian', ['cmake'])).toEqual([
      ['apt-get', 'install', '--yes', '--no-install-recommends', 'cmake'],
    ])
  })

  test('dnf installs the threaded OpenBLAS', () => {
    expect(installCommands('fedora', ['openblas'])).toEqual([
      ['dnf', 'install', '--assumeyes', 'openblas-devel', 'openblas-threads'],
    ])
  })

  test('apk names a package once if two needs share it', () => {
    expect(installCommands('alpine', ['compiler', 'make'])).toEqual([['apk', 'add', 'build-base']])
  })

  test('macOS uses its own compiler and Homebrew for the rest', () => {
    expect(installCommands('macos', ['compiler', 'cmake'])).toEqual([
      ['xcode-select', '--install'],
      ['brew', 'install', 'cmake'],
    ])
  })

  test('Homebrew’s OpenBLAS, an OpenMP build, is never installed', () => {
    expect(hasPackage('macos', 'openblas')).toBe(false)
    expect(installCommands('macos', ['openblas'])).toEqual([])
  })
})

describe('levelsOfProcessor', () => {
  const processor = (flags: string) => `processor : 0\nflags\t\t: fpu sse2 ${flags}\nbugs : none\n`
  const avx2 = 'popcnt fma avx2'
  const avx512 = `${avx2} avx512f avx512dq avx512bw avx512vl`

  test.each([
    ['with AVX-512', processor(avx512), ['avx512', 'avx2', 'baseline']],
    ['with a part of AVX-512', processor(`${avx2} avx512f avx512dq`), ['avx2', 'baseline']],
    ['with AVX2', processor(avx2), ['avx2', 'baseline']],
    ['with AVX2 and without FMA', processor('popcnt avx2'), ['baseline']],
    ['whose flags are unknown', '', ['baseline']],
  ])('a processor %s', (_name, cpuinfo, levels) => {
    expect(levelsOfProcessor(cpuinfo, 'x64')).toEqual(levels)
  })

  test('a processor of another architecture has no levels', () => {
    expect(levelsOfProcessor(processor(avx512), 'arm64')).toEqual([])
  })

  test.runIf(process.platform === 'linux')('the best level is the one that the addon uses by default', () => {
    const [best = 'neon'] = levelsOfProcessor()
    expect(process.env.LAYERWISE_VECTORS ?? best).toBe(runtime().vectors)
  })
})

describe('commandLine', () => {
  test('is the command for a user without root rights', () => {
    const commands = installCommands('debian', ['make'], { refreshLists: true })
    expect(commandLine('debian', commands)).toBe(
      'sudo apt-get update && sudo apt-get install --yes --no-install-recommends make',
    )
  })

  test('needs no root for Homebrew', () => {
    expect(commandLine('macos', installCommands('macos', ['cmake']))).toBe('brew install cmake')
  })
})

describe('threadingOf', () => {
  test.each([
    ['pthread', 'pthread_create\0blas_thread_shutdown_\0'],
    ['openmp', 'blas_thread_shutdown_\0GOMP_parallel\0'],
    ['openmp', 'blas_thread_shutdown_\0__kmpc_fork_call\0'],
    ['serial', 'cblas_dgemm\0'],
  ])('recognises a %s build by the symbols %j', (threading, symbols) => {
    expect(threadingOf(Buffer.from(symbols))).toBe(threading)
  })
})

describe('findOpenblas', () => {
  const library = process.platform === 'darwin' ? '.dylib' : '.so'

  test('finds the library this build is linked with', () => {
    const { found } = findOpenblas()
    expect(found).toBeDefined()
    expect(threadingOf(readFileSync(found!.library))).toBe('pthread')
  })

  test('uses a wheel’s library with its prefix, and reports the one it skipped', () => {
    const folder = mkdtempSync(join(tmpdir(), 'layerwise-openblas-'))
    try {
      const wheel = join(folder, `libscipy_openblas${library}`)
      const plain = join(folder, `libopenblas${library}`)
      writeFileSync(plain, 'GOMP_parallel')
      expect(findOpenblas(folder)).toEqual({
        found: undefined,
        seen: [{ library: plain, threading: 'openmp' }],
      })
      writeFileSync(wheel, 'blas_thread_shutdown')
      expect(findOpenblas(folder).found).toEqual({ library: wheel, directory: folder, prefix: 'scipy_' })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
