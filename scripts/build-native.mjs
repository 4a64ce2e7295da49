/**
 * Builds the native part.
 *
 *   node scripts/build-native.mjs                       the addon, by cmake-js: build/Release/layerwise.node
 *   node scripts/build-native.mjs --tests               and the C++ tests: build/layerwise_tests
 *   node scripts/build-native.mjs --sanitize=address    only core and C++ tests, under ASan and UBSan, with the kernels of this
 *                                                       processor's best vector level alone: build-address/
 *   node scripts/build-native.mjs --sanitize=thread     the same under TSan: build-thread/
 *
 * CMAKE_BUILD_PARALLEL_LEVEL compilers run at once: unless it is set, one for each processor.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cachedCmake } from './compiler-cache.mjs'
import { fingerprints, recordBuild } from './native-stamp.mjs'
import { onPath } from './on-path.mjs'
import { levelsOfProcessor } from './vector-levels.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: { tests: { type: 'boolean', default: false }, sanitize: { type: 'string' } },
})
const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(availableParallelism())

/** @param {string} program @param {string[]} args */
function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: cachedCmake() })
  if (error) console.error(`${program}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

if (options.sanitize !== undefined) {
  const directory = `build-${options.sanitize}`
  const generator = onPath('ninja') ? ['-G', 'Ninja'] : []
  const definitions = [
    '-DCMAKE_BUILD_TYPE=Release',
    '-DLAYERWISE_TESTS=ON',
    `-DLAYERWISE_SANITIZE=${options.sanitize}`,
    `-DLAYERWISE_VECTOR_LEVEL=${levelsOfProcessor()[0] ?? ''}`,
  ]
  run('cmake', '-S', '.', '-B', directory, ...generator, ...definitions)
  run('cmake', '--build', directory, '--parallel', jobs)
} else {
  const before = fingerprints()
  const cmakeJs = 'node_modules/cmake-js/bin/cmake-js'
  run(
    process.execPath,
    cmakeJs,
    'configure',
    '--log-level=warn',
    ...(options.tests ? ['--CDLAYERWISE_TESTS=ON'] : []),
  )
  run('cmake', '--build', 'build', '--config', 'Release', '--parallel', jobs)
  recordBuild(before, options)
}
