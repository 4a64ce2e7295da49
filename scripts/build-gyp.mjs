/**
 * Builds the same addon from the same sources with node-gyp, in build-gyp/, and loads it. Node-API needs no headers of one Node version, so
 * those of the package node-api-headers are used, with the few others that node-gyp needs; nothing is downloaded.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedMake } from './compiler-cache.mjs'
import { findOpenblas } from './openblas.mjs'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))
const directory = join(root, 'build-gyp')
const nodeDirectory = join(directory, 'node')
const headers = join(nodeDirectory, 'include', 'node')

/** Settings that every addon inherits: two configurations, position-independent code, no exceptions and no RTTI by default. */
const commonGypi = `{
  'target_defaults': {
    'default_configuration': 'Release',
    'configurations': { 'Debug': {}, 'Release': {} },
    'cflags': ['-fPIC'],
    'cflags_cc': ['-fno-exceptions', '-fno-rtti'],
  },
}
`

rmSync(directory, { recursive: true, force: true })
for (const name of ['binding.gyp', 'package.json', 'native', 'scripts']) {
  cpSync(join(root, name), join(directory, name), { recursive: true })
}
mkdirSync(headers, { recursive: true })
cpSync(require('node-api-headers').include_dir, headers, { recursive: true })
writeFileSync(join(headers, 'common.gypi'), commonGypi)
writeFileSync(join(headers, 'config.gypi'), `{ 'target_defaults': {}, 'variables': {} }\n`)

const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js')
const { status } = spawnSync(
  process.execPath,
  [nodeGyp, 'rebuild', '--directory', directory, '--nodedir', nodeDirectory, '--jobs', 'max'],
  // The copy of scripts/ would look for a wheel in the copy.
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...cachedMake(directory), LAYERWISE_OPENBLAS: findOpenblas().found?.directory },
  },
)
if (status !== 0) process.exit(status ?? 1)

const addon = require(join(directory, 'build', 'Release', 'layerwise.node'))
console.log('the addon built by node-gyp reports', addon.runtime())
