/**
 * Proves that the packages install and work where there is no compiler: packs them, installs them from a registry on loopback that
 * has nothing else, trains a small model, and compares its figures with those of the source build.
 *
 *   npm run proof:install            everything that can run here, from build-prebuilt/ (`npm run prebuild` fills it)
 *   npm run proof:install -- --ci    only this platform, with the addon of the source build, on Node 20 and 24
 *
 * publint and arethetypeswrong check the main package first. Ends with a table: each platform, where it ran, or that it was only inspected.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run } from './prebuild-downloads.mjs'
import { choosePlatforms, platforms } from './prebuild-platforms.mjs'
import { environments, installFor } from './proof-install-environments.mjs'
import { runAsync } from './proof-install-run.mjs'
import { serveRegistry } from './release-registry.mjs'
import { checkMain, pack, stage } from './release-stage.mjs'

/** @typedef {import('./prebuild-platforms.mjs').Platform} Platform */
/** @typedef {import('./proof-install-environments.mjs').Environment} Environment */
/** @typedef {{ platform: string, where: string, outcome: string, passed: boolean }} Row */

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: { ci: { type: 'boolean', default: false }, counts: { type: 'string' } },
})
const work = mkdtempSync(join(tmpdir(), 'layerwise-proof-'))
const program = join(root, 'scripts', 'proof-install-program.mjs')
const sourceAddon = join(root, 'build', 'Release', 'layerwise.node')

/** Largest difference of figures: kernels of another processor or another OpenBLAS round differently, over 15 epochs. */
const relativeDifference = 1e-6

/**
 * Folders of built packages, with empty files for those not built: npm chooses a package by its package.json.
 * @returns {{ platform: Platform, files: string, isBuilt: boolean }[]}
 */
function binaries() {
  return platforms.map((platform) => {
    const addon = `layerwise.${platform.name}.node`
    const prebuilt = join(root, 'build-prebuilt', platform.name)
    if (!options.ci && existsSync(join(prebuilt, addon))) return { platform, files: prebuilt, isBuilt: true }
    const files = join(work, 'built', platform.name)
    mkdirSync(files, { recursive: true })
    const isBuilt = options.ci && platform.name === 'linux-x64-gnu'
    if (isBuilt) copyFileSync(sourceAddon, join(files, addon))
    else writeFileSync(join(files, addon), '')
    return { platform, files, isBuilt }
  })
}

/** The tarballs of what the main package depends on, from node_modules. */
function dependencies() {
  const folder = join(work, 'dependencies')
  mkdirSync(folder)
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  for (const [path, { dev, devOptional, optional, peer }] of Object.entries(packages)) {
    if (path === '' || dev || devOptional || optional || peer) continue
    run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, join(root, path)])
  }
  return readdirSync(folder).map((name) => join(folder, name))
}

/**
 * @param {Environment} environment @param {string} registry
 * @returns {Promise<Row & { figures?: number[] }>}
 */
async function prove(environment, registry) {
  const { platform, where } = environment
  const folder = mkdtempSync(join(environment.folder ?? work, 'user-'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }\n')
  copyFileSync(program, join(folder, 'main.mjs'))
  try {
    const start = performance.now()
    await environment.install(folder, registry, join(work, 'npm-cache'))
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    const output = await environment.run(folder, 'main.mjs')
    const found = JSON.parse(output.trim().split('\n').at(-1) ?? '')
    const problem = difference(found.figures)
    const facts = `Node ${found.node}, OpenBLAS ${found.openblas} ${found.kernel}, ${found.vectors}, import ${found.importMs.toFixed(0)} ms, installed in ${seconds} s`
    if (found.importThreads > 0) throw new Error(`importing started ${found.importThreads} threads`)
    if (found.inWorker.threads > 0)
      throw new Error(`loading in a worker started ${found.inWorker.threads} threads`)
    return { platform, where, outcome: problem ?? `ran: ${facts}`, passed: problem === undefined }
  } catch (error) {
    return { platform, where, outcome: `FAILED: ${String(error).slice(0, 2000)}`, passed: false }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Two hundred loads in fresh processes, and in worker threads. @param {string} registry @returns {Promise<Row>} */
async function manyLoads(registry) {
  const folder = mkdtempSync(join(work, 'loads-'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }\n')
  copyFileSync(join(root, 'scripts', 'proof-install-loads.mjs'), join(folder, 'loads.mjs'))
  const platform = 'linux-x64-gnu'
  const where = '200 processes, 200 worker threads'
  try {
    const [own] = choosePlatforms([platform])
    await installFor(/** @type {Platform} */ (own), folder, registry, join(work, 'npm-cache'))
    const found = JSON.parse(await runAsync(process.execPath, ['loads.mjs'], folder, process.env))
    const outcome = `${found.failures} failures; ${found.after100.toFixed(0)} MiB after 100 workers, ${found.after200.toFixed(0)} after 200`
    return { platform, where, outcome, passed: true }
  } catch (error) {
    return { platform, where, outcome: `FAILED: ${String(error).slice(0, 2000)}`, passed: false }
  }
}

/** @type {number[]} what the source build computes */
let expected = []

/** @param {number[]} figures */
function difference(figures) {
  const wrong = expected.findIndex((value, i) => {
    return !(Math.abs((figures[i] ?? Number.NaN) - value) <= relativeDifference * Math.abs(value))
  })
  return wrong < 0 ? undefined : `FAILED: figure ${wrong} is ${figures[wrong]} instead of ${expected[wrong]}`
}

/** @param {string} main folder of the staged main package */
async function sourceFigures(main) {
  const folder = join(work, 'source')
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  run('cp', ['-r', main, join(folder, 'node_modules', 'layerwise')])
  copyFileSync(program, join(folder, 'main.mjs'))
  const env = { LAYERWISE_BINARY: sourceAddon }
  const output = await runAsync(process.execPath, ['main.mjs'], folder, { ...process.env, ...env })
  return JSON.parse(output.trim().split('\n').at(-1) ?? '').figures
}

/** npm takes the one package that fits each platform, and no other. @param {string} registry @returns {Promise<Row[]>} */
async function choices(registry) {
  /** @type {Row[]} */
  const rows = []
  for (const platform of platforms) {
    const folder = mkdtempSync(join(work, 'choice-'))
    writeFileSync(join(folder, 'package.json'), '{}')
    await installFor(platform, folder, registry, join(work, 'npm-cache'))
    const taken = readdirSync(join(folder, 'node_modules', '@layerwise'))
    const passed = taken.length === 1 && taken[0] === `layerwise-${platform.name}`
    rows.push({ platform: platform.name, where: 'npm’s choice', outcome: taken.join(', '), passed })
  }
  return rows
}

const all = binaries()
const built = all.filter(({ isBuilt }) => isBuilt).map(({ platform }) => platform)
const staged = stage(join(work, 'stage'), all)
const tarballs = pack(staged, join(work, 'tarballs'))
checkMain(staged, tarballs)
const registry = await serveRegistry([...tarballs, ...dependencies()])
/** @type {Row[]} */
const rows = []
try {
  expected = await sourceFigures(staged.main)
  console.log(`the source build’s figures: ${expected.join(' ')}`)
  for (const environment of environments(built, options)) {
    const row = await prove(environment, registry.url)
    console.log(`${row.platform}, ${row.where}: ${row.outcome}`)
    rows.push(row)
  }
  const tried = new Set(rows.map(({ platform }) => platform))
  if (!options.ci) rows.push(await manyLoads(registry.url))
  rows.push(...(await choices(registry.url)))
  for (const { name } of built.filter((platform) => !tried.has(platform.name))) {
    rows.push({ platform: name, where: '—', outcome: 'inspected only: it cannot run here', passed: true })
  }
} finally {
  registry.close()
  rmSync(work, { recursive: true, force: true })
}

console.log('\n| Platform | Where | Outcome |\n|---|---|---|')
for (const { platform, where, outcome } of rows) console.log(`| ${platform} | ${where} | ${outcome} |`)
const failed = rows.filter(({ passed }) => !passed).length
if (options.counts) {
  const counts = { passed: rows.length - failed, failed, skipped: 0 }
  writeFileSync(resolve(root, options.counts), `${JSON.stringify(counts)}\n`)
}
process.exit(failed === 0 && rows.length > 0 ? 0 : 1)
