import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LayerwiseError } from '../errors.js'
import type { Binding } from './binding.js'
import { checkWhole } from './whole-file.js'

/** One place the addon was looked for in vain. */
interface Attempt {
  readonly place: string
  readonly error: unknown
}

const require = createRequire(import.meta.url)
/** Where there is a package with a binary; as @napi-rs/cli names platforms. */
const PLATFORMS = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'win32-x64-msvc',
  'darwin-arm64',
  'darwin-x64',
]

/** What the addon says when it cannot open the OpenBLAS that its package holds. */
const BESIDE = /cannot open the library beside the addon/

let loaded: Binding | undefined

/**
 * The native addon, loaded at the first call and kept.
 *
 * Looked for, in this order: the file that the environment variable `LAYERWISE_BINARY` names (then nowhere else);
 * `build/Release/layerwise.node` in the package; the package `@layerwise/layerwise-<platform>-<arch>[-<abi>]`.
 *
 * @throws {@link LayerwiseError} `ERR_LOAD` naming every place tried, why each failed, and what to do
 */
export function binding(): Binding {
  loaded ??= load()
  return loaded
}

function load(): Binding {
  const attempts: Attempt[] = []
  for (const place of places()) {
    try {
      return requireAlone(place)
    } catch (error) {
      attempts.push({ place, error })
    }
  }
  throw loadError(attempts)
}

function places(): string[] {
  const chosen = process.env.LAYERWISE_BINARY
  if (chosen) return [resolve(chosen)]
  const built = inPackage('build/Release/layerwise.node')
  return [...(built === undefined ? [] : [built]), packageFor(platformName())]
}

/** A path in the folder that holds the package, in which this code is `lib/native/`, `dist/native/` or all of `dist/`; undefined in a bundle of somebody's. */
function inPackage(path: string): string | undefined {
  for (const up of ['../../', '../']) {
    if (isOurs(new URL(`${up}package.json`, import.meta.url))) {
      return fileURLToPath(new URL(up + path, import.meta.url))
    }
  }
  return undefined
}

/** Whether this is our package's description. In a bundle it is somebody's file, and may be anything. */
function isOurs(description: URL): boolean {
  try {
    return JSON.parse(readFileSync(description, 'utf8'))?.name === 'layerwise'
  } catch {
    return false
  }
}

function packageFor(platform: string): string {
  return `@layerwise/layerwise-${platform}`
}

/**
 * Loads with OpenBLAS told not to start threads of its own: we bring the threads, and its idle ones would spin. Debian's library
 * could be stopped afterwards, wheels hide the means. The variable is put back at once, since child processes inherit it.
 * In a worker thread `process.env` is a copy that OpenBLAS does not see: the addon then ends Debian's at once, and opens a library that
 * lies beside it with the variable set (native/core/blas_file.h).
 */
function requireAlone(place: string): Binding {
  const path = require.resolve(place)
  checkWhole(path)
  const before = process.env.OPENBLAS_NUM_THREADS
  process.env.OPENBLAS_NUM_THREADS = '1'
  try {
    const addon = require(path) as Partial<Binding> | null
    if (typeof addon?.runtime !== 'function') throw new Error('it is no addon of layerwise')
    return addon as Binding
  } finally {
    if (before === undefined) delete process.env.OPENBLAS_NUM_THREADS
    else process.env.OPENBLAS_NUM_THREADS = before
  }
}

/** This process's platform, as {@link PLATFORMS} names it. */
function platformName(): string {
  const name = `${process.platform}-${process.arch}`
  if (process.platform === 'win32') return `${name}-msvc`
  if (process.platform !== 'linux') return name
  return `${name}-${isGlibc() ? 'gnu' : 'musl'}`
}

function isGlibc(): boolean {
  // Without the network part, for which Node would look up host names.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  report.excludeNetwork = before
  return header.glibcVersionRuntime !== undefined
}

function loadError(attempts: readonly Attempt[]): LayerwiseError {
  const lines = attempts.map(({ place, error }) => `- ${place}: ${reasonOf(error)}`)
  const errors = attempts.map(({ error }) => error)
  const message = [
    `layerwise cannot load its native addon on ${platformName()} (Node ${process.versions.node}). Tried:`,
    ...lines,
    `What to do: ${remedy(lines.join('\n'))}`,
  ].join('\n')
  return new LayerwiseError(
    'ERR_LOAD',
    message,
    {},
    errors.length === 1 ? errors[0] : new AggregateError(errors),
  )
}

/** The first line: after it Node lists the files that asked for the module. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')[0]!
}

function remedy(reasons: string): string {
  if (process.env.LAYERWISE_BINARY) {
    return 'LAYERWISE_BINARY overrules the search: name a layerwise.node built for this platform, or unset it.'
  }
  if (/OPENBLAS_CORETYPE/.test(reasons)) {
    const kernel = process.arch === 'arm64' ? 'NEOVERSEN1' : 'HASWELL'
    return `choose a kernel that is known to be right before Node starts: \`OPENBLAS_CORETYPE=${kernel}\`.`
  }
  if (/OpenBLAS/.test(reasons)) {
    return 'the addon needs the pthread build of OpenBLAS (Debian and Ubuntu: libopenblas0-pthread). In a clone, `npm run setup` finds or fetches one and builds again.'
  }
  if (/openblas/.test(reasons) && !BESIDE.test(reasons)) {
    return 'the OpenBLAS this addon was built with is gone. In a clone, `npm run setup` finds or fetches one and builds again.'
  }
  if (existsSync(inPackage('scripts/setup.mjs') ?? '')) {
    return 'this is a clone of the repository: build the addon with `npm run setup`.'
  }
  return remedyOfInstall(reasons)
}

/** Where the package was installed, and not built. */
function remedyOfInstall(reasons: string): string {
  const platform = platformName()
  if (!PLATFORMS.includes(platform)) {
    return `there is no binary for ${platform}. Build one in a clone of the repository with \`npm run setup\`, and let LAYERWISE_BINARY name its build/Release/layerwise.node.`
  }
  if (isInstalled(platform)) {
    return /damaged/.test(reasons) || BESIDE.test(reasons)
      ? `install again: \`npm install --force ${packageFor(platform)}\`.`
      : `${packageFor(platform)} is there but does not load: the reason is above. It needs ${needs(platform)}.`
  }
  const others = PLATFORMS.filter(isInstalled)
  if (others.length > 0) {
    return `node_modules was installed for ${others.join(', ')}, and this is ${platform}. Install where it runs (in an image: \`npm ci\` in it, do not copy node_modules), or \`npm install ${installFlags(platform)} layerwise\`.`
  }
  return 'install again with optional dependencies: `npm install --include=optional layerwise`.'
}

function isInstalled(platform: string): boolean {
  try {
    require.resolve(`${packageFor(platform)}/package.json`)
    return true
  } catch {
    return false
  }
}

function needs(platform: string): string {
  if (platform.startsWith('darwin'))
    return platform === 'darwin-arm64' ? 'macOS 11 or newer' : 'macOS 10.15 or newer'
  if (platform.startsWith('win32')) return 'node.exe under that name, and Windows 10 or newer'
  return platform.endsWith('musl') ? 'musl 1.2.5 or newer' : 'glibc 2.28 or newer'
}

function installFlags(platform: string): string {
  const [os, cpu, abi] = platform.split('-')
  const libc = os === 'linux' ? ` --libc=${abi === 'gnu' ? 'glibc' : 'musl'}` : ''
  return `--os=${os} --cpu=${cpu}${libc}`
}
