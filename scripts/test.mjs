/**
 * Runs the tests and counts them.
 *
 *   node scripts/test.mjs                      TypeScript, then C++, then the canary
 *   node scripts/test.mjs matrix load          only test files whose path holds one of these words
 *   node scripts/test.mjs --native=BINARY      only the C++ tests of another build, such as build-thread/layerwise_tests
 *   node scripts/test.mjs --counts=FILE        where to write { passed, failed, skipped, failures }; default build/test-counts.json
 *   node scripts/test.mjs --canary             two tests that must fail, one in each language
 *
 * The canary checks that this script reports failures: it runs itself with --canary and must get two failures and a nonzero exit status.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** @typedef {{ passed: number, failed: number, skipped: number, failures: string[] }} Counts each failure with a line on its reason */

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    native: { type: 'string' },
    counts: { type: 'string', default: 'build/test-counts.json' },
    canary: { type: 'boolean', default: false },
  },
})

const countsPath = resolve(root, options.counts)

/**
 * Runs a test program that writes a report, which is read only if this very run wrote it.
 * @param {string} program
 * @param {string[]} args
 * @param {string} report
 * @param {(report: any) => Counts} read
 * @returns {Counts}
 */
function runTests(program, args, report, read) {
  mkdirSync(dirname(report), { recursive: true })
  rmSync(report, { force: true })
  const { status, signal, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' })
  if (error) console.error(`${program}: ${error.message}`)
  if (signal) console.error(`${program}: ended by ${signal}`)
  const counts = existsSync(report)
    ? read(JSON.parse(readFileSync(report, 'utf8')))
    : { passed: 0, failed: 0, skipped: 0, failures: [] }
  // A file that does not load, a crash, an unhandled rejection: a failure, though no test carries it.
  if (status !== 0 && counts.failed === 0) {
    counts.failed = 1
    counts.failures.push(`${program} ended by ${signal ?? status}, outside of any test`)
  }
  if (counts.passed + counts.failed === 0) {
    console.error(`${program}: no test ran`)
    counts.failed = 1
    counts.failures.push(`${program}: no test ran`)
  }
  return counts
}

/** @param {string} name @param {string | undefined} reason @returns {string} a line */
function failure(name, reason) {
  return `${name}: ${(reason ?? '').replace(/\s+/g, ' ').slice(0, 300)}`
}

/** @param {string[]} args @returns {Counts} */
function runVitest(args) {
  const report = join(root, 'build', 'vitest.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  return runTests(process.execPath, [vitest, 'run', ...reporters, ...args], report, (json) => {
    /** @type {any[]} */
    const files = json.testResults
    const unread = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
    return {
      passed: json.numPassedTests,
      failed: json.numFailedTests + unread.length,
      skipped: json.numPendingTests + json.numTodoTests,
      failures: [
        ...unread.map((file) => failure(file.name, file.message)),
        ...files.flatMap((file) => {
          /** @type {any[]} */
          const failed = file.assertionResults.filter((/** @type {any} */ test) => test.status === 'failed')
          return failed.map((test) =>
            failure(`${basename(file.name)}: ${test.fullName}`, test.failureMessages[0]),
          )
        }),
      ],
    }
  })
}

/** @param {string} binary @param {string[]} args @returns {Counts} */
function runGoogleTest(binary, args) {
  const report = `${countsPath}.tests.json`
  return runTests(binary, ['--gtest_brief=1', `--gtest_output=json:${report}`, ...args], report, (json) => {
    const ran = json.testsuites
      .flatMap((/** @type {any} */ suite) => suite.testsuite)
      .filter((/** @type {any} */ test) => test.status === 'RUN')
    const failed = ran.filter((/** @type {any} */ test) => test.failures !== undefined)
    const skipped = ran.filter((/** @type {any} */ test) => test.result === 'SKIPPED').length
    return {
      passed: ran.length - failed.length - skipped,
      failed: failed.length,
      skipped,
      failures: failed.map((/** @type {any} */ test) =>
        failure(`${test.classname}.${test.name}`, test.failures[0].failure),
      ),
    }
  })
}

/** @returns {Counts} passes when a run of two failing tests reports two failures and ends badly */
function runCanary() {
  const path = join('build', 'canary-counts.json')
  rmSync(join(root, path), { force: true })
  const args = [join(root, 'scripts', 'test.mjs'), '--canary', `--counts=${path}`]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  const failed = existsSync(join(root, path))
    ? JSON.parse(readFileSync(join(root, path), 'utf8')).failed
    : undefined
  if (status === 1 && failed === 2) return { passed: 1, failed: 0, skipped: 0, failures: [] }
  console.error(
    `The canary’s two failing tests gave exit status ${status} and ${failed} failures:\n${stdout}${stderr}`,
  )
  return { passed: 0, failed: 1, skipped: 0, failures: ['the canary'] }
}

const nativeTests = join(root, 'build', 'layerwise_tests')
/** @type {[string, () => Counts][]} */
let suites = [
  ['TypeScript', () => runVitest(filters)],
  ['C++', () => runGoogleTest(nativeTests, [])],
  ['canary', runCanary],
]
if (filters.length > 0) suites = suites.slice(0, 1)
if (options.native !== undefined) {
  const binary = resolve(root, options.native)
  suites = [[options.native, () => runGoogleTest(binary, [])]]
}
if (options.canary) {
  suites = [
    ['TypeScript', () => runVitest(['--config', 'test/canary/vitest.config.ts'])],
    ['C++', () => runGoogleTest(nativeTests, ['--gtest_also_run_disabled_tests', '--gtest_filter=Canary.*'])],
  ]
}

const results = suites.map(([name, run]) => /** @type {const} */ ([name, run()]))
/** @type {Counts} */
const total = { passed: 0, failed: 0, skipped: 0, failures: [] }
console.log('')
for (const [name, counts] of results) {
  total.passed += counts.passed
  total.failed += counts.failed
  total.skipped += counts.skipped
  total.failures.push(...counts.failures)
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
}
mkdirSync(dirname(countsPath), { recursive: true })
writeFileSync(countsPath, `${JSON.stringify(total)}\n`)
process.exit(total.failed > 0 ? 1 : 0)
