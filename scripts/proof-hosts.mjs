/**
 * Proves that the packed package works in hosts other than plain Node: test runners that give each file a realm of its own, bundlers,
 * tracers of files, other runtimes, and that every TypeScript from 5.0 on takes its declarations.
 *
 *   npm run proof:hosts                        all of them; installs them (0.7 GB) at the exact versions of proof-hosts/project/package.json
 *   npm run proof:hosts -- --smoke             those that need nothing but the development dependencies, as CI does
 *   npm run proof:hosts -- --only webpack      those whose name contains this
 *
 * The addon is that of the source build. Each host runs the same statements (proof-hosts/project/checks.cjs) and must compute the same figure. Ends with
 * a table and "N passed, N failed".
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run } from './prebuild-downloads.mjs'
import { choosePlatforms } from './prebuild-platforms.mjs'
import { hosts, loadFrom } from './proof-hosts/hosts.mjs'
import { runAsync } from './proof-install-run.mjs'
import { pack, stage } from './release-stage.mjs'

/** @typedef {import('./proof-hosts/hosts.mjs').Host} Host */
/** @typedef {{ name: string, outcome: string, passed: boolean, seconds: number }} Row */

const root = fileURLToPath(new URL('..', import.meta.url))
const project = join(root, 'scripts', 'proof-hosts', 'project')
const platform = 'linux-x64-gnu'
const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    counts: { type: 'string' },
  },
})

const work = mkdtempSync(join(tmpdir(), 'layerwise-hosts-'))
const folder = join(work, 'project')

/** Installs the hosts, and the package as a user has it, in a folder. */
function install() {
  cpSync(project, folder, { recursive: true })
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  if (!options.smoke) run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], folder)
  // Packages of the repository are linked, so that they find their dependencies.
  for (const name of ['vitest', 'esbuild']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  for (const [tarball, name] of packed()) {
    const into = join(folder, 'node_modules', name)
    mkdirSync(into, { recursive: true })
    run('tar', ['-xzf', tarball, '--strip-components=1', '-C', into])
  }
}

/** Tarballs of the main package and of this platform's, and the names they are installed under. @returns {[string, string][]} */
function packed() {
  const files = join(work, 'built')
  mkdirSync(files)
  cpSync(join(root, 'build/Release/layerwise.node'), join(files, `layerwise.${platform}.node`))
  const binaries = choosePlatforms([platform]).map((found) => ({ platform: found, files }))
  const tarballs = pack(stage(join(work, 'stage'), binaries), join(work, 'tarballs'))
  return tarballs.map((path) => [
    path,
    path.includes(platform) ? `@layerwise/layerwise-${platform}` : 'layerwise',
  ])
}

/** The program of a host that is one of Node's packages. @param {string} name */
function bin(name) {
  const found = [folder, root]
    .map((where) => join(where, 'node_modules', name, 'package.json'))
    .find(existsSync)
  if (found === undefined) throw new Error(`${name} is not installed`)
  const { bin } = JSON.parse(readFileSync(found, 'utf8'))
  return join(found, '..', typeof bin === 'string' ? bin : bin[name])
}

/** The result in plain Node, which all other hosts must compute too. @type {number | undefined} */
let figure

/** @param {Host} host @returns {Promise<Row>} */
async function prove({ name, only, prove }) {
  const out = mkdtempSync(join(work, 'out-'))
  const outcomeFile = join(work, 'outcome.json')
  rmSync(outcomeFile, { force: true })
  const start = performance.now()
  /** @param {string} outcome @param {boolean} passed */
  const row = (outcome, passed) => ({ name, outcome, passed, seconds: (performance.now() - start) / 1000 })
  try {
    await prove({
      folder,
      out,
      bin,
      load: (module) => loadFrom(folder, module),
      run: (program, args, { cwd = folder, env = {} } = {}) =>
        runAsync(program, args, cwd, { ...environment(), PROOF_OUTCOME: outcomeFile, ...env }),
    })
    if (only === 'types') return row('compiles', true)
    const outcome = JSON.parse(readFileSync(outcomeFile, 'utf8'))
    figure ??= outcome.figure
    const problems = [
      ...outcome.failed,
      ...(outcome.figure === figure ? [] : [`it computed ${outcome.figure} instead of ${figure}`]),
    ]
    if (problems.length > 0) return row(problems.join('\n'), false)
    return row(`${outcome.held.length} statements hold`, true)
  } catch (error) {
    return row(String(error).slice(0, 3000), false)
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

/** Settings of npm or of this process are not used. */
function environment() {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|LAYERWISE_|NODE_OPTIONS$)/.test(name))
  return { ...Object.fromEntries(kept), PROOF_PLATFORM: platform }
}

/** @type {Row[]} */
const rows = []
try {
  process.env.PROOF_PLATFORM = platform
  install()
  const chosen = hosts.filter(
    ({ name, smoke }) => (!options.smoke || smoke) && name.toLowerCase().includes(options.only.toLowerCase()),
  )
  for (const host of chosen) {
    const row = await prove(host)
    console.log(
      `${row.passed ? 'passed' : 'FAILED'}  ${row.seconds.toFixed(1).padStart(5)} s  ${row.name}: ${row.outcome}`,
    )
    rows.push(row)
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}

const failed = rows.filter(({ passed }) => !passed).length
console.log('\n| Host | Outcome |\n|---|---|')
for (const { name, outcome } of rows) console.log(`| ${name} | ${outcome.split('\n')[0]} |`)
if (options.counts) {
  writeFileSync(
    resolve(root, options.counts),
    `${JSON.stringify({ passed: rows.length - failed, failed, skipped: 0 })}\n`,
  )
}
console.log(`\n${rows.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 && rows.length > 0 ? 0 : 1)
