/**
 * Makes a release and stops before publishing it:
 *
 *   npm run release                      builds all platforms first
 *   npm run release -- --skip-prebuild   uses the results of `npm run prebuild`
 *
 * Checks that versions agree and every platform is there; packs; checks the main package with publint and arethetypeswrong; writes
 * build-prebuilt/release/ with the tarballs, SHA256SUMS and an SBOM (CycloneDX, by npm). Prints the commands that would publish.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run } from './prebuild-downloads.mjs'
import { checkBinary } from './prebuild-inspect.mjs'
import { debianVersion, platforms, wheelVersion, zigVersion } from './prebuild-platforms.mjs'
import { checkMain, pack, stage } from './release-stage.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const prebuilt = join(root, 'build-prebuilt')
const release = join(prebuilt, 'release')
const { values: options } = parseArgs({ options: { 'skip-prebuild': { type: 'boolean', default: false } } })

/** @param {string} name */
const text = (name) => readFileSync(join(root, name), 'utf8')

/** The version of package.json, of the lock, of the code and of the changelog's newest part. */
function checkVersions() {
  const { version } = JSON.parse(text('package.json'))
  const lock = JSON.parse(text('package-lock.json'))
  const found = {
    'package-lock.json': lock.packages[''].version,
    'lib/base/version.ts': /version = '(.+)'/.exec(text('lib/base/version.ts'))?.[1],
    'CHANGELOG.md': /^## (\d+\.\d+\.\d+)/m.exec(text('CHANGELOG.md'))?.[1],
  }
  for (const [file, other] of Object.entries(found)) {
    if (other !== version) throw new Error(`${file} says version ${other}, package.json says ${version}`)
  }
  return version
}

const version = checkVersions()
if (!options['skip-prebuild']) run(process.execPath, [join(root, 'scripts', 'prebuild.mjs')])
const binaries = platforms.map((platform) => ({ platform, files: join(prebuilt, platform.name) }))
const missing = platforms.filter(({ name }) => !existsSync(join(prebuilt, name, `layerwise.${name}.node`)))
if (missing.length > 0) {
  const names = missing.map(({ name }) => name).join(' ')
  console.error(`release: not built yet, so that there is nothing to release: npm run prebuild -- ${names}`)
  process.exit(1)
}
for (const { platform, files } of binaries) {
  const addon = join(files, `layerwise.${platform.name}.node`)
  checkBinary(platform, addon)
}

rmSync(release, { recursive: true, force: true })
mkdirSync(release, { recursive: true })
const staged = stage(join(prebuilt, 'stage'), binaries)
const tarballs = pack(staged, join(release, 'tarballs'))
const main = checkMain(staged, tarballs)

const sums = tarballs.map((path) => {
  return `${createHash('sha256').update(readFileSync(path)).digest('hex')}  ${basename(path)}\n`
})
writeFileSync(join(release, 'SHA256SUMS'), sums.join(''))
// Without --omit=dev, which forgets what both we and a development package need.
const sbom = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx'], { cwd: root })
writeFileSync(
  join(release, 'sbom.cdx.json'),
  `${JSON.stringify(asShipped(JSON.parse(String(sbom))), null, 2)}\n`,
)

console.log(
  `\nlayerwise ${version} is ready in ${release}. Nothing was published. To do so, the platforms before the main package:`,
)
for (const path of [...tarballs.filter((path) => path !== main), main]) {
  console.log(`  npm publish --access public ${path}`)
}

/**
 * Components from npm's registry without development dependencies, plus those linked into the binaries.
 * @param {any} sbom
 */
function asShipped(sbom) {
  /** @param {any} component */
  const isShipped = ({ properties = [] }) =>
    !properties.some((/** @type {any} */ { name }) => name === 'cdx:npm:package:development')
  const linked = [
    part('OpenBLAS (Debian)', debianVersion, `pkg:deb/debian/libopenblas-pthread-dev@${debianVersion}`),
    part('OpenBLAS (wheel)', wheelVersion, `pkg:pypi/scipy-openblas32@${wheelVersion}`),
    part('libc++, libc++abi, libunwind, compiler-rt of zig', zigVersion, `pkg:pypi/ziglang@${zigVersion}`),
    ...['node-addon-api', 'node-api-headers'].map((name) => {
      const { version } = JSON.parse(text(join('node_modules', name, 'package.json')))
      return part(name, version, `pkg:npm/${name}@${version}`)
    }),
  ]
  const components = [...sbom.components.filter(isShipped), ...linked]
  const known = new Set([sbom.metadata.component['bom-ref'], ...components.map((one) => one['bom-ref'])])
  const dependencies = sbom.dependencies
    .filter((/** @type {any} */ { ref }) => known.has(ref))
    .map((/** @type {any} */ { ref, dependsOn }) => ({
      ref,
      dependsOn: dependsOn.filter((/** @type {string} */ other) => known.has(other)),
    }))
  const component = { ...sbom.metadata.component, name: 'layerwise' }
  return { ...sbom, metadata: { ...sbom.metadata, component }, components, dependencies }
}

/** @param {string} name @param {string} version @param {string} purl */
function part(name, version, purl) {
  return { 'bom-ref': purl, type: 'library', name, version, purl }
}
