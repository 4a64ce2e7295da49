import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onPath } from './on-path.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The compiler cache of this machine, or undefined. */
const cache = onPath('ccache') ? 'ccache' : undefined

/** Paths are relative to the clone, so that build folders and clones share compiled files. */
const settings = { CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: '1' }

/**
 * CMake's environment to compile through the cache. The caller's own settings have priority.
 * @returns {NodeJS.ProcessEnv}
 */
export function cachedCmake() {
  return cache ? { CMAKE_CXX_COMPILER_LAUNCHER: cache, ...settings, ...process.env } : process.env
}

/**
 * The same for node-gyp's makefiles, which take their compiler from CXX. The options for dependency files are part of the cache's key; so a
 * script passes the same options as CMake, and files compiled by CMake's build are found.
 * @param {string} folder the folder for the script
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
