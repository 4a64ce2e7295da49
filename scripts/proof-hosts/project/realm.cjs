/** The package in its own vm context, whose classes are not those of this program. */
const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')
const vm = require('node:vm')

const context = vm.createContext({ process, Buffer, AbortController, setTimeout, URL })

/** @param {string} file @param {(name: string) => unknown} need */
function load(file, need) {
  const code = `(module, exports, require, __filename) => {${readFileSync(file, 'utf8')}\n}`
  const module = { exports: {} }
  vm.runInContext(code, context)(module, module.exports, need, file)
  return module.exports
}

const file = join(dirname(require.resolve('layerwise/package.json')), 'dist/cjs/index.js')
load(require.resolve('./checks.cjs'), require).check(load(file, createRequire(file)))
