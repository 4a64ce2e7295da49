import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onPath } from './on-path.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The compiler cache of this machine, or undefined. */
const cache = onPath('ccache') ? 'ccache' : undefined

/** Paths count from the clone on, so that build folders and clones share what they compile. */
const settings = { CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: '1' }

/**
 * What CMake finds in its environment to compile through the cache. What the caller's environment says counts first.
 * @returns {NodeJS.ProcessEnv}
 */
export function cachedCmake() {
  return cache ? { CMAKE_CXX_COMPILER_LAUNCHER: cache, ...settings, ...process.env } : process.env
}

/**
 * The same for node-gyp's makefiles, which take their compiler from CXX. The cache tells compilations apart by how dependencies are
 * asked for, among others; so a script asks for them as CMake does, and what CMake's build has compiled is found.
 * @param {string} folder where the script may lie
 * @returns {NodeJS.ProcessEnv}
 */
export function cachedMake(folder) {
  if (cache === undefined) return process.env
  const { CXX = 'c++' } = process.env
  const script = join(folder, 'cached-compiler.sh')
  const asCmake = `for a do shift; if [ "$a" = -MMD ]; then set -- "$@" -MD -MT object; else set -- "$@" "$a"; fi; done`
  writeFileSync(script, `#!/bin/sh\n${asCmake}\nexec ${cache} ${CXX} "$@"\n`, { mode: 0o755 })
  return { ...settings, ...process.env, CXX: script }
}
