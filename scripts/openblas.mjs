/**
 * Finds the OpenBLAS to link. Only a pthread build is suitable: a serial one has no locks, so products from several threads are wrong, and
 * an OpenMP one does not apply its thread setting to our threads.
 *
 *   node scripts/openblas.mjs            prints { library, directory, prefix } as JSON, for CMakeLists.txt
 *   node scripts/openblas.mjs directory  prints one of them, for binding.gyp
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {'pthread' | 'openmp' | 'serial'} Threading
 * @typedef {{ library: string, directory: string, prefix: string }} Openblas
 * @typedef {{ library: string, threading: Threading }} Seen
 */

const root = fileURLToPath(new URL('..', import.meta.url))

/** Where `setup.mjs` unpacks the wheel on a system without a pthread build. */
export const wheelDirectory = join(root, '.deps', 'openblas')

/**
 * The threading of a library, determined from its symbols: without a compiler and without loading it.
 * @param {Buffer} library contents of the file
 * @returns {Threading}
 */
export function threadingOf(library) {
  if (['GOMP_parallel', '__kmpc_fork_call', 'omp_get_max_threads'].some((name) => library.includes(name)))
    return 'openmp'
  return library.includes('blas_thread_shutdown') ? 'pthread' : 'serial'
}

/**
 * Places where distributions have a pthread build, the most reliable first.
 * @returns {string[]}
 */
function systemDirectories() {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  return [`/usr/lib/${machine}-linux-gnu/openblas-pthread`, '/usr/lib64', '/usr/lib', '/usr/local/lib']
}

/**
 * The libraries in a directory or its `lib`, with the names that distributions and wheels give the pthread build.
 * @param {string} directory
 * @returns {string[]}
 */
function librariesIn(directory) {
  const names = ['libscipy_openblas', 'libopenblasp', 'libopenblas']
  const extensions = process.platform === 'darwin' ? ['.dylib'] : ['.so']
  return [directory, join(directory, 'lib'), join(directory, 'scipy_openblas32', 'lib')]
    .flatMap((place) => names.flatMap((name) => extensions.map((extension) => join(place, name + extension))))
    .filter((path) => existsSync(path))
}

/**
 * The first usable OpenBLAS, and all inspected ones. `LAYERWISE_OPENBLAS`, a directory, replaces the search.
 * @returns {{ found: Openblas | undefined, seen: Seen[] }}
 */
export function findOpenblas(override = process.env.LAYERWISE_OPENBLAS) {
  const directories = override ? [override] : [...systemDirectories(), wheelDirectory]
  /** @type {Seen[]} */
  const seen = []
  for (const library of directories.flatMap(librariesIn)) {
    const threading = threadingOf(readFileSync(library))
    seen.push({ library, threading })
    if (threading === 'pthread') {
      const prefix = library.includes('libscipy_openblas') ? 'scipy_' : ''
      return { found: { library, directory: dirname(library), prefix }, seen }
    }
  }
  return { found: undefined, seen }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { found, seen } = findOpenblas()
  if (!found) {
    for (const { library, threading } of seen)
      console.error(`${library}: a ${threading} build, which computes wrongly or slowly here`)
    console.error('No pthread build of OpenBLAS found. Run: node scripts/setup.mjs')
    process.exit(1)
  }
  const part = process.argv[2]
  console.log(part === undefined ? JSON.stringify(found) : found[/** @type {keyof Openblas} */ (part)])
}
