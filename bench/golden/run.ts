/**
 * Checks that results are the same bit for bit: trains small cases of every model × precision × optimizer and hashes parameters, codes and
 * costs.
 *
 *   npm run golden                        one thread and three give the same bits, and those of table.json where this machine is in it
 *   npm run golden -- --against COMMIT    and the same bits as that commit, built aside, gives on this machine
 *   npm run golden -- --write [--kernels] renews this machine's entry in the table; with --kernels one for every vector level and
 *                                         OpenBLAS kernel that runs here
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildAside } from '../measuring/aside.js'
import { message } from '../measuring/message.js'
import { setUp } from '../measuring/set-up.js'
import type { Hashed } from './hash.js'
import { differences, differencesFrom, entryOf, keyOf, readTable, writeEntry } from './table.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const THREADS = 3
const LEVELS = ['avx512', 'avx2', 'baseline']
/** The first: whichever is taken where none is named. */
const KERNELS = ['', 'SkylakeX', 'Haswell', 'Zen']

/** Hashes of all cases, by the library and addon of a checkout. @throws Error if the process fails */
async function hashed(checkout: string, threads: number, env: NodeJS.ProcessEnv = {}): Promise<Hashed> {
  const child = fork(`${checkout}/bench/golden/hash.ts`, [`${threads}`], {
    cwd: checkout,
    env: { ...process.env, ...env },
  })
  return message<Hashed>(child)
}

function report(title: string, lines: readonly string[]): void {
  console.log(lines.length === 0 ? title : `${title}\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

/** The cases here, on one thread and several. @returns those of one, and whether all is well */
async function onThreads(env: NodeJS.ProcessEnv = {}): Promise<{ now: Hashed; agree: boolean }> {
  const [now, more] = [await hashed(root, 1, env), await hashed(root, THREADS, env)]
  const { differing, skipped } = differences(now, more)
  const count = Object.keys(now.cases).length
  report(`${keyOf(now)}: ${count} cases, ${differing.length} differ between 1 and ${THREADS} threads`, [
    ...differing,
    ...skipped.map((line) => `cannot run: ${line}`),
  ])
  return { now, agree: differing.length + skipped.length === 0 }
}

function againstTable(now: Hashed): boolean {
  const entry = readTable()[keyOf(now)]
  if (entry === undefined) {
    console.log(
      'the table has no entry for this machine: nothing to compare with (npm run golden -- --write adds one)',
    )
    return true
  }
  const { differing, added } = differencesFrom(entry, entryOf(now))
  const newer = added.length > 0 ? `; ${added.length} are newer than its entry of this machine` : ''
  report(`${differing.length} cases differ from the table${newer}`, differing)
  return differing.length === 0
}

async function againstCommit(name: string, now: Hashed): Promise<boolean> {
  const { commit, path } = buildAside(name)
  const before = await hashed(path, 1, { LAYERWISE_BINARY: '' })
  const { differing, skipped } = differences(before, now)
  const other = keyOf(before) === keyOf(now) ? '' : ` (which runs on ${keyOf(before)})`
  report(`${differing.length} cases differ from ${commit.slice(0, 12)}${other}`, differing)
  if (skipped.length > 0) report(`${skipped.length} cases cannot run there and are left out`, skipped)
  return differing.length === 0
}

/** One entry for each level and kernel; a level that this processor lacks is named and left out. */
async function writeAll(): Promise<boolean> {
  let well = true
  for (const LAYERWISE_VECTORS of LEVELS) {
    for (const OPENBLAS_CORETYPE of KERNELS) {
      try {
        const { now, agree } = await onThreads({ LAYERWISE_VECTORS, OPENBLAS_CORETYPE })
        writeEntry(keyOf(now), entryOf(now))
        well &&= agree
      } catch {
        console.log(`${LAYERWISE_VECTORS}, ${OPENBLAS_CORETYPE || 'no kernel named'}: does not run here`)
      }
    }
  }
  return well
}

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    write: { type: 'boolean', default: false },
    kernels: { type: 'boolean', default: false },
  },
})
setUp()
let well: boolean
if (values.write && values.kernels) {
  well = await writeAll()
} else {
  const { now, agree } = await onThreads()
  if (values.write) writeEntry(keyOf(now), entryOf(now))
  well = againstTable(now) && agree
  if (values.against !== undefined) well = (await againstCommit(values.against, now)) && well
}
if (!well) process.exitCode = 1
