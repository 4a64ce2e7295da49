/**
 * Checks whether a build is up to date: a fingerprint of all sources of the addon (and the C++ tests), stored beside the build.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findOpenblas } from './openblas.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const stampPath = join(root, 'build', 'stamp.json')

export const addonPath = join(root, 'build', 'Release', 'layerwise.node')
export const testsPath = join(root, 'build', 'layerwise_tests')

/**
 * @param {string[]} roots files and folders, relative to the package
 * @returns {string} SHA-256 of their paths and contents
 */
function fingerprint(roots) {
  const hash = createHash('sha256')
  for (const name of roots) {
    const files = name.includes('.')
      ? [name]
      : readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
          .filter((file) => /\.(cc|h|json)$/.test(file))
          .sort()
          .map((file) => join(name, file))
    for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** The fingerprint of the current sources: take it before building, so that an edit during the build is detected afterwards. */
export function fingerprints() {
  return {
    addon: fingerprint(['CMakeLists.txt', 'package-lock.json', 'scripts/openblas.mjs', 'native']),
    tests: fingerprint(['test/native']),
    override: process.env.LAYERWISE_OPENBLAS ?? '',
  }
}

/**
 * @param {{ tests: boolean }} what tests: the C++ tests too
 */
export function isBuilt({ tests }) {
  if (!existsSync(addonPath) || !existsSync(stampPath) || (tests && !existsSync(testsPath))) return false
  const now = fingerprints()
  const built = JSON.parse(readFileSync(stampPath, 'utf8'))
  return (
    built.addon === now.addon &&
    built.override === now.override &&
    (!tests || built.tests === now.tests) &&
    existsSync(built.openblas)
  )
}

/**
 * Call when the build has succeeded.
 * @param {ReturnType<typeof fingerprints>} before taken before the build
 * @param {{ tests: boolean }} what
 */
export function recordBuild(before, { tests }) {
  const stamp = { ...before, tests: tests ? before.tests : '', openblas: findOpenblas().found?.library }
  writeFileSync(stampPath, `${JSON.stringify(stamp, null, 2)}\n`)
}
