/**
 * Arranges the packages for publishing, from existing builds: the main one, and one for each platform.
 * @napi-rs/cli makes the platforms' package.json and the main one's optionalDependencies.
 */
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { absoluteLinks, repositoryPage } from './markdown-links.mjs'
import { run } from './prebuild-downloads.mjs'

/** @typedef {import('./prebuild-platforms.mjs').Platform} Platform */
/** @typedef {{ main: string, platforms: { name: string, folder: string }[] }} Stage */

const root = fileURLToPath(new URL('..', import.meta.url))

/** The fields of package.json that users of the package need; the others are for the repository. */
const publishedFields = [
  ...[
    'name',
    'version',
    'description',
    'keywords',
    'license',
    'repository',
    'type',
    'engines',
    'main',
    'types',
    'exports',
  ],
  ...['sideEffects', 'files', 'dependencies', 'peerDependencies', 'peerDependenciesMeta'],
]

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
/** @param {string} path @param {unknown} value */
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)

/** @param {string[]} args @param {string} cwd */
const runModule = (args, cwd) => run(process.execPath, args, cwd)

/**
 * The library as one module, and its types: Node takes half a millisecond for each file that it loads. Also as a CommonJS module, for hosts
 * that cannot `require` an ES module: Node before 20.19, and jest.
 * @param {string} folder
 */
function compile(folder) {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const types = ['--emitDeclarationOnly', '--sourceMap', 'false', '--outDir']
  const common = join(folder, 'cjs')
  runModule([compiler, '-p', join(root, 'tsconfig.build.json'), ...types, folder], root)
  for (const name of readdirSync(folder)) cpSync(join(folder, name), join(common, name), { recursive: true })
  writeJson(join(common, 'package.json'), { type: 'commonjs' })
  bundle(join(folder, 'index.js'), 'esm')
  // It has `__filename` instead of `import.meta.url`.
  bundle(join(common, 'index.js'), 'cjs', { 'import.meta.url': 'undefined' })
}

/** @param {string} outfile @param {'esm' | 'cjs'} format @param {Record<string, string>} [define] */
function bundle(outfile, format, define = {}) {
  buildSync({
    entryPoints: [join(root, 'lib', 'index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.17',
    format,
    define,
    packages: 'external',
    // Names of classes are kept: they appear in messages and in Node's output.
    keepNames: true,
  })
}

/**
 * The main package without its optionalDependencies: compiled again, so that it has no stale files.
 * @param {string} folder
 */
export function stageMain(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  compile(join(folder, 'dist'))
  for (const name of ['LICENSE', 'CHANGELOG.md']) copyFileSync(join(root, name), join(folder, name))
  const all = readJson(join(root, 'package.json'))
  writeFileSync(join(folder, 'README.md'), readmeFor(all))
  const kept = publishedFields.filter((field) => all[field] !== undefined)
  writeJson(join(folder, 'package.json'), Object.fromEntries(kept.map((field) => [field, all[field]])))
}

/** Relative links are made absolute, since the package has no other files of the repository. @param {any} description */
function readmeFor({ repository }) {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const base = repositoryPage(repository)
  if (base !== undefined) return absoluteLinks(text, base)
  console.warn(
    'package.json names no repository: the links of README.md stay relative, and lead nowhere from the package',
  )
  return text
}

/**
 * Puts an addon into the main package, where the library looks for one before it looks for a platform's package.
 * @param {string} folder of the staged main package @param {string} platform @param {string[]} files the addon first, then the files
 *   beside it
 */
export function addOwnAddon(folder, platform, [addon = '', ...others]) {
  const place = join('build', 'Release')
  mkdirSync(join(folder, place), { recursive: true })
  copyFileSync(addon, join(folder, place, 'layerwise.node'))
  for (const file of others) copyFileSync(file, join(folder, place, basename(file)))
  const packagePath = join(folder, 'package.json')
  const description = readJson(packagePath)
  const [os, cpu, abi] = platform.split('-')
  const libc = os === 'linux' ? { libc: [abi === 'gnu' ? 'glibc' : 'musl'] } : {}
  const files = [
    ...description.files,
    ...readdirSync(join(folder, place)).map((name) => `build/Release/${name}`),
  ]
  writeJson(packagePath, { ...description, os: [os], cpu: [cpu], ...libc, files })
}

/**
 * @param {string} folder target folder: the main package, and the others in its `npm/`, as @napi-rs/cli requires
 * @param {{ platform: Platform, files: string }[]} binaries folders with an addon and its files
 * @returns {Stage}
 */
export function stage(folder, binaries) {
  stageMain(folder)
  const packagePath = join(folder, 'package.json')
  const { napi } = readJson(join(root, 'package.json'))
  const targets = binaries.map(({ platform }) => platform.triple)
  writeJson(packagePath, { ...readJson(packagePath), napi: { ...napi, targets } })

  const cli = join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js')
  runModule([cli, 'create-npm-dirs'], folder)
  const platforms = binaries.map(({ platform, files }) => {
    const into = join(folder, 'npm', platform.name)
    fillPlatform(into, files)
    return { name: platform.name, folder: into }
  })
  runModule([cli, 'pre-publish', '--skip-optional-publish', '--no-gh-release'], folder)

  const { napi: _, ...published } = readJson(packagePath)
  writeJson(packagePath, published)
  return { main: folder, platforms }
}

/**
 * The files of a platform's package besides the addon: the library, and the licences of all contents.
 * @param {string} into @param {string} files
 */
function fillPlatform(into, files) {
  const names = readdirSync(files).filter((name) => /\.(node|so|dll|dylib|txt)$/.test(name))
  for (const name of names) cpSync(join(files, name), join(into, name))
  const description = readJson(join(into, 'package.json'))
  const license = 'SEE LICENSE IN LICENSES.txt'
  writeJson(join(into, 'package.json'), { ...description, license, files: names.toSorted() })
  const text = `# ${description.name}\n\nThe native addon of layerwise for one platform. Install \`layerwise\`, which takes this package where it fits.\n`
  writeFileSync(join(into, 'README.md'), text)
}

/**
 * Packs every package, the platforms first.
 * @param {Stage} stage @param {string} destination
 * @returns {string[]} paths of the tarballs
 */
export function pack({ main, platforms }, destination) {
  rmSync(destination, { recursive: true, force: true })
  mkdirSync(destination, { recursive: true })
  for (const folder of [...platforms.map((platform) => platform.folder), main]) {
    run('npm', ['pack', '--silent', '--pack-destination', destination], folder)
  }
  return readdirSync(destination).map((name) => join(destination, name))
}

/**
 * Checks the main package by publint and arethetypeswrong, which use no network.
 * @param {Stage} stage @param {string[]} tarballs
 * @returns {string} its tarball
 * @throws {Error} if one of them reports a problem
 */
export function checkMain({ main }, tarballs) {
  const { version } = readJson(join(main, 'package.json'))
  const tarball = tarballs.find((path) => basename(path) === `layerwise-${version}.tgz`)
  if (tarball === undefined) throw new Error(`no tarball of layerwise ${version}`)
  const bin = join(root, 'node_modules', '.bin')
  run(join(bin, 'publint'), ['--strict'], main)
  run(join(bin, 'attw'), [tarball, '--profile', 'node16', '--no-emoji'])
  return tarball
}
