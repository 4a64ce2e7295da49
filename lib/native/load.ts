import { existsSync, readFileSync, realpathSync } from 'node:fs'
// Imported as `module`, without a name for `createRequire`: webpack would follow such a name, and @vercel/nft follows this form.
import module from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { Binding } from './binding.js'
import { here } from './here.js'
import { type Attempt, loadError } from './load-error.js'
import { packageOf, platformName } from './platform.js'
import { checkWhole } from './whole-file.js'

let loaded: Binding | undefined

/**
 * The native addon, loaded at the first call and kept.
 *
 * Search order: the file that the environment variable `LAYERWISE_BINARY` names (then nowhere else); `build/Release/layerwise.node`, where
 * the package is a clone or was built; the package `@layerwise/layerwise-<platform>-<arch>[-<abi>]`.
 *
 * @throws {@link LayerwiseError} `ERR_LOAD` naming every place tried, why each failed, and what to do
 */
export function binding(): Binding {
  loaded ??= load()
  return loaded
}

/** One place to search, and how to load the addon from there. */
interface Place {
  readonly name: string
  readonly load: () => unknown
}

function load(): Binding {
  const attempts: Attempt[] = []
  const root = packageFolder()
  for (const { name, load } of placesFrom(root, attempts)) {
    try {
      const addon = alone(load) as Partial<Binding> | null
      if (typeof addon?.runtime !== 'function') throw new Error('it is no addon of layerwise')
      return addon as Binding
    } catch (error) {
      attempts.push({ place: name, error })
    }
  }
  throw loadError(attempts, {
    isClone: isClone(root),
    isBundled: root === undefined,
    isExecutable: isExecutable(),
    isInstalled: (platform) => isResolvable(`${packageOf(platform)}/package.json`),
  })
}

/** The places, or none if the host denies access to the environment or the platform. */
function placesFrom(root: string | undefined, attempts: Attempt[]): Place[] {
  try {
    return places(root)
  } catch (error) {
    attempts.push({ place: 'the environment', error })
    return []
  }
}

function places(root: string | undefined): Place[] {
  const chosen = process.env.LAYERWISE_BINARY
  if (chosen) return [fileAt(resolve(chosen))]
  const built = root && join(root, 'build/Release/layerwise.node')
  const platform = platformName()
  return [
    ...(built && (isClone(root) || existsSync(built)) ? [fileAt(built)] : []),
    { name: packageOf(platform), load: () => fromPackage(platform) },
  ]
}

function fileAt(path: string): Place {
  const load = () => {
    const requireFile = module.createRequire(here())
    const file = requireFile.resolve(path)
    checkWhole(file)
    return requireFile(file)
  }
  return { name: path, load }
}

/**
 * The addon in a platform's package. Each package name is a literal in its own call of the result of `createRequire`, so that tools which
 * trace the files of a deployment, such as @vercel/nft, find the installed package.
 */
function fromPackage(platform: string): unknown {
  const name = packageOf(platform)
  const requirePackage = module.createRequire(
    lookingFrom().find((from) => isResolvable(name, from)) ?? here(),
  )
  checkWhole(requirePackage.resolve(name))
  switch (platform) {
    case 'linux-x64-gnu':
      return requirePackage('@layerwise/layerwise-linux-x64-gnu')
    case 'linux-x64-musl':
      return requirePackage('@layerwise/layerwise-linux-x64-musl')
    case 'linux-arm64-gnu':
      return requirePackage('@layerwise/layerwise-linux-arm64-gnu')
    case 'linux-arm64-musl':
      return requirePackage('@layerwise/layerwise-linux-arm64-musl')
    case 'win32-x64-msvc':
      return requirePackage('@layerwise/layerwise-win32-x64-msvc')
    case 'darwin-arm64':
      return requirePackage('@layerwise/layerwise-darwin-arm64')
    case 'darwin-x64':
      return requirePackage('@layerwise/layerwise-darwin-x64')
    default:
      return requirePackage(name)
  }
}

/** Files from whose folders the search for a package starts: this code, and the program's main file. */
function lookingFrom(): string[] {
  const main = process.argv[1]
  try {
    return main === undefined ? [here()] : [here(), realpathSync(main)]
  } catch {
    return [here()]
  }
}

function isResolvable(name: string, from?: string): boolean {
  if (from === undefined) return lookingFrom().some((file) => isResolvable(name, file))
  try {
    module.createRequire(from).resolve(name)
    return true
  } catch {
    return false
  }
}

/** The folder of the package, in which this code is `lib/native/`, `dist/native/`, `dist/` or `dist/cjs/`; undefined in a bundle. */
function packageFolder(): string | undefined {
  const own = dirname(here())
  return [join(own, '..'), join(own, '..', '..')].find(isOurs)
}

/** Whether a folder has our package.json. Above a bundle it is another project's file, and may contain anything. */
function isOurs(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))?.name === 'layerwise'
  } catch {
    return false
  }
}

/** Whether the program is one executable, as `bun build --compile` makes it: the folder of its main file then does not exist. */
function isExecutable(): boolean {
  return /[$~]bun(fs)?[\\/]/i.test(process.argv[1] ?? '')
}

function isClone(root: string | undefined): boolean {
  return root !== undefined && existsSync(join(root, 'scripts/setup.mjs'))
}

/**
 * Loads with the variable that keeps OpenBLAS from starting threads: we use our own, and its idle ones would spin. Debian's library could
 * be stopped afterwards, but wheels hide that function. The variable is restored at once, since child processes inherit it. In a worker
 * thread `process.env` is a copy that OpenBLAS does not see: the addon then ends Debian's threads at once, and opens a library file beside
 * it with the variable set (native/core/products/blas_file.h).
 */
function alone<T>(load: () => T): T {
  const before = process.env.OPENBLAS_NUM_THREADS
  process.env.OPENBLAS_NUM_THREADS = '1'
  try {
    return load()
  } finally {
    if (before === undefined) delete process.env.OPENBLAS_NUM_THREADS
    else process.env.OPENBLAS_NUM_THREADS = before
  }
}
