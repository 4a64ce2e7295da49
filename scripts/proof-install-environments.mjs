/** The places where `npm run proof:install` installs and runs: other versions of Node, older and other C libraries, other systems. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onPath } from './on-path.mjs'
import { once, run } from './prebuild-downloads.mjs'
import { runAsync } from './proof-install-run.mjs'

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

const nodeVersions = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' }

/** npm's own program, so that any Node can run it. */
const npm = realpathSync(
  process.env.npm_execpath ?? join(dirname(process.execPath), '..', 'lib/node_modules/npm/bin/npm-cli.js'),
)

/** npm's arguments: nothing from the user's or the machine's settings counts. @param {string} registry @param {string} cache */
const installArguments = (registry, cache) => [
  ...['install', 'layerwise', '--no-audit', '--no-fund', '--registry', registry, '--cache', cache],
  ...['--userconfig', join(cache, 'none'), '--globalconfig', join(cache, 'none-either')],
]

/** An environment whose PATH holds Node and nothing else: no compiler, no make, no Python. @param {string} node */
function bareEnvironment(node) {
  const bin = mkdtempSync(join(tmpdir(), 'layerwise-path-'))
  symlinkSync(node, join(bin, 'node'))
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

/** @param {string} node @param {string} where @returns {Environment} */
function nativeNode(node, where) {
  const env = bareEnvironment(node)
  return {
    platform: 'linux-x64-gnu',
    where,
    install: (folder, registry, cache) =>
      runAsync(node, [npm, ...installArguments(registry, cache)], folder, env),
    run: (folder, program) => runAsync(node, [program], folder, env),
  }
}

/**
 * @param {Platform[]} built platforms that have a binary
 * @param {{ ci: boolean }} options
 * @returns {Environment[]}
 */
export function environments(built, { ci }) {
  const versions = ci ? ['24'] : Object.keys(nodeVersions)
  const nodes = versions.map((major) => {
    const version = nodeVersions[/** @type {keyof typeof nodeVersions} */ (Number(major))]
    return nativeNode(fetchNode('linux-x64', version), 'glibc of this machine')
  })
  if (ci) return [nativeNode(process.execPath, 'glibc of this machine'), ...nodes]
  const all = [...nodes]
  return all.filter((environment) => built.some(({ name }) => name === environment.platform))
}
