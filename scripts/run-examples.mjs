/**
 * Runs every example, in its quick form if it has one, for at most a minute; each counts as one test. The demo is not included: it has its
 * own command.
 *
 *   node scripts/run-examples.mjs --counts=FILE    writes { passed, failed, skipped }
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({ options: { counts: { type: 'string' } } })
const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs')
const seconds = 60
/** Examples that take too long for a test and have a short form. */
const quick = ['linear-and-pca.ts', 'norms.ts', 'stack.ts']

const examples = readdirSync(join(root, 'examples')).filter(
  (name) => name.endsWith('.ts') && name !== 'demo.ts',
)
const results = examples.map((name) => {
  console.log(`\n--- examples/${name}`)
  const start = performance.now()
  const { status, signal } = spawnSync(
    process.execPath,
    [tsx, join('examples', name), ...(quick.includes(name) ? ['--quick'] : [])],
    {
      cwd: root,
      stdio: 'inherit',
      timeout: seconds * 1000,
      killSignal: 'SIGKILL',
    },
  )
  const passed = status === 0
  const ending = signal === 'SIGKILL' ? `ended after ${seconds} s` : `exit status ${status}`
  return { name, passed, took: (performance.now() - start) / 1000, ending }
})

console.log('')
for (const { name, passed, took, ending } of results) {
  console.log(
    `${passed ? 'passed' : 'FAILED'} examples/${name} in ${took.toFixed(1)} s${passed ? '' : `: ${ending}`}`,
  )
}
const failed = results.filter(({ passed }) => !passed).length
const counts = { passed: results.length - failed, failed, skipped: 0 }
if (options.counts) writeFileSync(join(root, options.counts), `${JSON.stringify(counts)}\n`)
process.exit(failed === 0 && results.length > 0 ? 0 : 1)
