/**
 * Has each call on files that an operation makes fail, one after another:
 *
 *   node meets-faults.mjs OPERATION FOLDER ERRNO FIRST COUNT
 *
 * with failing-files.so preloaded. Says how many calls failed, how many of them the operation could do without, and the codes of the others.
 */
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { LayerwiseError } from '../../../lib/index.js'
import { OPERATIONS } from '../operations.js'
import { must } from '../proof.js'

const [name, root, errno, first, count] = process.argv.slice(2) as [string, string, string, string, string]
const operation = OPERATIONS[name]!
const control = openSync(process.env.FAILING_CONTROL!, 'r+')

/** Lets this many calls pass, then fails one. */
function arm(before: number): void {
  writeSync(control, Buffer.from(Int32Array.of(before, Number(errno), 0).buffer), 0, 12, 0)
}

/** Lets all calls pass. Returns whether one failed. */
function disarm(): boolean {
  const numbers = Buffer.alloc(12)
  readSync(control, numbers, 0, 12, 0)
  writeSync(control, Buffer.from(Int32Array.of(-1, 0, 0).buffer), 0, 12, 0)
  return numbers.readInt32LE(8) > 0
}

let failed = 0
let harmless = 0
const codes = new Set<string>()
let call = Number(first)
for (; call < Number(first) + Number(count); call++) {
  const folder = `${root}/${call}`
  await mkdir(folder)
  try {
    const { run, mustBe } = await operation(folder)
    const names = readdirSync(folder).sort().join()
    arm(call)
    const error = await run().then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    )
    const isHit = disarm()
    if (error !== undefined) {
      must(isHit, `it failed by itself: ${error.stack}`)
      must(error instanceof LayerwiseError, `it failed with ${error.stack}`)
      must(['ERR_FILE', 'ERR_ARGUMENT'].includes(error.code), `its code is ${error.code}: ${error.message}`)
      codes.add(error.code)
    }
    const isDone = error === undefined || error.message.includes('all rows were written')
    await mustBe(isDone ? 'new' : 'old')
    const now = readdirSync(folder).sort().join()
    if (!isDone) must(now === names, `it left ${now}, of ${names}`)
    must(!/\.tmp/.test(now), `it left ${now}`)
    // The fault is over: it works.
    await run()
    await mustBe('new')
    if (!isHit) break
    failed++
    if (error === undefined) harmless++
  } catch (error) {
    throw new Error(`call ${call} of ${name}: ${(error as Error).message}`, { cause: error })
  }
  await rm(folder, { recursive: true })
}
closeSync(control)
console.log(JSON.stringify({ failed, harmless, codes: [...codes] }))
