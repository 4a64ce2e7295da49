/**
 * Runs examples.
 *
 *   node scripts/run-examples.mjs                      lists them
 *   node scripts/run-examples.mjs NAME [OPTION …]      brings what one needs, and runs it
 *   node scripts/run-examples.mjs --all --counts=FILE  runs each in its short form if it has one, for at most a minute; each counts as one
 *                                                      test, and FILE gets { passed, failed, skipped }. The demo has its own command
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs')
const seconds = 60
const examples = readdirSync(join(root, 'examples'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length))

/** @param {string} name @param {string[]} given @param {number} [timeout] milliseconds */
function start(name, given, timeout) {
  return spawnSync(process.execPath, [tsx, join('examples', `${name}.ts`), ...given], {
    cwd: root,
    stdio: 'inherit',
    timeout,
    killSignal: 'SIGKILL',
  })
}

/** An example has a short form if its first comment says so. @param {string} name */
function hasShortForm(name) {
  return /^\/\/ .* --quick\b/m.test(readFileSync(join(root, 'examples', `${name}.ts`), 'utf8'))
}

/** The first sentence of the comment that an example begins with. @param {string} name */
function subjectOf(name) {
  const lines = readFileSync(join(root, 'examples', `${name}.ts`), 'utf8').split('\n')
  const paragraph = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('// ')),
  )
  const text = paragraph.map((line) => line.slice('// '.length)).join(' ')
  return /^.*?[.?](?= [A-Z]|$)/.exec(text)?.[0] ?? text
}

function list() {
  const width = Math.max(...examples.map((name) => name.length))
  for (const name of examples) console.log(`${name.padEnd(width)}  ${subjectOf(name)}`)
  console.log('\nnpm run examples -- NAME')
}

/** @param {string} name @param {string[]} given @returns {number} the exit status */
function runOne(name, given) {
  if (!examples.includes(name)) {
    console.error(`no example is called '${name}': ${examples.join(', ')}`)
    return 1
  }
  const data = name === 'words' && !given.includes('--quick') ? '--words' : '--data'
  const setup = spawnSync(process.execPath, [join(root, 'scripts', 'setup.mjs'), data], { stdio: 'inherit' })
  return setup.status === 0 ? (start(name, given).status ?? 1) : 1
}

/** @param {string | undefined} countsFile @returns {number} the exit status */
function runAll(countsFile) {
  const results = examples
    .filter((name) => name !== 'demo')
    .map((name) => {
      console.log(`\n--- examples/${name}.ts`)
      const begun = performance.now()
      const { status, signal } = start(name, hasShortForm(name) ? ['--quick'] : [], seconds * 1000)
      const ending = signal === 'SIGKILL' ? `ended after ${seconds} s` : `exit status ${status}`
      return { name, passed: status === 0, took: (performance.now() - begun) / 1000, ending }
    })
  console.log('')
  for (const { name, passed, took, ending } of results) {
    console.log(
      `${passed ? 'passed' : 'FAILED'} examples/${name}.ts in ${took.toFixed(1)} s${passed ? '' : `: ${ending}`}`,
    )
  }
  const failed = results.filter(({ passed }) => !passed).length
  const counts = { passed: results.length - failed, failed, skipped: 0 }
  if (countsFile) writeFileSync(resolve(root, countsFile), `${JSON.stringify(counts)}\n`)
  return failed === 0 && results.length > 0 ? 0 : 1
}

const [name, ...given] = process.argv.slice(2)
if (name === undefined) list()
else if (!name.startsWith('-')) process.exitCode = runOne(name, given)
else {
  const { values } = parseArgs({ options: { all: { type: 'boolean' }, counts: { type: 'string' } } })
  if (values.all) process.exitCode = runAll(values.counts)
  else list()
}
