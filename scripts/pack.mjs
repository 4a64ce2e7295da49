/**
 * Makes one package for this platform, library and addon together, that `npm install ./FILE` installs without a network:
 *
 *   npm run pack                  with the addon built here, which links this system's OpenBLAS: for this machine and its like
 *   npm run pack -- --portable    with the addon of `npm run prebuild`, OpenBLAS inside or beside it: for others too
 *
 * Leaves build-pack/layerwise-VERSION-PLATFORM.tgz; --into=FOLDER: that, in another folder.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { addonPath } from './native-stamp.mjs'
import { findOpenblas } from './openblas.mjs'
import { run } from './prebuild-downloads.mjs'
import { platformHere } from './prebuild-platforms.mjs'
import { addOwnAddon, stageMain } from './release-stage.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    portable: { type: 'boolean', default: false },
    into: { type: 'string', default: join(root, 'build-pack') },
  },
})
const into = resolve(options.into)
const stage = join(into, 'stage')
const start = performance.now()

/** @param {string} what */
function say(what) {
  console.log(`pack: ${what} (after ${((performance.now() - start) / 1000).toFixed(0)} s)`)
}

/** Files that belong together in one folder, the addon first. @param {string} platform @returns {string[]} */
function binaries(platform) {
  if (!options.portable) {
    if (!existsSync(addonPath)) fail('there is no addon yet: npm run setup builds it')
    return [addonPath]
  }
  const folder = join(root, 'build-prebuilt', platform)
  if (!existsSync(join(folder, `layerwise.${platform}.node`))) {
    say(`building the portable addon: minutes, and more the first time`)
    run(process.execPath, [join(root, 'scripts', 'prebuild.mjs'), platform])
  }
  const names = readdirSync(folder).filter((name) => /\.(node|so|dll|dylib|txt)$/.test(name))
  return names.sort((a) => (a.endsWith('.node') ? -1 : 1)).map((name) => join(folder, name))
}

/** @param {string} line @returns {never} */
function fail(line) {
  console.error(`pack: ${line}`)
  process.exit(1)
}

const platform = platformHere()
const files = binaries(platform)
say('compiling the library and its types')
stageMain(stage)
say('adding the addon')
addOwnAddon(stage, platform, files)
say('packing')
const packed = join(into, 'packed')
rmSync(packed, { recursive: true, force: true })
mkdirSync(packed, { recursive: true })
run('npm', ['pack', '--silent', '--pack-destination', packed], stage, {}, 'ignore')
const [name = ''] = readdirSync(packed)
const tarball = join(into, name.replace(/\.tgz$/, `-${platform}.tgz`))
renameSync(join(packed, name), tarball)

const { version } = JSON.parse(readFileSync(join(stage, 'package.json'), 'utf8'))
const megabytes = (statSync(tarball).size / 1e6).toFixed(1)
say(`layerwise ${version} for ${platform}, ${megabytes} MB`)
if (!options.portable) {
  console.log(
    `It needs OpenBLAS where it is here: ${findOpenblas().found?.library}. With --portable it brings its own.`,
  )
}
// An absolute path: npm would read a relative path of two parts as a GitHub repository.
console.log(`Install it in a project: npm install ${tarball}`)
