/**
 * Builds the native part.
 *
 *   node scripts/build-native.mjs                       the addon, by cmake-js: build/Release/layerwise.node
 *   node scripts/build-native.mjs --tests               and the C++ tests: build/layerwise_tests
 *   node scripts/build-native.mjs --sanitize=address    only core and C++ tests, under ASan and UBSan, with the kernels of this
 *                                                       processor's best vector level alone: build-address/
 *   node scripts/build-native.mjs --sanitize=thread     the same under TSan: build-thread/
 *   … --level=avx2                                      core and C++ tests with the kernels of another level, sanitized or not: build-avx2/,
 *                                                       build-address-avx2/
 *   … --addon                                           the addon instead: build-address-addon/Release/layerwise.node
 *   node scripts/build-native.mjs --program=NAME        a program of the benchmarks: build/layerwise_limits, _phases or _products
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
  options: {
    ...{ tests: { type: 'boolean', default: false }, addon: { type: 'boolean', default: false } },
    ...{ sanitize: { type: 'string' }, level: { type: 'string' }, program: { type: 'string' } },
  },
})
const cmakeJs = 'node_modules/cmake-js/bin/cmake-js'
const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(availableParallelism())

/** @param {string} program @param {string[]} args */
function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: cachedCmake() })
  if (error) console.error(`${program}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

/** Prepares build/, with what was on before and these. @param {string[]} on */
function configure(...on) {
  run(process.execPath, cmakeJs, 'configure', '--log-level=warn', ...on.map((name) => `--CD${name}=ON`))
}

if (options.sanitize !== undefined || options.level !== undefined) {
  const { sanitize, level, addon } = options
  const parts = [sanitize, level, addon ? 'addon' : undefined].filter((part) => part !== undefined)
  const directory = `build-${parts.join('-')}`
  const definitions = [
    `LAYERWISE_TESTS=${addon ? 'OFF' : 'ON'}`,
    `LAYERWISE_SANITIZE=${sanitize ?? ''}`,
    `LAYERWISE_VECTOR_LEVEL=${level ?? levelsOfProcessor()[0] ?? ''}`,
  ]
  if (addon) {
    const given = definitions.map((definition) => `--CD${definition}`)
    run(process.execPath, cmakeJs, 'configure', '--log-level=warn', '--out', directory, ...given)
  } else {
    const generator = onPath('ninja') ? ['-G', 'Ninja'] : []
    const given = ['CMAKE_BUILD_TYPE=Release', ...definitions].map((definition) => `-D${definition}`)
    run('cmake', '-S', '.', '-B', directory, ...generator, ...given)
  }
  run('cmake', '--build', directory, '--config', 'Release', '--parallel', jobs)
} else if (options.program !== undefined) {
  configure('LAYERWISE_BENCH')
  run('cmake', '--build', 'build', '--config', 'Release', '--target', options.program, '--parallel', jobs)
} else {
  const before = fingerprints()
  configure(...(options.tests ? ['LAYERWISE_TESTS'] : []))
  run('cmake', '--build', 'build', '--config', 'Release', '--parallel', jobs)
  recordBuild(before, options)
}
