/**
 * Builds the addon for other platforms, on one Linux machine, with zig as the compiler and OpenBLAS inside or beside it, from the
 * sources and the CMake files of the source build.
 *
 *   npm run prebuild                                   all seven platforms
 *   npm run prebuild -- linux-x64-gnu darwin-arm64     these
 *
 * Leaves build-prebuilt/<platform>/layerwise.<platform>.node, the library beside it where there is one, and LICENSES.txt. zig builds its
 * C++ library once a platform (minutes), and keeps it in .deps/zig-cache. The output of the tools goes into
 * build-prebuilt/<platform>/build.log; only their progress is shown.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchOpenblas, fetchZig, run } from './prebuild-downloads.mjs'
import { checkBinary } from './prebuild-inspect.mjs'
import { choosePlatforms } from './prebuild-platforms.mjs'
import { runShowing } from './prebuild-progress.mjs'

/** @typedef {import('./prebuild-platforms.mjs').Platform} Platform */

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))
const cache = join(root, '.deps', 'zig-cache')
const zigEnvironment = { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache }
const nodeHeaders = join(root, 'node_modules', 'node-api-headers')
const addonApi = join(root, 'node_modules', 'node-addon-api')

/**
 * The import library through which a Windows addon finds Node-API in node.exe.
 * @param {string} zig @param {string} folder
 */
function importLibrary(zig, folder) {
  const definitions = join(nodeHeaders, 'def', 'node_api.def')
  const path = join(folder, 'node.lib')
  run(
    zig,
    ['dlltool', '-d', definitions, '-l', path, '-m', 'i386:x86-64', '-D', 'node.exe'],
    root,
    zigEnvironment,
  )
  return path
}

/** @param {Platform} platform */
async function build(platform) {
  console.log('fetching zig and OpenBLAS, where they are not yet in .deps/ …')
  const zig = fetchZig()
  const openblas = fetchOpenblas(platform)
  const folder = join(root, 'build-prebuilt', platform.name)
  const work = join(folder, 'cmake')
  mkdirSync(work, { recursive: true })
  const definitions = {
    CMAKE_TOOLCHAIN_FILE: join(root, 'scripts', 'zig.cmake'),
    CMAKE_BUILD_TYPE: 'Release',
    ZIG: zig.program,
    ZIG_TARGET: platform.zigTarget,
    ZIG_TOOLS: zig.tools,
    LAYERWISE_PREBUILT: 'ON',
    // With a type: CMake converts untyped values to paths, and these functions are not paths.
    'LAYERWISE_OPENBLAS_LIBRARY:STRING': openblas.link,
    LAYERWISE_OPENBLAS_PREFIX: openblas.prefix,
    ...(platform.library
      ? {
          CMAKE_PROJECT_layerwise_INCLUDE: join(root, 'scripts', 'prebuild.cmake'),
          LAYERWISE_BLAS_FILE: platform.library,
        }
      : {}),
    // The settings that cmake-js would pass.
    CMAKE_JS_VERSION: require('cmake-js/package.json').version,
    CMAKE_JS_INC: [join(nodeHeaders, 'include'), addonApi].join(';'),
    CMAKE_JS_LIB: platform.name.startsWith('win32') ? importLibrary(zig.program, work) : '',
  }
  const settings = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`)
  const log = join(folder, 'build.log')
  rmSync(log, { force: true })
  const how = { program: 'cmake', cwd: root, env: zigEnvironment, log }
  const configure = ['-S', root, '-B', work, '-G', 'Unix Makefiles', ...settings]
  await runShowing('configuring', { ...how, args: configure })
  const parallel = ['--parallel', String(availableParallelism())]
  const compile = ['--build', work, '--target', 'layerwise', ...parallel]
  await runShowing('compiling (and, the first time, zig’s C++ library)', { ...how, args: compile })

  const addon = join(folder, `layerwise.${platform.name}.node`)
  copyFileSync(join(work, 'layerwise.node'), addon)
  for (const library of openblas.ship) copyFileSync(library, join(folder, basename(library)))
  writeFileSync(join(folder, 'LICENSES.txt'), licences(zig.licences, openblas.licence))
  checkBinary(platform, addon)
  return [addon, ...openblas.ship.map((library) => join(folder, basename(library)))]
}

/**
 * The licence of everything that the addon contains.
 * @param {string} zig @param {string} openblas
 */
function licences(zig, openblas) {
  const parts = [
    ['layerwise', join(root, 'LICENSE')],
    ['OpenBLAS', openblas],
    ['node-addon-api', join(addonApi, 'LICENSE.md')],
    ['node-api-headers', join(nodeHeaders, 'LICENSE')],
    ['libc++', join(zig, 'libcxx', 'LICENSE.TXT')],
    ['libc++abi', join(zig, 'libcxxabi', 'LICENSE.TXT')],
    ['libunwind', join(zig, 'libunwind', 'LICENSE.TXT')],
    ['mingw-w64 (Windows only)', join(zig, 'libc', 'mingw', 'COPYING')],
    ['zig’s compiler-rt', join(zig, '..', 'LICENSE')],
  ]
  return parts
    .map(
      ([name, path]) =>
        `${name}\n${'='.repeat(72)}\n\n${readFileSync(/** @type {string} */ (path), 'utf8').trim()}\n`,
    )
    .join('\n\n')
}

const chosen = choosePlatforms(process.argv.slice(2))
for (const [i, platform] of chosen.entries()) {
  console.log(`\n--- ${platform.name} (${i + 1} of ${chosen.length})`)
  const files = await build(platform)
  for (const file of files) console.log(`${(statSync(file).size / 1e6).toFixed(1)} MB  ${basename(file)}`)
}
