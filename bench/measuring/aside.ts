import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findOpenblas } from '../../scripts/openblas.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'build-aside')

/** A commit of this repository, checked out and built in its own folder. */
export interface Aside {
  /** Its full hash. */
  readonly commit: string
  /** Its root, with the benchmarks of the present checkout over its own: the same program runs on both libraries. */
  readonly path: string
}

/**
 * Checks a commit out into `build-aside/`, builds its addon there on the same OpenBLAS, and copies `bench/` and `test/` of this checkout
 * over its own. Earlier builds are kept.
 *
 * @param name - any name of a commit that git accepts
 * @throws Error if there is no such commit, or it cannot be built
 */
export function buildAside(name: string): Aside {
  const commit = git(root, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`)
  if (commit === undefined) throw new Error(`no commit ${name}`)
  const path = join(folder, commit.slice(0, 12))
  const openblas = findOpenblas().found?.directory ?? ''
  const finished = join(path, 'build', 'aside.json')
  const wanted = JSON.stringify({ commit, openblas })
  if (!existsSync(finished) || readFileSync(finished, 'utf8') !== wanted) {
    console.error(`building ${commit.slice(0, 12)} aside, in ${path}`)
    rmSync(path, { recursive: true, force: true })
    checkOut(commit, path)
    linkModules(path)
    run(path, { LAYERWISE_OPENBLAS: openblas }, process.execPath, 'scripts/build-native.mjs')
    mkdirSync(join(path, 'build'), { recursive: true })
    writeFileSync(finished, wanted)
  }
  for (const part of ['bench', 'test']) {
    rmSync(join(path, part), { recursive: true, force: true })
    cpSync(join(root, part), join(path, part), { recursive: true })
  }
  return { commit, path }
}

/** A clone that shares this one's objects. */
function checkOut(commit: string, path: string): void {
  mkdirSync(folder, { recursive: true })
  run(root, {}, 'git', 'clone', '--quiet', '--shared', '--no-checkout', root, path)
  run(path, {}, 'git', 'checkout', '--quiet', '--detach', commit)
}

/** The packages installed here if the commit needs the same ones; else its own. */
function linkModules(path: string): void {
  const lock = 'package-lock.json'
  if (readFileSync(join(path, lock), 'utf8') === readFileSync(join(root, lock), 'utf8')) {
    symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'), 'junction')
  } else {
    run(path, {}, 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund')
  }
}

function git(directory: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd: directory, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** The output of the program goes to standard error. */
function run(directory: string, env: NodeJS.ProcessEnv, program: string, ...args: string[]): void {
  const { status, error } = spawnSync(program, args, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 2, 2],
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed in ${directory}`)
}
